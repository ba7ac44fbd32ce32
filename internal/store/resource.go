package store

import (
	"context"
	"fmt"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
)

// A Resource is a line of a list of discovered resources.
type Resource struct {
	config.ResourceKey
	Name    string
	Status  config.ItemStatus
	Deleted time.Time // zero while it lives
}

// A ResourceQuery selects resources of one type. IDs and Name narrow it; After
// is the id of the last one that was returned.
type ResourceQuery struct {
	Place          config.Place
	Type           string
	IDs            []string
	Name           string
	IncludeDeleted bool
	After          string
	Limit          int
}

// Resources lists resources of a type in the order of their ids.
func Resources(ctx context.Context, tx *db.Tx, q ResourceQuery) ([]Resource, error) {
	query := `SELECT id, name, status, deleted FROM resource WHERE account = ? AND region = ? AND type = ? AND id > ?`
	args := []any{q.Place.Account, q.Place.Region, q.Type, q.After}
	if !q.IncludeDeleted {
		query += ` AND deleted = 0`
	}
	if q.Name != "" {
		query, args = query+` AND name = ?`, append(args, q.Name)
	}
	if len(q.IDs) > 0 {
		in, ids := db.In(q.IDs)
		query, args = query+` AND id IN `+in, append(args, ids...)
	}
	var out []Resource
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		r := Resource{ResourceKey: config.ResourceKey{Place: q.Place, Type: q.Type}}
		var deleted int64
		if err := scan(&r.ID, &r.Name, &r.Status, &deleted); err != nil {
			return err
		}
		r.Deleted = db.Time(deleted)
		out = append(out, r)
		return nil
	}, query+` ORDER BY id LIMIT ?`, append(args, q.Limit)...)
	if err != nil {
		return nil, fmt.Errorf("list resources: %w", err)
	}
	return out, nil
}

// A Count is how many live, recorded resources of a type there are.
type Count struct {
	Type string
	N    int64
}

// Counts returns the counts of a place, the highest first; of only some types if
// any are given.
func Counts(ctx context.Context, tx *db.Tx, p config.Place, types []string) ([]Count, error) {
	query := `SELECT type, count(*) FROM resource WHERE account = ? AND region = ? AND deleted = 0 AND status <> ?`
	args := []any{p.Account, p.Region, string(config.StatusNotRecorded)}
	if len(types) > 0 {
		in, t := db.In(types)
		query, args = query+` AND type IN `+in, append(args, t...)
	}
	var out []Count
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var c Count
		if err := scan(&c.Type, &c.N); err != nil {
			return err
		}
		out = append(out, c)
		return nil
	}, query+` GROUP BY type ORDER BY count(*) DESC, type`, args...)
	if err != nil {
		return nil, fmt.Errorf("count resources: %w", err)
	}
	return out, nil
}

// LiveKeys returns the keys of the live resources of a place, in the order of
// type and id, after the given one: the walk of a snapshot, of an evaluation
// from scratch, of a search for what is gone. types narrows it; none means all.
func LiveKeys(ctx context.Context, tx *db.Tx, p config.Place, types []string, after config.ResourceKey, limit int) ([]config.ResourceKey, error) {
	query := `SELECT type, id FROM resource WHERE account = ? AND region = ? AND deleted = 0 AND (type > ? OR (type = ? AND id > ?))`
	args := []any{p.Account, p.Region, after.Type, after.Type, after.ID}
	if len(types) > 0 {
		in, t := db.In(types)
		query, args = query+` AND type IN `+in, append(args, t...)
	}
	var out []config.ResourceKey
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		k := config.ResourceKey{Place: p}
		if err := scan(&k.Type, &k.ID); err != nil {
			return err
		}
		out = append(out, k)
		return nil
	}, query+` ORDER BY type, id LIMIT ?`, append(args, limit)...)
	if err != nil {
		return nil, fmt.Errorf("walk resources: %w", err)
	}
	return out, nil
}

// CollectedKeys returns the live resources of a type that a collector found
// before a moment: those that a complete answer without them says are gone.
func CollectedKeys(ctx context.Context, tx *db.Tx, p config.Place, resourceType string, before time.Time) ([]config.ResourceKey, error) {
	var out []config.ResourceKey
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		k := config.ResourceKey{Place: p, Type: resourceType}
		if err := scan(&k.ID); err != nil {
			return err
		}
		out = append(out, k)
		return nil
	}, `SELECT id FROM resource WHERE account = ? AND region = ? AND type = ? AND deleted = 0 AND NOT pushed AND captured < ? ORDER BY id`,
		p.Account, p.Region, resourceType, db.Micros(before))
	if err != nil {
		return nil, fmt.Errorf("read collected resources: %w", err)
	}
	return out, nil
}
