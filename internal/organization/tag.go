package organization

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"plumb/internal/db"
	"plumb/internal/model/organizationsapi"
)

// Taggable returns TargetNotFoundException for what is neither a member, a unit
// nor the root.
func Taggable(ctx context.Context, tx *db.Tx, o Organization, id string) error {
	_, err := Find(ctx, tx, o, id)
	if !notFound(err) {
		return err
	}
	if err := parentExists(ctx, tx, o, id); err != errNoParent {
		return err
	}
	return organizationsapi.TargetNotFoundException("You specified a target that doesn't exist.")
}

// Tags returns the tags of an account, a unit or the root.
func Tags(ctx context.Context, tx *db.Tx, o Organization, id string) (map[string]string, error) {
	out := map[string]string{}
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var k, v string
		err := scan(&k, &v)
		out[k] = v
		return err
	}, `SELECT key, value FROM organization_tag WHERE organization = ? AND resource = ?`, o.ID, id)
	if err != nil {
		return nil, fmt.Errorf("read the tags of %s: %w", id, err)
	}
	return out, nil
}

// PutTags adds tags or overwrites their values.
func PutTags(ctx context.Context, tx *db.Tx, o Organization, id string, tags map[string]string) error {
	if len(tags) == 0 {
		return nil
	}
	all, err := Tags(ctx, tx, o, id)
	if err != nil {
		return err
	}
	maps.Copy(all, tags)
	if len(all) > maxTags {
		return violation("MAX_TAG_LIMIT_EXCEEDED", "You have exceeded the number of tags allowed on a resource, %d.", maxTags)
	}
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		_, err := tx.Exec(ctx, `INSERT INTO organization_tag (organization, resource, key, value) VALUES (?, ?, ?, ?)
			ON CONFLICT (organization, resource, key) DO UPDATE SET value = excluded.value`, o.ID, id, k, tags[k])
		if err != nil {
			return fmt.Errorf("tag %s: %w", id, err)
		}
	}
	return nil
}

// DeleteTags removes tags by their keys; all of them if keys is nil.
func DeleteTags(ctx context.Context, tx *db.Tx, o Organization, id string, keys []string) error {
	query, args := `DELETE FROM organization_tag WHERE organization = ? AND resource = ?`, []any{o.ID, id}
	if keys != nil {
		in, k := db.In(keys)
		query, args = query+` AND key IN `+in, append(args, k...)
	}
	if _, err := tx.Exec(ctx, query, args...); err != nil {
		return fmt.Errorf("untag %s: %w", id, err)
	}
	return nil
}
