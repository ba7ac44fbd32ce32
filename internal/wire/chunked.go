package wire

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"

	"plumb/internal/model"
)

// maxChunkLine bounds a chunk's head and a trailer's line.
const maxChunkLine = 4096

// chunks reads a body in aws-chunked: pieces with their length and, when the client signs them, their signature, then
// trailers with a checksum of the whole.
type chunks struct {
	in      *bufio.Reader
	close   io.Closer
	request *http.Request
	left    int64 // of the current chunk
	total   int64 // decoded so far
	want    int64 // decoded, as promised; -1 without a promise
	begun   bool
	err     error

	sign          *chunkSigner // nil: not verified
	signedTrailer bool         // the trailer has a signature too
	claimed       string       // signature of the current chunk
	check         checksum
}

// openChunks replaces an aws-chunked body with its content, and the headers with those of the content.
func openChunks(r *http.Request, c credential, secret, kind string) error {
	want, err := decodedLength(r)
	if err != nil {
		return err
	}
	body := &chunks{in: bufio.NewReaderSize(r.Body, maxChunkLine), close: r.Body, request: r, want: want}
	if secret != "" && strings.HasPrefix(kind, streamingSigned) {
		body.signedTrailer = kind != streamingSigned
		body.sign = &chunkSigner{key: signingKey(secret, c), credential: c, previous: c.signature, sum: sha256.New()}
	}
	if name := r.Header.Get("X-Amz-Trailer"); name != "" {
		body.check = newChecksum(name)
	}
	r.Body, r.ContentLength = body, want
	dropChunked(r.Header, want)
	return nil
}

func decodedLength(r *http.Request) (int64, error) {
	text := r.Header.Get("X-Amz-Decoded-Content-Length")
	if text == "" {
		return -1, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, model.Errorf(model.Error{Code: "InvalidArgument", Status: 400},
			"X-Amz-Decoded-Content-Length is not a length.")
	}
	return n, nil
}

// dropChunked takes aws-chunked, and nothing else, out of Content-Encoding.
func dropChunked(h http.Header, length int64) {
	var rest []string
	for part := range strings.SplitSeq(h.Get("Content-Encoding"), ",") {
		if part = strings.TrimSpace(part); part != "" && part != "aws-chunked" {
			rest = append(rest, part)
		}
	}
	h.Del("Content-Encoding")
	if len(rest) > 0 {
		h.Set("Content-Encoding", strings.Join(rest, ","))
	}
	if length >= 0 {
		h.Set("Content-Length", strconv.FormatInt(length, 10))
	}
	h.Set("X-Amz-Content-Sha256", unsignedPayload)
}

func (c *chunks) Close() error { return c.close.Close() }

func (c *chunks) Read(p []byte) (int, error) {
	if c.err == nil && c.left == 0 {
		c.err = c.next()
	}
	if c.err != nil {
		return 0, c.err
	}
	if int64(len(p)) > c.left {
		p = p[:c.left]
	}
	n, err := c.in.Read(p)
	c.left -= int64(n)
	c.total += int64(n)
	c.hash(p[:n])
	if err != nil {
		c.err = incomplete()
	}
	return n, nil
}

func (c *chunks) hash(p []byte) {
	if c.sign != nil {
		c.sign.sum.Write(p)
	}
	if c.check.sum != nil {
		c.check.sum.Write(p)
	}
}

// next ends one chunk and begins another. It answers io.EOF after the last one, when everything was as promised.
func (c *chunks) next() error {
	if c.begun {
		if err := c.endChunk(); err != nil {
			return err
		}
	}
	c.begun = true
	line, err := c.line()
	if err != nil {
		return err
	}
	size, rest, _ := strings.Cut(line, ";")
	n, err := strconv.ParseInt(strings.TrimSpace(size), 16, 64)
	if err != nil || n < 0 {
		return incomplete()
	}
	c.claimed = strings.TrimPrefix(rest, "chunk-signature=")
	c.left = n
	if n > 0 {
		return nil
	}
	return c.finish()
}

func (c *chunks) endChunk() error {
	if line, err := c.line(); err != nil || line != "" {
		return incomplete()
	}
	return c.verify()
}

func (c *chunks) verify() error {
	if c.sign == nil || c.sign.chunk(c.claimed) {
		return nil
	}
	return mismatch()
}

// finish verifies the empty last chunk, reads the trailers, and compares length and checksum.
func (c *chunks) finish() error {
	if err := c.verify(); err != nil {
		return err
	}
	trailer, signature, err := c.trailers()
	if err != nil {
		return err
	}
	if c.signedTrailer && !c.sign.trailer(trailer, signature) {
		return mismatch()
	}
	if c.want >= 0 && c.total != c.want {
		return incomplete()
	}
	if !c.check.holds(c.request.Trailer) {
		return model.Errorf(model.Error{Code: "BadDigest", Status: 400},
			"The %s you specified did not match the calculated checksum.", c.check.name)
	}
	return io.EOF
}

// trailers reads lines up to an empty one. Their text is what the trailer's signature covers.
func (c *chunks) trailers() (text, signature string, err error) {
	c.request.Trailer = http.Header{}
	for range 16 {
		line, err := c.line()
		if errors.Is(err, io.ErrUnexpectedEOF) || line == "" && err == nil {
			return text, signature, nil // some clients leave out the last empty line
		}
		if err != nil {
			return "", "", err
		}
		name, value, _ := strings.Cut(line, ":")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if strings.EqualFold(name, "x-amz-trailer-signature") {
			signature = value
			continue
		}
		text += name + ":" + value + "\n"
		c.request.Trailer.Set(name, value)
	}
	return "", "", incomplete()
}

func (c *chunks) line() (string, error) {
	line, err := c.in.ReadSlice('\n')
	if errors.Is(err, io.EOF) && len(line) == 0 {
		return "", io.ErrUnexpectedEOF
	}
	if err != nil {
		return "", incomplete()
	}
	return strings.TrimRight(string(line), "\r\n"), nil
}

func incomplete() *model.Error {
	return model.Errorf(model.Error{Code: "IncompleteBody", Status: 400},
		"The request body terminated unexpectedly or is not in the encoding that its headers name.")
}

// A chunkSigner computes the chain of signatures: each covers the one before it.
type chunkSigner struct {
	key        []byte
	credential credential
	previous   string
	sum        hash.Hash
}

func (s *chunkSigner) chunk(claimed string) bool {
	sum := hex.EncodeToString(s.sum.Sum(nil))
	s.sum.Reset()
	return s.next(algorithm+"-PAYLOAD", emptyHash+"\n"+sum, claimed)
}

func (s *chunkSigner) trailer(text, claimed string) bool {
	return s.next(algorithm+"-TRAILER", hashText([]byte(text)), claimed)
}

func (s *chunkSigner) next(kind, covered, claimed string) bool {
	text := kind + "\n" + s.credential.time + "\n" + s.credential.scopeText() + "\n" + s.previous + "\n" + covered
	s.previous = hex.EncodeToString(mac(s.key, text))
	return hmac.Equal([]byte(s.previous), []byte(claimed))
}
