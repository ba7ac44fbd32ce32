package recorder

import (
	"context"
	"errors"
	"maps"
	"slices"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/store"
)

// A basis is what the store holds about the resources of a batch. It is read
// without a lock, and validated in the transaction that writes.
type basis struct {
	place     config.Place
	recorder  config.Recorder
	status    config.RecorderStatus // not recording where there is no recorder
	keys      []config.ResourceKey
	heads     map[config.ResourceKey]store.Head
	deleted   map[config.ResourceKey]config.Item // the newest items of resources that were observed to be gone
	inverse   map[config.ResourceKey][]config.Relationship
	announced []config.ResourceKey // those that have sequences
	sequences map[config.ResourceKey]store.Announcement
	causes    map[config.ResourceKey][]store.Cause // of announced changes that no item has yet
	calls     map[string][]store.NoticedCall       // of outside accounts, by what they name
	service   func(resourceType string) string
}

// errConflict says that another transaction changed the basis of a decision.
var errConflict = store.ErrConflict

func (r *Recorder) readBasis(ctx context.Context, tx *db.Tx, p config.Place, observations []Observation) (b basis, err error) {
	b.place = p
	b.recorder, b.status, err = store.Recorder(ctx, tx, p)
	if errors.Is(err, store.ErrNotFound) || err == nil && !b.status.Recording {
		return b, nil
	}
	if err != nil {
		return b, err
	}
	for _, o := range observations {
		b.keys = append(b.keys, o.Item.ResourceKey)
		if o.Sequence != nil {
			b.announced = append(b.announced, o.Item.ResourceKey)
		}
	}
	if b.heads, err = store.Heads(ctx, tx, p, b.keys); err != nil {
		return b, err
	}
	if b.sequences, err = store.Announcements(ctx, tx, p, b.announced); err != nil {
		return b, err
	}
	if len(b.announced) > 0 {
		if b.causes, err = store.Causes(ctx, tx, p, b.announced); err != nil {
			return b, err
		}
	}
	if b.deleted, err = b.readDeleted(ctx, tx, observations); err != nil {
		return b, err
	}
	if r.Service != nil {
		b.service = func(t string) string { s, _ := r.Service(t); return s }
		if err := b.readCalls(ctx, tx, observations); err != nil {
			return b, err
		}
	}
	b.inverse, err = r.inverse(ctx, tx, p, observations)
	return b, err
}

func (b basis) readDeleted(ctx context.Context, tx *db.Tx, observations []Observation) (map[config.ResourceKey]config.Item, error) {
	var keys []config.ResourceKey
	for _, o := range observations {
		if o.Gone && b.exists(o.Item.ResourceKey) {
			keys = append(keys, o.Item.ResourceKey)
		}
	}
	return currentItems(ctx, tx, b.place, keys)
}

func currentItems(ctx context.Context, tx *db.Tx, p config.Place, keys []config.ResourceKey) (map[config.ResourceKey]config.Item, error) {
	items, err := store.DecodedItems(ctx, tx, p, keys)
	out := make(map[config.ResourceKey]config.Item, len(items))
	for _, it := range items {
		out[it.ResourceKey] = it
	}
	return out, err
}

// exists reports whether the newest item of a resource is not that of its
// deletion.
func (b basis) exists(key config.ResourceKey) bool {
	head, known := b.heads[key]
	return known && !head.Status.Gone()
}

// causesOf are the events of the changes that an observation followed.
func (b *basis) causesOf(o Observation) (events []string) {
	if o.Sequence == nil && !o.Pushed {
		return b.noticedFor(o)
	}
	if o.Sequence == nil {
		return o.Item.RelatedEvents
	}
	for _, c := range b.causes[o.Item.ResourceKey] {
		if c.Announced <= *o.Sequence && !slices.Contains(events, c.Event) {
			events = append(events, c.Event)
		}
	}
	return events
}

// validate returns errConflict if the store holds something else by now.
func (b basis) validate(ctx context.Context, tx *db.Tx) error {
	_, status, err := store.Recorder(ctx, tx, b.place)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if status.Generation != b.status.Generation || status.Recording != b.status.Recording {
		return errConflict
	}
	heads, err := store.Heads(ctx, tx, b.place, b.keys)
	if err != nil {
		return err
	}
	if !maps.EqualFunc(heads, b.heads, func(a, b store.Head) bool { return a.StateID == b.StateID }) {
		return errConflict
	}
	sequences, err := store.Announcements(ctx, tx, b.place, b.announced)
	if err != nil {
		return err
	}
	if !maps.EqualFunc(sequences, b.sequences, func(a, b store.Announcement) bool { return a.Seen == b.Seen }) {
		return errConflict
	}
	return nil
}
