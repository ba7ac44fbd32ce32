package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
)

// A Reading is how the reading of one type in a place goes.
type Reading struct {
	Type      string
	Token     int64     // of the reading that is under way, which its job carries; 0 if none is
	Asked     time.Time // when its job was inserted, by the machine's clock; zero while it waits for others
	Late      bool      // it waits for all others
	Inventory bool      // the first complete reading since the recorder started is still to come
	Completed time.Time // when the last complete reading began; zero if never
	Failing   time.Time // since when readings fail; zero if the last one did not
	Code      string    // of the failure
	Message   string
}

const readingColumns = `r.token, r.asked, r.late, r.inventory, r.completed, r.failing, r.code, r.message`

func scanReading(scan func(...any) error, r *Reading, before ...any) error {
	var asked, completed, failing int64
	err := scan(append(before, &r.Token, &asked, &r.Late, &r.Inventory, &completed, &failing, &r.Code, &r.Message)...)
	r.Asked, r.Completed, r.Failing = db.Time(asked), db.Time(completed), db.Time(failing)
	return err
}

// Readings returns the readings of a place, by type.
func Readings(ctx context.Context, tx *db.Tx, p config.Place) ([]Reading, error) {
	place, err := placeID(ctx, tx, p)
	if err != nil || place == 0 {
		return nil, err
	}
	var out []Reading
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		var r Reading
		err := scanReading(scan, &r, &r.Type)
		out = append(out, r)
		return err
	}, `SELECT t.name, `+readingColumns+` FROM reading r JOIN resource_type t ON t.id = r.type
		WHERE r.place = ? ORDER BY t.name`, place)
	if err != nil {
		return nil, fmt.Errorf("read the readings of %s: %w", p, err)
	}
	return out, nil
}

// EachReading calls f with the readings of all places.
func EachReading(ctx context.Context, tx *db.Tx, f func(config.Place, Reading)) error {
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var p config.Place
		var r Reading
		if err := scanReading(scan, &r, &p.Account, &p.Region, &r.Type); err != nil {
			return err
		}
		f(p, r)
		return nil
	}, `SELECT p.account, p.region, t.name, `+readingColumns+` FROM reading r
		JOIN place p ON p.id = r.place JOIN resource_type t ON t.id = r.type`)
	if err != nil {
		return fmt.Errorf("read all readings: %w", err)
	}
	return nil
}

// PutReading keeps how the reading of a type goes.
func PutReading(ctx context.Context, tx *db.Tx, p config.Place, r Reading) error {
	place, err := makePlace(ctx, tx, p)
	if err != nil {
		return err
	}
	types, err := makeTypes(ctx, tx, []string{r.Type})
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO reading (place, type, token, asked, late, inventory, completed, failing, code, message)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (place, type) DO UPDATE SET token = excluded.token, asked = excluded.asked, late = excluded.late,
		inventory = excluded.inventory, completed = excluded.completed, failing = excluded.failing, code = excluded.code,
		message = excluded.message`,
		place, types[r.Type], r.Token, db.Micros(r.Asked), r.Late, r.Inventory, db.Micros(r.Completed), db.Micros(r.Failing),
		r.Code, r.Message)
	if err != nil {
		return fmt.Errorf("keep the reading of %s in %s: %w", r.Type, p, err)
	}
	return nil
}

// DeleteReading removes a type that is not read any more.
func DeleteReading(ctx context.Context, tx *db.Tx, p config.Place, resourceType string) error {
	place, kind, err := placeAndType(ctx, tx, p, resourceType)
	if err != nil || place == 0 || kind == 0 {
		return err
	}
	if _, err := tx.Exec(ctx, `DELETE FROM reading WHERE place = ? AND type = ?`, place, kind); err != nil {
		return fmt.Errorf("delete the reading of %s in %s: %w", resourceType, p, err)
	}
	return nil
}

// A Poll is the one poll of a place that is to come.
type Poll struct {
	Generation int64 // of the recorder
	Due        time.Time
}

// NextPoll returns the poll that is to come; ErrNotFound if none is.
func NextPoll(ctx context.Context, tx *db.Tx, p config.Place) (Poll, error) {
	var next Poll
	place, err := placeID(ctx, tx, p)
	if err != nil {
		return next, err
	}
	var due int64
	err = tx.QueryRow(ctx, `SELECT generation, due FROM recorder_poll WHERE place = ?`, place).Scan(&next.Generation, &due)
	if errors.Is(err, db.ErrNoRows) {
		return next, ErrNotFound
	}
	if err != nil {
		return next, fmt.Errorf("read the next poll of %s: %w", p, err)
	}
	next.Due = db.Time(due)
	return next, nil
}

// SetNextPoll replaces the poll that is to come.
func SetNextPoll(ctx context.Context, tx *db.Tx, p config.Place, next Poll) error {
	place, err := makePlace(ctx, tx, p)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO recorder_poll (place, generation, due) VALUES (?, ?, ?)
		ON CONFLICT (place) DO UPDATE SET generation = excluded.generation, due = excluded.due`,
		place, next.Generation, db.Micros(next.Due))
	if err != nil {
		return fmt.Errorf("keep the next poll of %s: %w", p, err)
	}
	return nil
}

// DeleteNextPoll removes the poll that is to come, if one is.
func DeleteNextPoll(ctx context.Context, tx *db.Tx, p config.Place) error {
	place, err := placeID(ctx, tx, p)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `DELETE FROM recorder_poll WHERE place = ?`, place); err != nil {
		return fmt.Errorf("delete the next poll of %s: %w", p, err)
	}
	return nil
}

// ReadingOf is how the reading of a type in a place goes; it is empty if nobody reads the type.
func ReadingOf(ctx context.Context, tx *db.Tx, p config.Place, resourceType string) (Reading, error) {
	r := Reading{Type: resourceType}
	place, kind, err := placeAndType(ctx, tx, p, resourceType)
	if err != nil || place == 0 || kind == 0 {
		return r, err
	}
	row := tx.QueryRow(ctx, `SELECT `+readingColumns+` FROM reading r WHERE r.place = ? AND r.type = ?`, place, kind)
	if err := scanReading(row.Scan, &r); err != nil && !errors.Is(err, db.ErrNoRows) {
		return r, fmt.Errorf("read the reading of %s in %s: %w", resourceType, p, err)
	}
	return r, nil
}
