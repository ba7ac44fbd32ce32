package s3

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"strings"

	"plumb/internal/bucket"
	"plumb/internal/caller"
)

// A level is what a path is about.
type level int

const (
	service level = iota // all buckets
	inBucket
	inObject
)

// A route leads requests of one form to their operation.
type route struct {
	name   string // S3's name of the operation
	method string
	level  level
	query  string // a query parameter that must be there
	header string // a header that must be there
	handle func(*call) error
}

// A call is one request on its way.
type call struct {
	caller.Caller
	h         *Handler
	ctx       context.Context
	w         http.ResponseWriter
	r         *http.Request
	store     *bucket.Store
	query     url.Values
	operation string
	name      string // of the bucket
	key       string
	bucket    bucket.Bucket
	started   bool // the body of the answer has begun
}

func newCall(h *Handler, w http.ResponseWriter, r *http.Request) *call {
	c := &call{
		Caller: caller.From(r.Context()), h: h, ctx: r.Context(), w: w, r: r, store: h.store, query: r.URL.Query(),
	}
	c.name, c.key = address(r.Host, r.URL.Path)
	w.Header().Set("x-amz-id-2", c.RequestID)
	w.Header().Set("Server", "AmazonS3")
	return c
}

// address returns the bucket and key that a request names, by its host
// (bucket.s3.us-east-1.amazonaws.com, bucket.localhost) or else by its path.
func address(host, path string) (name, key string) {
	path = strings.TrimPrefix(path, "/")
	if name := hostBucket(host); name != "" {
		return name, path
	}
	name, key, _ = strings.Cut(path, "/")
	return name, key
}

// hostBucket returns the bucket in a virtual host's name, or "".
func hostBucket(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	if net.ParseIP(strings.Trim(host, "[]")) != nil {
		return ""
	}
	for _, mark := range []string{".s3.", ".s3-"} {
		if i := strings.Index(host, mark); i > 0 {
			return host[:i]
		}
	}
	name, ok := strings.CutSuffix(host, ".localhost")
	if !ok || name == "s3" || strings.HasPrefix(name, "s3.") {
		return ""
	}
	return name
}

// IsVirtualHost reports whether a host names a bucket, so that whoever shares
// out requests can tell S3's from others.
func IsVirtualHost(host string) bool { return hostBucket(host) != "" }

func (c *call) level() level {
	switch {
	case c.name == "":
		return service
	case c.key == "":
		return inBucket
	}
	return inObject
}

// find prefers a route that wants a parameter or header over one that does not.
func (h *Handler) find(c *call) (bare route, ok bool) {
	at := c.level()
	for _, rt := range h.routes {
		if rt.level != at || rt.method != c.r.Method {
			continue
		}
		if rt.query == "" && rt.header == "" {
			bare, ok = rt, true
			continue
		}
		if (rt.query == "" || c.query.Has(rt.query)) && (rt.header == "" || c.r.Header.Values(rt.header) != nil) {
			return rt, true
		}
	}
	return bare, ok
}

func methodNotAllowed(c *call) error {
	e := bucket.MethodNotAllowed()
	e.Fields = map[string]any{"Method": c.r.Method, "ResourceType": [...]string{"SERVICE", "BUCKET", "OBJECT"}[c.level()]}
	return e
}
