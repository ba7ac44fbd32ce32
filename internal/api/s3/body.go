package s3

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"net/http"
	"strings"

	"plumb/internal/bucket"
	"plumb/internal/model"
)

// maxDocument is the largest document a request may carry: the 10,000 parts of
// an upload to complete.
const maxDocument = 8 << 20

// maxPut is the largest object or part of one request.
const maxPut = 5 << 30

// A body is what a request carries, and what it promised of it. Package wire has
// unwrapped aws-chunked and checks what was signed as the body is read.
type body struct {
	io.Reader
	algorithm string // of the checksum; "" if the client asked for none
	want      string // the checksum, unless a trailer has it
	md5       []byte
	length    int64 // -1 when unknown
	request   *http.Request
	apart     hash.Hash // by algorithm, where the store sums by another one
}

// sumApart has what is read summed by the client's algorithm, where the store does so by another one: clients begin an
// upload without naming any, and then send parts with the one that is usual for them.
func (b *body) sumApart(stored string) (err error) {
	if b.algorithm == "" || b.algorithm == stored {
		return nil
	}
	if b.apart, err = bucket.NewHash(b.algorithm); err == nil {
		b.Reader = io.TeeReader(b.Reader, b.apart)
	}
	return err
}

// payload returns the request's body.
func (c *call) payload() (*body, error) {
	b := &body{Reader: c.r.Body, length: c.r.ContentLength, request: c.r}
	if b.length > maxPut {
		return nil, fault(http.StatusBadRequest, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size").
			With("ProposedSize", b.length).With("MaxSizeAllowed", int64(maxPut))
	}
	return b, b.promises(c.r.Header)
}

// promises reads the digests that the headers name.
func (b *body) promises(h http.Header) error {
	if s := h.Get("Content-MD5"); s != "" {
		sum, err := base64.StdEncoding.DecodeString(s)
		if err != nil || len(sum) != md5.Size {
			return fault(http.StatusBadRequest, "InvalidDigest", "The Content-MD5 you specified was invalid.").With("Content-MD5", s)
		}
		b.md5 = sum
	}
	named := strings.ToUpper(h.Get("x-amz-sdk-checksum-algorithm"))
	for _, a := range bucket.Algorithms() {
		v := h.Get(checksumHeader(a))
		trailer := strings.EqualFold(h.Get("x-amz-trailer"), checksumHeader(a))
		if v == "" && !trailer && named != a {
			continue
		}
		if b.algorithm != "" && v != "" {
			return invalidRequest("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")
		}
		if b.algorithm == "" || v != "" || trailer {
			b.algorithm, b.want = a, v
		}
		if v != "" && !validChecksum(a, v) {
			return invalidRequest("Value for " + checksumHeader(a) + " header is invalid.")
		}
	}
	if named != "" && b.algorithm == "" {
		return invalidRequest("Checksum algorithm provided is unsupported. Please try again with any of the valid types: " +
			"[CRC32, CRC32C, CRC64NVME, SHA1, SHA256]")
	}
	return nil
}

// Read reads on. What a client did wrong is told apart here from what the store fails with.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	return n, bodyError(err)
}

// verify compares what was read with what was promised.
func (b *body) verify(s bucket.Sums) error {
	if b.length >= 0 && s.Size != b.length {
		return incompleteBody()
	}
	if b.md5 != nil && !bytes.Equal(b.md5, s.MD5) {
		return fault(http.StatusBadRequest, "BadDigest", "The Content-MD5 you specified did not match what we received.").
			With("ExpectedDigest", hex.EncodeToString(b.md5)).With("CalculatedDigest", base64.StdEncoding.EncodeToString(s.MD5))
	}
	want := b.want
	if want == "" && b.algorithm != "" {
		want = b.request.Trailer.Get(checksumHeader(b.algorithm)) // known only now that the body was read
	}
	sum := s.Checksum
	if b.apart != nil {
		sum = base64.StdEncoding.EncodeToString(b.apart.Sum(nil))
	}
	if want != "" && (b.apart != nil || s.Algorithm == b.algorithm) && want != sum {
		return bucket.BadChecksum(b.algorithm)
	}
	return nil
}

// read returns a whole small body, verified.
func (c *call) read() ([]byte, error) {
	b, err := c.payload()
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(b, maxDocument+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxDocument {
		return nil, fault(http.StatusBadRequest, "MaxMessageLengthExceeded", "Your request was too big.")
	}
	algorithm := b.algorithm
	if algorithm == "" {
		algorithm = bucket.CRC32 // none was promised: nothing will be compared
	}
	h, err := bucket.NewHash(algorithm)
	if err != nil {
		return nil, err
	}
	h.Write(data)
	sum := md5.Sum(data)
	return data, b.verify(bucket.Sums{
		Size: int64(len(data)), MD5: sum[:], Algorithm: algorithm, Checksum: base64.StdEncoding.EncodeToString(h.Sum(nil)),
	})
}

// bodyError says what a client did wrong when its body broke off; our own
// errors stay as they are.
func bodyError(err error) error {
	var known *model.Error
	var tooLarge *http.MaxBytesError
	switch {
	case err == nil, errors.Is(err, io.EOF), errors.As(err, &known):
		return err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return incompleteBody()
	case errors.As(err, &tooLarge):
		return fault(http.StatusBadRequest, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
	}
	return err
}

func incompleteBody() error {
	return fault(http.StatusBadRequest, "IncompleteBody",
		"You did not provide the number of bytes specified by the Content-Length HTTP header")
}

func checksumHeader(algorithm string) string {
	return "x-amz-checksum-" + strings.ToLower(algorithm)
}

func validChecksum(algorithm, value string) bool {
	h, err := bucket.NewHash(algorithm)
	if err != nil {
		return false
	}
	b, err := base64.StdEncoding.DecodeString(value)
	return err == nil && len(b) == h.Size()
}
