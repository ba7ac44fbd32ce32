package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
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
	place, kind, err := placeAndType(ctx, tx, q.Place, q.Type)
	if err != nil || place == 0 || kind == 0 {
		return nil, err
	}
	query := `SELECT r.external_id, r.name, r.status, r.state_id FROM resource r WHERE r.type = ? AND r.place = ? AND r.external_id > ?`
	args := []any{kind, place, q.After}
	if q.IncludeDeleted {
		query += ` AND r.status > 0`
	} else {
		query += ` AND ` + isLive
	}
	if q.Name != "" {
		query, args = query+` AND r.name <> '' AND r.name = ?`, append(args, q.Name)
	}
	if len(q.IDs) > 0 {
		in, ids := db.In(q.IDs)
		query, args = query+` AND r.external_id IN `+in, append(args, ids...)
	}
	var out []Resource
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		r := Resource{ResourceKey: config.ResourceKey{Place: q.Place, Type: q.Type}}
		var status, stateID int64
		if err := scan(&r.ID, &r.Name, &status, &stateID); err != nil {
			return err
		}
		r.Status = statusOf(status)
		if r.Status.Gone() {
			r.Deleted = captured(stateID)
		}
		out = append(out, r)
		return nil
	}, query+` ORDER BY r.external_id LIMIT ?`, append(args, q.Limit)...)
	if err != nil {
		return nil, fmt.Errorf("list resources: %w", err)
	}
	return out, nil
}

// LiveKeys returns the keys of the live resources of a place, in the order of
// type and id, after the given one: the walk of a snapshot, of an evaluation
// from scratch, of a search for what is gone. types narrows it; none means all.
func LiveKeys(ctx context.Context, tx *db.Tx, p config.Place, types []string, after config.ResourceKey, limit int) ([]config.ResourceKey, error) {
	return walkKeys(ctx, tx, p, types, ` AND `+isLive, after, limit)
}

// walkKeys returns the keys of resources of a place, in the order of type and id,
// after the given one. types narrows it, none means all; condition is what the
// resources, r, have to meet besides.
func walkKeys(
	ctx context.Context, tx *db.Tx, p config.Place, types []string, condition string, after config.ResourceKey, limit int,
) ([]config.ResourceKey, error) {
	var out []config.ResourceKey
	err := walkTypes(ctx, tx, p, types, after, func(place int64, kind kind, past string) (bool, error) {
		err := db.Each(ctx, tx, func(scan func(...any) error) error {
			k := config.ResourceKey{Place: p, Type: kind.name}
			err := scan(&k.ID)
			out = append(out, k)
			return err
		}, `SELECT r.external_id FROM resource r WHERE r.type = ? AND r.place = ? AND r.external_id > ?`+condition+`
			ORDER BY r.external_id LIMIT ?`, kind.id, place, past, limit-len(out))
		return len(out) < limit, err
	})
	return out, err
}

// walkTypes calls each for the types that a place had resources of, in their order, from
// the one of after on, with the id after which its resources follow, until it says no.
func walkTypes(
	ctx context.Context, tx *db.Tx, p config.Place, types []string, after config.ResourceKey,
	each func(place int64, kind kind, past string) (more bool, err error),
) error {
	place, err := placeID(ctx, tx, p)
	if err != nil || place == 0 {
		return err
	}
	kinds, err := typesIn(ctx, tx, p)
	if err != nil {
		return err
	}
	for _, kind := range kinds {
		if kind.name < after.Type || len(types) > 0 && !slices.Contains(types, kind.name) {
			continue
		}
		past := ""
		if kind.name == after.Type {
			past = after.ID
		}
		more, err := each(place, kind, past)
		if err != nil {
			return fmt.Errorf("walk resources: %w", err)
		}
		if !more {
			break
		}
	}
	return nil
}

// CollectedKeys returns ids of the live resources of a type that were read and not
// pushed, in their order, after the given one.
func CollectedKeys(ctx context.Context, tx *db.Tx, p config.Place, resourceType, after string, limit int) ([]config.ResourceKey, error) {
	place, kind, err := placeAndType(ctx, tx, p, resourceType)
	if err != nil || place == 0 || kind == 0 {
		return nil, err
	}
	var out []config.ResourceKey
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		k := config.ResourceKey{Place: p, Type: resourceType}
		err := scan(&k.ID)
		out = append(out, k)
		return err
	}, `SELECT r.external_id FROM resource r WHERE r.type = ? AND r.place = ? AND r.external_id > ? AND `+isLive+` AND NOT r.pushed
		ORDER BY r.external_id LIMIT ?`, kind, place, after, limit)
	if err != nil {
		return nil, fmt.Errorf("read collected resources: %w", err)
	}
	return out, nil
}

// resourceID returns the id of a resource; 0 if it has none.
func resourceID(ctx context.Context, tx *db.Tx, key config.ResourceKey) (int64, error) {
	if r := heldBy(tx)[key]; r != nil {
		return r.id, nil
	}
	place, kind, err := placeAndType(ctx, tx, key.Place, key.Type)
	if err != nil || place == 0 || kind == 0 {
		return 0, err
	}
	var id int64
	err = tx.QueryRow(ctx, `SELECT r.id FROM resource r WHERE r.type = ? AND r.place = ? AND r.external_id = ?`, kind, place, key.ID).Scan(&id)
	if err != nil && !errors.Is(err, db.ErrNoRows) {
		return 0, fmt.Errorf("read the id of %s: %w", key, err)
	}
	return id, nil
}

// placeAndType returns the ids of a place and a type, 0 for what is unknown.
func placeAndType(ctx context.Context, tx *db.Tx, p config.Place, resourceType string) (place, kind int64, err error) {
	if place, err = placeID(ctx, tx, p); err != nil || place == 0 {
		return 0, 0, err
	}
	types, err := typeIDs(ctx, tx, []string{resourceType})
	return place, types[resourceType], err
}

// A kind is a type of resources with its id.
type kind struct {
	id   int64
	name string
}

// typesIn returns the types of which a place ever had resources, by name.
func typesIn(ctx context.Context, tx *db.Tx, p config.Place) ([]kind, error) {
	place, err := placeID(ctx, tx, p)
	if err != nil || place == 0 {
		return nil, err
	}
	if err := flushTallies(ctx, tx); err != nil { // which name the types
		return nil, err
	}
	var out []kind
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		var k kind
		err := scan(&k.id, &k.name)
		out = append(out, k)
		return err
	}, `SELECT t.id, t.name FROM (SELECT DISTINCT type FROM type_tally WHERE place = ?) AS y JOIN resource_type t ON t.id = y.type`, place)
	if err != nil {
		return nil, fmt.Errorf("read the types of %s: %w", p, err)
	}
	slices.SortFunc(out, func(a, b kind) int { return strings.Compare(a.name, b.name) })
	return out, nil
}
