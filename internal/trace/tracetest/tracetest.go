// Package tracetest collects spans in a test, as a collector does: by OTLP over HTTP.
package tracetest

import (
	"compress/gzip"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"testing"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// A Collector keeps the spans that it is sent.
type Collector struct {
	URL string // its base

	mu       sync.Mutex
	spans    []Span
	requests []*http.Request
	refuse   []int
}

// A Span is one that was sent.
type Span struct {
	Trace, ID, Parent string
	Name              string
	Kind              string
	Attributes        map[string]string // of the span
	Resource          map[string]string // of the sender
	Error             string
	Links             []string // ids of spans
}

// New starts a collector that runs until the test ends.
func New(t testing.TB) *Collector {
	c := &Collector{}
	s := httptest.NewServer(c)
	t.Cleanup(s.Close)
	c.URL = s.URL
	return c
}

// Refuse has the next requests answered with these statuses.
func (c *Collector) Refuse(statuses ...int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refuse = statuses
}

// Spans returns what was sent so far.
func (c *Collector) Spans() []Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.spans)
}

// Requests returns the requests that brought them.
func (c *Collector) Requests() []*http.Request {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.requests)
}

// ServeHTTP takes spans.
func (c *Collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		body = z
	}
	text, err := io.ReadAll(body)
	var data tracepb.TracesData
	if err == nil {
		err = proto.Unmarshal(text, &data)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests = append(c.requests, r)
	switch {
	case err != nil || r.Header.Get("Content-Type") != "application/x-protobuf":
		http.Error(w, "no spans", http.StatusBadRequest)
	case len(c.refuse) > 0:
		w.WriteHeader(c.refuse[0])
		c.refuse = c.refuse[1:]
	default:
		for _, rs := range data.ResourceSpans {
			c.add(rs)
		}
	}
}

func (c *Collector) add(rs *tracepb.ResourceSpans) {
	about := texts(rs.GetResource().GetAttributes())
	for _, ss := range rs.ScopeSpans {
		for _, s := range ss.Spans {
			out := Span{
				Trace: hex.EncodeToString(s.TraceId), ID: hex.EncodeToString(s.SpanId), Parent: hex.EncodeToString(s.ParentSpanId),
				Name: s.Name, Kind: s.Kind.String(), Attributes: texts(s.Attributes), Resource: about,
			}
			if s.GetStatus().GetCode() == tracepb.Status_STATUS_CODE_ERROR {
				out.Error = s.Status.Message
			}
			for _, l := range s.Links {
				out.Links = append(out.Links, hex.EncodeToString(l.SpanId))
			}
			c.spans = append(c.spans, out)
		}
	}
}

func texts(all []*commonpb.KeyValue) map[string]string {
	out := map[string]string{}
	for _, a := range all {
		out[a.Key] = a.GetValue().GetStringValue()
		if n := a.GetValue().GetIntValue(); n != 0 {
			out[a.Key] = fmtInt(n)
		}
	}
	return out
}

func fmtInt(n int64) string { return strconv.FormatInt(n, 10) }
