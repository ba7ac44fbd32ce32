package store

import (
	"context"
	"fmt"

	"plumb/internal/config"
	"plumb/internal/db"
)

// An Announcement is how many changes of a resource its service announced, and
// how many of them had happened when the newest sight of it was taken that was
// recorded, or found to be no change.
type Announcement struct {
	Announced, Seen int64
}

// Announce counts an announced change.
func Announce(ctx context.Context, tx *db.Tx, key config.ResourceKey) error {
	_, err := tx.Exec(ctx, `INSERT INTO announcement (account, region, type, id, announced, seen) VALUES (?, ?, ?, ?, 1, 0)
		ON CONFLICT (account, region, type, id) DO UPDATE SET announced = announcement.announced + 1`,
		key.Account, key.Region, key.Type, key.ID)
	if err != nil {
		return fmt.Errorf("count announcement of %s: %w", key, err)
	}
	return nil
}

// Announcements returns the counts of those keys that were ever announced. All
// are of one place.
func Announcements(ctx context.Context, tx *db.Tx, p config.Place, keys []config.ResourceKey) (map[config.ResourceKey]Announcement, error) {
	out := make(map[config.ResourceKey]Announcement, len(keys))
	if len(keys) == 0 {
		return out, nil
	}
	with, args := wanted(keys)
	return out, readAnnouncements(ctx, tx, p, out, with+`SELECT a.type, a.id, a.announced, a.seen FROM wanted w CROSS JOIN announcement a
		WHERE a.account = ? AND a.region = ? AND a.type = w.type AND a.id = w.id`, append(args, p.Account, p.Region)...)
}

// AnnouncementsOfType returns the counts of all resources of a type.
func AnnouncementsOfType(ctx context.Context, tx *db.Tx, p config.Place, resourceType string) (map[config.ResourceKey]Announcement, error) {
	out := map[config.ResourceKey]Announcement{}
	return out, readAnnouncements(ctx, tx, p, out,
		`SELECT type, id, announced, seen FROM announcement WHERE account = ? AND region = ? AND type = ?`, p.Account, p.Region, resourceType)
}

func readAnnouncements(
	ctx context.Context, tx *db.Tx, p config.Place, out map[config.ResourceKey]Announcement, query string, args ...any,
) error {
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		k := config.ResourceKey{Place: p}
		var a Announcement
		if err := scan(&k.Type, &k.ID, &a.Announced, &a.Seen); err != nil {
			return err
		}
		out[k] = a
		return nil
	}, query, args...)
	if err != nil {
		return fmt.Errorf("read announcements: %w", err)
	}
	return nil
}

// SetSeen notes that a resource was looked at after that many announcements.
func SetSeen(ctx context.Context, tx *db.Tx, key config.ResourceKey, seen int64) error {
	_, err := tx.Exec(ctx, `UPDATE announcement SET seen = ? WHERE account = ? AND region = ? AND type = ? AND id = ?`,
		seen, key.Account, key.Region, key.Type, key.ID)
	if err != nil {
		return fmt.Errorf("note sight of %s: %w", key, err)
	}
	return nil
}
