package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"plumb/internal/config"
	"plumb/internal/db"
)

// The ids of places and of types never change and are never deleted, so each
// open store remembers those that it met, up to maxIDs of each kind.
type ids struct {
	mu     sync.RWMutex
	places map[config.Place]int64
	types  map[string]int64
}

const maxIDs = 50_000

func newIDs() *ids { return &ids{places: map[config.Place]int64{}, types: map[string]int64{}} }

// add takes over what a transaction met.
func (d *ids) add(places map[config.Place]int64, types map[string]int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.places)+len(places) > maxIDs {
		clear(d.places)
	}
	if len(d.types)+len(types) > maxIDs {
		clear(d.types)
	}
	maps.Copy(d.places, places)
	maps.Copy(d.types, types)
}

func (d *ids) place(p config.Place) int64 {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.places[p]
}

// knownTypes adds to ids what is known of the names and returns the others.
func (d *ids) knownTypes(names []string, ids map[string]int64) (unknown []string) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	for _, name := range names {
		if id, ok := d.types[name]; ok {
			ids[name] = id
		} else if _, ok := ids[name]; !ok {
			unknown = append(unknown, name)
		}
	}
	return unknown
}

// txIDs is what a transaction made: others may know it once it is committed.
type txIDs struct {
	*ids
	shared *ids
}

func idsOf(tx *db.Tx) txIDs {
	return db.Local(tx, func() txIDs {
		t := txIDs{newIDs(), db.Shared(tx, newIDs)}
		tx.AfterCommit(func() { t.shared.add(t.places, t.types) })
		return t
	})
}

// placeID returns the id of a place; 0 if nothing was ever kept of it.
func placeID(ctx context.Context, tx *db.Tx, p config.Place) (int64, error) {
	known := idsOf(tx)
	if id := known.shared.place(p); id != 0 {
		return id, nil
	}
	if id := known.place(p); id != 0 {
		return id, nil
	}
	var id int64
	err := tx.QueryRow(ctx, `SELECT coalesce(max(id), 0) FROM place WHERE account = ? AND region = ?`, p.Account, p.Region).Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("read place %s: %w", p, err)
	}
	if id != 0 {
		known.add(map[config.Place]int64{p: id}, nil)
	}
	return id, nil
}

// makePlace returns the id of a place, which may get one by that.
func makePlace(ctx context.Context, tx *db.Tx, p config.Place) (int64, error) {
	id, err := placeID(ctx, tx, p)
	if err != nil || id != 0 {
		return id, err
	}
	if _, err := tx.Exec(ctx, `INSERT INTO place (account, region) VALUES (?, ?) ON CONFLICT DO NOTHING`, p.Account, p.Region); err != nil {
		return 0, fmt.Errorf("keep place %s: %w", p, err)
	}
	return placeID(ctx, tx, p)
}

// typeIDs returns the ids of those types that anything was ever kept of.
func typeIDs(ctx context.Context, tx *db.Tx, names []string) (map[string]int64, error) {
	known, out := idsOf(tx), make(map[string]int64, len(names))
	unknown := known.knownTypes(known.shared.knownTypes(names, out), out)
	if len(unknown) == 0 {
		return out, nil
	}
	found := map[string]int64{}
	with, args := list{texts("name", distinct(unknown))}.with(tx)
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var id int64
		var name string
		err := scan(&id, &name)
		found[name] = id
		return err
	}, with+`SELECT t.id, t.name FROM w CROSS JOIN resource_type t WHERE t.name = w.name`, args...)
	if err != nil {
		return nil, fmt.Errorf("read types: %w", err)
	}
	known.add(nil, found)
	maps.Copy(out, found)
	return out, nil
}

// makeTypes returns the ids of types, which may get some by that.
func makeTypes(ctx context.Context, tx *db.Tx, names []string) (map[string]int64, error) {
	out, err := typeIDs(ctx, tx, names)
	if err != nil {
		return nil, err
	}
	fresh := slices.DeleteFunc(distinct(names), func(name string) bool { return out[name] != 0 })
	if len(fresh) == 0 {
		return out, nil
	}
	with, args := list{texts("name", fresh)}.with(tx)
	if _, err := tx.Exec(ctx, with+`INSERT INTO resource_type (name) SELECT name FROM w WHERE true ORDER BY name ON CONFLICT DO NOTHING`, args...); err != nil {
		return nil, fmt.Errorf("keep types: %w", err)
	}
	return typeIDs(ctx, tx, names)
}

// distinct returns the values in their order, each once.
func distinct(values []string) []string {
	out := slices.Sorted(slices.Values(values))
	return slices.Compact(out)
}

func typesOf(keys []config.ResourceKey) []string {
	var out []string
	for i, k := range keys {
		if i == 0 || k.Type != keys[i-1].Type {
			out = append(out, k.Type)
		}
	}
	return out
}

// PlacesOf returns the places of an account, by region.
func PlacesOf(ctx context.Context, tx *db.Tx, account string) ([]config.Place, error) {
	var out []config.Place
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		p := config.Place{Account: account}
		err := scan(&p.Region)
		out = append(out, p)
		return err
	}, `SELECT region FROM place WHERE account = ? ORDER BY region`, account)
	if err != nil {
		return nil, fmt.Errorf("list the places of %s: %w", account, err)
	}
	return out, nil
}

// AllPlaces returns every place that anything was ever kept of, by account and region.
func AllPlaces(ctx context.Context, tx *db.Tx) ([]config.Place, error) {
	var out []config.Place
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var p config.Place
		err := scan(&p.Account, &p.Region)
		out = append(out, p)
		return err
	}, `SELECT account, region FROM place ORDER BY account, region`)
	if err != nil {
		return nil, fmt.Errorf("list places: %w", err)
	}
	return out, nil
}
