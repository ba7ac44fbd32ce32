package recorder

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/store"
)

// A Seen is what somebody saw of one resource.
type Seen struct {
	Item config.Item // without status, capture time and state id; only its key and names if Gone
	Gone bool        // a complete answer did not have it
	// Since has an item recorded even without a difference, unless the newest one
	// has at least that state id: a related resource changed then.
	Since  int64
	Pushed bool // by PutResourceConfig
	// Inventory is a first sight of everything: what is new then is no news to
	// the resources that it leads to.
	Inventory bool
	// After is how many announcements of the resource had been made before it was
	// looked at; nil where its changes are not announced.
	After *int64
}

// MaxBatch is how many resources one transaction records.
const MaxBatch = 100

// errMoved says that the store changed between looking and writing.
var errMoved = errors.New("the place changed meanwhile")

// Record compares what was seen with the newest items and records the
// differences, durably and evaluated by every in-process rule, when it returns.
// All are of one place; a resource seen twice counts as it was seen last. A place
// without a running recorder records nothing.
func (r *Recorder) Record(ctx context.Context, p config.Place, seen []Seen) error {
	seen = lastSeen(seen)
	for len(seen) > 0 {
		n := min(len(seen), MaxBatch)
		if err := r.recordBatch(ctx, p, seen[:n]); err != nil {
			return fmt.Errorf("record in %s: %w", p, err)
		}
		seen = seen[n:]
	}
	return nil
}

func lastSeen(seen []Seen) []Seen {
	last := make(map[config.ResourceKey]int, len(seen))
	for i, s := range seen {
		last[s.Item.ResourceKey] = i
	}
	if len(last) == len(seen) {
		return seen
	}
	var out []Seen
	for i, s := range seen {
		if last[s.Item.ResourceKey] == i {
			out = append(out, s)
		}
	}
	return out
}

// recordBatch looks, judges, and writes if nothing moved meanwhile; if something
// did, it looks again.
func (r *Recorder) recordBatch(ctx context.Context, p config.Place, seen []Seen) error {
	for range 20 {
		var pl plan
		err := r.DB.Read(ctx, func(tx *db.Tx) (err error) {
			pl, err = r.plan(ctx, tx, p, seen)
			return err
		})
		if err != nil || pl.empty() {
			return err
		}
		var settle func(context.Context, *db.Tx) error
		if len(pl.items) > 0 {
			if settle, err = r.Judge(ctx, p, pl.plainItems()); err != nil {
				return fmt.Errorf("judge: %w", err)
			}
		}
		err = r.DB.Write(ctx, func(tx *db.Tx) error { return r.write(ctx, tx, p, pl, settle) })
		if !errors.Is(err, errMoved) {
			return err
		}
	}
	return fmt.Errorf("%w, twenty times", errMoved)
}

func (r *Recorder) write(ctx context.Context, tx *db.Tx, p config.Place, pl plan, settle func(context.Context, *db.Tx) error) error {
	if err := tx.Lock(ctx, p.Lock()); err != nil {
		return err
	}
	if err := pl.stillHolds(ctx, tx); err != nil {
		return err
	}
	if err := pl.stillHeard(ctx, tx); err != nil {
		return err
	}
	if err := r.postpone(ctx, tx, p, pl.postponed); err != nil || len(pl.items) == 0 {
		return err
	}
	if err := store.AppendItems(ctx, tx, pl.items); err != nil {
		return err
	}
	if err := settle(ctx, tx); err != nil {
		return fmt.Errorf("settle verdicts: %w", err)
	}
	if err := r.ripple(ctx, tx, p, pl.moves); err != nil {
		return err
	}
	return r.Publish(ctx, tx, config.ItemsRecorded{Place: p, Items: pl.plainItems()})
}

// A plan is what a batch would write, and what it was made from.
type plan struct {
	place     config.Place
	recorder  config.Recorder
	status    config.RecorderStatus
	heads     map[config.ResourceKey]store.Head
	items     []store.NewItem
	moves     []move         // those of items that differ by themselves: they ripple
	postponed []postponement // what has to be looked at again
	keys      []config.ResourceKey
	announced []config.ResourceKey // those whose changes are announced, and
	heard     map[config.ResourceKey]store.Announcement
	sights    []sight
	inverse   map[config.ResourceKey][]config.Relationship // to what leads to them
}

func (pl plan) empty() bool {
	return len(pl.items) == 0 && len(pl.postponed) == 0 && len(pl.sights) == 0
}

func (pl plan) plainItems() []config.Item {
	out := make([]config.Item, len(pl.items))
	for i, it := range pl.items {
		out[i] = it.Item
	}
	return out
}

// stillHolds returns errMoved if the recorder or one of the heads is another.
func (pl plan) stillHolds(ctx context.Context, tx *db.Tx) error {
	_, status, err := store.Recorder(ctx, tx, pl.place)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if status.Generation != pl.status.Generation || status.Recording != pl.status.Recording {
		return errMoved
	}
	heads, err := store.Heads(ctx, tx, pl.place, pl.keys)
	if err != nil {
		return err
	}
	same := maps.EqualFunc(heads, pl.heads, func(a, b store.Head) bool { return a.StateID == b.StateID })
	if !same {
		return errMoved
	}
	return nil
}

