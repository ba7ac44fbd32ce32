package pack

import (
	"io"

	"github.com/klauspost/compress/gzip"
)

// NewGzip returns what writes one gzip member of what it is given into w, for files that
// others read. Its caller closes it. It is faster than compress/gzip and packs about as well.
func NewGzip(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }

// NewGunzip returns what reads the gzip members that r has, of others' files as well. It
// is faster than compress/gzip.
func NewGunzip(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }
