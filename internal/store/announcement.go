package store

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"plumb/internal/config"
	"plumb/internal/db"
)

// An Announcement is how many changes of a resource its service announced, and
// how many of them had happened when the newest observation of it was made that
// was recorded, or found to be no change.
type Announcement struct {
	Announced, Seen int64
}

// Announce counts an announced change.
func Announce(ctx context.Context, tx *db.Tx, key config.ResourceKey) error {
	h, err := holdAll(ctx, tx, key.Place, []config.ResourceKey{key})
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO announcement (resource, announced, seen) VALUES (?, 1, 0)
		ON CONFLICT (resource) DO UPDATE SET announced = announcement.announced + 1`, h[key].id)
	if err != nil {
		return fmt.Errorf("count announcement of %s: %w", key, err)
	}
	return nil
}

// Announcements returns the counts of those keys that were ever announced. All
// are of one place.
func Announcements(ctx context.Context, tx *db.Tx, p config.Place, keys []config.ResourceKey) (map[config.ResourceKey]Announcement, error) {
	out := make(map[config.ResourceKey]Announcement, len(keys))
	w, err := wanted(ctx, tx, p, keys)
	if err != nil || w.empty() {
		return out, err
	}
	with, args := w.with(tx)
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		var n int64
		var a Announcement
		if err := scan(&n, &a.Announced, &a.Seen); err != nil {
			return err
		}
		out[keys[n]] = a
		return nil
	}, with+`SELECT w.n, a.announced, a.seen FROM w CROSS JOIN resource r CROSS JOIN announcement a
		WHERE r.type = w.type AND r.place = w.place AND r.external_id = w.id AND a.resource = r.id`, args...)
	if err != nil {
		return nil, fmt.Errorf("read announcements: %w", err)
	}
	return out, nil
}

// AnnouncementsOfType returns the counts of all resources of a type.
func AnnouncementsOfType(ctx context.Context, tx *db.Tx, p config.Place, resourceType string) (map[config.ResourceKey]Announcement, error) {
	out := map[config.ResourceKey]Announcement{}
	place, kind, err := placeAndType(ctx, tx, p, resourceType)
	if err != nil || place == 0 || kind == 0 {
		return out, err
	}
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		k := config.ResourceKey{Place: p, Type: resourceType}
		var a Announcement
		if err := scan(&k.ID, &a.Announced, &a.Seen); err != nil {
			return err
		}
		out[k] = a
		return nil
	}, `SELECT r.external_id, a.announced, a.seen FROM resource r JOIN announcement a ON a.resource = r.id WHERE r.type = ? AND r.place = ?`, kind, place)
	if err != nil {
		return nil, fmt.Errorf("read announcements: %w", err)
	}
	return out, nil
}

// SetSeen notes after how many announcements resources were observed. All are of
// one place.
func SetSeen(ctx context.Context, tx *db.Tx, p config.Place, seen map[config.ResourceKey]int64) error {
	keys := slices.SortedFunc(maps.Keys(seen), compareKeys)
	resources, ids, err := rowsOf(ctx, tx, p, keys)
	if err != nil || len(ids) == 0 {
		return err
	}
	slices.Sort(ids)
	with, args := list{ints("resource", ids), ints("seen", collect(ids, func(id int64) int64 { return seen[resources[id]] }))}.with(tx)
	_, err = tx.Exec(ctx, with+`UPDATE announcement SET seen = w.seen FROM w WHERE announcement.resource = w.resource`, args...)
	if err != nil {
		return fmt.Errorf("note observations: %w", err)
	}
	return nil
}
