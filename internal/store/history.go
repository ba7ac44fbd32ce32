package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
)

// appendHistory adds items to the history of their resources.
func appendHistory(ctx context.Context, tx *db.Tx, all []born) error {
	if err := appendBodies(ctx, tx, all); err != nil {
		return err
	}
	return appendEntries(ctx, tx, collect(all, born.entry))
}

func (b born) entry() entry {
	e := entry{resource: b.row.id, stateID: b.StateID, previous: b.previous, status: statusCode(b.Status)}
	if b.body != b.StateID {
		e.body = b.body
	}
	return e
}

// CurrentItem returns the newest item of a resource, whatever its status, or
// ErrNotFound if it was never recorded.
func CurrentItem(ctx context.Context, tx *db.Tx, key config.ResourceKey) (config.Item, error) {
	items, err := DecodedItems(ctx, tx, key.Place, []config.ResourceKey{key})
	if err != nil {
		return config.Item{}, err
	}
	if len(items) == 0 {
		return config.Item{}, ErrNotFound
	}
	return items[0], nil
}

// CurrentItems returns the newest items of those keys that were ever recorded,
// in the order of the keys. Their configurations are texts, json.RawMessage, for
// callers that hand them on; DecodedItems is for callers that look into them.
func CurrentItems(ctx context.Context, tx *db.Tx, p config.Place, keys []config.ResourceKey) ([]config.Item, error) {
	return currentItems(ctx, tx, p, keys, itemWithText)
}

// DecodedItems returns the same as CurrentItems, with the configurations decoded.
func DecodedItems(ctx context.Context, tx *db.Tx, p config.Place, keys []config.ResourceKey) ([]config.Item, error) {
	return currentItems(ctx, tx, p, keys, decodedItem)
}

func currentItems(ctx context.Context, tx *db.Tx, p config.Place, keys []config.ResourceKey, read func([]byte) (config.Item, error)) ([]config.Item, error) {
	w, err := wanted(ctx, tx, p, keys)
	if err != nil || w.empty() {
		return nil, err
	}
	with, args := w.with(tx)
	found := make([]*StoredItem, len(keys))
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		var n, status int64
		var s StoredItem
		err := scan(&n, &s.body.resource, &s.body.stateID, &s.StateID, &status)
		s.ResourceKey, s.Status = keys[n], statusOf(status)
		found[n] = &s
		return err
	}, with+`SELECT w.n, r.id, r.body, r.state_id, r.status FROM w CROSS JOIN resource r
		WHERE r.type = w.type AND r.place = w.place AND r.external_id = w.id AND r.state_id > 0`, args...)
	if err != nil {
		return nil, fmt.Errorf("read current items: %w", err)
	}
	return readItems(ctx, tx, read, slices.DeleteFunc(found, func(s *StoredItem) bool { return s == nil }))
}

// A StoredItem is an item whose body is not read yet.
type StoredItem struct {
	config.VersionKey
	Status config.ItemStatus
	body   bodyKey
	packed *packedBody // if it was read with the item
}

// readItems reads the bodies of items.
func readItems(ctx context.Context, tx *db.Tx, read func([]byte) (config.Item, error), all []*StoredItem) ([]config.Item, error) {
	texts, err := bodies(ctx, tx, collect(all, func(s *StoredItem) bodyKey { return s.body }))
	if err != nil {
		return nil, err
	}
	out := make([]config.Item, len(all))
	for i, s := range all {
		text, ok := texts[s.body]
		if !ok {
			return nil, fmt.Errorf("item %d of %s has no body", s.StateID, s.ResourceKey)
		}
		it, err := read(text)
		if err != nil {
			return nil, fmt.Errorf("decode item %d of %s: %w", s.StateID, s.ResourceKey, err)
		}
		it.ResourceKey, it.Status, it.StateID, it.CaptureTime = s.ResourceKey, s.Status, s.StateID, captured(s.StateID)
		if it.Imported != nil && !it.Imported.Captured.IsZero() {
			it.CaptureTime = it.Imported.Captured
		}
		out[i] = it
	}
	return out, nil
}

// ItemVersion returns one item of a resource's history.
func ItemVersion(ctx context.Context, tx *db.Tx, v config.VersionKey) (config.Item, error) {
	return oneItem(ctx, tx, v.ResourceKey, func(resource int64) ([]entry, error) {
		return version(ctx, tx, bodyKey{resource, v.StateID})
	})
}

// ItemBefore returns the item that came before one in a resource's history.
func ItemBefore(ctx context.Context, tx *db.Tx, v config.VersionKey) (config.Item, error) {
	return oneItem(ctx, tx, v.ResourceKey, func(resource int64) ([]entry, error) {
		return newestFirst(ctx, tx, span{resource, 0, v.StateID - 1}, 1)
	})
}

func oneItem(ctx context.Context, tx *db.Tx, key config.ResourceKey, find func(resource int64) ([]entry, error)) (config.Item, error) {
	items, err := itemsOf(ctx, tx, key, decodedItem, find)
	if err != nil {
		return config.Item{}, err
	}
	if len(items) == 0 {
		return config.Item{}, ErrNotFound
	}
	return items[0], nil
}

// A HistoryQuery selects items of one resource. From and To are inclusive, in
// capture times; After is the state id of the last item that was returned.
type HistoryQuery struct {
	Key      config.ResourceKey
	From, To time.Time
	Forward  bool
	After    int64
	Limit    int
}

// History returns items of a resource, newest first unless Forward. Their
// configurations are texts, json.RawMessage.
func History(ctx context.Context, tx *db.Tx, q HistoryQuery) ([]config.Item, error) {
	from, to := firstState(q.From), q.To.UnixMilli()
	switch {
	case q.Forward:
		if q.After != 0 {
			from = max(from, q.After+1)
		}
	case q.After != 0:
		to = min(to, q.After-1)
	}
	return itemsOf(ctx, tx, q.Key, itemWithText, func(resource int64) ([]entry, error) {
		if q.Forward {
			return oldestFirst(ctx, tx, span{resource, from, to}, q.Limit)
		}
		return newestFirst(ctx, tx, span{resource, from, to}, q.Limit)
	})
}

// firstState returns the least state id of an item that was captured at a time or
// later. State ids count milliseconds.
func firstState(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	ms := t.UnixMilli()
	if t.After(time.UnixMilli(ms)) {
		ms++
	}
	return ms
}

// itemsOf returns the items of a resource that find finds in its history.
func itemsOf(
	ctx context.Context, tx *db.Tx, key config.ResourceKey, read func(body []byte) (config.Item, error), find func(resource int64) ([]entry, error),
) ([]config.Item, error) {
	id, err := resourceID(ctx, tx, key)
	if err != nil || id == 0 {
		return nil, err
	}
	found, err := find(id)
	if err != nil {
		return nil, err
	}
	return readItems(ctx, tx, read, collect(found, func(e entry) *StoredItem { return e.of(key) }))
}

func decodedItem(body []byte) (config.Item, error) {
	var it config.Item
	err := it.UnmarshalJSON(body)
	return it, err
}
