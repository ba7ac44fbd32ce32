package job

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/riverqueue/river/riverdriver"

	"plumb/internal/clock"
	"plumb/internal/db"
)

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
		select {
		case <-ctx.Done():
			return fmt.Errorf("drain: %d jobs are due or running: %w", n, ctx.Err())
		case <-time.After(pause):
		}
	}
}

// promote makes scheduled jobs available whose time has come. River does it
// every few seconds by itself.
func (q *Queue) promote(ctx context.Context) error {
	now := q.clock.Now()
	for {
		tx, err := q.exec.Begin(ctx)
		if err != nil {
			return fmt.Errorf("promote jobs: %w", err)
		}
		done, err := tx.JobSchedule(ctx, &riverdriver.JobScheduleParams{Max: 1000, Now: &now})
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
	for name := range workers {
		q.bell.ring(name)
	}
	return nil
}

// active counts the jobs that run or could.
func (q *Queue) active(ctx context.Context) (n int, err error) {
	err = q.db.Read(ctx, func(tx *db.Tx) error {
		// The runner's own spelling of times; a retry that is near is kept as available.
		var now any = q.clock.Now()
		if q.pg == nil {
			now = q.clock.Now().Format("2006-01-02 15:04:05.000")
		}
		return tx.QueryRow(ctx, `SELECT count(*) FROM river_job
			WHERE state = 'running' OR (state IN ('available', 'scheduled', 'retryable') AND scheduled_at <= ?)`, now).Scan(&n)
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
	err := q.db.Read(ctx, func(tx *db.Tx) error {
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

// clockTime hands the program's clock to River.
type clockTime struct{ *clock.Clock }

// NowOrNil returns the clock's time, so that River compares with it in SQL too.
func (c clockTime) NowOrNil() *time.Time {
	t := c.Now()
	return &t
}

// quiet drops River's remarks below warnings: its start, its sweeps.
type quiet struct{ slog.Handler }

// Enabled keeps warnings and errors.
func (q quiet) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && q.Handler.Enabled(ctx, l)
}
