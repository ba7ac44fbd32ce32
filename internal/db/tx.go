package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/fnv"
	"reflect"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// A Tx is an open transaction. It is used by one goroutine.
type Tx struct {
	db     *DB
	lite   *sql.Tx
	pg     pgx.Tx
	before []func(context.Context, *Tx) error
	commit []func()
	local  map[reflect.Type]any
}

// run calls f and ends the transaction, also when f panics.
func (tx *Tx) run(ctx context.Context, f func(*Tx) error) (err error) {
	done := false
	defer func() {
		if !done {
			tx.rollback()
		}
	}()
	if err := f(tx); err != nil {
		return err
	}
	if err := tx.finish(ctx); err != nil {
		return err
	}
	if tx.pg != nil {
		err = tx.pg.Commit(ctx)
	} else {
		err = tx.lite.Commit()
		if errors.Is(err, sql.ErrTxDone) && ctx.Err() != nil {
			err = ctx.Err() // it was rolled back when the context ended
		}
	}
	if err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	done = true
	for _, f := range tx.commit {
		f()
	}
	return nil
}

func (tx *Tx) rollback() {
	if tx.pg != nil {
		_ = tx.pg.Rollback(context.Background()) // the context of the caller may be what ended it
		return
	}
	_ = tx.lite.Rollback()
}

// AfterCommit has f called once the transaction is durable, and never if it
// fails. It is for hints that may be lost: f must not be what makes something
// true.
func (tx *Tx) AfterCommit(f func()) { tx.commit = append(tx.commit, f) }

// SQLite and Postgres return the driver's own transaction, for the job runner,
// which inserts jobs in it; the other one of the two is nil.
func (tx *Tx) SQLite() *sql.Tx { return tx.lite }

// Postgres returns PostgreSQL's transaction, or nil on SQLite.
func (tx *Tx) Postgres() pgx.Tx { return tx.pg }

// Exec runs a statement and returns how many rows it changed.
func (tx *Tx) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	tx.traced(query, args)
	if tx.pg != nil {
		tag, err := tx.pg.Exec(ctx, tx.db.dollar(query), args...)
		return tag.RowsAffected(), err
	}
	res, err := tx.lite.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// Rows is a result to walk through; Close it.
type Rows struct {
	lite *sql.Rows
	pg   pgx.Rows
}

// Query runs a query.
func (tx *Tx) Query(ctx context.Context, query string, args ...any) (*Rows, error) {
	tx.traced(query, args)
	if tx.pg != nil {
		r, err := tx.pg.Query(ctx, tx.db.dollar(query), args...)
		return &Rows{pg: r}, err
	}
	r, err := tx.lite.QueryContext(ctx, query, args...)
	return &Rows{lite: r}, err
}

// Next moves to the next row and reports whether there is one.
func (r *Rows) Next() bool {
	if r.pg != nil {
		return r.pg.Next()
	}
	return r.lite.Next()
}

// Scan copies the columns of the row into dest.
func (r *Rows) Scan(dest ...any) error {
	if r.pg != nil {
		return r.pg.Scan(dest...)
	}
	return r.lite.Scan(dest...)
}

// Err returns what ended the walk, if it was an error.
func (r *Rows) Err() error {
	if r.pg != nil {
		return r.pg.Err()
	}
	return r.lite.Err()
}

// Close ends the walk.
func (r *Rows) Close() {
	if r.pg != nil {
		r.pg.Close()
		return
	}
	r.lite.Close()
}

// A Row is a result of at most one row.
type Row struct {
	lite *sql.Row
	pg   pgx.Row
}

// QueryRow runs a query whose first row is all that matters.
func (tx *Tx) QueryRow(ctx context.Context, query string, args ...any) Row {
	tx.traced(query, args)
	if tx.pg != nil {
		return Row{pg: tx.pg.QueryRow(ctx, tx.db.dollar(query), args...)}
	}
	return Row{lite: tx.lite.QueryRowContext(ctx, query, args...)}
}

// Scan copies the columns into dest, or returns ErrNoRows.
func (r Row) Scan(dest ...any) error {
	var err error
	if r.pg != nil {
		err = r.pg.Scan(dest...)
	} else {
		err = r.lite.Scan(dest...)
	}
	if errors.Is(err, sql.ErrNoRows) || errors.Is(err, pgx.ErrNoRows) {
		return ErrNoRows
	}
	return err
}

// Each runs a query and calls f once for each row, with that row's Scan.
func Each(ctx context.Context, tx *Tx, f func(scan func(...any) error) error, query string, args ...any) error {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Lock makes the transactions that name the same thing wait for each other
// until they end. SQLite has one writer, so there it is already so.
func (tx *Tx) Lock(ctx context.Context, name string) error {
	return tx.lock(ctx, "SELECT pg_advisory_xact_lock($1)", name)
}

// LockShared makes the transaction wait for those that hold Lock of the same
// name, and they for it, but not for others that hold LockShared.
func (tx *Tx) LockShared(ctx context.Context, name string) error {
	return tx.lock(ctx, "SELECT pg_advisory_xact_lock_shared($1)", name)
}

// TryLock is Lock for those who would rather do without than wait. It reports
// whether the transaction has the lock.
func (tx *Tx) TryLock(ctx context.Context, name string) (held bool, err error) {
	if tx.pg == nil {
		return true, nil
	}
	if err := tx.pg.QueryRow(ctx, "SELECT pg_try_advisory_xact_lock($1)", tx.db.lockNumber(name)).Scan(&held); err != nil {
		return false, fmt.Errorf("lock %s: %w", name, err)
	}
	return held, nil
}

func (tx *Tx) lock(ctx context.Context, query, name string) error {
	if tx.pg == nil {
		return nil
	}
	_, err := tx.pg.Exec(ctx, query, tx.db.lockNumber(name))
	if err != nil {
		return fmt.Errorf("lock %s: %w", name, err)
	}
	return nil
}

// lockNumber returns the number that stands for a name in PostgreSQL's locks, which
// the schemas of a database share.
func (d *DB) lockNumber(name string) int64 {
	h := fnv.New64a()
	h.Write([]byte(d.schema + "\x00" + name))
	return int64(h.Sum64())
}

// dollar returns the query with ? replaced by $1, $2, ... outside of quotes.
func (d *DB) dollar(query string) string {
	if s, ok := d.rewritten.get(query); ok {
		return s
	}
	var b strings.Builder
	n, quoted := 0, false
	for _, c := range query {
		switch {
		case c == '\'':
			quoted = !quoted
			b.WriteRune(c)
		case c == '?' && !quoted:
			n++
			b.WriteByte('$')
			b.WriteString(strconv.Itoa(n))
		default:
			b.WriteRune(c)
		}
	}
	d.rewritten.put(query, b.String())
	return b.String()
}

// In returns "(?, ?, ...)" and the values as arguments, for IN. An empty list
// gives "(NULL)", which nothing equals.
func In[T any](values []T) (string, []any) {
	if len(values) == 0 {
		return "(NULL)", nil
	}
	args := make([]any, len(values))
	for i, v := range values {
		args[i] = v
	}
	return "(" + strings.TrimSuffix(strings.Repeat("?, ", len(values)), ", ") + ")", args
}
