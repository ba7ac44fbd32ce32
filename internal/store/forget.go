package store

import (
	"context"

	"plumb/internal/config"
	"plumb/internal/db"
)

// ForgetResources deletes up to limit resources of a place with their history and
// all verdicts on them, as if nothing had ever been recorded, and returns how many
// it deleted. It is for those who test rules: nothing else forgets what is there.
func ForgetResources(ctx context.Context, tx *db.Tx, p config.Place, limit int) (int, error) {
	keys, err := ResourcesEver(ctx, tx, p, config.ResourceKey{}, limit)
	if err != nil {
		return 0, err
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
