package db

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"sort"
	"strconv"
	"strings"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// A migration is one step of the schema, in the spelling of one database.
type migration struct {
	number int
	name   string
	sql    string
}

// migrations returns the steps for a database ("sqlite" or "postgres") in order.
func migrations(database string) ([]migration, error) {
	files, err := fs.Glob(migrationFiles, "migrations/*."+database+".sql")
	if err != nil {
		return nil, err
	}
	sort.Strings(files)
	var out []migration
	for _, f := range files {
		name := strings.TrimSuffix(strings.TrimPrefix(f, "migrations/"), "."+database+".sql")
		digits, _, _ := strings.Cut(name, "_")
		n, err := strconv.Atoi(digits)
		if err != nil {
			return nil, fmt.Errorf("migration %s: the name does not begin with a number", f)
		}
		text, err := migrationFiles.ReadFile(f)
		if err != nil {
			return nil, err
		}
		out = append(out, migration{n, name, string(text)})
	}
	return out, nil
}

// migrate runs the steps that the store has not had, each in a transaction of
// its own, and refuses a store with steps that this program does not know.
func (d *DB) migrate(ctx context.Context) error {
	database := "sqlite"
	if d.IsPostgres() {
		database = "postgres"
	}
	steps, err := migrations(database)
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	return d.Write(ctx, func(tx *Tx) error {
		if err := tx.Lock(ctx, "plumb migrations"); err != nil {
			return err
		}
		done, err := applied(ctx, tx)
		if err != nil {
			return fmt.Errorf("read the schema's state: %w", err)
		}
		if err := refuseNewer(steps, done); err != nil {
			return err
		}
		for _, m := range steps {
			if done[m.number] {
				continue
			}
			if err := tx.script(ctx, m.sql); err != nil {
				return fmt.Errorf("migration %s: %w", m.name, err)
			}
			if _, err := tx.Exec(ctx, "INSERT INTO plumb_migration (number, name) VALUES (?, ?)", m.number, m.name); err != nil {
				return err
			}
		}
		return nil
	})
}

func applied(ctx context.Context, tx *Tx) (map[int]bool, error) {
	_, err := tx.Exec(ctx, "CREATE TABLE IF NOT EXISTS plumb_migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL)")
	if err != nil {
		return nil, err
	}
	done := map[int]bool{}
	err = Each(ctx, tx, func(scan func(...any) error) error {
		var n int
		if err := scan(&n); err != nil {
			return err
		}
		done[n] = true
		return nil
	}, "SELECT number FROM plumb_migration")
	return done, err
}

func refuseNewer(steps []migration, done map[int]bool) error {
	known := map[int]bool{}
	for _, m := range steps {
		known[m.number] = true
	}
	for n := range done {
		if !known[n] {
			return fmt.Errorf("this database was made by a newer Plumb (it has schema step %d, which this program does not know): run that version or a later one, or name another database", n)
		}
	}
	return nil
}

// script runs several statements, separated by semicolons at line ends.
func (tx *Tx) script(ctx context.Context, text string) error {
	for _, stmt := range strings.Split(text, ";\n") {
		stmt = strings.TrimSpace(stmt)
		if stmt == "" || onlyComments(stmt) {
			continue
		}
		if tx.pg != nil {
			if _, err := tx.pg.Exec(ctx, stmt); err != nil {
				return err
			}
			continue
		}
		if _, err := tx.lite.ExecContext(ctx, stmt); err != nil {
			return err
		}
	}
	return nil
}

func onlyComments(stmt string) bool {
	for _, line := range strings.Split(stmt, "\n") {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "--") {
			return false
		}
	}
	return true
}
