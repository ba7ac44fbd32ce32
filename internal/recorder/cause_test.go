package recorder_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/recorder"
	"plumb/internal/store"
)

// causes returns the events that the newest item of a resource names.
func (w *world) causes(k config.ResourceKey) (events []string) {
	w.t.Helper()
	w.write(func(tx *db.Tx) error {
		it, err := store.CurrentItem(w.t.Context(), tx, k)
		events = it.RelatedEvents
		return err
	})
	return events
}

func TestAnItemNamesTheCallsThatMadeIt(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		w.cloud.announced = true
		event := ""
		w.recorder.Cause = func(context.Context) string { return event }
		sg := item(group, "sg-1", map[string]any{"rules": int64(0)})
		change := func(n int64, ids ...string) { // in one transaction, so that they are read at once
			w.cloud.put(item(group, "sg-1", map[string]any{"rules": n}))
			w.write(func(tx *db.Tx) (err error) {
				for _, event = range ids {
					err = errors.Join(err, w.recorder.Announce(t.Context(), tx, sg.ResourceKey))
				}
				return err
			})
			w.drain()
		}
		want := func(what string, ids ...string) {
			t.Helper()
			if got := w.causes(sg.ResourceKey); !slices.Equal(got, ids) {
				t.Errorf("%s: %q, want %q", what, got, ids)
			}
		}
		w.cloud.put(sg)
		w.start()
		want("what was there before")
		change(1, "a")
		want("one change", "a")
		change(3, "b", "c", "")
		want("two changes that were read at once", "b", "c")
		change(3, "d")
		want("a call that changed nothing", "b", "c")
		change(4, "")
		want("a change by no call")
		var many []string
		for i := range 30 {
			many = append(many, fmt.Sprint("many", i))
		}
		change(5, many...)
		if got := w.causes(sg.ResourceKey); !slices.Equal(got, many[10:]) {
			t.Errorf("of many calls: %q", got)
		}
		w.cloud.remove(sg.ResourceKey)
		event = "e"
		w.announce(sg.ResourceKey)
		want("the end", "e")
		pushed := item("Some::Custom::Type", "x", map[string]any{"a": "b"})
		event = "f"
		if err := w.recorder.Record(t.Context(), place, []recorder.Observation{{Item: pushed, Pushed: true}}); err != nil {
			t.Fatal(err)
		}
		if got := w.causes(pushed.ResourceKey); !slices.Equal(got, []string{"f"}) {
			t.Errorf("what was pushed: %q", got)
		}
	})
}

func TestADailyItemNamesTheCallsOfItsDay(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, func(r *config.Recorder) { r.Mode = config.RecordingMode{Put: true, Frequency: config.Daily} })
		w.cloud.announced = true
		event := ""
		w.recorder.Cause = func(context.Context) string { return event }
		sg := item(group, "sg-1", map[string]any{"rules": int64(0)})
		w.cloud.put(sg)
		w.start()
		for i, id := range []string{"a", "b"} {
			w.clock.Advance(time.Hour)
			w.cloud.put(item(group, "sg-1", map[string]any{"rules": int64(1 + i)}))
			event = id
			w.announce(sg.ResourceKey)
		}
		w.clock.Advance(24 * time.Hour)
		w.drain()
		if got := w.causes(sg.ResourceKey); !slices.Equal(got, []string{"a", "b"}) {
			t.Errorf("the day's item names %q", got)
		}
	})
}
