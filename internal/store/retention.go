package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
)

// PutRetention keeps how long the items of a place are kept.
func PutRetention(ctx context.Context, tx *db.Tx, r config.RetentionConfiguration) error {
	place, err := makePlace(ctx, tx, r.Place)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO retention (place, name, days, expired) VALUES (?, ?, ?, 0)
		ON CONFLICT (place) DO UPDATE SET name = excluded.name, days = excluded.days`, place, r.Name, r.Days)
	if err != nil {
		return fmt.Errorf("put retention of %s: %w", r.Place, err)
	}
	return nil
}

// Retention returns how long the items of a place are kept, or ErrNotFound where
// nobody said.
func Retention(ctx context.Context, tx *db.Tx, p config.Place) (config.RetentionConfiguration, error) {
	r := config.RetentionConfiguration{Place: p}
	place, err := placeID(ctx, tx, p)
	if err != nil {
		return r, err
	}
	err = tx.QueryRow(ctx, `SELECT name, days FROM retention WHERE place = ?`, place).Scan(&r.Name, &r.Days)
	if errors.Is(err, db.ErrNoRows) {
		return r, ErrNotFound
	}
	if err != nil {
		return r, fmt.Errorf("read retention of %s: %w", p, err)
	}
	return r, nil
}

// DeleteRetention has the items of a place kept for the default time, or returns
// ErrNotFound where that was so before.
func DeleteRetention(ctx context.Context, tx *db.Tx, p config.Place) error {
	place, err := placeID(ctx, tx, p)
	if err != nil {
		return err
	}
	n, err := tx.Exec(ctx, `DELETE FROM retention WHERE place = ?`, place)
	if err != nil {
		return fmt.Errorf("delete retention of %s: %w", p, err)
	}
	if n == 0 {
		return ErrNotFound
	}
	return nil
}

// Kept is how long the items of a place are kept.
type Kept struct {
	Place config.Place
	Days  int

	id      int64
	expired int64 // what is older than that state id was deleted
}

// Before returns the time that nothing has to be known of any more.
func (k Kept) Before(now time.Time) time.Time { return now.AddDate(0, 0, -k.Days) }

// AllKept returns up to limit places after the given one, in an order of its own,
// and how long their items are kept.
func AllKept(ctx context.Context, tx *db.Tx, after config.Place, limit int) ([]Kept, error) {
	last, err := placeID(ctx, tx, after)
	if err != nil {
		return nil, err
	}
	var out []Kept
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		var k Kept
		err := scan(&k.id, &k.Place.Account, &k.Place.Region, &k.Days, &k.expired)
		out = append(out, k)
		return err
	}, `SELECT p.id, p.account, p.region, coalesce(t.days, ?), coalesce(t.expired, 0)
		FROM place p LEFT JOIN retention t ON t.place = p.id WHERE p.id > ? ORDER BY p.id LIMIT ?`, config.DefaultRetention, last, limit)
	if err != nil {
		return nil, fmt.Errorf("read how long items are kept: %w", err)
	}
	return out, nil
}

// EnsureRetentionRun notes when the next run is, and reports whether nobody had
// noted it.
func EnsureRetentionRun(ctx context.Context, tx *db.Tx, at time.Time) (bool, error) {
	n, err := tx.Exec(ctx, `INSERT INTO retention_run (id, next) VALUES (1, ?) ON CONFLICT DO NOTHING`, db.Micros(at))
	if err != nil {
		return false, fmt.Errorf("note the next retention run: %w", err)
	}
	return n > 0, nil
}

// MoveRetentionRun notes when the run after that one is, and reports whether that
// one was the next.
func MoveRetentionRun(ctx context.Context, tx *db.Tx, from, to time.Time) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE retention_run SET next = ? WHERE id = 1 AND next = ?`, db.Micros(to), db.Micros(from))
	if err != nil {
		return false, fmt.Errorf("note the next retention run: %w", err)
	}
	return n > 0, nil
}
