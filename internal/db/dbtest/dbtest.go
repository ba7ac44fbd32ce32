// Package dbtest opens stores for tests: a fresh SQLite file each time, and a
// fresh schema in a PostgreSQL when the machine has one.
package dbtest

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"plumb/internal/db"
)

// EnvPostgres names the variable that holds the URL of a PostgreSQL in which
// tests may create schemas.
const EnvPostgres = "PLUMB_TEST_DATABASE"

// Open returns a fresh SQLite store that is closed when the test ends.
func Open(t testing.TB) *db.DB {
	t.Helper()
	return open(t, "sqlite:"+filepath.Join(t.TempDir(), "plumb.db"))
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

var schemas atomic.Int64

// PostgresURL returns the URL of a fresh schema that is dropped when the test
// ends, or skips the test and says why.
func PostgresURL(t testing.TB) string {
	t.Helper()
	base := os.Getenv(EnvPostgres)
	if base == "" {
		t.Skip("no PostgreSQL: set " + EnvPostgres + "=postgres://... to run this test on it")
	}
	fresh, drop, err := Schema(t.Context(), base)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := drop(); err != nil {
			t.Error(err)
		}
	})
	return fresh
}

// Schema makes a schema in the PostgreSQL at base, and returns the URL that uses
// it and what drops it.
func Schema(ctx context.Context, base string) (fresh string, drop func() error, err error) {
	u, err := url.Parse(base)
	if err != nil {
		return "", nil, err
	}
	schema := fmt.Sprintf("plumb_test_%d_%d", os.Getpid(), schemas.Add(1))
	if err := exec(ctx, base, "CREATE SCHEMA "+schema); err != nil {
		return "", nil, err
	}
	q := u.Query()
	q.Set("search_path", schema)
	u.RawQuery = q.Encode()
	drop = func() error { return exec(context.Background(), base, "DROP SCHEMA "+schema+" CASCADE") }
	return strings.ReplaceAll(u.String(), "+", "%20"), drop, nil
}

func exec(ctx context.Context, base, stmt string) error {
	c, err := pgx.Connect(ctx, base)
	if err != nil {
		return fmt.Errorf("reach PostgreSQL: %w", err)
	}
	defer c.Close(ctx)
	if _, err := c.Exec(ctx, stmt); err != nil {
		return fmt.Errorf("%s: %w", stmt, err)
	}
	return nil
}
