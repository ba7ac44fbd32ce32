package store

import (
	"context"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
)

// ResourcesOf returns the resources of some types that were ever recorded, of all
// types if none is named, as ResourcesEver does.
func ResourcesOf(ctx context.Context, tx *db.Tx, p config.Place, types []string, after config.ResourceKey, limit int) ([]config.ResourceKey, error) {
	return walkKeys(ctx, tx, p, types, "", after, limit)
}

// Past returns the items that a resource had from a time on, oldest first: the one
// that was its newest then, and those that came later. after is the state id of the
// last one that was returned, 0 for none. Configurations are decoded.
func Past(ctx context.Context, tx *db.Tx, key config.ResourceKey, from time.Time, after int64, limit int) ([]config.Item, error) {
	return itemsOf(ctx, tx, key, decodedItem, func(resource int64) ([]entry, error) {
		first := from.UnixMilli()
		if after != 0 {
			return oldestFirst(ctx, tx, span{resource, max(first, after) + 1, maxStateID}, limit)
		}
		then, err := newestFirst(ctx, tx, span{resource, 0, first}, 1)
		if err != nil || limit <= len(then) {
			return then, err
		}
		later, err := oldestFirst(ctx, tx, span{resource, first + 1, maxStateID}, limit-len(then))
		return append(then, later...), err
	})
}
