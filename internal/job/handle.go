package job

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"plumb/internal/trace"
)

// A Job is one attempt at a job.
type Job[A Args] struct {
	ID          int64
	Args        A
	Attempt     int // 1 is the first
	MaxAttempts int
}

// Last reports whether a failure of this attempt is final.
func (j Job[A]) Last() bool { return j.Attempt >= j.MaxAttempts }

// A Policy says how one kind of job is tried. The zero value: up to a minute an
// attempt, the next one after 1 s, 2 s, 4 s ... 5 minutes.
type Policy struct {
	Timeout time.Duration                   // of one attempt, by the machine's clock
	Retry   func(attempt int) time.Duration // how long to wait after that attempt failed
	Yields  bool                            // an attempt that fails is cut off by Stop, and is made again after the next start
}

// Handle registers the function that does jobs of type A. It runs outside of any
// transaction, more than once if the server is killed, so it must be
// idempotent. An error has it tried again. Where the work is one transaction,
// HandleTx is better.
func Handle[A Args](q *Queue, work func(ctx context.Context, j Job[A]) error, p Policy) {
	var a A
	q.kinds[a.Kind()] = true
	river.AddWorker(q.workers, &worker[A]{work: work, policy: p, running: &q.running, shares: q.shares, tracer: q.tracer, stopping: q.stopping})
}

// Discard ends a job that cannot ever work; err is logged.
func Discard(err error) error { return river.JobCancel(err) }

// Snooze has the job run again after d, without counting an attempt.
func Snooze(d time.Duration) error { return river.JobSnooze(d) }

// Logged returns an error with which an attempt fails like with any other, for a handler
// that has logged it with more than the queue knows: the queue's own line is one of level debug.
func Logged(err error) error { return logged{err} }

type logged struct{ error }

func (l logged) Unwrap() error { return l.error }

type worker[A Args] struct {
	river.WorkerDefaults[A]
	work   func(context.Context, Job[A]) error
	policy Policy

	running  *sync.Map // the ids of jobs that this process runs
	shares   *shares
	tracer   *trace.Tracer
	stopping <-chan struct{} // closed by Stop
}

// Work is River's name for doing a job. A server that was thought dead may get a
// job back while it still runs it: the second run waits for the end of the first.
func (w *worker[A]) Work(ctx context.Context, j *river.Job[A]) error {
	if _, twice := w.running.LoadOrStore(j.ID, true); twice {
		return Snooze(beatEvery)
	}
	defer w.running.Delete(j.ID)
	done, ok := w.shares.take(j.Queue, j.Args)
	if !ok {
		return Snooze(shareWait())
	}
	defer done()
	owner := ""
	if o, ok := any(j.Args).(Owned); ok {
		owner = o.Owner()
	}
	return traced(ctx, w.tracer, j.JobRow, owner, func(ctx context.Context) error {
		job := Job[A]{ID: j.ID, Args: j.Args, Attempt: j.Attempt, MaxAttempts: j.MaxAttempts}
		if w.policy.Yields {
			return w.untilStopped(ctx, job)
		}
		return w.work(ctx, job)
	})
}

// untilStopped does a job unless the queue stops before.
func (w *worker[A]) untilStopped(ctx context.Context, j Job[A]) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-w.stopping:
			cancel()
		case <-ctx.Done():
		}
	}()
	err := w.work(ctx, j)
	select {
	case <-w.stopping:
		if err != nil {
			return Snooze(time.Second) // it was no attempt
		}
	default:
	}
	return err
}

// Timeout is River's name for the limit of an attempt.
func (w *worker[A]) Timeout(*river.Job[A]) time.Duration { return w.policy.Timeout }

// NextRetry is River's name for the time of the next attempt, by the machine's
// clock: the driver translates it.
func (w *worker[A]) NextRetry(j *river.Job[A]) time.Time {
	wait := BackOff
	if w.policy.Retry != nil {
		wait = w.policy.Retry
	}
	return time.Now().Add(wait(j.Attempt))
}

// BackOff doubles from a second to five minutes, give or take a tenth.
func BackOff(attempt int) time.Duration {
	d := min(time.Second<<min(attempt-1, 9), 5*time.Minute)
	return d + time.Duration((rand.Float64()-0.5)*0.2*float64(d))
}

// endings logs how attempts fail. It never changes what happens to the job.
type endings struct {
	log    *slog.Logger
	failed func(kind string) // may be nil
}

// HandleError is called by River when an attempt returned an error.
func (e endings) HandleError(ctx context.Context, j *rivertype.JobRow, err error) *river.ErrorHandlerResult {
	level := slog.LevelWarn
	if errors.Is(err, context.Canceled) {
		level = slog.LevelDebug // the server is being stopped
	}
	if e.failed != nil && level == slog.LevelWarn {
		e.failed(j.Kind)
	}
	if _, ok := errors.AsType[logged](err); ok {
		level = slog.LevelDebug
	}
	e.log.Log(ctx, level, "job failed", "job", j.Kind, "id", j.ID, "attempt", j.Attempt, "err", err)
	return nil
}

// HandlePanic is called by River when an attempt panicked.
func (e endings) HandlePanic(ctx context.Context, j *rivertype.JobRow, v any, trace string) *river.ErrorHandlerResult {
	e.log.ErrorContext(ctx, "job panicked", "job", j.Kind, "id", j.ID, "attempt", j.Attempt, "err", v, "trace", trace)
	return nil
}
