package store

import (
	"context"
	"errors"
	"fmt"

	"plumb/internal/config"
	"plumb/internal/db"
)

// PutRecorder keeps a recorder's definition; the status of one that exists
// stays.
func PutRecorder(ctx context.Context, tx *db.Tx, r config.Recorder) error {
	def, err := encoded(fromRecorder(r))
	if err != nil {
		return err
	}
	place, err := makePlace(ctx, tx, r.Place)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO recorder (place, name, principal, definition) VALUES (?, ?, ?, ?)
		ON CONFLICT (place, name) DO UPDATE SET definition = excluded.definition`, place, r.Name, r.Principal, def)
	if err != nil {
		return fmt.Errorf("put recorder: %w", err)
	}
	_, err = tx.Exec(ctx, `INSERT INTO recorder_status (place, name, recording, last_status, error_code, error_message,
		started, stopped, changed, generation)
		VALUES (?, ?, ?, '', '', '', 0, 0, 0, 0) ON CONFLICT DO NOTHING`, place, r.Name, false)
	if err != nil {
		return fmt.Errorf("put recorder status: %w", err)
	}
	return nil
}

// DeleteRecorder forgets a recorder.
func DeleteRecorder(ctx context.Context, tx *db.Tx, r config.Recorder) error {
	place, err := placeID(ctx, tx, r.Place)
	if err != nil {
		return err
	}
	for _, table := range []string{"recorder", "recorder_status"} {
		if _, err := tx.Exec(ctx, `DELETE FROM `+table+` WHERE place = ? AND name = ?`, place, r.Name); err != nil {
			return fmt.Errorf("delete recorder: %w", err)
		}
	}
	return nil
}

// Recorder returns the customer managed recorder of a place and its status, or
// ErrNotFound.
func Recorder(ctx context.Context, tx *db.Tx, p config.Place) (config.Recorder, config.RecorderStatus, error) {
	var r config.Recorder
	var s config.RecorderStatus
	place, err := placeID(ctx, tx, p)
	if err != nil {
		return r, s, err
	}
	var name, def string
	s, err = scanRecorderStatus(tx.QueryRow(ctx, `SELECT r.name, r.definition, `+recorderStatusColumns+`
		FROM recorder r JOIN recorder_status s ON s.place = r.place AND s.name = r.name
		WHERE r.place = ? AND r.principal = ''`, place), &name, &def)
	if errors.Is(err, db.ErrNoRows) {
		return r, s, ErrNotFound
	}
	if err != nil {
		return r, s, fmt.Errorf("read recorder of %s: %w", p, err)
	}
	form, err := decoded[storedRecorder](tx, def)
	r = form.toRecorder()
	r.Place, r.Name = p, name
	return r, s, err
}

// Recorders returns every recorder of a place, service-linked ones included, in
// the order of their names.
func Recorders(ctx context.Context, tx *db.Tx, p config.Place) ([]config.Recorder, error) {
	place, err := placeID(ctx, tx, p)
	if err != nil || place == 0 {
		return nil, err
	}
	var out []config.Recorder
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		var name, principal, def string
		if err := scan(&name, &principal, &def); err != nil {
			return err
		}
		form, err := decoded[storedRecorder](tx, def)
		r := form.toRecorder()
		r.Place, r.Name, r.Principal = p, name, principal
		out = append(out, r)
		return err
	}, `SELECT name, principal, definition FROM recorder WHERE place = ? ORDER BY name`, place)
	if err != nil {
		return nil, fmt.Errorf("read recorders of %s: %w", p, err)
	}
	return out, nil
}

const recorderStatusColumns = `s.recording, s.last_status, s.error_code, s.error_message, s.started, s.stopped, s.changed,
	s.generation`

func scanRecorderStatus(row db.Row, before ...any) (config.RecorderStatus, error) {
	var s config.RecorderStatus
	var started, stopped, changed int64
	err := row.Scan(append(before, &s.Recording, &s.LastStatus, &s.ErrorCode, &s.ErrorMessage, &started, &stopped, &changed,
		&s.Generation)...)
	s.Start, s.Stop, s.Changed = db.Time(started), db.Time(stopped), db.Time(changed)
	return s, err
}

// RecorderStatus returns the status of a recorder, or ErrNotFound.
func RecorderStatus(ctx context.Context, tx *db.Tx, r config.Recorder) (config.RecorderStatus, error) {
	place, err := placeID(ctx, tx, r.Place)
	if err != nil {
		return config.RecorderStatus{}, err
	}
	s, err := scanRecorderStatus(tx.QueryRow(ctx, `SELECT `+recorderStatusColumns+` FROM recorder_status s
		WHERE s.place = ? AND s.name = ?`, place, r.Name))
	if errors.Is(err, db.ErrNoRows) {
		return s, ErrNotFound
	}
	return s, err
}

// SetRecorderStatus replaces the status of a recorder.
func SetRecorderStatus(ctx context.Context, tx *db.Tx, r config.Recorder, s config.RecorderStatus) error {
	place, err := placeID(ctx, tx, r.Place)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE recorder_status SET recording = ?, last_status = ?, error_code = ?, error_message = ?, started = ?,
		stopped = ?, changed = ?, generation = ? WHERE place = ? AND name = ?`,
		s.Recording, s.LastStatus, s.ErrorCode, s.ErrorMessage, db.Micros(s.Start), db.Micros(s.Stop), db.Micros(s.Changed),
		s.Generation, place, r.Name)
	if err != nil {
		return fmt.Errorf("write recorder status: %w", err)
	}
	return nil
}
