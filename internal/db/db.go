// Package db is the one way to the store: SQLite in a file, or PostgreSQL. It
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
	"crypto/cipher"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// ErrNoRows is what a Row's Scan returns when there was none.
var ErrNoRows = errors.New("no rows")

// A DB is an open store. It is safe for concurrent use.
type DB struct {
	log *slog.Logger
	url string

	// SQLite: one connection writes, several read.
	writer, reader, longReader *sql.DB
	// PostgreSQL.
	pool, longPool *pgxpool.Pool
	schema         string // that the tables are in

	seal      cipher.AEAD // of secrets; nil keeps them as they are
	readOnly  bool
	refused   atomic.Bool  // the disk refused a write, and none was seen to work since
	rewritten *lru[string] // SQL text -> the same with $1, $2 for PostgreSQL
	decoded   *lru[any]    // see Decoded
	shared    sync.Map     // reflect.Type -> the value of that type, see Shared
	trace     func(query string, args []any)
}

// Open opens the store at url, "sqlite:PATH" or "postgres://...", and moves its
// schema forward to what this program needs. A store that a newer program has
// moved further is refused.
func Open(ctx context.Context, url string, log *slog.Logger) (*DB, error) {
	return openWith(ctx, url, log, migrationFiles)
}

func openWith(ctx context.Context, url string, log *slog.Logger, files fs.FS) (*DB, error) {
	d := newDB(url, log)
	if err := d.connect(ctx); err != nil {
		return nil, advised(err)
	}
	if err := d.migrate(ctx, files); err != nil {
		d.Close()
		return nil, advised(err)
	}
	return d, nil
}

// Inspect opens a store that is there to be read only, whatever its schema.
func Inspect(ctx context.Context, url string, log *slog.Logger) (*DB, error) {
	d := newDB(url, log)
	d.readOnly = true
	if err := d.connect(ctx); err != nil {
		return nil, advised(err)
	}
	return d, nil
}

func newDB(url string, log *slog.Logger) *DB {
	return &DB{log: log, url: url, rewritten: newLRU[string](rewrittenSize), decoded: newLRU[any](decodedSize)}
}

func (d *DB) connect(ctx context.Context) error {
	switch {
	case strings.HasPrefix(d.url, "sqlite:"):
		return d.openSQLite(strings.TrimPrefix(d.url, "sqlite:"))
	case strings.HasPrefix(d.url, "postgres://"), strings.HasPrefix(d.url, "postgresql://"):
		return d.openPostgres(ctx)
	}
	return fmt.Errorf("database %q: want sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE", d.url)
}

// Close closes every connection.
func (d *DB) Close() {
	if d.pool != nil {
		d.pool.Close()
		if d.longPool != nil {
			d.longPool.Close()
		}
		return
	}
	for _, pool := range []*sql.DB{d.reader, d.longReader, d.writer} {
		if pool != nil {
			pool.Close()
		}
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

// Size returns how many bytes the store takes.
func (d *DB) Size(ctx context.Context) (n int64, err error) {
	query := `SELECT p.page_count * s.page_size FROM pragma_page_count() p, pragma_page_size() s`
	if d.IsPostgres() {
		query = `SELECT CAST(COALESCE(sum(pg_total_relation_size(c.oid)), 0) AS BIGINT) FROM pg_class c
			JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'm')`
	}
	err = d.ReadOne(ctx, func(tx *Tx) error { return tx.QueryRow(ctx, query).Scan(&n) })
	return n, err
}

// Ping asks the database whether it answers.
func (d *DB) Ping(ctx context.Context) error {
	return d.ReadOne(ctx, func(tx *Tx) error {
		var one int
		return tx.QueryRow(ctx, "SELECT 1").Scan(&one)
	})
}

// Write runs f in one transaction that may change the store, and commits it if
// f returns nil. On SQLite writers wait for each other; on PostgreSQL f may run
// again when transactions collided or waited too long for each other, so it must
// not act outside of tx. Calling Write inside Write blocks for ever on SQLite:
// pass the tx on instead. An UnavailableError may not come again.
func (d *DB) Write(ctx context.Context, f func(tx *Tx) error) error {
	if d.readOnly {
		return errReadOnly
	}
	const attempts, retryFor = 5, 25 * time.Second
	until := time.Now().Add(retryFor)
	for attempt := 1; ; attempt++ {
		err := d.try(ctx, false, f)
		if err == nil {
			return nil
		}
		if refusedToWrite(err) {
			d.refused.Store(true)
		}
		if attempt == attempts || !collided(err) || time.Now().After(until) || ctx.Err() != nil {
			return d.classify(ctx, err)
		}
	}
}

func (d *DB) try(ctx context.Context, read bool, f func(tx *Tx) error) error {
	tx, err := d.begin(ctx, read)
	if err != nil {
		return err
	}
	return tx.run(ctx, f)
}

// Read runs f in one transaction that sees a single state of the store and
// cannot change it.
func (d *DB) Read(ctx context.Context, f func(tx *Tx) error) error {
	return d.classify(ctx, d.try(ctx, true, f))
}

func (d *DB) begin(ctx context.Context, read bool) (*Tx, error) {
	if read {
		return d.beginFrom(ctx, read, d.reader, d.pool)
	}
	return d.beginFrom(ctx, read, d.writer, d.pool)
}

// beginFrom begins with a connection of one of the two, whichever there is.
func (d *DB) beginFrom(ctx context.Context, read bool, lite *sql.DB, pg *pgxpool.Pool) (*Tx, error) {
	if pg != nil {
		opts := pgx.TxOptions{}
		if read {
			opts = pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
		}
		t, err := pg.BeginTx(ctx, opts)
		if err != nil {
			return nil, fmt.Errorf("begin: %w", err)
		}
		return &Tx{db: d, pg: t}, nil
	}
	t, err := lite.BeginTx(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("begin: %w", err)
	}
	return &Tx{db: d, lite: t}, nil
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
