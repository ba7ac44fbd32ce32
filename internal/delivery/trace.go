package delivery

import (
	"context"

	"plumb/internal/trace"
)

// spans are those of the messages that are sent together: a part each of the trace in
// which the message was posted.
type spans []trace.Span

// traced begins the spans of the messages at some places of the batch. Where all are of
// one trace, what is done with them belongs to it; otherwise to the job that sends them.
func (b *batch) traced(ctx context.Context, at []int) (context.Context, spans) {
	if !trace.Of(ctx).On() {
		return ctx, nil
	}
	all, one, same := make(spans, len(at)), ctx, true
	for i, place := range at {
		e := b.all[place].entry
		kind, id := e.about()
		within, span := trace.Continue(ctx, trace.Producer, "deliver "+e.what(), e.trace, "aws.config.resource_type", kind, "aws.config.resource_id", id)
		if all[i] = span; i == 0 {
			one = within
		}
		same = same && e.trace == b.all[at[0]].trace
	}
	if !same {
		return ctx, all
	}
	return one, all
}

func (s spans) end(i int, err error) {
	if s != nil {
		s[i].Fail(err)
		s[i].End()
	}
}

// what names the kind of a message.
func (e entry) what() string {
	switch {
	case e.item != nil:
		return "item"
	case e.change != nil:
		return "compliance change"
	}
	return "notice"
}
