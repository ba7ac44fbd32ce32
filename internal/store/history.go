package store

import (
	"context"
	"fmt"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
)

// appendHistory adds items to the history of their resources.
func appendHistory(ctx context.Context, tx *db.Tx, all []born) error {
	with, args := list{
		ints("resource", collect(all, func(b born) int64 { return b.row.id })),
		ints("state_id", collect(all, func(b born) int64 { return b.StateID })),
		ints("status", collect(all, func(b born) int64 { return statusCode(b.Status) })),
		texts("body", collect(all, func(b born) string { return string(b.Body) })),
	}.with(tx)
	_, err := tx.Exec(ctx, with+`INSERT INTO item (resource, state_id, status, body) SELECT resource, state_id, status, body FROM w`, args...)
	return err
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
// who hands them on; DecodedItems is for who looks into them.
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
	found := make([]*config.Item, len(keys))
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		var n int64
		it, err := scanItem(p, read, scan, &n)
		found[n] = &it
		return err
	}, with+`SELECT w.n, i.body FROM w CROSS JOIN resource r CROSS JOIN item i
		WHERE r.type = w.type AND r.place = w.place AND r.external_id = w.id AND i.resource = r.id AND i.state_id = r.state_id`, args...)
	if err != nil {
		return nil, fmt.Errorf("read current items: %w", err)
	}
	var out []config.Item
	for _, it := range found {
		if it != nil {
			out = append(out, *it)
		}
	}
	return out, nil
}

// ItemVersion returns one item of a resource's history.
func ItemVersion(ctx context.Context, tx *db.Tx, v config.VersionKey) (config.Item, error) {
	return oneItem(ctx, tx, v.ResourceKey, `i.state_id = ?`, v.StateID)
}

// ItemBefore returns the item that came before one in a resource's history.
func ItemBefore(ctx context.Context, tx *db.Tx, v config.VersionKey) (config.Item, error) {
	return oneItem(ctx, tx, v.ResourceKey, `i.state_id < ? ORDER BY i.state_id DESC LIMIT 1`, v.StateID)
}

func oneItem(ctx context.Context, tx *db.Tx, key config.ResourceKey, where string, args ...any) (config.Item, error) {
	items, err := itemsOf(ctx, tx, key, decodedItem, where, args...)
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
	order := "DESC"
	from, to := firstState(q.From), q.To.UnixMilli()
	switch {
	case q.Forward:
		order = "ASC"
		if q.After != 0 {
			from = max(from, q.After+1)
		}
	case q.After != 0:
		to = min(to, q.After-1)
	}
	return itemsOf(ctx, tx, q.Key, itemWithText, `i.state_id BETWEEN ? AND ? ORDER BY i.state_id `+order+` LIMIT ?`, from, to, q.Limit)
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

func itemsOf(
	ctx context.Context, tx *db.Tx, key config.ResourceKey, read func(body []byte) (config.Item, error), where string, args ...any,
) ([]config.Item, error) {
	id, err := resourceID(ctx, tx, key)
	if err != nil || id == 0 {
		return nil, err
	}
	var out []config.Item
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		it, err := scanItem(key.Place, read, scan)
		out = append(out, it)
		return err
	}, `SELECT i.body FROM item i WHERE i.resource = ? AND `+where, append([]any{id}, args...)...)
	if err != nil {
		return nil, fmt.Errorf("read items of %s: %w", key, err)
	}
	return out, nil
}

func decodedItem(body []byte) (config.Item, error) {
	var it config.Item
	err := it.UnmarshalJSON(body)
	return it, err
}

// scanItem reads an item whose body is the last column.
func scanItem(p config.Place, read func([]byte) (config.Item, error), scan func(...any) error, before ...any) (config.Item, error) {
	var body string
	if err := scan(append(before, &body)...); err != nil {
		return config.Item{}, err
	}
	it, err := read([]byte(body))
	if err != nil {
		return it, fmt.Errorf("decode item: %w", err)
	}
	it.Place = p
	return it, nil
}
