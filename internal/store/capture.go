package store

import (
	"context"
	"fmt"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
)

// A Window is the items of a place that were captured at From or later, and
// before Until.
type Window struct {
	Place       config.Place
	From, Until time.Time
}

// A Capture is an item of a window, without its body.
type Capture struct {
	config.VersionKey
	At time.Time
}

// Page returns items of the type of after, in the order of id and state after
// that one; none when the type is through. It goes from resources to their items in two plain queries: joined,
// PostgreSQL has been seen to compare everything with everything while its
// statistics are young.
func (w Window) Page(ctx context.Context, tx *db.Tx, after config.VersionKey, limit int) ([]Capture, error) {
	var out []Capture
	since, id := "id >= ?", after.ID // that resource may have more items
	for {
		ids, err := w.resources(ctx, tx, after.Type, since, id)
		if err != nil || len(ids) == 0 {
			return out, err
		}
		items, err := w.items(ctx, tx, after, ids, limit-len(out))
		if err != nil {
			return nil, err
		}
		if out = append(out, items...); len(out) == limit {
			return out, nil
		}
		since, id = "id > ?", ids[len(ids)-1]
	}
}

// windowResources is how many resources are asked for their items at once.
const windowResources = 500

// resources returns ids of resources that may have items in the window, in their
// order; since is the condition on the id.
func (w Window) resources(ctx context.Context, tx *db.Tx, kind, since, id string) (ids []string, err error) {
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		var id string
		if err := scan(&id); err != nil {
			return err
		}
		ids = append(ids, id)
		return nil
	}, `SELECT id FROM resource WHERE account = ? AND region = ? AND type = ? AND `+since+` AND captured >= ? ORDER BY id LIMIT ?`,
		w.Place.Account, w.Place.Region, kind, id, db.Micros(w.From), windowResources)
	if err != nil {
		return nil, fmt.Errorf("read the resources of a window: %w", err)
	}
	return ids, nil
}

// items returns the items of those resources in the window, after that one.
func (w Window) items(ctx context.Context, tx *db.Tx, after config.VersionKey, ids []string, limit int) ([]Capture, error) {
	var out []Capture
	in, args := db.In(ids)
	args = append([]any{w.Place.Account, w.Place.Region, after.Type}, args...)
	args = append(args, db.Micros(w.From), db.Micros(w.Until), after.ID, after.StateID, limit)
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		c := Capture{VersionKey: config.VersionKey{ResourceKey: config.ResourceKey{Place: w.Place, Type: after.Type}}}
		var captured int64
		if err := scan(&c.ID, &c.StateID, &captured); err != nil {
			return err
		}
		c.At = db.Time(captured)
		out = append(out, c)
		return nil
	}, `SELECT id, state_id, captured FROM item WHERE account = ? AND region = ? AND type = ? AND id IN `+in+`
		AND captured >= ? AND captured < ? AND (id > ? OR state_id > ?) ORDER BY id, state_id LIMIT ?`, args...)
	if err != nil {
		return nil, fmt.Errorf("read the items of a window: %w", err)
	}
	return out, nil
}

// NextType returns the first type after the given one that may have items in the
// window; empty when there is none. A resource's newest item is never older than
// the others, so the table of newest items tells.
func (w Window) NextType(ctx context.Context, tx *db.Tx, after string) (string, error) {
	var kind *string
	err := tx.QueryRow(ctx, `SELECT min(type) FROM resource WHERE account = ? AND region = ? AND type > ? AND captured >= ?`,
		w.Place.Account, w.Place.Region, after, db.Micros(w.From)).Scan(&kind)
	if err != nil {
		return "", fmt.Errorf("read the types of a window: %w", err)
	}
	if kind == nil {
		return "", nil
	}
	return *kind, nil
}
