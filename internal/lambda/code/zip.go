package code

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"strings"
)

// MaxUnzipped is how many bytes a function may have when unpacked.
const MaxUnzipped = 262144000

// Bounds of what is unpacked that AWS does not name: what a disk and a kernel take.
const (
	maxEntries = 50000 // files, folders and links
	maxName    = 1024  // bytes of a path within the code
	maxPart    = 255   // bytes between its slashes
)

// Reasons why a zip is refused.
var (
	ErrNotZip   = errors.New("not a zip file that can be unpacked")
	ErrTooLarge = errors.New("unzipped size is too large")
)

// Check reports whether a zip can be unpacked: whatever would fail then fails
// here, when its owner is there to see it.
func Check(b []byte) error {
	entries, err := read(b)
	if err != nil {
		return err
	}
	left := int64(MaxUnzipped)
	for _, e := range entries {
		if e.kind != 0 {
			continue
		}
		n, err := inflate(io.Discard, e.file, left)
		if err != nil {
			return err
		}
		left -= n
	}
	return nil
}

// An entry is a part of a zip that was checked.
type entry struct {
	name string      // path below the folder
	kind fs.FileMode // 0, a folder or a link
	to   string      // where a link leads
	file *zip.File
}

// read returns the entries of a zip: their names and links stay inside, and no
// file stands where another one's folder must be.
func read(b []byte) ([]entry, error) {
	r, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, ErrNotZip
	}
	var size uint64
	t := tree{}
	entries := make([]entry, 0, min(len(r.File), maxEntries))
	for _, f := range r.File {
		if size += f.UncompressedSize64; size > MaxUnzipped {
			return nil, ErrTooLarge
		}
		e, err := readEntry(f)
		if err == nil {
			err = t.add(e)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %.200q %w", ErrNotZip, f.Name, err)
		}
		entries = append(entries, e)
	}
	return entries, nil
}

func readEntry(f *zip.File) (entry, error) {
	e := entry{name: path.Clean(strings.ReplaceAll(f.Name, `\`, "/")), kind: f.Mode().Type(), file: f}
	switch {
	case !filepath.IsLocal(e.name):
		return e, errors.New("lies outside")
	case len(e.name) > maxName || strings.ContainsRune(e.name, 0):
		return e, errors.New("is no name of a file")
	}
	switch e.kind {
	case 0, fs.ModeDir:
		return e, nil
	case fs.ModeSymlink:
		var to bytes.Buffer
		if _, err := inflate(&to, f, maxName); err != nil {
			return e, errors.New("is a link that cannot be read")
		}
		e.to = to.String()
		if path.IsAbs(e.to) || e.to == "" || strings.ContainsRune(e.to, 0) || !filepath.IsLocal(path.Join(path.Dir(e.name), e.to)) {
			return e, errors.New("is a link that leads outside")
		}
		return e, nil
	}
	return e, errors.New("is neither a file, a folder nor a link")
}

// A tree is what would stand on the disk: what kind of thing a path is.
type tree map[string]fs.FileMode

// add puts an entry and the folders above it into the tree.
func (t tree) add(e entry) error {
	if e.name == "." && e.kind != fs.ModeDir {
		return errors.New("is no name of a file")
	}
	for i, c := range e.name {
		if c != '/' {
			continue
		}
		if err := t.put(e.name[:i], fs.ModeDir); err != nil {
			return err
		}
	}
	return t.put(e.name, e.kind)
}

func (t tree) put(name string, kind fs.FileMode) error {
	if was, there := t[name]; there {
		if (was == fs.ModeDir) != (kind == fs.ModeDir) {
			return errors.New("is a folder and something else")
		}
	} else {
		switch {
		case len(name)-strings.LastIndexByte(name, '/')-1 > maxPart:
			return errors.New("has a part that is too long")
		case len(t) == maxEntries:
			return fmt.Errorf("is more than the %d files and folders that code may have", maxEntries)
		}
	}
	t[name] = kind
	return nil
}

// inflate writes the content of a file, of at most so many bytes. The sizes in a
// zip are claims.
func inflate(w io.Writer, f *zip.File, left int64) (int64, error) {
	in, err := f.Open()
	if err != nil {
		return 0, fmt.Errorf("%w: %.200q: %w", ErrNotZip, f.Name, err)
	}
	defer in.Close()
	n, err := io.Copy(w, io.LimitReader(in, left+1))
	switch {
	case n > left:
		return n, ErrTooLarge
	case errors.Is(err, zip.ErrFormat), errors.Is(err, zip.ErrChecksum), errors.Is(err, io.ErrUnexpectedEOF), isCorrupt(err):
		return n, fmt.Errorf("%w: %.200q: %w", ErrNotZip, f.Name, err)
	}
	return n, err
}

func isCorrupt(err error) bool {
	_, corrupt := errors.AsType[flate.CorruptInputError](err)
	return corrupt
}
