package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"plumb/internal/config"
	"plumb/internal/db"
)

// PutRecorder keeps a recorder's definition; the status of one that exists
// stays.
func PutRecorder(ctx context.Context, tx *db.Tx, r config.Recorder) error {
	def, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode recorder: %w", err)
	}
	_, err = tx.Exec(ctx, `INSERT INTO recorder (account, region, name, principal, definition, status) VALUES (?, ?, ?, ?, ?, '{}')
		ON CONFLICT (account, region, name) DO UPDATE SET definition = excluded.definition`,
		r.Account, r.Region, r.Name, r.Principal, string(def))
	if err != nil {
		return fmt.Errorf("put recorder: %w", err)
	}
	return nil
}

// DeleteRecorder forgets a recorder.
func DeleteRecorder(ctx context.Context, tx *db.Tx, r config.Recorder) error {
	_, err := tx.Exec(ctx, `DELETE FROM recorder WHERE account = ? AND region = ? AND name = ?`, r.Account, r.Region, r.Name)
	return err
}

// Recorder returns the customer managed recorder of a place and its status, or
// ErrNotFound.
func Recorder(ctx context.Context, tx *db.Tx, p config.Place) (config.Recorder, config.RecorderStatus, error) {
	var r config.Recorder
	var s config.RecorderStatus
	var def, status string
	err := tx.QueryRow(ctx, `SELECT definition, status FROM recorder WHERE account = ? AND region = ? AND principal = ''`,
		p.Account, p.Region).Scan(&def, &status)
	if errors.Is(err, db.ErrNoRows) {
		return r, s, ErrNotFound
	}
	if err != nil {
		return r, s, fmt.Errorf("read recorder of %s: %w", p, err)
	}
	return decodeBoth[config.Recorder, config.RecorderStatus](tx, def, status)
}

// Recorders returns every recorder of a place, service-linked ones included, in
// the order of their names.
func Recorders(ctx context.Context, tx *db.Tx, p config.Place) ([]config.Recorder, error) {
	var out []config.Recorder
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var def string
		var r config.Recorder
		if err := scan(&def); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(def), &r); err != nil {
			return err
		}
		out = append(out, r)
		return nil
	}, `SELECT definition FROM recorder WHERE account = ? AND region = ? ORDER BY name`, p.Account, p.Region)
	return out, err
}

// RecorderStatus returns the status of a recorder.
func RecorderStatus(ctx context.Context, tx *db.Tx, r config.Recorder) (config.RecorderStatus, error) {
	var s config.RecorderStatus
	var text string
	err := tx.QueryRow(ctx, `SELECT status FROM recorder WHERE account = ? AND region = ? AND name = ?`,
		r.Account, r.Region, r.Name).Scan(&text)
	if errors.Is(err, db.ErrNoRows) {
		return s, ErrNotFound
	}
	if err != nil {
		return s, err
	}
	err = json.Unmarshal([]byte(text), &s)
	return s, err
}

// SetRecorderStatus replaces the status of a recorder.
func SetRecorderStatus(ctx context.Context, tx *db.Tx, r config.Recorder, s config.RecorderStatus) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE recorder SET status = ? WHERE account = ? AND region = ? AND name = ?`,
		string(text), r.Account, r.Region, r.Name)
	return err
}

// decodeBoth decodes a definition, which is read much more often than it changes,
// and a status.
func decodeBoth[D, S any](tx *db.Tx, definition, status string) (d D, s S, err error) {
	if d, err = db.Decoded(tx, definition, func(text []byte, d *D) error { return json.Unmarshal(text, d) }); err != nil {
		return d, s, fmt.Errorf("decode definition: %w", err)
	}
	if err := json.Unmarshal([]byte(status), &s); err != nil {
		return d, s, fmt.Errorf("decode status: %w", err)
	}
	return d, s, nil
}
