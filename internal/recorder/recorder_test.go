package recorder_test

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"slices"
	"testing"
	"time"

	"plumb/internal/clock"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/job"
	"plumb/internal/recorder"
	"plumb/internal/store"
)

var place = config.Place{Account: "123456789012", Region: "eu-west-1"}

const (
	group    = "AWS::EC2::SecurityGroup"
	instance = "AWS::EC2::Instance"
)

// cloud is a source whose resources a test sets.
type cloud struct {
	resources map[config.ResourceKey]config.Item
	announced bool
	broken    error
	meanwhile func() // what happens while a resource is described
}

func (c *cloud) Types(config.Place) []string         { return []string{instance, group} }
func (c *cloud) Announces(config.Place, string) bool { return c.announced }
func (c *cloud) Related(it config.Item) (out []config.ResourceKey) {
	for _, r := range it.Relationships {
		if r.Type == group { // instances declare groups; groups list instances only inversely
			out = append(out, config.ResourceKey{Place: place, Type: r.Type, ID: r.ID})
		}
	}
	return out
}
func (c *cloud) Inverse(resourceType string) map[string]string {
	if resourceType != group {
		return nil
	}
	return map[string]string{instance: "Is associated with Instance"}
}
func (c *cloud) put(it config.Item) { c.resources[it.ResourceKey] = it }
func (c *cloud) Describe(_ context.Context, k config.ResourceKey) (config.Item, bool, error) {
	it, ok := c.resources[k]
	if f := c.meanwhile; f != nil {
		c.meanwhile = nil
		f()
	}
	return it, ok, c.broken
}

func (c *cloud) Discover(_ context.Context, _ config.Place, t string) iter.Seq2[[]config.Item, error] {
	return func(yield func([]config.Item, error) bool) {
		for k, it := range c.resources {
			if k.Type == t && !yield([]config.Item{it}, nil) {
				return
			}
		}
		if c.broken != nil {
			yield(nil, c.broken)
		}
	}
}

func (c *cloud) Gone(_ context.Context, last config.Item) (bool, error) {
	_, there := c.resources[last.ResourceKey]
	return !there, c.broken
}

// world is a recorder with all that it needs.
type world struct {
	t        *testing.T
	db       *db.DB
	clock    *clock.Clock
	jobs     *job.Queue
	cloud    *cloud
	recorder *recorder.Recorder
}

func newWorld(t *testing.T, d *db.DB, change func(*config.Recorder)) *world {
	w := &world{t: t, db: d, clock: &clock.Clock{}, cloud: &cloud{resources: map[config.ResourceKey]config.Item{}}}
	w.clock.Freeze(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	var err error
	if w.jobs, err = job.New(t.Context(), d, slog.New(slog.DiscardHandler), w.clock, "server"); err != nil {
		t.Fatal(err)
	}
	w.recorder = recorder.New(slog.New(slog.DiscardHandler), recorder.Options{
		DB: d, Jobs: w.jobs, Source: w.cloud, Poll: time.Minute, Now: w.clock.Now,
		Judge: func(context.Context, config.Place, []config.Item) (func(context.Context, *db.Tx) error, error) {
			return func(context.Context, *db.Tx) error { return nil }, nil
		},
		Publish: func(context.Context, *db.Tx, any) error { return nil },
	})
	if err := w.jobs.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.jobs.Stop(context.Background()) })
	rec := config.Recorder{
		Place: place, Name: "default", Group: config.RecordingGroup{AllSupported: true, Strategy: config.RecordAll},
		Mode: config.RecordingMode{Frequency: config.Continuous},
	}
	if change != nil {
		change(&rec)
	}
	w.write(func(tx *db.Tx) error { return w.recorder.Put(t.Context(), tx, rec) })
	return w
}

func (w *world) write(f func(tx *db.Tx) error) {
	w.t.Helper()
	if err := w.db.Write(w.t.Context(), f); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) start() {
	w.t.Helper()
	w.write(func(tx *db.Tx) error {
		rec, _, err := store.Recorder(w.t.Context(), tx, place)
		if err != nil {
			return err
		}
		return w.recorder.Start(w.t.Context(), tx, rec)
	})
	w.drain()
}

func (w *world) drain() {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 20*time.Second)
	defer cancel()
	if err := w.jobs.Drain(ctx); err != nil {
		w.t.Fatal(err)
	}
}

// poll lets the next poll come.
func (w *world) poll() {
	w.clock.Advance(time.Minute)
	w.drain()
}

// statuses returns the statuses of a resource's items, the oldest first.
func (w *world) statuses(k config.ResourceKey) []config.ItemStatus {
	w.t.Helper()
	var out []config.ItemStatus
	err := w.db.Read(w.t.Context(), func(tx *db.Tx) error {
		items, err := store.History(w.t.Context(), tx, store.HistoryQuery{Key: k, To: w.clock.Now().Add(time.Hour), Forward: true, Limit: 100})
		for _, it := range items {
			out = append(out, it.Status)
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

func (w *world) expect(k config.ResourceKey, want ...config.ItemStatus) {
	w.t.Helper()
	if got := w.statuses(k); !slices.Equal(got, want) {
		w.t.Fatalf("items of %s are %v, want %v", k.ID, got, want)
	}
}

func item(resourceType, id string, configuration map[string]any, related ...config.ResourceKey) config.Item {
	it := config.Item{
		ResourceKey: config.ResourceKey{Place: place, Type: resourceType, ID: id}, ARN: "arn:aws:ec2:eu-west-1:123456789012:x/" + id,
		Configuration: configuration,
	}
	for _, k := range related {
		it.Relationships = append(it.Relationships, config.Relationship{Type: k.Type, ID: k.ID, Name: "Is associated with SecurityGroup"})
	}
	return it
}

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
		delete(w.cloud.resources, two.ResourceKey)
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
		delete(w.cloud.resources, sg.ResourceKey)
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
		delete(w.cloud.resources, sg.ResourceKey)
		w.cloud.broken = errors.New("a page token was not used")
		w.poll()
		w.expect(sg.ResourceKey, config.StatusDiscovered)
		_ = d.Read(t.Context(), func(tx *db.Tx) error {
			_, s, err := store.Recorder(t.Context(), tx, place)
			if err != nil || s.LastStatus != config.StatusFailure || s.ErrorMessage == "" {
				t.Errorf("status is %+v, %v", s, err)
			}
			return nil
		})
	})
}

func TestStoppedRecorderRecordsNothing(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		w.start()
		w.write(func(tx *db.Tx) error {
			rec, _, _ := store.Recorder(t.Context(), tx, place)
			return w.recorder.Stop(t.Context(), tx, rec)
		})
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
		sg := item(group, "sg-1", map[string]any{"rules": int64(2)})
		w.cloud.put(sg)
		w.start()
		w.cloud.put(item(group, "sg-1", map[string]any{"rules": int64(1)}))
		w.poll()
		w.expect(sg.ResourceKey, config.StatusNotRecorded)
		_ = d.Read(t.Context(), func(tx *db.Tx) error {
			it, err := store.CurrentItem(t.Context(), tx, sg.ResourceKey)
			if err != nil || it.Configuration != nil {
				t.Errorf("item is %+v, %v", it, err)
			}
			return nil
		})
		delete(w.cloud.resources, sg.ResourceKey)
		w.poll()
		w.expect(sg.ResourceKey, config.StatusNotRecorded, config.StatusDeletedNotRecorded)
	})
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
