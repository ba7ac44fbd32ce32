package trace

import (
	"context"
	"net/http"
	"strings"

	oteltrace "go.opentelemetry.io/otel/trace"

	"go.opentelemetry.io/otel/propagation"
)

// A Parent is a span that was begun elsewhere, as the header traceparent of the W3C has
// it; empty for none.
type Parent string

var format propagation.TraceContext

const header = "traceparent"

// ParentOf returns what carries the trace that ctx belongs to; empty if nobody will read
// it.
func ParentOf(ctx context.Context) Parent {
	if !oteltrace.SpanContextFromContext(ctx).IsSampled() {
		return ""
	}
	c := propagation.MapCarrier{}
	format.Inject(ctx, c)
	return Parent(c[header])
}

// within puts the parent into ctx, in place of what it belongs to.
func (p Parent) within(ctx context.Context) context.Context {
	if p == "" {
		return ctx
	}
	return format.Extract(ctx, propagation.MapCarrier{header: string(p)})
}

func (p Parent) valid() bool {
	return p != "" && oteltrace.SpanContextFromContext(p.within(context.Background())).IsValid()
}

// FromRequest returns the trace that a client says its request belongs to. Of AWS's
// clients in functions that is the header of X-Ray.
func FromRequest(r *http.Request) Parent {
	if p := r.Header.Get(header); p != "" {
		return Parent(p)
	}
	return fromXRay(r.Header.Get("X-Amzn-Trace-Id"))
}

// fromXRay reads Root=1-TIME-ID;Parent=SPAN;Sampled=1. What is not sampled there begins
// a trace of its own here: most clients make such a header up.
func fromXRay(text string) Parent {
	parts := map[string]string{}
	for part := range strings.SplitSeq(text, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		parts[name] = value
	}
	root := strings.Split(parts["Root"], "-")
	if len(root) != 3 || root[0] != "1" || len(root[1]) != 8 || len(root[2]) != 24 || len(parts["Parent"]) != 16 || parts["Sampled"] != "1" {
		return ""
	}
	return Parent("00-" + root[1] + root[2] + "-" + parts["Parent"] + "-01")
}

// XRay returns what a function is told of the trace that ctx belongs to, in X-Ray's form;
// empty if nobody will read it.
func XRay(ctx context.Context) string {
	s := oteltrace.SpanContextFromContext(ctx)
	if !s.IsSampled() {
		return ""
	}
	id := s.TraceID().String()
	return "Root=1-" + id[:8] + "-" + id[8:] + ";Parent=" + s.SpanID().String() + ";Sampled=1"
}
