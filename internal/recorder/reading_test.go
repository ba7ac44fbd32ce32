package recorder_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/recorder"
	"plumb/internal/store"
)

var errDenied = errors.New("AccessDenied: not authorized")

// jobsIn counts the jobs of the recorder that have not ended.
func (w *world) jobsIn(kind string) (n int) {
	w.t.Helper()
	w.write(func(tx *db.Tx) error {
		return tx.QueryRow(w.t.Context(), `SELECT count(*) FROM river_job
			WHERE kind = ? AND state IN ('available', 'running', 'retryable', 'scheduled')`, kind).Scan(&n)
	})
	return n
}

func TestTypeThatCannotBeReadCostsOneCallAPollAndLeavesNoJob(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		w.pollEvery = 30 * time.Minute
		w.recorder.Poll = w.pollEvery
		w.cloud.deny(group, errDenied)
		w.start()
		const polls = 48 // a day
		for range polls {
			w.poll()
			if n := w.jobsIn("recorder.discover"); n != 0 {
				t.Fatalf("%d readings wait", n)
			}
			if s := w.status(); s.LastStatus != config.StatusFailure || !strings.Contains(s.ErrorMessage, group) {
				t.Fatalf("status is %+v", s)
			}
		}
		if n := w.cloud.lists(group); n != polls+1 {
			t.Errorf("%d calls in %d polls", n, polls+1)
		}
		if n := w.cloud.lists(instance); n != polls+1 {
			t.Errorf("another type was read %d times in %d polls", n, polls+1)
		}
		if n := w.log.n.Load(); n < 20 || n > 25 {
			t.Errorf("%d warnings in a day, want one an hour", n)
		}
		w.cloud.deny(group, nil)
		w.poll()
		if s := w.status(); s.LastStatus != config.StatusSuccess || s.ErrorMessage != "" || s.ErrorCode != "" {
			t.Errorf("after a complete reading the status is %+v", s)
		}
	})
}

func TestATypeIsReadAsOftenAsItsFileSays(t *testing.T) {
	const usual = 30 * time.Minute
	for name, c := range map[string]struct {
		every        time.Duration // of instances
		each         time.Duration // a step of the clock
		instance, sg int           // lists in twelve steps
	}{
		"less often": {3 * usual, usual, 4, 12},
		"more often": {usual / 2, usual / 2, 12, 6},
		"as usual":   {0, usual, 12, 12},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, dbtest.Open(t), nil)
			w.recorder.Poll, w.pollEvery = usual, c.each
			w.cloud.intervals = map[string]time.Duration{instance: c.every}
			w.start()
			before := w.cloud.lists(group)
			for range 12 {
				w.poll()
			}
			if i, g := w.cloud.lists(instance)-1, w.cloud.lists(group)-before; i != c.instance || g != c.sg {
				t.Errorf("%d and %d lists, want %d and %d", i, g, c.instance, c.sg)
			}
		})
	}
}

func TestStatusNamesEveryTypeThatCannotBeRead(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		w.cloud.deny(group, errDenied)
		w.cloud.deny(instance, errDenied)
		w.start()
		w.cloud.deny(instance, nil)
		w.poll()
		s := w.status()
		if s.LastStatus != config.StatusFailure || s.ErrorCode != "ResourceReadFailed" || !strings.Contains(s.ErrorMessage, group) ||
			strings.Contains(s.ErrorMessage, instance) {
			t.Errorf("status is %+v", s)
		}
	})
}

func TestTypeThatIsNotRecordedAnyMoreLeavesTheStatus(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		w.cloud.deny(group, errDenied)
		w.start()
		w.put(place, only(instance))
		w.drain()
		if s := w.status(); s.LastStatus != config.StatusSuccess {
			t.Errorf("status is %+v", s)
		}
	})
}

// only has a recorder record some types.
func only(types ...string) func(*config.Recorder) {
	return func(r *config.Recorder) {
		r.Group = config.RecordingGroup{Strategy: config.RecordInclusion, Types: types}
	}
}

