package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
)

// NoteCall keeps a call of an outside account, by what it names, and forgets old ones.
func NoteCall(ctx context.Context, tx *db.Tx, p config.Place, c config.Call, now time.Time) error {
	place, err := placeID(ctx, tx, p)
	if err != nil || place == 0 {
		return err
	}
	if _, err := tx.Exec(ctx, `DELETE FROM noticed_call WHERE place = ? AND at < ?`, place, db.Micros(now.Add(-config.MaxCallAge))); err != nil {
		return fmt.Errorf("forget old calls: %w", err)
	}
	names := distinct(c.Names)
	if len(names) == 0 {
		return nil
	}
	with, args := list{texts("name", names)}.with(tx)
	_, err = tx.Exec(ctx, with+`INSERT INTO noticed_call (place, name, event, service, at) SELECT ?, name, ?, ?, ? FROM w WHERE true
		ON CONFLICT DO NOTHING`, append(args, place, c.Event, c.Service, db.Micros(c.At))...)
	if err != nil {
		return fmt.Errorf("keep a call: %w", err)
	}
	return nil
}

// A NoticedCall is a call that names something.
type NoticedCall struct {
	Event, Service string
	At             time.Time
}

// NoticedCalls returns the calls that have one of these names, by name, the oldest first.
func NoticedCalls(ctx context.Context, tx *db.Tx, p config.Place, names []string) (map[string][]NoticedCall, error) {
	place, err := placeID(ctx, tx, p)
	if err != nil || place == 0 || len(names) == 0 {
		return nil, err
	}
	var some bool
	if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM noticed_call WHERE place = ?)`, place).Scan(&some); err != nil || !some {
		return nil, err
	}
	out := map[string][]NoticedCall{}
	with, args := list{texts("name", distinct(names))}.with(tx)
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		var name string
		var c NoticedCall
		var at int64
		err := scan(&name, &c.Event, &c.Service, &at)
		c.At = db.Time(at)
		out[name] = append(out[name], c)
		return err
	}, with+`SELECT c.name, c.event, c.service, c.at FROM w CROSS JOIN noticed_call c WHERE c.place = ? AND c.name = w.name
		ORDER BY c.at, c.event`, append(args, place)...)
	if err != nil {
		return nil, fmt.Errorf("read calls: %w", err)
	}
	return out, nil
}

// Named returns resources of some types of a place that exist and have one of these
// names for their id, their name or their ARN.
func Named(ctx context.Context, tx *db.Tx, p config.Place, types, names []string, limit int) ([]config.ResourceKey, error) {
	place, err := placeID(ctx, tx, p)
	if err != nil || place == 0 || len(names) == 0 || len(types) == 0 {
		return nil, err
	}
	ids, err := typeIDs(ctx, tx, types)
	if err != nil {
		return nil, err
	}
	var out []config.ResourceKey
	for _, t := range distinct(types) {
		if ids[t] == 0 || len(out) >= limit {
			continue
		}
		found, err := namedOf(ctx, tx, ids[t], place, distinct(names), 3*limit)
		if err != nil {
			return nil, err
		}
		for _, id := range found[:min(len(found), limit-len(out))] {
			out = append(out, config.ResourceKey{Place: p, Type: t, ID: id})
		}
	}
	return out, nil
}

// namedOf returns the ids of resources of a type that have one of these names, in order. A
// resource with all of them is read three times. Each way has an index of its own, and
// the signs keep SQLite from reading all resources of the type for the ARN.
func namedOf(ctx context.Context, tx *db.Tx, resourceType, place int64, names []string, limit int) (ids []string, err error) {
	const from = `SELECT r.external_id FROM w CROSS JOIN resource r WHERE r.status IN (1, 2, 3) AND `
	with, args := list{texts("name", names)}.with(tx)
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		var id string
		err := scan(&id)
		ids = append(ids, id)
		return err
	}, with+from+`r.type = ? AND r.place = ? AND r.external_id = w.name
		UNION ALL `+from+`r.type = ? AND r.place = ? AND r.name <> '' AND r.name = w.name
		UNION ALL `+from+`+r.type = ? AND +r.place = ? AND r.arn <> '' AND r.arn = w.name LIMIT ?`,
		append(args, resourceType, place, resourceType, place, resourceType, place, limit)...)
	if err != nil {
		return nil, fmt.Errorf("find what calls name: %w", err)
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}
