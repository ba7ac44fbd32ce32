// Package dbtest opens stores for tests: a fresh SQLite file each time, and a
// fresh database in a PostgreSQL when the machine has one.
package dbtest

import (
	"log/slog"
	"path/filepath"
	"testing"

	"plumb/internal/db"
)

// Open returns a fresh SQLite store that is closed when the test ends.
func Open(t testing.TB) *db.DB {
	t.Helper()
	file := filepath.Join(Folder(t), "plumb.db")
	SQLite(t, file)
	return open(t, "sqlite:"+file)
}

// Run runs a suite on SQLite and, where EnvPostgres names one, on PostgreSQL.
func Run(t *testing.T, suite func(t *testing.T, d *db.DB)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) { suite(t, Open(t)) })
	t.Run("PostgreSQL", func(t *testing.T) { suite(t, open(t, PostgresURL(t))) })
}

func open(t testing.TB, url string) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), url, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}