func TestPolledTypeThatIsNotRecordedIsNotRead(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, only(instance))
		w.cloud.deny(group, errDenied)
		sg := config.ResourceKey{Place: place, Type: group, ID: "sg-1"}
		one := item(instance, "i-1", map[string]any{"a": "b"}, sg)
		w.cloud.put(one)
		w.start()
		two := item(instance, "i-2", map[string]any{"a": "b"}, sg)
		w.cloud.put(two) // the group would get an item
		w.poll()
		w.expect(two.ResourceKey, config.StatusDiscovered)
		if n := w.cloud.lists(group); n != 0 {
			t.Errorf("it was listed %d times", n)
		}
		if s := w.status(); s.LastStatus != config.StatusSuccess {
			t.Errorf("status is %+v", s)
		}
		if n := w.jobsIn("recorder.capture"); n != 0 {
			t.Errorf("%d captures wait", n)
		}
	})
}

func TestInventoryThatFailsIsRepeatedUntilItIsComplete(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		w.cloud.announced = true
		sg := item(group, "sg-1", map[string]any{"rules": int64(2)})
		w.cloud.put(sg)
		w.cloud.deny(group, errDenied)
		w.start()
		w.poll()
		w.expect(sg.ResourceKey)
		w.cloud.deny(group, nil)
		w.poll()
		w.expect(sg.ResourceKey, config.StatusDiscovered)
		for range 3 {
			w.poll()
		}
		if n := w.cloud.lists(group); n != 3 {
			t.Errorf("a type that announces its changes was listed %d times", n)
		}
		if n := w.jobsIn("recorder.poll"); n != 0 {
			t.Errorf("%d polls wait where nothing is polled", n)
		}
	})
}

func TestResourceThatAListLacksIsGoneOnlyIfItsServiceConfirmsIt(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		sg, other := item(group, "sg-1", map[string]any{"rules": int64(2)}), item(group, "sg-2", map[string]any{"rules": int64(2)})
		w.cloud.put(sg)
		w.cloud.put(other)
		w.start()
		w.cloud.locked(func() { w.cloud.hidden[sg.ResourceKey], w.cloud.hidden[other.ResourceKey] = true, true })
		w.cloud.remove(other.ResourceKey)
		w.poll()
		w.expect(sg.ResourceKey, config.StatusDiscovered)
		w.expect(other.ResourceKey, config.StatusDiscovered, config.StatusDeleted)
		w.cloud.remove(sg.ResourceKey)
		w.poll()
		w.expect(sg.ResourceKey, config.StatusDiscovered, config.StatusDeleted)
	})
}

// during calls f once, while resources of a type are listed.
func (w *world) during(resourceType string, f func()) {
	w.cloud.whileLists = func(_ context.Context, _ config.Place, t string) {
		if t == resourceType {
			w.cloud.whileLists = nil
			f()
		}
	}
}

// capture records the present state of a resource, as a capture does.
func (w *world) capture(it config.Item) {
	w.t.Helper()
	err := w.recorder.Record(w.t.Context(), place, []recorder.Observation{{Item: it, Began: w.clock.Now()}})
	if err != nil {
		w.t.Error(err)
	}
}

func TestReadingThatBeganBeforeTheNewestItemIsNotRecordedOverIt(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, only(instance))
		w.cloud.put(item(instance, "i-1", map[string]any{"state": "old"}))
		w.start()
		changed := item(instance, "i-1", map[string]any{"state": "new"})
		w.during(instance, func() { // the list has been answered with the old state
			w.cloud.put(changed)
			w.clock.Advance(time.Second)
			w.capture(changed)
			w.clock.Advance(time.Second)
		})
		w.poll()
		w.expect(changed.ResourceKey, config.StatusDiscovered, config.StatusOK)
		w.poll()
		w.expect(changed.ResourceKey, config.StatusDiscovered, config.StatusOK)
	})
}

