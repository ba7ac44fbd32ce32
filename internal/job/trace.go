package job

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"plumb/internal/trace"
)

// carried is what a job's metadata say of the trace that it belongs to. It is on disk.
type carried struct {
	Parent trace.Parent `json:"trace"`
	Hops   int          `json:"hops,omitempty"` // jobs before it in the trace
}

// maxHops bounds the jobs that follow each other in a trace: some work inserts its own
// successor for as long as there is any.
const maxHops = 100

type hopsKey struct{}

// carry returns the metadata of a job that is inserted in ctx, nil where nobody traces.
// What is to be done later begins a trace of its own: it may go on for ever.
func carry(ctx context.Context, o Options) []byte {
	parent := trace.ParentOf(ctx)
	if parent == "" || !o.At.IsZero() {
		return nil
	}
	c := carried{Parent: parent}
	if before, ok := ctx.Value(hopsKey{}).(int); ok {
		c.Hops = before + 1
	}
	if c.Hops > maxHops {
		return nil
	}
	b, err := json.Marshal(c)
	if err != nil {
		return nil // it is text and a number
	}
	return b
}

// traced does an attempt of a job as a part of the trace in which it was inserted, or of
// one of its own.
func traced(ctx context.Context, t *trace.Tracer, j *rivertype.JobRow, owner string, work func(context.Context) error) error {
	if t == nil {
		return work(ctx)
	}
	var c carried
	_ = json.Unmarshal(j.Metadata, &c) // the zero value is a job of its own
	ctx, span := t.Begin(context.WithValue(ctx, hopsKey{}, c.Hops), j.Kind, trace.Consumer, c.Parent,
		"messaging.system", "plumb", "messaging.destination.name", j.Queue, "messaging.message.id", strconv.FormatInt(j.ID, 10), "cloud.account.id", owner)
	defer span.End()
	span.SetInt("plumb.job.attempt", j.Attempt)
	err := work(ctx)
	if snoozed, ok := errors.AsType[*river.JobSnoozeError](err); ok {
		span.Set("plumb.job.again_after", snoozed.Duration.String())
		return err
	}
	span.Fail(err)
	return err
}
