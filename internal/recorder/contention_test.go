package recorder_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/job"
	"plumb/internal/recorder"
	"plumb/internal/store"
)

var car = config.ResourceKey{Place: place, Type: "Acme::Garage::Car", ID: "one"}

// writeCar has a writer record a number of states, and returns its errors.
func writeCar(t *testing.T, r *recorder.Recorder, writer, states int) (failures []error) {
	for n := range states {
		it := item(car.Type, car.ID, map[string]any{"state": fmt.Sprint(writer, n)})
		if err := r.Record(t.Context(), place, []recorder.Observation{{Item: it, Pushed: true}}); err != nil {
			failures = append(failures, err)
		}
	}
	return failures
}

// another returns the recorder of a second server on the same store.
func (w *world) another(t *testing.T) *recorder.Recorder {
	t.Helper()
	o := w.recorder.Options
	o.Jobs = w.idleJobs(t)
	return recorder.New(slog.New(w.log), o)
}

// idleJobs returns the queue of a second server, which runs no jobs.
func (w *world) idleJobs(t *testing.T) *job.Queue {
	t.Helper()
	jobs, err := job.New(t.Context(), w.db, slog.New(slog.DiscardHandler), w.clock, "another server")
	if err != nil {
		t.Fatal(err)
	}
	return jobs
}

func TestWritersOfOneResourceWaitForEachOther(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		w.start()
		const writers, states = 8, 12
		var wg sync.WaitGroup
		for n := range writers {
			wg.Go(func() {
				for _, err := range writeCar(t, w.recorder, n, states) {
					t.Errorf("writer %d: %v", n, err)
				}
			})
		}
		wg.Wait()
		if n := len(w.statuses(car)); n != writers*states {
			t.Errorf("%d items of %d states", n, writers*states)
		}
		if n := w.evaluated.Load(); n != writers*states {
			t.Errorf("%d evaluations of %d states", n, writers*states)
		}
	})
}

func TestWritersOfSeveralServersLoseNothing(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		w.start()
		servers := []*recorder.Recorder{w.recorder, w.another(t)}
		const writers, states = 4, 12
		var wg sync.WaitGroup
		for n := range writers {
			wg.Go(func() {
				for _, err := range writeCar(t, servers[n%len(servers)], n, states) {
					t.Errorf("writer %d: %v", n, err)
				}
			})
		}
		wg.Wait()
		if n := len(w.statuses(car)); n != writers*states {
			t.Errorf("%d items of %d states", n, writers*states)
		}
	})
}

func TestBatchThatOthersNeverLetWriteIsBusy(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		w.start()
		o := w.recorder.Options
		o.Judge = func(context.Context, config.Place, []config.Item) (func(context.Context, *db.Tx) error, error) {
			return func(context.Context, *db.Tx) error { return store.ErrConflict }, nil
		}
		o.Jobs = w.idleJobs(t)
		failures := writeCar(t, recorder.New(slog.New(w.log), o), 0, 1)
		if len(failures) != 1 || !errors.Is(failures[0], recorder.ErrBusy) {
			t.Errorf("it failed with %v", failures)
		}
		w.expect(car)
	})
}
