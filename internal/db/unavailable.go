package db

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// An UnavailableError says that the database did not answer, or that other
// transactions kept this one from its end. The same call may work later.
type UnavailableError struct{ Err error }

// Error says what happened.
func (e *UnavailableError) Error() string { return "the database is unavailable: " + e.Err.Error() }

// Unwrap returns the database's own error.
func (e *UnavailableError) Unwrap() error { return e.Err }

// Unavailable has the error answered as ServiceUnavailable, see model.Named.
func (e *UnavailableError) Unavailable() bool { return true }

// classify marks errors that a later try may not have. What the caller ended
// itself is left alone.
func (d *DB) classify(ctx context.Context, err error) error {
	var marked *UnavailableError
	if err == nil || ctx.Err() != nil || errors.As(err, &marked) || !isUnavailable(err) {
		return err
	}
	if d.pool != nil && brokeOff(err) {
		d.pool.Reset() // the database ended the idle connections too: each would fail somebody after it is back
	}
	return &UnavailableError{err}
}

// brokeOff reports whether a connection that there was ended without a word of
// PostgreSQL's, or because it is shut down.
func brokeOff(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return strings.HasPrefix(pg.Code, classIntervention)
	}
	var connect *pgconn.ConnectError
	return !errors.As(err, &connect)
}

// The classes and codes of PostgreSQL's errors, as its manual's appendix A lists them.
const (
	classConnection     = "08"
	classResources      = "53" // too many connections, no memory, no disk
	classIntervention   = "57P"
	codeIdleTransaction = "25P03"
	codeLockTimeout     = "55P03"
	codeSerialization   = "40001"
	codeDeadlock        = "40P01"
)

func isUnavailable(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return strings.HasPrefix(pg.Code, classConnection) || strings.HasPrefix(pg.Code, classResources) ||
			strings.HasPrefix(pg.Code, classIntervention) || pg.Code == codeIdleTransaction || collided(err)
	}
	var connect *pgconn.ConnectError
	var network net.Error
	if errors.As(err, &connect) || errors.As(err, &network) || pgconn.SafeToRetry(err) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) {
		return true
	}
	var lite *sqlite.Error
	return errors.As(err, &lite) && lite.Code()&0xff == sqlite3.SQLITE_BUSY
}

// collided reports whether PostgreSQL gave up a transaction only because of
// another one.
func collided(err error) bool {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return false
	}
	return e.Code == codeSerialization || e.Code == codeDeadlock || e.Code == codeLockTimeout
}

// refusedToWrite reports whether the storage below the database failed: a full
// disk, a file system that became read-only, a device error.
func refusedToWrite(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "53100" || pg.Code == "58030" || pg.Code == "25006"
	}
	var lite *sqlite.Error
	if !errors.As(err, &lite) {
		return false
	}
	switch lite.Code() & 0xff {
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CORRUPT:
		return true
	}
	return false
}

// Writable reports whether the store takes writes. After a write that the disk
// refused it tries one until it works; else the last write is proof enough.
func (d *DB) Writable(ctx context.Context) error {
	if !d.refused.Load() {
		return nil
	}
	err := d.Write(ctx, func(tx *Tx) error {
		_, err := tx.Exec(ctx, "UPDATE plumb_migration SET name = name WHERE number = (SELECT min(number) FROM plumb_migration)")
		return err
	})
	if err == nil {
		d.refused.Store(false)
	}
	return err
}
