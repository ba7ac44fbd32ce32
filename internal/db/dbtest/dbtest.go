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
	schema := fmt.Sprintf("plumb_test_%d_%d", os.Getpid(), schemas.Add(1))
	exec(t, base, "CREATE SCHEMA "+schema)
	t.Cleanup(func() { exec(t, base, "DROP SCHEMA "+schema+" CASCADE") })
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("search_path", schema)
	u.RawQuery = q.Encode()
	return strings.Replace(u.String(), "+", "%20", -1)
}

func exec(t testing.TB, base, stmt string) {
	t.Helper()
	ctx := context.Background()
	c, err := pgx.Connect(ctx, base)
	if err != nil {
		t.Fatalf("reach the PostgreSQL of %s: %v", EnvPostgres, err)
	}
	defer c.Close(ctx)
	if _, err := c.Exec(ctx, stmt); err != nil {
		t.Fatal(err)
	}
}
