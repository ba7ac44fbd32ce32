package db

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// MigrationsDigest changes with the migrations: what has the schema of one digest
// has all of that program's steps.
func MigrationsDigest() string {
	h := sha256.New()
	names, _ := fs.Glob(migrationFiles, "migrations/*.sql") // a pattern that is right
	for _, name := range names {
		text, _ := migrationFiles.ReadFile(name) // embedded
		fmt.Fprintf(h, "%s %d\n%s", name, len(text), text)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// outsideMark on the first line of a step has it run outside a transaction, as
// CREATE INDEX CONCURRENTLY must. Such a step is a single statement and may be
// repeated: a crash between the step and its note has it run again.
const outsideMark = "-- outside a transaction"

// A migration is one step of the schema, in the spelling of one database.
type migration struct {
	number  int
	name    string
	sql     string
	outside bool // of a transaction
}

// migrations returns the steps for a database ("sqlite" or "postgres") in order.
func migrations(files fs.FS, database string) ([]migration, error) {
	names, err := fs.Glob(files, "migrations/*."+database+".sql")
	if err != nil {
		return nil, err
	}
	var out []migration
	for _, f := range names {
		name := strings.TrimSuffix(path.Base(f), "."+database+".sql")
		digits, _, _ := strings.Cut(name, "_")
		n, err := strconv.Atoi(digits)
		if err != nil {
			return nil, fmt.Errorf("migration %s: the name does not begin with a number", f)
		}
		text, err := fs.ReadFile(files, f)
		if err != nil {
			return nil, err
		}
		out = append(out, migration{n, name, string(text), strings.HasPrefix(string(text), outsideMark)})
	}
	slices.SortFunc(out, func(a, b migration) int { return a.number - b.number })
	return out, nil
}

// migrate runs the steps that the store has not had, one server at a time: each in
// a transaction of its own, and all of them in one where the store has had none,
// which a first start need not wait for as often as there are steps. It refuses a store with steps that this program
// does not know.
func (d *DB) migrate(ctx context.Context, files fs.FS) error {
	steps, err := migrations(files, d.database())
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	unlock, err := d.lockMigrations(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	done, err := d.applied(ctx)
	if err != nil {
		return err
	}
	if err := refuseNewer(steps, done); err != nil {
		return err
	}
	before := latest(done)
	for _, group := range groups(steps, done) {
		if err := d.run(ctx, group); err != nil {
			return err
		}
		for _, m := range group {
			done[m.number] = true
		}
	}
	if after := latest(done); after != before && before > 0 {
		d.log.Info("the database's schema was moved forward", "from", before, "to", after)
	}
	return nil
}

func (d *DB) database() string {
	if d.IsPostgres() {
		return "postgres"
	}
	return "sqlite"
}

// migrationWait is how long a server waits for another one that migrates.
const migrationWait = 10 * time.Minute

// lockMigrations keeps other servers out with a session of its own: steps outside
// a transaction must not wait for one that holds a lock. A SQLite file has one
// server, and a write transaction for each step.
func (d *DB) lockMigrations(ctx context.Context) (unlock func(), err error) {
	if !d.IsPostgres() {
		return func() {}, nil
	}
	session, err := d.Session(ctx)
	if err != nil {
		return nil, fmt.Errorf("lock migrations: %w", err)
	}
	_, err = session.Exec(ctx, "SET lock_timeout = "+millis(migrationWait))
	if err == nil {
		_, err = session.Exec(ctx, "SELECT pg_advisory_lock($1)", d.lockNumber("migrations"))
	}
	if err != nil {
		session.Close(context.WithoutCancel(ctx))
		return nil, fmt.Errorf("lock migrations: %w", err)
	}
	return func() { session.Close(context.WithoutCancel(ctx)) }, nil
}

// groups returns the steps that are due, those together that are run together.
func groups(steps []migration, done map[int]bool) (out [][]migration) {
	for _, m := range steps {
		switch n := len(out); {
		case done[m.number]:
		case len(done) > 0, n == 0, m.outside, out[n-1][0].outside:
			out = append(out, []migration{m})
		default:
			out[n-1] = append(out[n-1], m)
		}
	}
	return out
}

// run runs steps in one transaction and notes them. A step outside a transaction
// is alone.
func (d *DB) run(ctx context.Context, steps []migration) error {
	if m := steps[0]; m.outside {
		if err := d.execOutside(ctx, m.sql); err != nil {
			return fmt.Errorf("migration %s: %w", m.name, err)
		}
	}
	return d.Write(ctx, func(tx *Tx) error {
		for _, m := range steps {
			if err := tx.step(ctx, m); err != nil {
				return fmt.Errorf("migration %s: %w", m.name, err)
			}
		}
		return nil
	})
}

// step runs a migration, unless that was done outside, and notes it.
func (tx *Tx) step(ctx context.Context, m migration) error {
	if !m.outside {
		if err := tx.script(ctx, m.sql); err != nil {
			return err
		}
	}
	_, err := tx.Exec(ctx, "INSERT INTO plumb_migration (number, name) VALUES (?, ?)", m.number, m.name)
	return err
}

// Step returns the last step that the store's schema has had.
func (d *DB) Step(ctx context.Context) (n int, err error) {
	err = d.Read(ctx, func(tx *Tx) error {
		return tx.QueryRow(ctx, "SELECT max(number) FROM plumb_migration").Scan(&n)
	})
	return n, err
}

// script runs several statements. Both drivers take them as one text, so nothing
// here has to know where a function's body ends.
func (tx *Tx) script(ctx context.Context, text string) error {
	if tx.pg != nil {
		return tx.pg.Conn().PgConn().Exec(ctx, text).Close()
	}
	_, err := tx.lite.ExecContext(ctx, text)
	return err
}

func (d *DB) execOutside(ctx context.Context, statement string) error {
	if d.IsPostgres() {
		_, err := d.pool.Exec(ctx, statement, pgx.QueryExecModeSimpleProtocol)
		return err
	}
	_, err := d.writer.ExecContext(ctx, statement)
	return err
}

// applied returns the numbers of the steps that the store has had.
func (d *DB) applied(ctx context.Context) (done map[int]bool, err error) {
	run := d.Write
	if d.readOnly {
		run = d.Read
	}
	err = run(ctx, func(tx *Tx) error {
		done = map[int]bool{}
		there, err := tx.HasTable(ctx, "plumb_migration")
		if err == nil && !there && !d.readOnly {
			_, err = tx.Exec(ctx, "CREATE TABLE plumb_migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL)")
		}
		if err != nil || !there {
			return err
		}
		return Each(ctx, tx, func(scan func(...any) error) error {
			var n int
			err := scan(&n)
			done[n] = true
			return err
		}, "SELECT number FROM plumb_migration")
	})
	if err != nil {
		return nil, fmt.Errorf("read the schema's state: %w", err)
	}
	return done, nil
}

func latest(done map[int]bool) int {
	if len(done) == 0 {
		return 0
	}
	return slices.Max(slices.Collect(maps.Keys(done)))
}

func refuseNewer(steps []migration, done map[int]bool) error {
	known := map[int]bool{}
	for _, m := range steps {
		known[m.number] = true
	}
	for n := range done {
		if !known[n] {
			return fmt.Errorf("this database was made by a newer Plumb (it has schema step %d, which this program does not know): "+
				"run that version or a later one, or name another database", n)
		}
	}
	return nil
}

// A Schema is how far a store's schema is.
type Schema struct {
	Step    int // the newest step that the store has had; 0 if none
	Latest  int // the newest step that this program knows
	Missing int // how many steps a server would run
}

// Schema reports how far the schema is. It also works on a store that was opened
// with Inspect, and refuses one of a newer program.
func (d *DB) Schema(ctx context.Context) (Schema, error) {
	steps, err := migrations(migrationFiles, d.database())
	if err != nil {
		return Schema{}, err
	}
	done, err := d.applied(ctx)
	if err != nil {
		return Schema{}, err
	}
	if err := refuseNewer(steps, done); err != nil {
		return Schema{}, err
	}
	s := Schema{Step: latest(done)}
	for _, m := range steps {
		s.Latest = m.number
		if !done[m.number] {
			s.Missing++
		}
	}
	return s, nil
}

// HasTable reports whether the store has a table.
func (tx *Tx) HasTable(ctx context.Context, name string) (bool, error) {
	query := "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ?"
	if tx.pg != nil {
		query = "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = ?"
	}
	var n int
	err := tx.QueryRow(ctx, query, name).Scan(&n)
	return n > 0, err
}

var errReadOnly = errors.New("the store was opened to be read only")
