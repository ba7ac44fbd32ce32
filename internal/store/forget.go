package store

import (
	"context"
	"fmt"

	"plumb/internal/config"
	"plumb/internal/db"
)

// ForgetResources deletes up to limit resources of a place with their history and
// all verdicts on them, as if nothing had ever been recorded, and returns how many
// it deleted. It is for those who test rules: nothing else forgets what is there.
func ForgetResources(ctx context.Context, tx *db.Tx, p config.Place, limit int) (int, error) {
	place, err := placeID(ctx, tx, p)
	if err != nil || place == 0 {
		return 0, err
	}
	var keys []config.ResourceKey
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		key := config.ResourceKey{Place: p}
		err := scan(&key.Type, &key.ID)
		keys = append(keys, key)
		return err
	}, `SELECT t.name, r.external_id FROM resource r JOIN resource_type t ON t.id = r.type
		WHERE r.place = ? ORDER BY r.id LIMIT ?`, place, limit)
	if err != nil {
		return 0, fmt.Errorf("read resources of %s: %w", p, err)
	}
	h, err := hold(ctx, tx, p, keys)
	if err != nil {
		return 0, err
	}
	var all []*row
	t, gone := talliesOf(tx), statusCode(config.StatusDeleted)
	for _, key := range keys {
		if r := h[key]; r != nil {
			t.lived(r, gone)
			all = append(all, r)
		}
	}
	return len(all), deleteResources(ctx, tx, all)
}
