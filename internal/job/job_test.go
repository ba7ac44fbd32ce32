package job_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"plumb/internal/clock"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/job"
)

type note struct{ Text string }

func (note) Kind() string { return "note" }

// bench is a queue with a frozen clock and a record of what was done.
type bench struct {
	db    *db.DB
	clock *clock.Clock
	queue *job.Queue
	mu    sync.Mutex
	did   []string
}

func newBench(t *testing.T, d *db.DB) *bench {
	b := &bench{db: d, clock: &clock.Clock{}}
	b.clock.Freeze(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	var err error
	b.queue, err = job.New(t.Context(), d, slog.New(slog.DiscardHandler), b.clock, "server-1")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bench) start(t *testing.T) {
	if err := b.queue.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.queue.Stop(context.Background()) })
}

func (b *bench) insert(t *testing.T, o job.Options, texts ...string) {
	t.Helper()
	err := b.db.Write(t.Context(), func(tx *db.Tx) error {
		for _, text := range texts {
			if err := b.queue.Insert(t.Context(), tx, note{text}, o); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (b *bench) note(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.did = append(b.did, text)
}

func (b *bench) drained(t *testing.T, want ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := b.queue.Drain(ctx); err != nil {
		t.Fatal(err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.did) != len(want) {
		t.Fatalf("did %q, want %q", b.did, want)
	}
	for i := range want {
		if b.did[i] != want[i] {
			t.Fatalf("did %q, want %q", b.did, want)
		}
	}
}

func TestDrainRunsWhatJobsInsert(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d)
		job.Handle(b.queue, func(ctx context.Context, j job.Job[note]) error {
			b.note(j.Args.Text)
			if len(j.Args.Text) < 3 {
				b.insert(t, job.Options{}, j.Args.Text+"x")
			}
			return nil
		}, job.Policy{})
		b.start(t)
		b.insert(t, job.Options{}, "a")
		b.drained(t, "a", "ax", "axx")
	})
}

// A step that completes itself and inserts the next one in a transaction leaves no
// moment at which nothing is due, however the clock goes on while jobs are counted.
func TestDrainWaitsForTheLastStepOfAChain(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d)
		b.clock.Run()
		const steps = 30
		job.HandleTx(b.queue, func(ctx context.Context, tx *db.Tx, j job.Job[note]) error {
			b.note(j.Args.Text)
			if len(j.Args.Text) == steps {
				return nil
			}
			return b.queue.Insert(ctx, tx, note{j.Args.Text + "x"}, job.Options{})
		}, job.Policy{})
		b.start(t)
		for chain := range 8 {
			b.insert(t, job.Options{}, "x")
			if err := b.queue.Drain(t.Context()); err != nil {
				t.Fatal(err)
			}
			b.mu.Lock()
			if len(b.did) != steps {
				t.Errorf("chain %d: drained after %d steps of %d", chain, len(b.did), steps)
			}
			b.did = nil
			b.mu.Unlock()
		}
	})
}

func TestScheduledJobWaitsForTheClock(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d)
		job.Handle(b.queue, func(_ context.Context, j job.Job[note]) error {
			b.note(j.Args.Text)
			return nil
		}, job.Policy{})
		b.start(t)
		b.insert(t, job.Options{At: b.clock.Now().Add(24 * time.Hour)}, "tomorrow")
		b.drained(t)
		b.clock.Advance(24 * time.Hour)
		b.drained(t, "tomorrow")
	})
}

func TestAJobWhoseTimeHasComeWaitsForNoScheduler(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d)
		job.Handle(b.queue, func(context.Context, job.Job[note]) error { return nil }, job.Policy{})
		b.insert(t, job.Options{At: b.clock.Now()}, "now")
		b.insert(t, job.Options{At: b.clock.Now().Add(-time.Hour)}, "an hour ago")
		var available int
		err := d.ReadOne(t.Context(), func(tx *db.Tx) error {
			return tx.QueryRow(t.Context(), `SELECT count(*) FROM river_job WHERE state = 'available'`).Scan(&available)
		})
		if err != nil || available != 2 {
			t.Fatalf("%d of 2 jobs are available: %v", available, err)
		}
	})
}

