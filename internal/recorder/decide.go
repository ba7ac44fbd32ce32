package recorder

import (
	"fmt"
	"slices"
	"time"

	"plumb/internal/config"
	"plumb/internal/store"
)

// changes are what a batch writes.
type changes struct {
	items    []store.NewItem
	effects  []effect   // of items that differ by themselves
	retries  []retry    // resources to read again
	observed []observed // sequences to keep
}

func (c changes) empty() bool {
	return len(c.items) == 0 && len(c.retries) == 0 && len(c.observed) == 0
}

func (c changes) plainItems() []config.Item {
	out := make([]config.Item, len(c.items))
	for i, it := range c.items {
		out[i] = it.Item
	}
	return out
}

// A decision turns observations into changes. It reads nothing but its basis.
type decision struct {
	basis
	changes
	now    time.Time
	events []string // that caused what is observed
}

// decide returns the changes that observations make to what the store holds.
func (b basis) decide(observations []Observation, now time.Time) (changes, error) {
	d := decision{basis: b, now: now}
	if !b.status.Recording {
		return changes{}, nil
	}
	for _, o := range observations {
		if d.stale(o) {
			d.retryStale(o)
			continue
		}
		d.keepSequence(o)
		d.events = b.causesOf(o)
		if err := d.observation(o); err != nil {
			return changes{}, fmt.Errorf("%s: %w", o.Item.ResourceKey, err)
		}
	}
	return d.changes, nil
}

// stale reports whether an observation may be older than what is recorded. Where
// changes are announced, their number decides. Elsewhere the time does: a reading
// that began before the newest item was captured may have seen what was before.
// A capture time that is still to come says only that the clock was moved back.
func (d *decision) stale(o Observation) bool {
	if o.Generation != 0 && o.Generation != d.status.Generation {
		return true
	}
	if o.Sequence != nil {
		return *o.Sequence < d.sequences[o.Item.ResourceKey].Seen
	}
	captured := d.heads[o.Item.ResourceKey].Captured
	return !o.Began.IsZero() && o.Began.Before(captured) && !captured.After(d.now)
}

// retryStale has a resource read again if no other reading of it is certain to
// come: it gets an item because of another one and has not got it yet, or it
// announced a change and the recorder was started again since.
func (d *decision) retryStale(o Observation) {
	outdated := o.Sequence != nil && o.Generation != d.status.Generation
	if outdated || o.Since > d.heads[o.Item.ResourceKey].StateID {
		d.retries = append(d.retries, retry{key: o.Item.ResourceKey, since: o.Since})
	}
}

func (d *decision) keepSequence(o Observation) {
	if o.Sequence != nil && *o.Sequence > d.sequences[o.Item.ResourceKey].Seen {
		d.observed = append(d.observed, observed{o.Item.ResourceKey, *o.Sequence})
	}
}

// observation adds the item that an observation makes, if it makes one.
func (d *decision) observation(o Observation) error {
	exists, recorded := d.exists(o.Item.ResourceKey), d.recorder.Records(o.Item.Type)
	switch {
	case o.Gone && exists:
		return d.deletion(o, recorded)
	case o.Gone, !recorded && exists:
		return nil // changes of what is not recorded are never captured
	case !recorded:
		it := identity(o.Item)
		it.Status = config.StatusNotRecorded
		return d.add(it, o.Pushed)
	case !exists || d.heads[o.Item.ResourceKey].Status == config.StatusNotRecorded:
		return d.discovery(o)
	default:
		return d.change(o)
	}
}

// deletion adds the item of a resource that is gone: its names, and nothing of
// what it was.
func (d *decision) deletion(o Observation, recorded bool) error {
	key := o.Item.ResourceKey
	last, ok := d.deleted[key]
	if !ok {
		return fmt.Errorf("the newest item is missing: %w", store.ErrNotFound)
	}
	it := identity(last)
	it.Status = config.StatusDeleted
	if !recorded || d.heads[key].Status == config.StatusNotRecorded {
		it.Status = config.StatusDeletedNotRecorded
	}
	if err := d.add(it, o.Pushed); err != nil {
		return err
	}
	d.effects = append(d.effects, effect{item: d.lastItem(), before: &last})
	return nil
}

func (d *decision) discovery(o Observation) error {
	it := o.Item
	it.Status = config.StatusDiscovered
	if err := d.add(it, o.Pushed); err != nil {
		return err
	}
	if !o.Inventory {
		d.effects = append(d.effects, effect{item: d.lastItem()})
	}
	return nil
}

// change adds the item of a resource that differs from its newest item, or that
// has a related resource which changed.
func (d *decision) change(o Observation) error {
	it, head := o.Item, d.heads[o.Item.ResourceKey]
	it.Status = config.StatusOK
	n, err := d.newItem(it, o.Pushed)
	if err != nil {
		return err
	}
	differs := !slices.Equal(n.Digest, head.Digest)
	if !differs && (o.Since == 0 || head.StateID >= o.Since) {
		return nil
	}
	if d.recorder.RecordsDaily(it.Type) && withinDay(head.Captured, d.now) {
		d.retries = append(d.retries, retry{key: it.ResourceKey, at: head.Captured.Add(day)})
		return nil
	}
	d.items = append(d.items, n)
	if differs {
		d.effects = append(d.effects, effect{item: n.Item, before: &n.Item, relationsDiffer: !n.SameRelations})
	}
	return nil
}

// withinDay reports whether less than a day has passed since a capture; not so if
// the clock was moved back behind it.
func withinDay(captured, now time.Time) bool {
	age := now.Sub(captured)
	return age >= 0 && age < day
}

// identity returns an item without configuration, tags and relationships.
func identity(it config.Item) config.Item {
	return config.Item{
		ResourceKey: it.ResourceKey, Name: it.Name, ARN: it.ARN, AWSRegion: it.AWSRegion, AZ: it.AZ, CreationTime: it.CreationTime,
	}
}

func (d *decision) lastItem() config.Item { return d.items[len(d.items)-1].Item }

func (d *decision) add(it config.Item, pushed bool) error {
	n, err := d.newItem(it, pushed)
	if err != nil {
		return err
	}
	d.items = append(d.items, n)
	return nil
}

func (d *decision) newItem(it config.Item, pushed bool) (store.NewItem, error) {
	if d.recorder.RecordsDaily(it.Type) {
		it.Frequency, it.DeliveryTime = config.Daily, &d.now
	}
	it.RelatedEvents = d.events
	n, err := newItem(it, d.inverse[it.ResourceKey], d.heads[it.ResourceKey], d.now)
	n.Pushed = pushed
	return n, err
}

// newItem completes an item: its capture time is later than that of the one it
// follows, and its state id is that time. Inverse relationships are listed, and
// make no difference: the resources that have the relationships cause a reading.
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