func TestResourceThatCameDuringAReadingIsNotRecordedAsGone(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, only(instance))
		w.start()
		it := item(instance, "i-1", map[string]any{"state": "new"})
		w.during(instance, func() {
			w.cloud.put(it)
			w.clock.Advance(time.Second)
			w.capture(it)
			w.clock.Advance(time.Second)
		})
		w.poll()
		w.expect(it.ResourceKey, config.StatusDiscovered)
	})
}

func TestReadingOfAnEarlierStartIsDropped(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, only(instance))
		w.start()
		old := item(instance, "i-1", map[string]any{"state": "old"})
		w.cloud.put(old)
		w.during(instance, func() {
			w.stop()
			w.cloud.remove(old.ResourceKey)
			w.startIn(place)
		})
		w.poll()
		w.expect(old.ResourceKey)
		w.poll()
		w.expect(old.ResourceKey)
		if n := w.jobsIn("recorder.poll"); n != 1 {
			t.Errorf("%d polls wait", n)
		}
	})
}

func TestTypeThatLeavesTheGroupDuringItsReadingIsNotRecorded(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, only(instance, group))
		w.start()
		it := item(instance, "i-1", map[string]any{"state": "new"})
		w.cloud.put(it)
		w.during(instance, func() { w.put(place, only(group)) })
		w.poll()
		w.expect(it.ResourceKey)
		if n := w.cloud.lists(instance); n != 2 {
			t.Errorf("it was listed %d times", n)
		}
	})
}

func TestPollsAndReadingsThatRunTwiceDoNotMultiply(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		w.start()
		for range 3 {
			w.write(func(tx *db.Tx) error {
				_, err := tx.Exec(t.Context(), `UPDATE river_job SET state = 'available', finalized_at = NULL WHERE state = 'completed'`)
				return err
			})
			w.drain()
			w.poll()
		}
		if n := w.jobsIn("recorder.poll"); n != 1 {
			t.Errorf("%d polls wait", n)
		}
		if n := w.cloud.lists(group); n != 4 {
			t.Errorf("%d readings in 4 polls", n)
		}
	})
}

func TestStartedRecorderReplacesEarlierPolls(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		for range 3 {
			w.start()
			w.stop()
		}
		w.start()
		w.poll()
		if n := w.jobsIn("recorder.poll"); n != 1 {
			t.Errorf("%d polls wait", n)
		}
	})
}

func TestClockThatIsMovedBackHidesNoChange(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, func(r *config.Recorder) {
			only(instance)(r)
			r.Mode = config.RecordingMode{Frequency: config.Daily}
		})
		w.cloud.put(item(instance, "i-1", map[string]any{"state": "one"}))
		w.cloud.put(item(instance, "i-2", map[string]any{"state": "one"}))
		w.start()
		w.clock.Freeze(w.clock.Now().Add(-365 * 24 * time.Hour))
		two := item(instance, "i-1", map[string]any{"state": "two"})
		w.cloud.put(two)
		w.cloud.remove(config.ResourceKey{Place: place, Type: instance, ID: "i-2"})
		w.put(place, only(instance)) // its inventory is due now
		w.drain()
		w.expect(two.ResourceKey, config.StatusDiscovered, config.StatusOK)
		w.expect(config.ResourceKey{Place: place, Type: instance, ID: "i-2"}, config.StatusDiscovered, config.StatusDeleted)
	})
}

func TestResourceThatCannotBeReadDoesNotKeepOthersFromBeingCaptured(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		sg := item(group, "sg-1", map[string]any{"rules": int64(2)})
		for _, id := range []string{"i-1", "i-2"} {
			w.cloud.put(item(instance, id, map[string]any{"a": "b"}, sg.ResourceKey))
		}
		w.cloud.put(sg)
		w.start()
		w.cloud.locked(func() { w.cloud.unreadable[config.ResourceKey{Place: place, Type: instance, ID: "i-1"}] = true })
		w.cloud.put(item(group, "sg-1", map[string]any{"rules": int64(1)}))
		w.poll()
		w.expect(config.ResourceKey{Place: place, Type: instance, ID: "i-2"}, config.StatusDiscovered, config.StatusOK)
		for range 10 {
			w.poll()
		}
		if n := w.jobsIn("recorder.capture"); n != 0 {
			t.Errorf("%d captures wait", n)
		}
	})
}

