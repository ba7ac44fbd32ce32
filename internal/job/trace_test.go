package job_test

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"plumb/internal/clock"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/job"
	"plumb/internal/trace"
	"plumb/internal/trace/tracetest"
)

// traced runs a story on a queue whose jobs are traced, and returns their spans.
func traced(t *testing.T, d *db.DB, story func(q *job.Queue, tr *trace.Tracer, clk *clock.Clock)) []tracetest.Span {
	t.Helper()
	c := tracetest.New(t)
	tr, err := trace.Open(trace.Options{Endpoint: c.URL, Env: func(string) string { return "" }})
	if err != nil {
		t.Fatal(err)
	}
	clk := &clock.Clock{}
	clk.Freeze(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	q, err := job.New(t.Context(), d, slog.New(slog.DiscardHandler), clk, "server-1", job.QueueOptions{Tracer: tr})
	if err != nil {
		t.Fatal(err)
	}
	story(q, tr, clk)
	if err := q.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := tr.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	return c.Spans()
}

func insert(ctx context.Context, d *db.DB, q *job.Queue, a job.Args, o job.Options) error {
	return d.Write(ctx, func(tx *db.Tx) error { return q.Insert(ctx, tx, a, o) })
}

func TestJobsBelongToTheTraceInWhichTheyWereInserted(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		all := traced(t, d, func(q *job.Queue, tr *trace.Tracer, clk *clock.Clock) {
			var tries atomic.Int64
			job.Handle(q, func(_ context.Context, j job.Job[note]) error {
				if tries.Add(1); j.Args.Text == "now" && j.Attempt == 1 {
					return errors.New("not yet")
				}
				return nil
			}, job.Policy{})
			ctx, span := tr.Begin(t.Context(), "request", trace.Server, "")
			for text, at := range map[string]time.Time{"now": {}, "later": clk.Now().Add(time.Minute)} {
				if err := insert(ctx, d, q, note{text}, job.Options{At: at}); err != nil {
					t.Fatal(err)
				}
			}
			span.End()
			if err := q.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if err := q.Drain(t.Context()); err != nil {
					t.Fatal(err)
				}
				clk.Advance(2 * time.Minute)
			}
			if err := q.Drain(t.Context()); err != nil {
				t.Fatal(err)
			}
			if n := tries.Load(); n != 3 {
				t.Errorf("%d attempts", n)
			}
		})
		if len(all) != 4 || all[0].Name != "request" {
			t.Fatalf("%+v", all)
		}
		inside, failed := 0, 0
		for _, s := range all[1:] {
			if s.Trace == all[0].Trace && s.Parent == all[0].ID {
				inside++
			}
			if s.Error == "not yet" {
				failed++
			}
		}
		if inside != 2 || failed != 1 {
			t.Errorf("%d attempts in the trace, %d failed: %+v", inside, failed, all)
		}
	})
}

type endless struct{ Left int }

func (endless) Kind() string { return "endless" }

func TestATraceEndsWhereJobsFollowJobsForEver(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		all := traced(t, d, func(q *job.Queue, tr *trace.Tracer, _ *clock.Clock) {
			job.HandleTx(q, func(ctx context.Context, tx *db.Tx, j job.Job[endless]) error {
				if j.Args.Left == 0 {
					return nil
				}
				return q.Insert(ctx, tx, endless{j.Args.Left - 1}, job.Options{})
			}, job.Policy{})
			if err := insert(t.Context(), d, q, endless{110}, job.Options{}); err != nil {
				t.Fatal(err)
			}
			if err := q.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := q.Drain(t.Context()); err != nil {
				t.Fatal(err)
			}
		})
		traces := map[string]int{}
		for _, s := range all {
			traces[s.Trace]++
		}
		if len(all) != 111 || len(traces) != 2 {
			t.Errorf("%d spans in %d traces", len(all), len(traces))
		}
	})
}
