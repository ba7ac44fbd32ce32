package delivery

import (
	"context"
	"fmt"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
)

// A window is the items of a place that were captured at from or later, and
// before until.
type window struct {
	place       config.Place
	from, until time.Time
}

// A cursor is a point in the walk through a window: in the order of type, id and
// state. part counts the files of the type so far.
type cursor struct {
	Type    string `json:"type"`
	ID      string `json:"id"`
	StateID int64  `json:"state"`
	Part    int    `json:"part"`
}

// A capture is an item of a window, without its body.
type capture struct {
	config.VersionKey
	at time.Time
}

// page returns the next items of the cursor's type; none when the type is
// through. It goes from resources to their items in two plain queries: joined,
// PostgreSQL has been seen to compare everything with everything while its
// statistics are young.
func (w window) page(ctx context.Context, tx *db.Tx, at cursor, limit int) ([]capture, error) {
	var out []capture
	since, id := "id >= ?", at.ID // the cursor's resource may have more items
	for {
		ids, err := w.resources(ctx, tx, at.Type, since, id)
		if err != nil || len(ids) == 0 {
			return out, err
		}
		items, err := w.items(ctx, tx, at, ids, limit-len(out))
		if err != nil {
			return nil, err
		}
		if out = append(out, items...); len(out) == limit {
			return out, nil
		}
		since, id = "id > ?", ids[len(ids)-1]
	}
}

// resources returns ids of resources that may have items in the window, in their
// order; since is the condition on the id.
func (w window) resources(ctx context.Context, tx *db.Tx, kind, since, id string) (ids []string, err error) {
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		var id string
		if err := scan(&id); err != nil {
			return err
		}
		ids = append(ids, id)
		return nil
	}, `SELECT id FROM resource WHERE account = ? AND region = ? AND type = ? AND `+since+` AND captured >= ? ORDER BY id LIMIT ?`,
		w.place.Account, w.place.Region, kind, id, db.Micros(w.from), most)
	if err != nil {
		return nil, fmt.Errorf("read the resources of a window: %w", err)
	}
	return ids, nil
}

// items returns the items of those resources in the window, after the cursor.
func (w window) items(ctx context.Context, tx *db.Tx, at cursor, ids []string, limit int) ([]capture, error) {
	var out []capture
	in, args := db.In(ids)
	args = append([]any{w.place.Account, w.place.Region, at.Type}, args...)
	args = append(args, db.Micros(w.from), db.Micros(w.until), at.ID, at.StateID, limit)
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		c := capture{VersionKey: config.VersionKey{ResourceKey: config.ResourceKey{Place: w.place, Type: at.Type}}}
		var captured int64
		if err := scan(&c.ID, &c.StateID, &captured); err != nil {
			return err
		}
		c.at = db.Time(captured)
		out = append(out, c)
		return nil
	}, `SELECT id, state_id, captured FROM item WHERE account = ? AND region = ? AND type = ? AND id IN `+in+`
		AND captured >= ? AND captured < ? AND (id > ? OR state_id > ?) ORDER BY id, state_id LIMIT ?`, args...)
	if err != nil {
		return nil, fmt.Errorf("read the items of a window: %w", err)
	}
	return out, nil
}

// next returns the first type after the given one that may have items in the
// window; empty when there is none. A resource's newest item is never older than
// the others, so the table of newest items tells.
func (w window) next(ctx context.Context, tx *db.Tx, after string) (string, error) {
	var kind *string
	err := tx.QueryRow(ctx, `SELECT min(type) FROM resource WHERE account = ? AND region = ? AND type > ? AND captured >= ?`,
		w.place.Account, w.place.Region, after, db.Micros(w.from)).Scan(&kind)
	if err != nil {
		return "", fmt.Errorf("read the types of a window: %w", err)
	}
	if kind == nil {
		return "", nil
	}
	return *kind, nil
}
