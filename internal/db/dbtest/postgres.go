package dbtest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"plumb/internal/db"
)

// EnvPostgres names the variable that holds the URL of a PostgreSQL in which
// tests may create databases and schemas.
const EnvPostgres = "PLUMB_TEST_DATABASE"

// fresh counts what this process has made, for names of their own.
var fresh atomic.Int64

func newName() string { return fmt.Sprintf("plumb_test_%d_%d", os.Getpid(), fresh.Add(1)) }

// PostgresURL returns the URL of a database with Plumb's schema and nothing in
// it, which is dropped when the test ends, or skips the test and says why.
func PostgresURL(t testing.TB) string {
	t.Helper()
	base := postgres(t)
	template, err := template(t.Context(), base)
	if err != nil {
		t.Fatal(err)
	}
	return create(t, base, " TEMPLATE "+template)
}

// EmptyDatabaseURL returns the URL of a database without a table, which is dropped
// when the test ends, or skips the test and says why.
func EmptyDatabaseURL(t testing.TB) string {
	t.Helper()
	return create(t, postgres(t), "")
}

// create makes a database until the test ends.
func create(t testing.TB, base, how string) string {
	t.Helper()
	name := newName()
	if err := exec(t.Context(), base, "CREATE DATABASE "+name+how); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := exec(context.Background(), base, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	return inDatabase(base, name)
}

// EmptyPostgresURL returns the URL of a fresh schema without a table, which is
// dropped when the test ends, or skips the test and says why.
func EmptyPostgresURL(t testing.TB) string {
	t.Helper()
	address, drop, err := Schema(t.Context(), postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := drop(); err != nil {
			t.Error(err)
		}
	})
	return address
}

func postgres(t testing.TB) string {
	t.Helper()
	base := os.Getenv(EnvPostgres)
	if base == "" {
		t.Skip("no PostgreSQL: set " + EnvPostgres + "=postgres://... to run this test on it")
	}
	return base
}

// Schema makes a schema in the PostgreSQL at base, and returns the URL that uses
// it and what drops it.
func Schema(ctx context.Context, base string) (address string, drop func() error, err error) {
	u, err := url.Parse(base)
	if err != nil {
		return "", nil, err
	}
	schema := newName()
	if err := exec(ctx, base, "CREATE SCHEMA "+schema); err != nil {
		return "", nil, err
	}
	q := u.Query()
	q.Set("search_path", schema)
	u.RawQuery = q.Encode()
	drop = func() error { return exec(context.Background(), base, "DROP SCHEMA "+schema+" CASCADE") }
	return strings.ReplaceAll(u.String(), "+", "%20"), drop, nil
}

var (
	templateMutex sync.Mutex
	templateKnown = map[string]bool{} // by the name
)

// template returns the name of a database that has had every migration: a copy
// of it is made in a fraction of the time that the migrations take. The first
// process to ask makes it, and it stays. Its name changes with the migrations.
func template(ctx context.Context, base string) (string, error) {
	templateMutex.Lock()
	defer templateMutex.Unlock()
	name := "plumb_migrated_" + db.MigrationsDigest()
	if templateKnown[name] {
		return name, nil
	}
	c, err := pgx.Connect(ctx, base)
	if err != nil {
		return "", fmt.Errorf("reach PostgreSQL: %w", err)
	}
	defer c.Close(context.WithoutCancel(ctx)) // and with it goes the lock
	if _, err := c.Exec(ctx, "SELECT pg_advisory_lock(hashtext($1))", name); err != nil {
		return "", err
	}
	var there bool
	if err := c.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).Scan(&there); err != nil {
		return "", err
	}
	if !there {
		if err := makeTemplate(ctx, c, base, name); err != nil {
			return "", fmt.Errorf("make the database that tests copy: %w", err)
		}
	}
	templateKnown[name] = true
	return name, nil
}

// makeTemplate gives the database its name when it is complete.
func makeTemplate(ctx context.Context, c *pgx.Conn, base, name string) error {
	begun := name + "_begun"
	_, dropErr := c.Exec(ctx, "DROP DATABASE IF EXISTS "+begun)
	_, createErr := c.Exec(ctx, "CREATE DATABASE "+begun)
	if err := errors.Join(dropErr, createErr); err != nil {
		return err
	}
	if err := migrate(ctx, inDatabase(base, begun)); err != nil {
		return err
	}
	_, err := c.Exec(ctx, "ALTER DATABASE "+begun+" RENAME TO "+name)
	return err
}

// inDatabase is the URL base with another database.
func inDatabase(base, name string) string {
	u, err := url.Parse(base)
	if err != nil {
		panic(err) // it was connected to
	}
	u.Path = "/" + name
	return u.String()
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
