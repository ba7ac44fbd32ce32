package job

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/riverqueue/river/riverdriver"

	"plumb/internal/db"
)

// ErrStopped ends a Drain when the queue is stopped: what is due then waits for
// the next start.
var ErrStopped = errors.New("the server is being stopped")

// Drain returns when nothing is due by the clock and nothing runs, counting the
// jobs that those jobs insert. A job that waits for a later time, a retry among
// them, is not due: advance the clock and drain again.
func (q *Queue) Drain(ctx context.Context) error {
	const pause = 3 * time.Millisecond
	for {
		if err := q.promote(ctx); err != nil {
			return err
		}
		n, err := q.active(ctx)
		if err != nil || n == 0 {
			return err
		}
		q.wake()
		select {
		case <-q.stopping:
			return fmt.Errorf("drain: %d jobs are due or running: %w", n, ErrStopped)
		case <-ctx.Done():
			return fmt.Errorf("drain: %d jobs are due or running: %w", n, ctx.Err())
		case <-time.After(pause):
		}
	}
}

// promoteEvery is how often jobs that wait are looked at. River does it too, but
// in one server, and for 15 seconds in none after that one was killed.
const promoteEvery = time.Second

// keepPromoting promotes until ctx ends.
func (q *Queue) keepPromoting(ctx context.Context) {
	tick := time.NewTicker(promoteEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := q.promote(ctx); err != nil && ctx.Err() == nil {
			q.log.Warn("jobs that are due may start late", "err", err)
		}
	}
}

// Hold lets no job of this process start until release is called, which may be
// done again. A test uses it to look at work that is asked for and not begun.
func (q *Queue) Hold() (release func()) {
	set := func(on bool) {
		q.hold.Lock()
		defer q.hold.Unlock()
		q.onHold = on
	}
	set(true)
	return func() {
		set(false)
		q.wake()
	}
}

// promote makes the waiting jobs available whose time has come.
func (q *Queue) promote(ctx context.Context) error {
	due, err := q.anyWaitingDue(ctx)
	if err != nil || !due {
		return err
	}
	for {
		tx, err := q.exec.Begin(ctx)
		if err != nil {
			return fmt.Errorf("promote jobs: %w", err)
		}
		done, err := tx.JobSchedule(ctx, &riverdriver.JobScheduleParams{Max: 1000})
		if err != nil {
			tx.Rollback(ctx)
			return fmt.Errorf("promote jobs: %w", err)
		}
		if err := tx.Commit(ctx); err != nil {
			return fmt.Errorf("promote jobs: %w", err)
		}
		if len(done) == 0 {
			break
		}
	}
	q.wake()
	return nil
}

// wake has every queue look for jobs now.
func (q *Queue) wake() {
	for name := range q.queues {
		q.notifier.inserted(name)
	}
}

func (q *Queue) anyWaitingDue(ctx context.Context) (due bool, err error) {
	err = q.db.ReadOne(ctx, func(tx *db.Tx) error {
		return tx.QueryRow(ctx, `SELECT EXISTS (
				SELECT 1 FROM river_job WHERE state IN ('retryable', 'scheduled') AND scheduled_at <= ?
			)`, q.riverTime(q.clock.Now())).Scan(&due)
	})
	if err != nil {
		return false, fmt.Errorf("look for waiting jobs that are due: %w", err)
	}
	return due, nil
}

// active counts the jobs that run or could. A handler of this process may still
// return after its transaction completed the job.
func (q *Queue) active(ctx context.Context) (n int, err error) {
	if n, err = q.activeRows(ctx); n > 0 || err != nil {
		return n, err
	}
	q.running.Range(func(any, any) bool { n++; return true })
	return n, nil
}

// activeRows counts in one state of the store, and reads the clock once it has that:
// a job that was inserted meanwhile is due later than a time read before.
func (q *Queue) activeRows(ctx context.Context) (n int, err error) {
	err = q.db.Read(ctx, func(tx *db.Tx) error {
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM river_job WHERE state = 'running'`).Scan(&n); err != nil || n > 0 {
			return err
		}
		// A retry that is near is kept as available.
		return tx.QueryRow(ctx, `SELECT count(*) FROM river_job WHERE state IN ('available', 'scheduled', 'retryable') AND scheduled_at <= ?`,
			q.riverTime(q.clock.Now())).Scan(&n)
	})
	return n, err
}

// A Count is how many jobs of a queue are in a state that is not an end.
type Count struct {
	Queue, State string
	N            int64
}

// Counts counts the jobs that are due, running or waiting, of all servers.
func (q *Queue) Counts(ctx context.Context) ([]Count, error) {
	var out []Count
	err := q.db.ReadOne(ctx, func(tx *db.Tx) error {
		return db.Each(ctx, tx, func(scan func(...any) error) error {
			var c Count
			err := scan(&c.Queue, &c.State, &c.N)
			out = append(out, c)
			return err
		}, `SELECT queue, CAST(state AS TEXT), count(*) FROM river_job
			WHERE state IN ('available', 'running', 'retryable', 'scheduled') GROUP BY queue, state`)
	})
	return out, err
}

// Oldest returns how long ago the oldest job of a queue was inserted that is due or
// failed before, by the machine's clock; 0 if there is none.
func (q *Queue) Oldest(ctx context.Context, queue string) (time.Duration, error) {
	age := `CAST((julianday('now') - julianday(min(created_at))) * 86400.0 AS REAL)`
	if q.db.IsPostgres() {
		age = `CAST(extract(epoch FROM clock_timestamp() - min(created_at)) AS DOUBLE PRECISION)`
	}
	var seconds *float64
	err := q.db.ReadOne(ctx, func(tx *db.Tx) error {
		return tx.QueryRow(ctx, `SELECT `+age+` FROM river_job WHERE queue = ? AND state IN ('available', 'running', 'retryable')`, queue).Scan(&seconds)
	})
	if err != nil || seconds == nil {
		return 0, err
	}
	return time.Duration(max(0, *seconds) * float64(time.Second)), nil
}

// quiet drops River's remarks below warnings: its start, its sweeps.
type quiet struct{ slog.Handler }

// Enabled keeps warnings and errors.
func (q quiet) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && q.Handler.Enabled(ctx, l)
}
