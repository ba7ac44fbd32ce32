package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"plumb/internal/db"
)

// A ConsoleSession is somebody who logged in at the console. ID is a digest of what
// the browser has, so that who reads the store cannot take the browser's place.
type ConsoleSession struct {
	ID        string
	AccessKey string // empty after a login by OpenID Connect
	Subject   string // whom the provider named
	Grants    string // JSON of the console's own
	Account   string // the one of several that is shown
	Expires   time.Time
}

// PutConsoleSession keeps a session, and forgets those that ended.
func PutConsoleSession(ctx context.Context, tx *db.Tx, s ConsoleSession, now time.Time) error {
	if _, err := tx.Exec(ctx, `DELETE FROM console_session WHERE expires <= ?`, db.Micros(now)); err != nil {
		return fmt.Errorf("forget sessions: %w", err)
	}
	_, err := tx.Exec(ctx, `INSERT INTO console_session (id, access_key, subject, grants, account, expires) VALUES (?, ?, ?, ?, ?, ?)`,
		s.ID, s.AccessKey, s.Subject, s.Grants, s.Account, db.Micros(s.Expires))
	if err != nil {
		return fmt.Errorf("keep a session: %w", err)
	}
	return nil
}

// ConsoleSessionByID returns a session that has not ended, or ErrNotFound.
func ConsoleSessionByID(ctx context.Context, tx *db.Tx, id string, now time.Time) (ConsoleSession, error) {
	s := ConsoleSession{ID: id}
	var expires int64
	err := tx.QueryRow(ctx, `SELECT access_key, subject, grants, account, expires FROM console_session WHERE id = ? AND expires > ?`, id, db.Micros(now)).
		Scan(&s.AccessKey, &s.Subject, &s.Grants, &s.Account, &expires)
	if errors.Is(err, db.ErrNoRows) {
		return s, ErrNotFound
	}
	if err != nil {
		return s, fmt.Errorf("read a session: %w", err)
	}
	s.Expires = db.Time(expires)
	return s, nil
}

// ChooseConsoleAccount has a session show another account.
func ChooseConsoleAccount(ctx context.Context, tx *db.Tx, id, account string) error {
	if _, err := tx.Exec(ctx, `UPDATE console_session SET account = ? WHERE id = ?`, account, id); err != nil {
		return fmt.Errorf("choose an account: %w", err)
	}
	return nil
}

// DeleteConsoleSession ends a session.
func DeleteConsoleSession(ctx context.Context, tx *db.Tx, id string) error {
	if _, err := tx.Exec(ctx, `DELETE FROM console_session WHERE id = ?`, id); err != nil {
		return fmt.Errorf("end a session: %w", err)
	}
	return nil
}
