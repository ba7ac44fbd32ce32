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

// maxEvents is how many calls are kept of those that changed a resource since its newest
// item: the last ones.
const maxEvents = 20

// Announce counts an announced change, and keeps which event of the audit log caused it;
// empty if none is known.
func Announce(ctx context.Context, tx *db.Tx, key config.ResourceKey, event string) error {
	h, err := holdAll(ctx, tx, key.Place, []config.ResourceKey{key})
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO announcement (resource, announced, seen) VALUES (?, 1, 0)
		ON CONFLICT (resource) DO UPDATE SET announced = announcement.announced + 1`, h[key].id)
	if err != nil {
		return fmt.Errorf("count announcement of %s: %w", key, err)
	}
	if event == "" {
		return nil
	}
	_, err = tx.Exec(ctx, `INSERT INTO announcement_event (resource, announced, event)
		SELECT resource, announced, ? FROM announcement WHERE resource = ?`, event, h[key].id)
	if err == nil {
		_, err = tx.Exec(ctx, `DELETE FROM announcement_event WHERE resource = ?
			AND announced <= (SELECT announced FROM announcement a WHERE a.resource = announcement_event.resource) - ?`, h[key].id, maxEvents)
	}
	if err != nil {
		return fmt.Errorf("keep what changed %s: %w", key, err)
	}
	return nil
}

// A Cause is an event of the audit log that announced a change of a resource, and the how
// manieth change it was.
type Cause struct {
	Announced int64
	Event     string
}

// Causes returns the events that announced changes which no item has yet, in their order.
// All resources are of one place.
func Causes(ctx context.Context, tx *db.Tx, p config.Place, keys []config.ResourceKey) (map[config.ResourceKey][]Cause, error) {
	out := map[config.ResourceKey][]Cause{}
	w, err := wanted(ctx, tx, p, keys)
	if err != nil || w.empty() {
		return out, err
	}
	with, args := w.with(tx)
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		var n int64
		var c Cause
		if err := scan(&n, &c.Announced, &c.Event); err != nil {
			return err
		}
		out[keys[n]] = append(out[keys[n]], c)
		return nil
	}, with+`SELECT w.n, e.announced, e.event FROM w CROSS JOIN resource r CROSS JOIN announcement_event e
		WHERE r.type = w.type AND r.place = w.place AND r.external_id = w.id AND e.resource = r.id ORDER BY e.resource, e.announced`, args...)
	if err != nil {
		return nil, fmt.Errorf("read what changed resources: %w", err)
	}
	return out, nil
}

// ForgetCauses deletes the events of changes up to those that were observed. All
// resources are of one place.
func ForgetCauses(ctx context.Context, tx *db.Tx, p config.Place, seen map[config.ResourceKey]int64) error {
	with, args, err := seenRows(ctx, tx, p, seen)
	if err != nil || with == "" {
		return err
	}
	_, err = tx.Exec(ctx, with+`DELETE FROM announcement_event WHERE (resource, announced) IN (
		SELECT e.resource, e.announced FROM w CROSS JOIN announcement_event e WHERE e.resource = w.resource AND e.announced <= w.seen)`, args...)
	if err != nil {
		return fmt.Errorf("forget what changed resources: %w", err)
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
	with, args, err := seenRows(ctx, tx, p, seen)
	if err != nil || with == "" {
		return err
	}
	_, err = tx.Exec(ctx, with+`UPDATE announcement SET seen = w.seen FROM w WHERE announcement.resource = w.resource`, args...)
	if err != nil {
		return fmt.Errorf("note observations: %w", err)
	}
	return nil
}

// seenRows returns a table w of the numbers of resources and of what was seen of each; nothing if none is known.
func seenRows(ctx context.Context, tx *db.Tx, p config.Place, seen map[config.ResourceKey]int64) (with string, args []any, err error) {
	keys := slices.SortedFunc(maps.Keys(seen), compareKeys)
	resources, ids, err := rowsOf(ctx, tx, p, keys)
	if err != nil || len(ids) == 0 {
		return "", nil, err
	}
	slices.Sort(ids)
	with, args = list{ints("resource", ids), ints("seen", collect(ids, func(id int64) int64 { return seen[resources[id]] }))}.with(tx)
	return with, args, nil
}
