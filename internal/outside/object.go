package outside

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"plumb/internal/model"
)

// readObject reads the body of a request for S3 that goes on to a target: whole,
// because it is signed anew.
func readObject(r *http.Request, most int64) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, most))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return nil, &model.Error{Code: "EntityTooLarge", Status: http.StatusBadRequest,
			Message: "Your proposed upload exceeds the maximum allowed size: objects go on to a target whole, up to the setting max-body."}
	}
	return body, err
}

// s3Request returns a request with its bucket in the path, and without the headers
// that describe how its body was sent to us.
func s3Request(r *http.Request, name, key string) *http.Request {
	out := r.Clone(r.Context())
	path := "/" + name
	if key != "" {
		path += "/" + key
	}
	out.URL.Path, out.URL.RawPath = path, escapeKey(path)
	h := out.Header
	for _, name := range []string{"X-Amz-Decoded-Content-Length", "X-Amz-Trailer"} {
		h.Del(name)
	}
	if r.Header.Get("X-Amz-Trailer") != "" {
		h.Del("X-Amz-Sdk-Checksum-Algorithm") // the checksum came after the body
	}
	encodings := slices.DeleteFunc(strings.Split(h.Get("Content-Encoding"), ","), func(e string) bool {
		return strings.TrimSpace(e) == "aws-chunked" || e == ""
	})
	h.Del("Content-Encoding")
	if len(encodings) > 0 {
		h.Set("Content-Encoding", strings.Join(encodings, ","))
	}
	return out
}

// escapeKey escapes a path as S3 wants it signed: all but what RFC 3986 reserves
// nothing for, and slashes.
func escapeKey(path string) string {
	parts := strings.Split(path, "/")
	for i, part := range parts {
		parts[i] = strings.ReplaceAll(url.QueryEscape(part), "+", "%20")
	}
	return strings.Join(parts, "/")
}
