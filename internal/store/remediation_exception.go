package store

import (
	"context"
	"fmt"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
)

// PutRemediationException keeps an exception.
func PutRemediationException(ctx context.Context, tx *db.Tx, e config.RemediationException) error {
	place, err := makePlace(ctx, tx, e.Place)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO remediation_exception (place, rule, type, id, message, expires) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (place, rule, type, id) DO UPDATE SET message = excluded.message, expires = excluded.expires`,
		place, e.Rule, e.ResourceType, e.ResourceID, e.Message, db.Micros(e.Expires))
	if err != nil {
		return fmt.Errorf("put exception of %s: %w", e.Rule, err)
	}
	return nil
}

// RemediationExceptions returns up to limit exceptions of a rule after a resource,
// by type and id. Those that have expired are left out.
func RemediationExceptions(ctx context.Context, tx *db.Tx, p config.Place, rule string, after config.ResourceKey, now time.Time, limit int) (
	[]config.RemediationException, error,
) {
	place, err := placeID(ctx, tx, p)
	if err != nil || place == 0 {
		return nil, err
	}
	var out []config.RemediationException
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		e := config.RemediationException{Place: p, Rule: rule}
		var expires int64
		err := scan(&e.ResourceType, &e.ResourceID, &e.Message, &expires)
		if expires != 0 {
			e.Expires = db.Time(expires)
		}
		out = append(out, e)
		return err
	}, `SELECT type, id, message, expires FROM remediation_exception
		WHERE place = ? AND rule = ? AND (type, id) > (?, ?) AND (expires = 0 OR expires > ?) ORDER BY type, id LIMIT ?`,
		place, rule, after.Type, after.ID, db.Micros(now), limit)
	if err != nil {
		return nil, fmt.Errorf("read exceptions of %s: %w", rule, err)
	}
	return out, nil
}

// RemediationExceptionOf returns the exception of a resource, or ErrNotFound where
// none holds.
func RemediationExceptionOf(ctx context.Context, tx *db.Tx, rule string, key config.ResourceKey, now time.Time) (config.RemediationException, error) {
	place, err := placeID(ctx, tx, key.Place)
	if err != nil {
		return config.RemediationException{}, err
	}
	found := config.RemediationException{Place: key.Place, Rule: rule, ResourceType: key.Type, ResourceID: key.ID}
	n := 0
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		var expires int64
		n++
		err := scan(&found.Message, &expires)
		if expires != 0 {
			found.Expires = db.Time(expires)
		}
		return err
	}, `SELECT message, expires FROM remediation_exception
		WHERE place = ? AND rule = ? AND type = ? AND id = ? AND (expires = 0 OR expires > ?)`, place, rule, key.Type, key.ID, db.Micros(now))
	if err != nil {
		return found, fmt.Errorf("read the exception of %s: %w", key, err)
	}
	if n == 0 {
		return found, ErrNotFound
	}
	return found, nil
}

// DeleteRemediationException forgets an exception; one that expired may be there
// still.
func DeleteRemediationException(ctx context.Context, tx *db.Tx, rule string, key config.ResourceKey) error {
	place, err := placeID(ctx, tx, key.Place)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `DELETE FROM remediation_exception WHERE place = ? AND rule = ? AND type = ? AND id = ?`, place, rule, key.Type, key.ID)
	if err != nil {
		return fmt.Errorf("delete the exception of %s: %w", key, err)
	}
	return nil
}
