package job_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/job"
)

// states returns how many jobs are in each state.
func (b *bench) states(t *testing.T) map[string]int {
	t.Helper()
	out := map[string]int{}
	err := b.db.Read(context.Background(), func(tx *db.Tx) error {
		return db.Each(context.Background(), tx, func(scan func(...any) error) error {
			var state string
			var n int
			err := scan(&state, &n)
			out[state] = n
			return err
		}, `SELECT CAST(state AS TEXT), count(*) FROM river_job GROUP BY state`)
	})
	if err != nil {
		t.Error(err)
	}
	return out
}

// giveTo makes the running job that of another server, as a take-up does.
func (b *bench) giveTo(t *testing.T, id int64, server string) {
	t.Helper()
	by := `'["` + server + `"]'`
	if b.db.IsPostgres() {
		by = `'{` + server + `}'`
	}
	err := b.db.Write(context.Background(), func(tx *db.Tx) error {
		_, err := tx.Exec(context.Background(), `UPDATE river_job SET attempted_by = `+by+` WHERE id = ?`, id)
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func (b *bench) want(t *testing.T, want map[string]int) {
	t.Helper()
	got := b.states(t)
	for state, n := range want {
		if got[state] != n {
			t.Fatalf("jobs %v, want %v", got, want)
		}
	}
	if len(got) != len(want) {
		t.Fatalf("jobs %v, want %v", got, want)
	}
}

func TestSuccessorAndCompletionAreOneTransaction(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d)
		var after map[string]int
		job.HandleTx(b.queue, func(ctx context.Context, tx *db.Tx, j job.Job[note]) error {
			b.note(j.Args.Text)
			if j.Args.Text == "b" {
				return nil
			}
			// What a kill right after the commit would leave.
			tx.AfterCommit(func() { after = b.states(t) })
			return b.queue.Insert(ctx, tx, note{"b"}, job.Options{At: b.clock.Now().Add(time.Hour)})
		}, job.Policy{})
		b.start(t)
		b.insert(t, job.Options{}, "a")
		b.drained(t, "a")
		if after["completed"] != 1 || after["scheduled"] != 1 || after["running"] != 0 {
			t.Fatalf("after the commit the jobs were %v", after)
		}
		b.clock.Advance(time.Hour)
		b.drained(t, "a", "b")
	})
}

func TestFailedTransactionOfAJobLeavesNothingAndIsTriedAgain(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d)
		job.HandleTx(b.queue, func(ctx context.Context, tx *db.Tx, j job.Job[note]) error {
			b.note(j.Args.Text)
			if j.Args.Text == "b" {
				return nil
			}
			if err := b.queue.Insert(ctx, tx, note{"b"}, job.Options{}); err != nil {
				return err
			}
			if j.Attempt == 1 {
				return errors.New("no")
			}
			return nil
		}, job.Policy{Retry: func(int) time.Duration { return time.Minute }})
		b.start(t)
		b.insert(t, job.Options{}, "a")
		b.drained(t, "a")
		b.want(t, map[string]int{"retryable": 1})
		b.clock.Advance(time.Minute)
		b.drained(t, "a", "a", "b")
	})
}

func TestSnoozedAndDiscardedTransactionsLeaveNothing(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d)
		job.HandleTx(b.queue, func(ctx context.Context, tx *db.Tx, j job.Job[note]) error {
			b.note(j.Args.Text)
			if err := b.queue.Insert(ctx, tx, note{"never"}, job.Options{}); err != nil {
				return err
			}
			if j.Args.Text == "later" {
				return job.Snooze(time.Hour)
			}
			return job.Discard(errors.New("cannot work"))
		}, job.Policy{})
		b.start(t)
		b.insert(t, job.Options{}, "later")
		b.drained(t, "later")
		b.insert(t, job.Options{}, "dropped")
		b.drained(t, "later", "dropped")
		b.want(t, map[string]int{"scheduled": 1, "cancelled": 1})
	})
}

func TestJobThatAnotherServerTookUpWritesNothing(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d)
		done := make(chan struct{})
		job.HandlePrepared(b.queue, func(ctx context.Context, j job.Job[note]) (job.Commit, error) {
			b.giveTo(t, j.ID, "server-2")
			return func(ctx context.Context, tx *db.Tx) error {
				t.Error("wrote for a job of another server")
				return nil
			}, nil
		}, job.Policy{})
		job.Handle(b.queue, func(context.Context, job.Job[last]) error { close(done); return nil }, job.Policy{})
		b.start(t)
		b.insert(t, job.Options{}, "a")
		b.await(t, done)
		if d.IsPostgres() { // a SQLite store has no other server that would go on with it
			b.want(t, map[string]int{"running": 1, "completed": 1})
		}
	})
}

// A server that was frozen reports late that its attempt failed: the job is
// another one's meanwhile.
func TestLateFailureDoesNotTouchTheJobOfAnotherServer(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		if !d.IsPostgres() {
			t.Skip("a SQLite store has one server")
		}
		b := newBench(t, d)
		done := make(chan struct{})
		job.Handle(b.queue, func(ctx context.Context, j job.Job[note]) error {
			b.giveTo(t, j.ID, "server-2")
			return errors.New("late")
		}, job.Policy{})
		job.Handle(b.queue, func(context.Context, job.Job[last]) error { close(done); return nil }, job.Policy{})
		b.start(t)
		b.insert(t, job.Options{}, "a")
		b.await(t, done)
		b.want(t, map[string]int{"running": 1, "completed": 1})
	})
}

// last is a job that runs after the others of its queue.
type last struct{}

func (last) Kind() string { return "last" }

// await stops the queue once a job that was inserted last has run, so that all
// that ended before it is noted.
func (b *bench) await(t *testing.T, done chan struct{}) {
	t.Helper()
	err := b.db.Write(t.Context(), func(tx *db.Tx) error { return b.queue.Insert(t.Context(), tx, last{}, job.Options{}) })
	if err != nil {
		t.Fatal(err)
	}
	<-done
	if err := b.queue.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestJobOfAnUnknownKindWaitsForAServerThatKnowsIt(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		newer := newBench(t, d)
		job.Handle(newer.queue, func(_ context.Context, j job.Job[note]) error {
			newer.note(j.Args.Text)
			return nil
		}, job.Policy{})
		newer.insert(t, job.Options{MaxAttempts: 1}, "a")

		older := newBench(t, d)
		job.Handle(older.queue, func(context.Context, job.Job[last]) error { return nil }, job.Policy{})
		if err := older.queue.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		older.drained(t)
		older.want(t, map[string]int{"scheduled": 1})
		if err := older.queue.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}

		newer.start(t)
		newer.clock.Advance(time.Minute)
		newer.drained(t, "a")
	})
}

func TestManyJobsAreInsertedAtOnce(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d)
		job.HandleTx(b.queue, func(_ context.Context, tx *db.Tx, j job.Job[note]) error {
			tx.AfterCommit(func() { b.note(j.Args.Text) })
			return nil
		}, job.Policy{})
		b.start(t)
		notes := make([]note, 500)
		err := d.Write(t.Context(), func(tx *db.Tx) error {
			if err := job.InsertMany(t.Context(), b.queue, tx, []note(nil), job.Options{}); err != nil {
				return err
			}
			return job.InsertMany(t.Context(), b.queue, tx, notes, job.Options{At: b.clock.Now().Add(time.Hour)})
		})
		if err != nil {
			t.Fatal(err)
		}
		b.drained(t)
		b.clock.Advance(time.Hour)
		b.drained(t, make([]string, 500)...)
	})
}