func TestAccountThatHangsDoesNotDelayAnother(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, only(instance))
		w.cloud.types = append(w.cloud.types, "A::B::C", "A::B::D", "A::B::E", "A::B::F", "A::B::G", "A::B::H", "A::B::I", "A::B::J")
		w.recorded = make(chan config.ItemsRecorded, 100)
		hanging := config.Place{Account: "210987654321", Region: "eu-west-1"}
		release := make(chan struct{})
		w.cloud.whileLists = func(_ context.Context, p config.Place, _ string) {
			if p == hanging {
				<-release
			}
		}
		w.put(hanging, nil)
		w.startIn(hanging)
		w.startIn(place)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { // Drain has due jobs run; it cannot end before release
			defer close(ended)
			_ = w.jobs.Drain(ctx)
		}()
		defer func() {
			close(release)
			stop()
			<-ended
		}()
		for n := range 5 {
			it := item(instance, "i-1", map[string]any{"n": int64(n)})
			w.cloud.put(it)
			w.clock.Advance(time.Minute)
			w.waitFor(it.ResourceKey)
			w.waitRead(place, instance) // a poll that meets a reading leaves it alone
		}
		if n := w.jobsIn("recorder.discover"); n > 9 {
			t.Errorf("%d readings run or wait in the queue, of which the account that hangs may have 8", n)
		}
	})
}

// waitFor returns when an item of a resource was recorded.
func (w *world) waitFor(k config.ResourceKey) {
	w.t.Helper()
	late := time.After(time.Minute)
	for {
		select {
		case e := <-w.recorded:
			for _, it := range e.Items {
				if it.ResourceKey == k {
					return
				}
			}
		case <-late:
			w.t.Fatalf("no item of %s was recorded in a minute", k)
		}
	}
}

// waitRead returns when the reading of a type by the clock's time is complete.
func (w *world) waitRead(p config.Place, of string) {
	w.t.Helper()
	for late := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		complete := false
		w.write(func(tx *db.Tx) error {
			return store.EachReading(w.t.Context(), tx, func(at config.Place, r store.Reading) {
				complete = complete || at == p && r.Type == of && r.Completed.Equal(w.clock.Now())
			})
		})
		if complete {
			return
		}
		if time.Now().After(late) {
			w.t.Fatalf("no reading of %s in %s was complete in a minute", of, p)
		}
	}
}

func TestReadingsKnowWhenTheyWereLastComplete(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		w.start()
		first := w.clock.Now()
		w.cloud.deny(group, errDenied)
		w.poll()
		ages := map[string]time.Time{}
		w.write(func(tx *db.Tx) error {
			return store.EachReading(t.Context(), tx, func(_ config.Place, r store.Reading) { ages[r.Type] = r.Completed })
		})
		if !ages[group].Equal(first) || !ages[instance].Equal(w.clock.Now()) {
			t.Errorf("last complete readings at %v", ages)
		}
	})
}

func TestTheFirstCompleteReadingOfATypeIsPublished(t *testing.T) {
	w := newWorld(t, dbtest.Open(t), nil)
	read := make(chan string, 10)
	w.firstRead = func(e config.TypeRead) { read <- e.Type }
	count := func() map[string]int {
		out := map[string]int{}
		for range len(read) {
			out[<-read]++
		}
		return out
	}
	w.cloud.deny(group, errDenied)
	w.start()
	if got := count(); got[instance] != 1 || got[group] != 0 {
		t.Errorf("after the start %v are published", got)
	}
	w.cloud.deny(group, nil)
	w.poll()
	if got := count(); got[instance] != 0 || got[group] != 1 {
		t.Errorf("after the next poll %v are published", got)
	}
}
