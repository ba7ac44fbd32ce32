package store

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"plumb/internal/config"
	"plumb/internal/db"
)

// Beside the verdicts on a resource stand digests of what rules found:
// compliance keeps in them what need not be compared with the verdicts again.
// Whoever changes verdicts in another way deletes the digests, and nothing else
// is lost by that.

// VerdictDigests returns the digests of resources that have some.
func VerdictDigests(ctx context.Context, tx *db.Tx, p config.Place, keys []config.ResourceKey) (map[config.ResourceKey][]byte, error) {
	out := make(map[config.ResourceKey][]byte, len(keys))
	resources, ids, err := rowsOf(ctx, tx, p, keys)
	if err != nil || len(ids) == 0 {
		return out, err
	}
	with, args := list{ints("resource", ids)}.with(tx)
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		var id int64
		var digests []byte
		err := scan(&id, &digests)
		out[resources[id]] = digests
		return err
	}, with+`SELECT d.resource, d.digests FROM w CROSS JOIN verdict_digest d WHERE d.resource = w.resource`, args...)
	if err != nil {
		return nil, fmt.Errorf("read verdict digests: %w", err)
	}
	return out, nil
}

// PutVerdictDigests keeps digests in place of the former ones.
func PutVerdictDigests(ctx context.Context, tx *db.Tx, p config.Place, digests map[config.ResourceKey][]byte) error {
	keys := slices.SortedFunc(maps.Keys(digests), compareKeys)
	resources, ids, err := rowsOf(ctx, tx, p, keys)
	if err != nil || len(ids) == 0 {
		return err
	}
	slices.Sort(ids)
	with, args := list{ints("resource", ids), blobs("digests", collect(ids, func(id int64) []byte { return digests[resources[id]] }))}.with(tx)
	_, err = tx.Exec(ctx, with+`INSERT INTO verdict_digest (resource, digests) SELECT resource, digests FROM w WHERE true
		ON CONFLICT (resource) DO UPDATE SET digests = excluded.digests`, args...)
	if err != nil {
		return fmt.Errorf("keep verdict digests: %w", err)
	}
	return nil
}

// DeleteVerdictDigests deletes the digests of resources.
func DeleteVerdictDigests(ctx context.Context, tx *db.Tx, p config.Place, keys []config.ResourceKey) error {
	_, ids, err := rowsOf(ctx, tx, p, keys)
	if err != nil {
		return err
	}
	if err := deleteOf(ctx, tx, "verdict_digest", ids); err != nil {
		return fmt.Errorf("delete verdict digests: %w", err)
	}
	return nil
}

// deleteDigestsIn deletes the digests of all resources of a place.
func deleteDigestsIn(ctx context.Context, tx *db.Tx, p config.Place) error {
	kinds, err := typesIn(ctx, tx, p)
	if err != nil {
		return err
	}
	place, err := placeID(ctx, tx, p)
	if err != nil {
		return err
	}
	for _, k := range kinds {
		_, err := tx.Exec(ctx, `DELETE FROM verdict_digest WHERE resource IN (SELECT id FROM resource WHERE type = ? AND place = ?)`, k.id, place)
		if err != nil {
			return fmt.Errorf("delete verdict digests: %w", err)
		}
	}
	return nil
}
