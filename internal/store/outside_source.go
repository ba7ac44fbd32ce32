package store

import (
	"context"
	"fmt"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
)

// An OutsideSource says what was read last of a place whose AWS Config is elsewhere.
type OutsideSource struct {
	config.Place
	Succeeded time.Time // the last reading that did; zero if none
	Code      string    // why the last one failed; empty if it did not
	Message   string
}

// BeginOutside notes that a place is being read, and reports whether nobody else has
// been reading it since then.
func BeginOutside(ctx context.Context, tx *db.Tx, p config.Place, now, since time.Time) (bool, error) {
	place, err := makePlace(ctx, tx, p)
	if err != nil {
		return false, err
	}
	n, err := tx.Exec(ctx, `INSERT INTO outside_source (place, began, succeeded, code, message) VALUES (?, ?, 0, '', '')
		ON CONFLICT (place) DO UPDATE SET began = excluded.began WHERE outside_source.began < ?`, place, db.Micros(now), db.Micros(since))
	if err != nil {
		return false, fmt.Errorf("begin to read %s: %w", p, err)
	}
	return n > 0, nil
}

// EndOutside keeps how the reading of a place ended. One that failed leaves standing
// when the last one succeeded.
func EndOutside(ctx context.Context, tx *db.Tx, s OutsideSource) error {
	place, err := makePlace(ctx, tx, s.Place)
	if err != nil {
		return err
	}
	succeeded := int64(0)
	if !s.Succeeded.IsZero() {
		succeeded = db.Micros(s.Succeeded)
	}
	_, err = tx.Exec(ctx, `UPDATE outside_source SET began = 0, succeeded = CASE WHEN succeeded > ? THEN succeeded ELSE ? END, code = ?, message = ?
		WHERE place = ?`, succeeded, succeeded, s.Code, s.Message, place)
	if err != nil {
		return fmt.Errorf("end the reading of %s: %w", s.Place, err)
	}
	return nil
}

// OutsideSources returns what was read of places of accounts.
func OutsideSources(ctx context.Context, tx *db.Tx, accounts []string) (map[config.Place]OutsideSource, error) {
	out := map[config.Place]OutsideSource{}
	if len(accounts) == 0 {
		return out, nil
	}
	in, args := db.In(accounts)
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var s OutsideSource
		var succeeded int64
		err := scan(&s.Account, &s.Region, &succeeded, &s.Code, &s.Message)
		if succeeded > 0 {
			s.Succeeded = db.Time(succeeded)
		}
		out[s.Place] = s
		return err
	}, `SELECT p.account, p.region, o.succeeded, o.code, o.message FROM place p CROSS JOIN outside_source o
		WHERE p.account IN `+in+` AND o.place = p.id`, args...)
	if err != nil {
		return nil, fmt.Errorf("read what was read of accounts elsewhere: %w", err)
	}
	return out, nil
}

// EnsureOutsidePlan notes that the reading of accounts elsewhere is planned. It reports
// whether it was not.
func EnsureOutsidePlan(ctx context.Context, tx *db.Tx) (bool, error) {
	n, err := tx.Exec(ctx, `INSERT INTO outside_plan (id) VALUES (1) ON CONFLICT DO NOTHING`)
	if err != nil {
		return false, fmt.Errorf("note that accounts elsewhere are read: %w", err)
	}
	return n > 0, nil
}

// ForgetOutsidePlan is for a server that reads no accounts elsewhere any more.
func ForgetOutsidePlan(ctx context.Context, tx *db.Tx) error {
	_, err := tx.Exec(ctx, `DELETE FROM outside_plan`)
	return err
}

// EveryAggregator returns the aggregators of all places, without the accounts of
// their sources.
func EveryAggregator(ctx context.Context, tx *db.Tx) ([]config.Aggregator, error) {
	return scanAggregators(ctx, tx, `a.id > 0 ORDER BY a.id`)
}
