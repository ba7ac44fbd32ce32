package store

import (
	"context"
	"fmt"
	"slices"

	"plumb/internal/config"
	"plumb/internal/db"
)

// A lead is a kept relationship.
type lead struct {
	resource, place int64
	kind            string
	target          string
}

func replaceRelations(ctx context.Context, tx *db.Tx, all []born) error {
	var stale []int64
	var leads []lead
	for _, b := range all {
		if b.SameRelations {
			continue
		}
		if !b.first {
			stale = append(stale, b.row.id)
		}
		for _, r := range b.Relationships[:len(b.Relationships)-b.Inverse] {
			leads = append(leads, lead{b.row.id, b.place, r.Type, target(r)})
		}
	}
	if err := deleteOf(ctx, tx, "relation", stale); err != nil {
		return err
	}
	types, err := makeTypes(ctx, tx, collect(leads, func(l lead) string { return l.kind }))
	if err != nil {
		return err
	}
	for chunk := range slices.Chunk(leads, maxRows) {
		with, args := list{
			ints("resource", collect(chunk, func(l lead) int64 { return l.resource })),
			ints("place", collect(chunk, func(l lead) int64 { return l.place })),
			ints("target_type", collect(chunk, func(l lead) int64 { return types[l.kind] })),
			texts("target", collect(chunk, func(l lead) string { return l.target })),
		}.with(tx)
		if _, err := tx.Exec(ctx, with+`INSERT INTO relation (resource, place, target_type, target)
			SELECT resource, place, target_type, target FROM w WHERE true ON CONFLICT DO NOTHING`, args...); err != nil {
			return err
		}
	}
	return nil
}

// deleteOf deletes the rows of a table that belong to those resources.
func deleteOf(ctx context.Context, tx *db.Tx, table string, resources []int64) error {
	for chunk := range slices.Chunk(resources, maxRows) {
		with, args := list{ints("id", chunk)}.with(tx)
		if _, err := tx.Exec(ctx, with+`DELETE FROM `+table+` WHERE resource IN (SELECT id FROM w)`, args...); err != nil {
			return err
		}
	}
	return nil
}

func target(r config.Relationship) string {
	if r.ID != "" {
		return r.ID
	}
	return r.ResourceName
}

// A Target is a resource that relationships lead to, by its id or its name.
type Target struct {
	config.ResourceKey
	Name string
}

// LeadingTo returns, for each target, the live resources whose newest item has a
// relationship to it. All targets are of one place.
func LeadingTo(ctx context.Context, tx *db.Tx, p config.Place, targets []Target) (map[config.ResourceKey][]config.ResourceKey, error) {
	out := map[config.ResourceKey][]config.ResourceKey{}
	var names []config.ResourceKey // what to look for, and
	var of []config.ResourceKey    // which target it is a name of
	for _, t := range targets {
		names, of = append(names, t.ResourceKey), append(of, t.ResourceKey)
		if t.Name != "" && t.Name != t.ID {
			names, of = append(names, config.ResourceKey{Place: p, Type: t.Type, ID: t.Name}), append(of, t.ResourceKey)
		}
	}
	w, err := wanted(ctx, tx, p, names)
	if err != nil || w.empty() {
		return out, err
	}
	with, args := w.with(tx)
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		var n int64
		k := config.ResourceKey{Place: p}
		if err := scan(&n, &k.Type, &k.ID); err != nil {
			return err
		}
		if to := of[n]; !slices.Contains(out[to], k) {
			out[to] = append(out[to], k)
		}
		return nil
	}, with+`SELECT w.n, t.name, r.external_id FROM w CROSS JOIN relation l CROSS JOIN resource r CROSS JOIN resource_type t
		WHERE l.target_type = w.type AND l.place = w.place AND l.target = w.id AND r.id = l.resource AND t.id = r.type`, args...)
	if err != nil {
		return nil, fmt.Errorf("read what leads to changed resources: %w", err)
	}
	return out, nil
}
