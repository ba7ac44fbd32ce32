package recorder_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/recorder"
	"plumb/internal/store"
)

func TestInventoryDiscoversAndChangesFollow(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		sg := item(group, "sg-1", map[string]any{"rules": int64(2)})
		w.cloud.put(sg)
		w.start()
		w.expect(sg.ResourceKey, config.StatusDiscovered)
		w.poll()
		w.expect(sg.ResourceKey, config.StatusDiscovered)
		w.cloud.put(item(group, "sg-1", map[string]any{"rules": int64(1)}))
		w.poll()
		w.expect(sg.ResourceKey, config.StatusDiscovered, config.StatusOK)
	})
}

func TestChangeOfAGroupGivesEveryInstanceThatUsesItAnItem(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		sg := item(group, "sg-1", map[string]any{"rules": int64(2)})
		w.cloud.put(sg)
		one, two := item(instance, "i-1", map[string]any{"a": "b"}, sg.ResourceKey), item(instance, "i-2", map[string]any{"a": "b"})
		w.cloud.put(one)
		w.cloud.put(two)
		w.start()
		w.cloud.put(item(group, "sg-1", map[string]any{"rules": int64(1)}))
		w.poll()
		w.expect(sg.ResourceKey, config.StatusDiscovered, config.StatusOK)
		w.expect(one.ResourceKey, config.StatusDiscovered, config.StatusOK)
		w.expect(two.ResourceKey, config.StatusDiscovered)
		w.poll()
		w.expect(one.ResourceKey, config.StatusDiscovered, config.StatusOK)
	})
}

func TestGroupGetsAnItemWhenAnInstanceBeginsOrCeasesToUseIt(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		sg := item(group, "sg-1", map[string]any{"rules": int64(2)})
		w.cloud.put(sg)
		w.cloud.put(item(instance, "i-1", map[string]any{"a": "b"}, sg.ResourceKey))
		w.start()
		w.expect(sg.ResourceKey, config.StatusDiscovered)
		w.cloud.put(item(instance, "i-2", map[string]any{"a": "b"}, sg.ResourceKey))
		w.poll()
		w.expect(sg.ResourceKey, config.StatusDiscovered, config.StatusOK)
		w.cloud.put(item(instance, "i-2", map[string]any{"a": "b"}))
		w.poll()
		w.expect(sg.ResourceKey, config.StatusDiscovered, config.StatusOK, config.StatusOK)
	})
}

func TestGroupListsTheInstancesThatUseIt(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		sg := item(group, "sg-1", map[string]any{"rules": int64(2)})
		w.cloud.put(sg)
		w.cloud.put(item(instance, "i-1", map[string]any{"a": "b"}, sg.ResourceKey))
		w.start()
		w.lists(sg.ResourceKey, "i-1")
		two := item(instance, "i-2", map[string]any{"a": "b"}, sg.ResourceKey)
		w.cloud.put(two)
		w.poll()
		w.lists(sg.ResourceKey, "i-1", "i-2")
		w.cloud.remove(two.ResourceKey)
		w.poll()
		w.lists(sg.ResourceKey, "i-1")
		w.poll()
		w.expect(sg.ResourceKey, config.StatusDiscovered, config.StatusOK, config.StatusOK)
		w.expect(two.ResourceKey, config.StatusDiscovered, config.StatusDeleted)
	})
}

// lists checks what the newest item of a resource leads to.
func (w *world) lists(k config.ResourceKey, want ...string) {
	w.t.Helper()
	var got []string
	w.write(func(tx *db.Tx) error {
		it, err := store.CurrentItem(w.t.Context(), tx, k)
		for _, r := range it.Relationships {
			got = append(got, r.ID)
		}
		return err
	})
	if !slices.Equal(got, want) {
		w.t.Fatalf("%s lists %v, want %v", k.ID, got, want)
	}
}

func TestResourceMissingFromACompleteAnswerIsDeleted(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		sg := item(group, "sg-1", map[string]any{"rules": int64(2)})
		w.cloud.put(sg)
		w.start()
		w.cloud.remove(sg.ResourceKey)
		w.poll()
		w.expect(sg.ResourceKey, config.StatusDiscovered, config.StatusDeleted)
		w.cloud.put(sg)
		w.poll()
		w.expect(sg.ResourceKey, config.StatusDiscovered, config.StatusDeleted, config.StatusDiscovered)
	})
}

