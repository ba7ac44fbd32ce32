package recorder_test

import (
	"cmp"
	"context"
	"iter"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"plumb/internal/clock"
	"plumb/internal/config"
	"plumb/internal/db"
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
	mu         sync.Mutex
	types      []string
	resources  map[config.ResourceKey]config.Item
	hidden     map[config.ResourceKey]bool // lists lack them
	announced  bool
	broken     error                       // of all calls
	denied     map[string]error            // of calls for types
	intervals  map[string]time.Duration    // between readings of types
	unreadable map[config.ResourceKey]bool // single reads of them fail
	calls      map[string]int              // lists, by type
	meanwhile  func()                      // what happens while a resource is described
	whileLists func(ctx context.Context, p config.Place, resourceType string)
}

func newCloud() *cloud {
	return &cloud{
		types: []string{instance, group}, resources: map[config.ResourceKey]config.Item{}, hidden: map[config.ResourceKey]bool{},
		denied: map[string]error{}, unreadable: map[config.ResourceKey]bool{}, calls: map[string]int{},
	}
}

func (c *cloud) Types(config.Place) []string         { return c.types }
func (c *cloud) Announces(config.Place, string) bool { return c.announced }
func (c *cloud) Interval(t string) time.Duration     { return c.intervals[t] }
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

func (c *cloud) locked(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
}

func (c *cloud) put(it config.Item) { c.locked(func() { c.resources[it.ResourceKey] = it }) }

func (c *cloud) remove(k config.ResourceKey) { c.locked(func() { delete(c.resources, k) }) }

func (c *cloud) deny(resourceType string, err error) {
	c.locked(func() { c.denied[resourceType] = err })
}

func (c *cloud) fail(err error) { c.locked(func() { c.broken = err }) }

func (c *cloud) lists(resourceType string) (n int) {
	c.locked(func() { n = c.calls[resourceType] })
	return n
}

func (c *cloud) Describe(_ context.Context, k config.ResourceKey) (it config.Item, ok bool, err error) {
	var meanwhile func()
	c.locked(func() {
		it, ok = c.resources[k]
		err = cmp.Or(c.broken, c.denied[k.Type])
		if c.unreadable[k] {
			err = errDenied
		}
		meanwhile, c.meanwhile = c.meanwhile, nil
	})
	if meanwhile != nil {
		meanwhile()
	}
	return it, ok, err
}

func (c *cloud) Discover(ctx context.Context, p config.Place, t string) iter.Seq2[[]config.Item, error] {
	return func(yield func([]config.Item, error) bool) {
		var items []config.Item
		var err error
		c.locked(func() {
			c.calls[t]++
			err = cmp.Or(c.broken, c.denied[t])
			for k, it := range c.resources {
				if k.Place == p && k.Type == t && !c.hidden[k] {
					items = append(items, it)
				}
			}
		})
		if c.whileLists != nil {
			c.whileLists(ctx, p, t)
		}
		if err = cmp.Or(err, ctx.Err()); err != nil {
			yield(nil, err)
			return
		}
		for _, it := range items {
			if !yield([]config.Item{it}, nil) {
				return
			}
		}
	}
}

func (c *cloud) Gone(_ context.Context, last config.Item) (gone bool, err error) {
	c.locked(func() {
		_, exists := c.resources[last.ResourceKey]
		gone, err = !exists, cmp.Or(c.broken, c.denied[last.Type])
	})
	return gone, err
}

// world is a recorder with all that it needs.
type world struct {
	t         *testing.T
	db        *db.DB
	clock     *clock.Clock
	jobs      *job.Queue
	cloud     *cloud
	log       *warnings
	pollEvery time.Duration
	evaluated atomic.Int64              // calls of the in-process rules
	recorded  chan config.ItemsRecorded // what is published, if a test makes it
	firstRead func(config.TypeRead)     // likewise
	recorder  *recorder.Recorder
}

// warnings counts what is logged as a warning.
type warnings struct {
	slog.Handler
	n atomic.Int64
}

func (w *warnings) Handle(_ context.Context, r slog.Record) error {
	if r.Level >= slog.LevelWarn {
		w.n.Add(1)
	}
	return nil
}