func TestWhatIsHeldStartsWhenItIsReleased(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d)
		job.Handle(b.queue, func(_ context.Context, j job.Job[note]) error {
			b.note(j.Args.Text)
			return nil
		}, job.Policy{})
		b.start(t)
		release := b.queue.Hold()
		b.insert(t, job.Options{}, "held")
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if err := b.queue.Drain(ctx); err == nil || len(b.did) != 0 {
			t.Fatalf("drained while jobs are held: %v, did %q", err, b.did)
		}
		release()
		b.drained(t, "held")
	})
}

func TestFailedJobIsTriedAgainWhenItsWaitIsOver(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d)
		job.Handle(b.queue, func(_ context.Context, j job.Job[note]) error {
			b.note(j.Args.Text)
			return errors.New("no")
		}, job.Policy{Retry: func(attempt int) time.Duration { return time.Duration(attempt) * time.Minute }})
		b.start(t)
		b.insert(t, job.Options{MaxAttempts: 3}, "a")
		b.drained(t, "a")
		b.clock.Advance(time.Minute)
		b.drained(t, "a", "a")
		b.clock.Advance(time.Minute)
		b.drained(t, "a", "a")
		b.clock.Advance(time.Minute)
		b.drained(t, "a", "a", "a")
		b.clock.Advance(time.Hour)
		b.drained(t, "a", "a", "a")
	})
}

func TestRolledBackJobNeverRuns(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d)
		job.Handle(b.queue, func(_ context.Context, j job.Job[note]) error {
			b.note(j.Args.Text)
			return nil
		}, job.Policy{})
		b.start(t)
		_ = d.Write(t.Context(), func(tx *db.Tx) error {
			if err := b.queue.Insert(t.Context(), tx, note{"a"}, job.Options{}); err != nil {
				t.Error(err)
			}
			return errors.New("changed my mind")
		})
		b.drained(t)
	})
}

func TestJobOfAKilledServerRunsAfterItsRestart(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d)
		job.Handle(b.queue, func(_ context.Context, j job.Job[note]) error {
			b.note(j.Args.Text)
			return nil
		}, job.Policy{})
		b.insert(t, job.Options{}, "a")
		// As a killed server leaves it.
		mark := `UPDATE river_job SET state = 'running', attempt = 1, attempted_by = '["server-1"]'`
		if d.IsPostgres() {
			mark = `UPDATE river_job SET state = 'running', attempt = 1, attempted_at = now(), attempted_by = '{server-1}'`
		}
		if err := d.Write(t.Context(), func(tx *db.Tx) error { _, err := tx.Exec(t.Context(), mark); return err }); err != nil {
			t.Fatal(err)
		}
		b.start(t)
		b.drained(t, "a")
	})
}

func TestJobsOfASilentServerAreTakenUpByAnother(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		if !d.IsPostgres() {
			t.Skip("a SQLite store has one server")
		}
		b := newBench(t, d)
		job.Handle(b.queue, func(_ context.Context, j job.Job[note]) error {
			b.note(j.Args.Text)
			return nil
		}, job.Policy{})
		b.insert(t, job.Options{}, "a")
		err := d.Write(t.Context(), func(tx *db.Tx) error {
			if _, err := tx.Exec(t.Context(), `INSERT INTO job_server (name, seen) VALUES ('server-2', 1)`); err != nil {
				return err
			}
			_, err := tx.Exec(t.Context(), `UPDATE river_job SET state = 'running', attempt = 1, attempted_at = now(), attempted_by = '{server-2}'`)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		b.start(t)
		b.drained(t, "a")
	})
}
