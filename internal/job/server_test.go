package job_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"plumb/internal/clock"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/job"
)

func handleNothing(b *bench) {
	job.Handle(b.queue, func(context.Context, job.Job[note]) error { return nil }, job.Policy{})
}

func TestSecondServerOfANameIsRefusedWhileTheFirstRuns(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		if !d.IsPostgres() {
			t.Skip("a SQLite store has one server")
		}
		first, second := newBench(t, d), newBench(t, d)
		handleNothing(first)
		handleNothing(second)
		first.start(t)
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		if err := second.queue.Start(ctx); err == nil || !strings.Contains(err.Error(), "--host") {
			t.Fatalf("got %v", err)
		}
		if err := first.queue.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		second.start(t)
	})
}

func TestStopEndsADrain(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d)
		begun := make(chan struct{})
		job.Handle(b.queue, func(ctx context.Context, _ job.Job[note]) error {
			close(begun)
			<-ctx.Done()
			return ctx.Err()
		}, job.Policy{})
		b.start(t)
		b.insert(t, job.Options{}, "a")
		drained := make(chan error, 1)
		go func() { drained <- b.queue.Drain(t.Context()) }()
		<-begun
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			if err := <-drained; !errors.Is(err, job.ErrStopped) {
				t.Errorf("the drain ended with %v", err)
			}
			cancel() // only now may the job be cut off
		}()
		if err := b.queue.Stop(ctx); err != nil {
			t.Error(err)
		}
		b.want(t, map[string]int{"available": 1})
	})
}

// What only reads need not be waited for: it is read again.
func TestStopCutsOffWhatYields(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d)
		begun := make(chan struct{})
		job.Handle(b.queue, func(ctx context.Context, _ job.Job[note]) error {
			close(begun)
			<-ctx.Done()
			return ctx.Err()
		}, job.Policy{Timeout: time.Hour, Yields: true})
		b.start(t)
		b.insert(t, job.Options{MaxAttempts: 1}, "a")
		<-begun
		if err := b.queue.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		b.want(t, map[string]int{"available": 1}) // though it has one attempt
	})
}

func TestJobTablesOfANewerProgramAreRefusedWithASentence(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		newBench(t, d)
		err := d.Write(t.Context(), func(tx *db.Tx) error {
			_, err := tx.Exec(t.Context(), `INSERT INTO river_migration (line, version) VALUES ('main', 99)`)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		_, err = job.New(t.Context(), d, slog.New(slog.DiscardHandler), &clock.Clock{}, "server-1")
		if err == nil || !strings.Contains(err.Error(), "newer Plumb") || !strings.Contains(err.Error(), "99") {
			t.Fatalf("got %v", err)
		}
	})
}

func TestMovedClockDoesNotStopWhatIsDue(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d)
		job.Handle(b.queue, func(_ context.Context, j job.Job[note]) error {
			b.note(j.Args.Text)
			return nil
		}, job.Policy{})
		b.start(t)
		b.clock.Run()
		b.clock.Advance(365 * 24 * time.Hour)
		b.insert(t, job.Options{At: b.clock.Now().Add(time.Hour)}, "a")
		b.clock.Advance(time.Hour)
		b.drained(t, "a")
	})
}
