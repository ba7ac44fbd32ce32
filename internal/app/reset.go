package app

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"plumb/internal/db"
)

// Reset forgets everything that was kept: a new machine on an emptied store,
// with a clock that was not moved, takes the place of the old one.
// Requests that are under way on the old machine may fail.
func (a *App) Reset(ctx context.Context) error {
	a.resetting.Lock()
	defer a.resetting.Unlock()
	a.ready.Store(false)
	defer a.ready.Store(true)
	old := a.machine.Load()
	wait, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := old.rest(wait); err != nil {
		a.log.Warn("jobs were cut off by a reset", "err", err)
	}
	if err := wipe(ctx, old.db); err != nil {
		return fmt.Errorf("empty the store: %w", err)
	}
	if err := a.removeFiles(); err != nil {
		return err
	}
	m, err := a.build(ctx)
	if err != nil {
		return fmt.Errorf("build afresh: %w", err)
	}
	if err := m.start(ctx); err != nil {
		m.close()
		return fmt.Errorf("start afresh: %w", err)
	}
	a.machine.Store(m)
	old.close()
	return nil
}

// wipe deletes every row but the migrations' own, whatever the tables are
// called: a table that a later migration adds is not forgotten.
func wipe(ctx context.Context, d *db.DB) error {
	return d.Write(ctx, func(tx *db.Tx) error {
		names, err := tables(ctx, tx)
		if err != nil {
			return err
		}
		if d.IsPostgres() {
			_, err := tx.Exec(ctx, "TRUNCATE "+strings.Join(names, ", ")+" CASCADE")
			return err
		}
		if _, err := tx.Exec(ctx, "PRAGMA defer_foreign_keys = ON"); err != nil {
			return err
		}
		for _, name := range names {
			if _, err := tx.Exec(ctx, "DELETE FROM "+name); err != nil {
				return fmt.Errorf("empty %s: %w", name, err)
			}
		}
		return nil
	})
}

// tables names the tables with data, quoted.
func tables(ctx context.Context, tx *db.Tx) ([]string, error) {
	query := `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`
	if tx.Postgres() != nil {
		query = `SELECT tablename FROM pg_tables WHERE schemaname = current_schema()`
	}
	var names []string
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var name string
		if err := scan(&name); err != nil {
			return err
		}
		if !strings.HasSuffix(name, "_migration") {
			names = append(names, `"`+name+`"`)
		}
		return nil
	}, query)
	return names, err
}

// removeFiles empties the folders that hold objects and code.
func (a *App) removeFiles() error {
	for _, name := range []string{objectsFolder, codeFolder} {
		if err := os.RemoveAll(a.folder(name)); err != nil {
			return fmt.Errorf("remove files: %w", err)
		}
	}
	return nil
}

// Folders within the data folder.
const (
	objectsFolder = "objects"   // of buckets
	codeFolder    = "functions" // unpacked; a cache
	runFolder     = "run"       // of running functions
	sandboxFolder = "sandbox"
)
