package recorder_test

import (
	"errors"
	"testing"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/recorder"
	"plumb/internal/store"
)

// These tests record readings of one resource in another order than they began.

var observed = config.ResourceKey{Place: place, Type: instance, ID: "i-1"}

func announced(t *testing.T, d *db.DB, changes int) *world {
	w := newWorld(t, d, nil)
	w.cloud.announced = true
	w.start()
	w.drain()
	if changes > 0 { // the cloud has none of what is recorded here, and would be read again
		t.Cleanup(w.jobs.Hold())
	}
	for range changes {
		w.write(func(tx *db.Tx) error { return store.Announce(t.Context(), tx, observed, "") })
	}
	return w
}

// record records the state that was read after a number of changes; "" is gone.
func (w *world) record(state string, sequence int64) {
	w.t.Helper()
	o := recorder.Observation{Item: config.Item{ResourceKey: observed}, Sequence: new(sequence), Gone: state == ""}
	if state != "" {
		o.Item.Configuration = map[string]any{"state": state}
	}
	if err := w.recorder.Record(w.t.Context(), place, []recorder.Observation{o}); err != nil {
		w.t.Fatal(err)
	}
}

// newestState returns the state in the newest item, "" without one.
func (w *world) newestState() (state string) {
	w.t.Helper()
	w.write(func(tx *db.Tx) error {
		it, err := store.CurrentItem(w.t.Context(), tx, observed)
		if errors.Is(err, store.ErrNotFound) || err == nil && it.Status.Gone() {
			return nil
		}
		if err == nil {
			state, _ = it.Configuration.(map[string]any)["state"].(string)
		}
		return err
	})
	return state
}

func TestObservationOlderThanTheRecordedOneIsDropped(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		w := announced(t, d, 2)
		w.record("second", 2)
		w.record("first", 1)
		if got := w.newestState(); got != "second" {
			t.Errorf("the newest item has the state %s", got)
		}
	})
}

func TestObservationWithoutADifferenceMakesEarlierOnesStale(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		w := announced(t, d, 3)
		w.record("running", 1)
		w.record("running", 3) // it was stopped and started again
		w.record("stopped", 2)
		if got := w.newestState(); got != "running" {
			t.Errorf("the newest item has the state %s", got)
		}
	})
}

func TestResourceThatCameAndWentIsNotRecordedAfterwards(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		w := announced(t, d, 2)
		w.record("", 2)
		w.record("running", 1)
		if got := w.newestState(); got != "" {
			t.Errorf("what is gone is recorded as %s", got)
		}
	})
}

func TestObservationsAfterTheSameChangeAreAllRecorded(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		w := announced(t, d, 1)
		w.record("running", 1)
		w.record("tagged", 1) // by a service that does not announce everything
		if got := w.newestState(); got != "tagged" {
			t.Errorf("the newest item has the state %s", got)
		}
	})
}

func TestResourceThatChangesWhileItIsReadIsReadAgain(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		w := announced(t, d, 0)
		change := func(state string) {
			w.cloud.put(config.Item{ResourceKey: observed, Configuration: map[string]any{"state": state}})
			w.write(func(tx *db.Tx) error { return store.Announce(t.Context(), tx, observed, "") })
		}
		change("starting")
		w.cloud.meanwhile = func() { change("running") }
		w.write(func(tx *db.Tx) error { return w.recorder.Announce(t.Context(), tx, observed) })
		w.drain()
		w.expect(observed, config.StatusDiscovered) // and no second item
		if got := w.newestState(); got != "running" {
			t.Errorf("the newest item has the state %s", got)
		}
	})
}
