package wire

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"net/http"
	"slices"
	"strings"

	"plumb/internal/memory"
	"plumb/internal/model"
)

// readBody reads a body up to the limit.
func readBody(r io.Reader, limit int64) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, limit+1))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.Is(err, memory.ErrNone):
		return nil, err
	case errors.As(err, &tooLarge), int64(len(body)) > limit:
		return nil, model.RequestEntityTooLarge(limit)
	case err != nil:
		return nil, model.SerializationException("The request body could not be read to its end.")
	}
	return body, nil
}

// unpack undoes Content-Encoding: gzip, within the same limit and memory.
func (x *exchange) unpack(limit int64) ([]byte, error) {
	if !strings.EqualFold(x.r.Header.Get("Content-Encoding"), "gzip") {
		return x.body, nil
	}
	z, err := gzip.NewReader(bytes.NewReader(x.body))
	if err != nil {
		return nil, model.SerializationException("The request body is not in gzip, which its Content-Encoding promises.")
	}
	return readBody(x.share.Reader(z), limit)
}

// payloadHash is what a signature covers of a body that was read.
func payloadHash(r *http.Request, c credential, body []byte) string {
	if c.service == "s3" && r.Header.Get("X-Amz-Content-Sha256") == unsignedPayload {
		return unsignedPayload
	}
	return hashText(body)
}

// streamedHash is what a signature covers of a body that is read later: what the client says, which openBody verifies.
func streamedHash(r *http.Request, c credential) string {
	if claimed := r.Header.Get("X-Amz-Content-Sha256"); claimed != "" {
		return claimed
	}
	if c.presigned {
		return unsignedPayload
	}
	return emptyHash
}

// openBody replaces the body of an S3 request with one that is decoded and checked while it is read: chunks, their
// signatures, checksums, the promised hash. A body that does not hold ends in an error instead of io.EOF.
func openBody(r *http.Request, c credential, secret string) error {
	claimed := r.Header.Get("X-Amz-Content-Sha256")
	switch {
	case slices.Contains(streamings, claimed):
		return openChunks(r, c, secret, claimed)
	case claimed == "" && secret != "" && !c.presigned: // the signature covers an empty body
		claimed = emptyHash
	case claimed == "" || claimed == unsignedPayload:
		return nil
	}
	if sum, err := hex.DecodeString(claimed); err != nil || len(sum) != sha256.Size {
		return model.Errorf(model.Error{Code: "InvalidArgument", Status: 400},
			"x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-..., or a valid sha256 value.")
	}
	r.Body = &hashed{r.Body, sha256.New(), claimed}
	return nil
}

// streamings are the kinds of bodies in chunks that are read here.
var streamings = []string{streamingSigned, streamingSigned + "-TRAILER", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"}

const streamingSigned = "STREAMING-" + algorithm + "-PAYLOAD"

// A hashed body compares itself with the hash that the client promised.
type hashed struct {
	io.ReadCloser
	sum     hash.Hash
	claimed string
}

func (b *hashed) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.sum.Write(p[:n])
	if errors.Is(err, io.EOF) && !strings.EqualFold(hex.EncodeToString(b.sum.Sum(nil)), b.claimed) {
		return n, model.Errorf(model.Error{Code: "XAmzContentSHA256Mismatch", Status: 400},
			"The provided 'x-amz-content-sha256' header does not match what was computed.")
	}
	return n, err
}