func (w *warnings) Enabled(context.Context, slog.Level) bool { return true }
func (w *warnings) WithAttrs([]slog.Attr) slog.Handler       { return w }
func (w *warnings) WithGroup(string) slog.Handler            { return w }

func newWorld(t *testing.T, d *db.DB, change func(*config.Recorder)) *world {
	w := &world{t: t, db: d, clock: &clock.Clock{}, cloud: newCloud(), log: &warnings{}}
	w.clock.Freeze(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	w.open(time.Minute)
	w.put(place, change)
	return w
}

// open makes the recorder and runs jobs until the test ends.
func (w *world) open(poll time.Duration) {
	w.t.Helper()
	w.pollEvery = poll
	var err error
	w.jobs, err = job.New(w.t.Context(), w.db, slog.New(slog.DiscardHandler), w.clock, "server",
		job.QueueOptions{Workers: map[string]int{job.Collect: 16}})
	if err != nil {
		w.t.Fatal(err)
	}
	w.recorder = recorder.New(slog.New(w.log), recorder.Options{
		DB: w.db, Jobs: w.jobs, Source: w.cloud, Poll: poll, Now: w.clock.Now,
		Judge: func(context.Context, config.Place, []config.Item) (func(context.Context, *db.Tx) error, error) {
			w.evaluated.Add(1)
			return func(context.Context, *db.Tx) error { return nil }, nil
		},
		Publish: func(_ context.Context, tx *db.Tx, event any) error {
			if e, ok := event.(config.ItemsRecorded); ok && w.recorded != nil {
				tx.AfterCommit(func() { w.recorded <- e })
			}
			if e, ok := event.(config.TypeRead); ok && w.firstRead != nil {
				tx.AfterCommit(func() { w.firstRead(e) })
			}
			return nil
		},
	})
	if err := w.jobs.Start(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { w.jobs.Stop(context.Background()) })
}

// put keeps a recorder of all types, or as change makes it.
func (w *world) put(p config.Place, change func(*config.Recorder)) {
	w.t.Helper()
	rec := config.Recorder{
		Place: p, Name: "default", Group: config.RecordingGroup{AllSupported: true, Strategy: config.RecordAll},
		Mode: config.RecordingMode{Frequency: config.Continuous},
	}
	if change != nil {
		change(&rec)
	}
	w.write(func(tx *db.Tx) error { return w.recorder.Put(w.t.Context(), tx, rec) })
}

func (w *world) write(f func(tx *db.Tx) error) {
	w.t.Helper()
	if err := w.db.Write(w.t.Context(), f); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) start() {
	w.t.Helper()
	w.startIn(place)
	w.drain()
}

func (w *world) startIn(p config.Place) {
	w.t.Helper()
	w.write(func(tx *db.Tx) error {
		rec, _, err := store.Recorder(w.t.Context(), tx, p)
		if err != nil {
			return err
		}
		return w.recorder.Start(w.t.Context(), tx, rec)
	})
}

func (w *world) stop() {
	w.t.Helper()
	w.write(func(tx *db.Tx) error {
		rec, _, err := store.Recorder(w.t.Context(), tx, place)
		if err != nil {
			return err
		}
		return w.recorder.Stop(w.t.Context(), tx, rec)
	})
}

// status returns the recorder's status.
func (w *world) status() (s config.RecorderStatus) {
	w.t.Helper()
	w.write(func(tx *db.Tx) (err error) {
		_, s, err = store.Recorder(w.t.Context(), tx, place)
		return err
	})
	return s
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
	w.clock.Advance(w.pollEvery)
	w.drain()
}

// statuses returns the statuses of a resource's items, the oldest first.
func (w *world) statuses(k config.ResourceKey) []config.ItemStatus {
	w.t.Helper()
	var out []config.ItemStatus
	err := w.db.Read(w.t.Context(), func(tx *db.Tx) error {
		items, err := store.History(w.t.Context(), tx, store.HistoryQuery{Key: k, To: w.clock.Now().AddDate(10, 0, 0), Forward: true, Limit: 100})
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
