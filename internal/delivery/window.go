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
// through.
func (w window) page(ctx context.Context, tx *db.Tx, at cursor, limit int) ([]capture, error) {
	var out []capture
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		c := capture{VersionKey: config.VersionKey{ResourceKey: config.ResourceKey{Place: w.place, Type: at.Type}}}
		var captured int64
		if err := scan(&c.ID, &c.StateID, &captured); err != nil {
			return err
		}
		c.at = db.Time(captured)
		out = append(out, c)
		return nil
	}, `SELECT r.id, i.state_id, i.captured FROM resource r
		JOIN item i ON i.account = r.account AND i.region = r.region AND i.type = r.type AND i.id = r.id
		WHERE r.account = ? AND r.region = ? AND r.type = ? AND r.id >= ? AND r.captured >= ?
		AND i.captured >= ? AND i.captured < ? AND (r.id > ? OR i.state_id > ?)
		ORDER BY r.id, i.state_id LIMIT ?`,
		w.place.Account, w.place.Region, at.Type, at.ID, db.Micros(w.from),
		db.Micros(w.from), db.Micros(w.until), at.ID, at.StateID, limit)
	if err != nil {
		return nil, fmt.Errorf("read the window of %s: %w", at.Type, err)
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