func TestFailedReadingDeletesNothingAndShowsInTheStatus(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		sg := item(group, "sg-1", map[string]any{"rules": int64(2)})
		w.cloud.put(sg)
		w.start()
		w.cloud.remove(sg.ResourceKey)
		w.cloud.fail(errors.New("a page token was not used"))
		w.poll()
		w.expect(sg.ResourceKey, config.StatusDiscovered)
		if s := w.status(); s.LastStatus != config.StatusFailure || !strings.Contains(s.ErrorMessage, "a page token was not used") {
			t.Errorf("status is %+v", s)
		}
	})
}

func TestStoppedRecorderRecordsNothing(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		w.start()
		w.stop()
		sg := item(group, "sg-1", map[string]any{"rules": int64(2)})
		w.cloud.put(sg)
		w.poll()
		if err := w.recorder.Record(t.Context(), place, []recorder.Observation{{Item: sg}}); err != nil {
			t.Fatal(err)
		}
		w.expect(sg.ResourceKey)
	})
}

func TestUnrecordedTypeShowsOnlyThatItExists(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, func(r *config.Recorder) {
			r.Group = config.RecordingGroup{Strategy: config.RecordInclusion, Types: []string{instance}}
		})
		w.cloud.announced = true
		sg := item(group, "sg-1", map[string]any{"rules": int64(2)})
		w.cloud.put(sg)
		w.start()
		w.cloud.put(item(group, "sg-1", map[string]any{"rules": int64(1)}))
		w.announce(sg.ResourceKey)
		w.expect(sg.ResourceKey, config.StatusNotRecorded)
		_ = d.Read(t.Context(), func(tx *db.Tx) error {
			it, err := store.CurrentItem(t.Context(), tx, sg.ResourceKey)
			if err != nil || it.Configuration != nil {
				t.Errorf("item is %+v, %v", it, err)
			}
			return nil
		})
		w.cloud.remove(sg.ResourceKey)
		w.announce(sg.ResourceKey)
		w.expect(sg.ResourceKey, config.StatusNotRecorded, config.StatusDeletedNotRecorded)
	})
}

// announce announces a change and has it captured.
func (w *world) announce(k config.ResourceKey) {
	w.t.Helper()
	w.write(func(tx *db.Tx) error { return w.recorder.Announce(w.t.Context(), tx, k) })
	w.drain()
}

func TestDailyTypeGetsItsLastStateOnceADay(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, func(r *config.Recorder) { r.Mode = config.RecordingMode{Put: true, Frequency: config.Daily} })
		w.cloud.announced = true
		sg := item(group, "sg-1", map[string]any{"rules": int64(0)})
		w.cloud.put(sg)
		w.start()
		for n := range 3 {
			w.clock.Advance(time.Hour)
			w.cloud.put(item(group, "sg-1", map[string]any{"rules": int64(n + 1)}))
			w.write(func(tx *db.Tx) error { return w.recorder.Announce(t.Context(), tx, sg.ResourceKey) })
			w.drain()
		}
		w.expect(sg.ResourceKey, config.StatusDiscovered)
		w.clock.Advance(22 * time.Hour)
		w.drain()
		w.expect(sg.ResourceKey, config.StatusDiscovered, config.StatusOK)
		_ = d.Read(t.Context(), func(tx *db.Tx) error {
			it, err := store.CurrentItem(t.Context(), tx, sg.ResourceKey)
			if err != nil || it.Frequency != config.Daily || it.Configuration.(map[string]any)["rules"] != int64(3) {
				t.Errorf("item is %+v, %v", it, err)
			}
			return nil
		})
	})
}

func TestPushedResourceIsNotDeletedByAReading(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		w.start()
		sg := item(group, "sg-pushed", map[string]any{"rules": int64(2)})
		if err := w.recorder.Record(t.Context(), place, []recorder.Observation{{Item: sg, Pushed: true}}); err != nil {
			t.Fatal(err)
		}
		w.poll()
		w.expect(sg.ResourceKey, config.StatusDiscovered)
	})
}

func TestItemsOfOneMomentHaveRisingStateIDs(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		w.start()
		k := config.ResourceKey{Place: place, Type: group, ID: "sg-1"}
		for n := range 3 { // the clock stands
			if err := w.recorder.Record(t.Context(), place, []recorder.Observation{{Item: item(group, "sg-1", map[string]any{"n": int64(n)})}}); err != nil {
				t.Fatal(err)
			}
		}
		w.expect(k, config.StatusDiscovered, config.StatusOK, config.StatusOK)
	})
}
