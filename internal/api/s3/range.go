package s3

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"plumb/internal/bucket"
)

// A span is what of an object is asked for.
type span struct {
	offset, length int64
	partial        bool
}

// span reads the Range header or the partNumber parameter.
func (c *call) span(o bucket.Object) (span, error) {
	header := c.r.Header.Get("Range")
	if s := c.query.Get("partNumber"); s != "" {
		if header != "" {
			return span{}, invalidRequest("Cannot specify both Range header and partNumber query parameter")
		}
		return c.partSpan(o, s)
	}
	return rangeSpan(header, o.Size)
}

// rangeSpan reads "bytes=A-B", "bytes=A-" and "bytes=-N". What is not understood
// means the whole object, as HTTP wants it.
func rangeSpan(header string, size int64) (span, error) {
	whole := span{length: size}
	spec, ok := strings.CutPrefix(strings.TrimSpace(header), "bytes=")
	if !ok || strings.Contains(spec, ",") {
		return whole, nil
	}
	from, to, ok := strings.Cut(strings.TrimSpace(spec), "-")
	if !ok {
		return whole, nil
	}
	a, errA := strconv.ParseInt(from, 10, 64)
	b, errB := strconv.ParseInt(to, 10, 64)
	switch {
	case from == "" && errB == nil: // the last b bytes
		a, b = max(size-b, 0), size-1
	case errA == nil && to == "":
		b = size - 1
	case errA != nil || errB != nil || b < a:
		return whole, nil
	}
	if a >= size || b < a {
		return span{}, fault(http.StatusRequestedRangeNotSatisfiable, "InvalidRange", "The requested range is not satisfiable").
			With("RangeRequested", header).With("ActualObjectSize", size)
	}
	b = min(b, size-1)
	return span{a, b - a + 1, true}, nil
}

func (c *call) partSpan(o bucket.Object, number string) (span, error) {
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || n > bucket.MaxParts {
		return span{}, invalidArgument("partNumber", number, "Part number must be an integer between 1 and 10000, inclusive")
	}
	if o.Meta.Parts == 0 && n == 1 {
		return span{length: o.Size, partial: o.Size > 0}, nil
	}
	parts, err := c.store.ObjectParts(c.ctx, o, 0, -1)
	if err != nil {
		return span{}, err
	}
	if n > len(parts) {
		return span{}, fault(http.StatusRequestedRangeNotSatisfiable, "InvalidPartNumber", "The requested partnumber is not satisfiable").
			With("PartNumberRequested", number).With("ActualPartCount", max(len(parts), 1))
	}
	c.w.Header().Set("x-amz-mp-parts-count", strconv.Itoa(len(parts)))
	var offset int64
	for _, p := range parts[:n-1] {
		offset += p.Size
	}
	return span{offset, parts[n-1].Size, true}, nil
}

// preconditions checks If-Match and its siblings, or those of a copy's source,
// whose headers have a prefix.
func (c *call) preconditions(o bucket.Object, prefix string) error {
	get := func(name string) string { return c.r.Header.Get(prefix + name) }
	modified := o.Modified.Truncate(time.Second)
	failed := bucket.PreconditionFailed
	unmodifiedSince, okUnmodified := httpTime(get("if-unmodified-since"))
	modifiedSince, okModified := httpTime(get("if-modified-since"))
	match, none := get("if-match"), get("if-none-match")
	switch {
	case match != "" && !matches(match, o.ETag):
		return failed("If-Match")
	case match == "" && okUnmodified && modified.After(unmodifiedSince):
		return failed("If-Unmodified-Since")
	case none != "" && matches(none, o.ETag):
		return c.unchanged(o, prefix, "If-None-Match")
	case none == "" && okModified && !modified.After(modifiedSince):
		return c.unchanged(o, prefix, "If-Modified-Since")
	}
	return nil
}

// unchanged answers 304 to a read; a copy fails instead.
func (c *call) unchanged(o bucket.Object, prefix, condition string) error {
	if prefix != "" {
		return bucket.PreconditionFailed(condition)
	}
	c.w.Header().Set("ETag", quote(o.ETag))
	c.w.Header().Set("Last-Modified", o.Modified.UTC().Format(http.TimeFormat))
	return fault(http.StatusNotModified, "NotModified", "Not Modified")
}

func matches(list, etag string) bool {
	for _, e := range strings.Split(list, ",") {
		if e = strings.TrimPrefix(strings.TrimSpace(e), "W/"); e == "*" || unquote(e) == etag {
			return true
		}
	}
	return false
}

func httpTime(s string) (time.Time, bool) {
	t, err := http.ParseTime(s)
	return t, err == nil
}
