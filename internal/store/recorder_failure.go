package store

import (
	"context"
	"fmt"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
)

// A ReadingFailure is a type of a place whose last reading failed.
type ReadingFailure struct {
	Type, Code, Message string
	Since               time.Time // of the first failure after the last success
}

// PutReadingFailure notes that a reading failed. Since stays that of the first
// failure in a row.
func PutReadingFailure(ctx context.Context, tx *db.Tx, p config.Place, f ReadingFailure) error {
	place, err := makePlace(ctx, tx, p)
	if err != nil {
		return err
	}
	types, err := makeTypes(ctx, tx, []string{f.Type})
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO recorder_failure (place, type, code, message, since) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (place, type) DO UPDATE SET code = excluded.code, message = excluded.message`,
		place, types[f.Type], f.Code, f.Message, db.Micros(f.Since))
	if err != nil {
		return fmt.Errorf("note that %s could not be read: %w", f.Type, err)
	}
	return nil
}

// ClearReadingFailure notes that a reading succeeded.
func ClearReadingFailure(ctx context.Context, tx *db.Tx, p config.Place, resourceType string) error {
	place, kind, err := placeAndType(ctx, tx, p, resourceType)
	if err != nil || place == 0 || kind == 0 {
		return err
	}
	if _, err := tx.Exec(ctx, `DELETE FROM recorder_failure WHERE place = ? AND type = ?`, place, kind); err != nil {
		return fmt.Errorf("note that %s was read: %w", resourceType, err)
	}
	return nil
}

// ReadingFailures returns the types of a place whose last reading failed, by
// name.
func ReadingFailures(ctx context.Context, tx *db.Tx, p config.Place) ([]ReadingFailure, error) {
	place, err := placeID(ctx, tx, p)
	if err != nil || place == 0 {
		return nil, err
	}
	var out []ReadingFailure
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		var f ReadingFailure
		var since int64
		err := scan(&f.Type, &f.Code, &f.Message, &since)
		f.Since = db.Time(since)
		out = append(out, f)
		return err
	}, `SELECT t.name, f.code, f.message, f.since FROM recorder_failure f JOIN resource_type t ON t.id = f.type
		WHERE f.place = ? ORDER BY t.name`, place)
	if err != nil {
		return nil, fmt.Errorf("read what could not be read in %s: %w", p, err)
	}
	return out, nil
}
