package store

import (
	"context"
	"fmt"

	"plumb/internal/config"
	"plumb/internal/db"
)

// Tags returns the tags of an object of AWS Config (a rule, a recorder) by its
// ARN.
func Tags(ctx context.Context, tx *db.Tx, p config.Place, arn string) (map[string]string, error) {
	tags := map[string]string{}
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var k, v string
		if err := scan(&k, &v); err != nil {
			return err
		}
		tags[k] = v
		return nil
	}, `SELECT key, value FROM tag WHERE account = ? AND region = ? AND arn = ?`, p.Account, p.Region, arn)
	if err != nil {
		return nil, fmt.Errorf("read tags of %s: %w", arn, err)
	}
	return tags, nil
}

// PutTags adds tags or overwrites their values.
func PutTags(ctx context.Context, tx *db.Tx, p config.Place, arn string, tags map[string]string) error {
	for k, v := range tags {
		_, err := tx.Exec(ctx, `INSERT INTO tag (account, region, arn, key, value) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (account, region, arn, key) DO UPDATE SET value = excluded.value`, p.Account, p.Region, arn, k, v)
		if err != nil {
			return fmt.Errorf("tag %s: %w", arn, err)
		}
	}
	return nil
}

// DeleteTags removes tags by their keys; all of them if keys is nil.
func DeleteTags(ctx context.Context, tx *db.Tx, p config.Place, arn string, keys []string) error {
	query, args := `DELETE FROM tag WHERE account = ? AND region = ? AND arn = ?`, []any{p.Account, p.Region, arn}
	if keys != nil {
		in, k := db.In(keys)
		query, args = query+` AND key IN `+in, append(args, k...)
	}
	if _, err := tx.Exec(ctx, query, args...); err != nil {
		return fmt.Errorf("untag %s: %w", arn, err)
	}
	return nil
}