func (r *Recorder) plan(ctx context.Context, tx *db.Tx, p config.Place, seen []Seen) (plan, error) {
	pl := plan{place: p}
	var err error
	pl.recorder, pl.status, err = store.Recorder(ctx, tx, p)
	if errors.Is(err, store.ErrNotFound) || err == nil && !pl.status.Recording {
		return plan{}, nil
	}
	if err != nil {
		return plan{}, err
	}
	for _, s := range seen {
		pl.keys = append(pl.keys, s.Item.ResourceKey)
	}
	if pl.heads, err = store.Heads(ctx, tx, p, pl.keys); err != nil {
		return plan{}, err
	}
	if err := pl.hear(ctx, tx, seen); err != nil {
		return plan{}, err
	}
	if pl.inverse, err = r.inverse(ctx, tx, p, seen); err != nil {
		return plan{}, err
	}
	now := r.capture()
	for _, s := range seen {
		if pl.overtaken(s) {
			pl.lookAgain(s)
			continue
		}
		pl.noteSight(s)
		if err := pl.consider(ctx, tx, s, now); err != nil {
			return plan{}, fmt.Errorf("%s: %w", s.Item.ResourceKey, err)
		}
	}
	return pl, nil
}

// consider adds the item that a sight makes, if it makes one.
func (pl *plan) consider(ctx context.Context, tx *db.Tx, s Seen, now time.Time) error {
	head, known := pl.heads[s.Item.ResourceKey]
	alive := known && !head.Status.Gone()
	recorded := pl.recorder.Records(s.Item.Type)
	if s.Gone {
		if !alive {
			return nil
		}
		return pl.bury(ctx, tx, s, head, recorded, now)
	}
	it := s.Item
	if !recorded {
		if alive {
			return nil // changes of what is not recorded are never captured
		}
		it = identity(it)
		it.Status = config.StatusNotRecorded
		return pl.add(it, head, now, s.Pushed)
	}
	it.Status = config.StatusOK
	if !alive || head.Status == config.StatusNotRecorded {
		it.Status = config.StatusDiscovered
		if err := pl.add(it, head, now, s.Pushed); err != nil {
			return err
		}
		if !s.Inventory {
			pl.moved(move{})
		}
		return nil
	}
	n, err := pl.newItem(it, head, now, s.Pushed)
	if err != nil {
		return err
	}
	differs := !slices.Equal(n.Digest, head.Digest)
	if !differs && (s.Since == 0 || head.StateID >= s.Since) {
		return nil
	}
	if pl.recorder.RecordsDaily(it.Type) && now.Sub(head.Captured) < day {
		pl.postponed = append(pl.postponed, postponement{key: it.ResourceKey, at: head.Captured.Add(day)})
		return nil
	}
	pl.items = append(pl.items, n)
	if !differs {
		return nil
	}
	if n.SameRelations {
		pl.moved(move{before: &n.Item})
		return nil
	}
	last, err := store.CurrentItem(ctx, tx, it.ResourceKey)
	if err != nil {
		return err
	}
	pl.moved(move{before: &last})
	return nil
}

// moved notes that the item that was added last differs by itself.
func (pl *plan) moved(m move) {
	m.item = pl.items[len(pl.items)-1].Item
	pl.moves = append(pl.moves, m)
}

// bury adds the item of a resource that is gone: its names, and nothing of what
// it was.
func (pl *plan) bury(ctx context.Context, tx *db.Tx, s Seen, head store.Head, recorded bool, now time.Time) error {
	last, err := store.CurrentItem(ctx, tx, s.Item.ResourceKey)
	if err != nil {
		return err
	}
	it := identity(last)
	it.Status = config.StatusDeleted
	if !recorded || head.Status == config.StatusNotRecorded {
		it.Status = config.StatusDeletedNotRecorded
	}
	if err := pl.add(it, head, now, s.Pushed); err != nil {
		return err
	}
	pl.moved(move{before: &last})
	return nil
}

// identity returns an item without configuration, tags and relationships.
func identity(it config.Item) config.Item {
	return config.Item{
		ResourceKey: it.ResourceKey, Name: it.Name, ARN: it.ARN, AWSRegion: it.AWSRegion, AZ: it.AZ, CreationTime: it.CreationTime,
	}
}

func (pl *plan) add(it config.Item, head store.Head, now time.Time, pushed bool) error {
	n, err := pl.newItem(it, head, now, pushed)
	if err != nil {
		return err
	}
	pl.items = append(pl.items, n)
	return nil
}

func (pl *plan) newItem(it config.Item, head store.Head, now time.Time, pushed bool) (store.NewItem, error) {
	if pl.recorder.RecordsDaily(it.Type) {
		it.Frequency, it.DeliveryTime = config.Daily, &now
	}
	n, err := newItem(it, pl.inverse[it.ResourceKey], head, now)
	n.Pushed = pushed
	return n, err
}

// newItem stamps an item: its capture time is later than that of the one it
// follows, and its state id is that time. Inverse relationships are listed, and
// make no difference: who begins or ceases to lead here has it captured.
func newItem(it config.Item, inverse []config.Relationship, head store.Head, now time.Time) (store.NewItem, error) {
	it.StateID = max(now.UnixMilli(), head.StateID+1)
	it.CaptureTime = time.UnixMilli(it.StateID).UTC()
	text, err := appendJSON(make([]byte, 0, 4<<10), it.Configuration)
	if err != nil {
		return store.NewItem{}, fmt.Errorf("encode configuration: %w", err)
	}
	d, err := digestOf(it, text)
	if err != nil {
		return store.NewItem{}, err
	}
	if it.Status.Gone() || it.Status == config.StatusNotRecorded {
		inverse = nil
	}
	it.Relationships = append(slices.Clone(it.Relationships), inverse...)
	body, err := encodeItem(it, text)
	if err != nil {
		return store.NewItem{}, fmt.Errorf("encode item: %w", err)
	}
	return store.NewItem{Item: it, Body: body, Digest: d, SameRelations: d.sameRelations(head.Digest), Inverse: len(inverse)}, nil
}
