package store

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"plumb/internal/config"
	"plumb/internal/db"
)

// Tags returns the tags of an object of AWS Config (a rule, a recorder) by its
// ARN.
func Tags(ctx context.Context, tx *db.Tx, p config.Place, arn string) (map[string]string, error) {
	tags := map[string]string{}
	place, err := placeID(ctx, tx, p)
	if err != nil || place == 0 {
		return tags, err
	}
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		var k, v string
		if err := scan(&k, &v); err != nil {
			return err
		}
		tags[k] = v
		return nil
	}, `SELECT key, value FROM tag WHERE place = ? AND arn = ?`, place, arn)
	if err != nil {
		return nil, fmt.Errorf("read tags of %s: %w", arn, err)
	}
	return tags, nil
}

// PutTags adds tags or overwrites their values.
func PutTags(ctx context.Context, tx *db.Tx, p config.Place, arn string, tags map[string]string) error {
	if len(tags) == 0 {
		return nil
	}
	place, err := makePlace(ctx, tx, p)
	if err != nil {
		return err
	}
	keys := slices.Sorted(maps.Keys(tags))
	with, args := list{texts("key", keys), texts("value", collect(keys, func(k string) string { return tags[k] }))}.with(tx)
	_, err = tx.Exec(ctx, with+`INSERT INTO tag (place, arn, key, value) SELECT `+placeholder(tx)+`, `+textPlaceholder(tx)+`, key, value FROM w WHERE true
		ON CONFLICT (place, arn, key) DO UPDATE SET value = excluded.value`, append(args, place, arn)...)
	if err != nil {
		return fmt.Errorf("tag %s: %w", arn, err)
	}
	return nil
}

// DeleteTags removes tags by their keys; all of them if keys is nil.
func DeleteTags(ctx context.Context, tx *db.Tx, p config.Place, arn string, keys []string) error {
	place, err := placeID(ctx, tx, p)
	if err != nil || place == 0 {
		return err
	}
	query, args := `DELETE FROM tag WHERE place = ? AND arn = ?`, []any{place, arn}
	if keys != nil {
		in, k := db.In(keys)
		query, args = query+` AND key IN `+in, append(args, k...)
	}
	if _, err := tx.Exec(ctx, query, args...); err != nil {
		return fmt.Errorf("untag %s: %w", arn, err)
	}
	return nil
}
