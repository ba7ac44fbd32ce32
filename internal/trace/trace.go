// Package trace follows what happens from a request to what it brings about: items,
// evaluations, invocations, verdicts, messages. It writes spans of OpenTelemetry and
// sends them to a collector, by OTLP over HTTP.
//
//	t, err := trace.Open(trace.Options{...}) // nil where nobody collects
//	ctx, span := t.Begin(ctx, "request", trace.FromRequest(r))
//	ctx, span = trace.Start(ctx, "record", "resource", id) // part of what ctx belongs to
//	span.Fail(err)
//	span.End()
//
// Where ctx belongs to no trace Start does nothing, so code that may be traced needs
// not know whether it is. What goes through the store, a job or a message, carries a
// Parent: a line of text.
//
// It stores nothing, and knows nothing of AWS but the form of X-Ray's header, in which
// functions are told of the trace that they belong to.
package trace

import (
	"context"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	oteltrace "go.opentelemetry.io/otel/trace"
)

// scope names who wrote the spans.
const scope = "plumb"

// A Tracer begins traces. A nil one begins none, at no cost. It is safe for concurrent
// use.
type Tracer struct {
	provider *sdktrace.TracerProvider
	tracer   oteltrace.Tracer
}

// A Kind is what a span stands for, seen from this process.
type Kind = oteltrace.SpanKind

// The kinds of spans: most are internal.
const (
	Internal = oteltrace.SpanKindInternal
	Server   = oteltrace.SpanKindServer
	Client   = oteltrace.SpanKindClient
	Producer = oteltrace.SpanKindProducer
	Consumer = oteltrace.SpanKindConsumer
)

// Begin begins a span that belongs to a parent elsewhere, or a trace if there is none.
// Attributes are names and values in turn.
func (t *Tracer) Begin(ctx context.Context, name string, kind Kind, from Parent, attributes ...string) (context.Context, Span) {
	if t == nil {
		return ctx, Span{}
	}
	ctx, span := t.tracer.Start(from.within(ctx), clean(name), oteltrace.WithSpanKind(kind), oteltrace.WithAttributes(pairs(attributes)...))
	return ctx, Span{span}
}

// Close sends what was not sent yet.
func (t *Tracer) Close(ctx context.Context) error {
	if t == nil {
		return nil
	}
	return t.provider.Shutdown(ctx)
}

// Start begins a span as a part of the one that ctx belongs to; none if there is none.
func Start(ctx context.Context, name string, attributes ...string) (context.Context, Span) {
	return StartAs(ctx, Internal, name, attributes...)
}

// StartAs is Start for a span of a kind.
func StartAs(ctx context.Context, kind Kind, name string, attributes ...string) (context.Context, Span) {
	parent := oteltrace.SpanFromContext(ctx)
	if !parent.IsRecording() {
		return ctx, Span{}
	}
	ctx, span := parent.TracerProvider().Tracer(scope).Start(ctx, clean(name), oteltrace.WithSpanKind(kind), oteltrace.WithAttributes(pairs(attributes)...))
	return ctx, Span{span}
}

// Continue begins a span as a part of a trace that was carried here, by the tracer that
// ctx belongs to, and links it to the span of ctx; none if ctx has no span.
func Continue(ctx context.Context, kind Kind, name string, from Parent, attributes ...string) (context.Context, Span) {
	here := oteltrace.SpanFromContext(ctx)
	if !here.IsRecording() {
		return ctx, Span{}
	}
	o := []oteltrace.SpanStartOption{oteltrace.WithSpanKind(kind), oteltrace.WithAttributes(pairs(attributes)...)}
	if from.valid() {
		o = append(o, oteltrace.WithLinks(oteltrace.Link{SpanContext: here.SpanContext()}))
	}
	ctx, span := here.TracerProvider().Tracer(scope).Start(from.within(ctx), clean(name), o...)
	return ctx, Span{span}
}

// Rejoin is Continue for what belongs to a trace that its sender may not have known: no
// span if ctx belongs to that trace already.
func Rejoin(ctx context.Context, name string, from Parent) (context.Context, Span) {
	there := oteltrace.SpanContextFromContext(from.within(context.Background()))
	if !there.IsValid() || there.TraceID() == oteltrace.SpanContextFromContext(ctx).TraceID() {
		return ctx, Span{}
	}
	return Continue(ctx, Internal, name, from)
}

// Of returns the span that ctx belongs to.
func Of(ctx context.Context) Span {
	if s := oteltrace.SpanFromContext(ctx); s.IsRecording() {
		return Span{s}
	}
	return Span{}
}

// A Span is something that took a while. The zero Span is none.
type Span struct{ span oteltrace.Span }

// On reports whether anybody will read the span.
func (s Span) On() bool { return s.span != nil }

// Name gives the span another name.
func (s Span) Name(name string) {
	if s.span != nil {
		s.span.SetName(clean(name))
	}
}

// Set sets attributes: names and values in turn.
func (s Span) Set(attributes ...string) {
	if s.span != nil {
		s.span.SetAttributes(pairs(attributes)...)
	}
}

// SetInt sets an attribute that is a number.
func (s Span) SetInt(name string, n int) {
	if s.span != nil {
		s.span.SetAttributes(attribute.Int(name, n))
	}
}

// Fail notes that what the span stands for failed; nothing if err is nil.
func (s Span) Fail(err error) {
	if s.span != nil && err != nil {
		s.span.SetStatus(codes.Error, clean(err.Error()))
	}
}

// End ends the span.
func (s Span) End() {
	if s.span != nil {
		s.span.End()
	}
}

// maxValue bounds an attribute that somebody outside may have chosen.
const maxValue = 1024

// clean makes text of what may be none: spans that are not text are not sent, and with
// them the rest of their batch.
func clean(v string) string {
	return strings.ToValidUTF8(v[:min(len(v), maxValue)], "\uFFFD")
}

func pairs(attributes []string) []attribute.KeyValue {
	out := make([]attribute.KeyValue, 0, len(attributes)/2)
	for i := 0; i+1 < len(attributes); i += 2 {
		if v := attributes[i+1]; v != "" {
			out = append(out, attribute.String(attributes[i], clean(v)))
		}
	}
	return out
}
