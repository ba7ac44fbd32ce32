// Package db is the one door to the store: SQLite in a file, or PostgreSQL. It
// opens transactions, carries SQL that both understand, and moves the schema
// forward.
//
// It knows no table: the SQL stands in the packages that keep something, beside
// the code that scans it. Conventions that let one text serve both databases:
// placeholders are `?`; times are BIGINT microseconds (Micros, Time); JSON is
// TEXT, except the current configuration of resources; booleans are BOOLEAN.
//
// An acknowledged Write is on the disk: SQLite runs with synchronous=FULL,
// PostgreSQL with synchronous_commit on.
package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// ErrNoRows is what a Row's Scan returns when there was none.
var ErrNoRows = errors.New("no rows")

// A DB is an open store. It is safe for concurrent use.
type DB struct {
	log *slog.Logger
	url string

	// SQLite: one connection writes, several read.
	writer, reader *sql.DB
	// PostgreSQL.
	pool *pgxpool.Pool

	rewritten sync.Map // SQL text -> the same with $1, $2 for PostgreSQL
	memo      memo
	shared    sync.Map // reflect.Type -> the value of that type, see Shared
}

// Open opens the store at url, "sqlite:PATH" or "postgres://...", and moves its
// schema forward to what this program needs. A store that a newer program has
// moved further is refused.
func Open(ctx context.Context, url string, log *slog.Logger) (*DB, error) {
	d := &DB{log: log, url: url}
	var err error
	switch {
	case strings.HasPrefix(url, "sqlite:"):
		err = d.openSQLite(strings.TrimPrefix(url, "sqlite:"))
	case strings.HasPrefix(url, "postgres://"), strings.HasPrefix(url, "postgresql://"):
		err = d.openPostgres(ctx)
	default:
		err = fmt.Errorf("database %q: want sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE", url)
	}
	if err != nil {
		return nil, err
	}
	if err := d.migrate(ctx); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

func (d *DB) openPostgres(ctx context.Context) error {
	cfg, err := pgxpool.ParseConfig(d.url)
	if err != nil {
		return fmt.Errorf("database URL: %w", err)
	}
	if cfg.MaxConns < 16 {
		cfg.MaxConns = 16
	}
	d.pool, err = pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return fmt.Errorf("open PostgreSQL: %w", err)
	}
	if err := d.pool.Ping(ctx); err != nil {
		d.pool.Close()
		return fmt.Errorf("reach PostgreSQL: %w", err)
	}
	return nil
}

// Close closes every connection.
func (d *DB) Close() {
	if d.pool != nil {
		d.pool.Close()
		return
	}
	if d.reader != nil {
		d.reader.Close()
	}
	if d.writer != nil {
		d.writer.Close()
	}
}

// IsPostgres reports which of the two databases this is.
func (d *DB) IsPostgres() bool { return d.pool != nil }

// Pool returns PostgreSQL's connections, for the job runner's driver; nil on
// SQLite.
func (d *DB) Pool() *pgxpool.Pool { return d.pool }

// Writer returns SQLite's one writing connection, for the job runner's driver;
// nil on PostgreSQL.
func (d *DB) Writer() *sql.DB { return d.writer }

// Ping asks the database whether it answers.
func (d *DB) Ping(ctx context.Context) error {
	return d.Read(ctx, func(tx *Tx) error {
		var one int
		return tx.QueryRow(ctx, "SELECT 1").Scan(&one)
	})
}

// Write runs f in one transaction that may change the store, and commits it if
// f returns nil. On SQLite writers wait for each other; on PostgreSQL f may run
// again when transactions collided, so it must not act outside of tx. Calling
// Write inside Write blocks for ever on SQLite: pass the tx on instead.
func (d *DB) Write(ctx context.Context, f func(tx *Tx) error) error {
	const attempts = 5
	for attempt := 1; ; attempt++ {
		tx, err := d.begin(ctx, false)
		if err != nil {
			return err
		}
		err = tx.run(ctx, f)
		if err == nil || attempt == attempts || !collided(err) {
			return err
		}
	}
}

// Read runs f in one transaction that sees a single state of the store and
// cannot change it.
func (d *DB) Read(ctx context.Context, f func(tx *Tx) error) error {
	tx, err := d.begin(ctx, true)
	if err != nil {
		return err
	}
	return tx.run(ctx, f)
}

func (d *DB) begin(ctx context.Context, read bool) (*Tx, error) {
	if d.pool != nil {
		opts := pgx.TxOptions{}
		if read {
			opts = pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
		}
		t, err := d.pool.BeginTx(ctx, opts)
		if err != nil {
			return nil, fmt.Errorf("begin: %w", err)
		}
		return &Tx{db: d, pg: t}, nil
	}
	pool := d.writer
	if read {
		pool = d.reader
	}
	t, err := pool.BeginTx(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("begin: %w", err)
	}
	return &Tx{db: d, lite: t}, nil
}

// collided reports whether PostgreSQL gave up a transaction only because of
// another one.
func collided(err error) bool {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return false
	}
	return e.Code == "40001" || e.Code == "40P01"
}

// Micros returns t as it is kept: microseconds since the epoch; 0 for the zero
// time.
func Micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// Time returns the time that Micros made us of.
func Time(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}
