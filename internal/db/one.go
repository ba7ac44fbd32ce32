package db

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// ReadOne is Read for a single query. A query sees a single state of the store by
// itself, so PostgreSQL is spared the round trips that begin and end a
// transaction; a second query in f might see another state.
func (d *DB) ReadOne(ctx context.Context, f func(tx *Tx) error) error {
	if d.pool == nil {
		return d.Read(ctx, f)
	}
	conn, err := d.pool.Acquire(ctx)
	if err != nil {
		return d.classify(ctx, fmt.Errorf("begin: %w", err))
	}
	defer conn.Release()
	return d.classify(ctx, f(&Tx{db: d, pg: bareConn{conn: conn}}))
}

// A bareConn is a connection without a transaction, where one is expected.
type bareConn struct {
	pgx.Tx // nil: what is not below is not for a single query
	conn   *pgxpool.Conn
}

func (c bareConn) Exec(context.Context, string, ...any) (pgconn.CommandTag, error) {
	return pgconn.CommandTag{}, errReadOnly
}

func (c bareConn) Query(ctx context.Context, query string, args ...any) (pgx.Rows, error) {
	return c.conn.Query(ctx, query, args...)
}

func (c bareConn) QueryRow(ctx context.Context, query string, args ...any) pgx.Row {
	return c.conn.QueryRow(ctx, query, args...)
}
