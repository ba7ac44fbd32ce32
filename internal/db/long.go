package db

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Long reads have connections of their own: however many wait for one, a write or
// a short read does not wait behind them.
const (
	longReaders = 4
	// LongTimeout ends a long read.
	LongTimeout = 30 * time.Second
)

// ReadLong is Read for what may look through much of the store. It waits for one
// of a few connections, and ends with context.DeadlineExceeded after LongTimeout.
func (d *DB) ReadLong(ctx context.Context, f func(tx *Tx) error) error {
	ctx, cancel := context.WithTimeout(ctx, LongTimeout)
	defer cancel()
	tx, err := d.beginFrom(ctx, true, d.longReader, d.longPool)
	if err == nil {
		err = tx.run(ctx, f)
	}
	if end := ctx.Err(); err != nil && end != nil {
		return fmt.Errorf("%w: %w", end, err)
	}
	return d.classify(ctx, err)
}

// openLongLite opens SQLite's connections for long reads.
func openLongLite(dsn string) (*sql.DB, error) {
	pool, err := openLite(dsn)
	if err == nil {
		pool.SetMaxOpenConns(longReaders)
		pool.SetMaxIdleConns(1)
	}
	return pool, err
}

// openLongPostgres opens PostgreSQL's connections for long reads. The server ends
// them too, in case this program cannot.
func openLongPostgres(ctx context.Context, cfg *pgxpool.Config) (*pgxpool.Pool, error) {
	long := cfg.Copy()
	long.MaxConns, long.MinConns, long.MinIdleConns = longReaders, 0, 0
	long.ConnConfig.RuntimeParams["statement_timeout"] = millis(LongTimeout)
	return pgxpool.NewWithConfig(ctx, long)
}
