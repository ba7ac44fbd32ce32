package db

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Snapshot writes one state of the store to a file, while servers go on: for SQLite
// a database, for PostgreSQL what pg_dump makes. read sees the same state.
func (d *DB) Snapshot(ctx context.Context, file string, read func(tx *Tx) error) error {
	if d.IsPostgres() {
		return d.dumpPostgres(ctx, file, read)
	}
	if err := vacuumInto(ctx, strings.TrimPrefix(d.url, "sqlite:"), file); err != nil {
		return err
	}
	copied, err := InspectSnapshot(file, d.log)
	if err != nil {
		return err
	}
	defer copied.Close()
	return copied.Read(ctx, read)
}

// InspectSnapshot opens what Snapshot wrote of a SQLite store, to be read only. It
// makes no files beside it.
func InspectSnapshot(file string, log *slog.Logger) (*DB, error) {
	d := newDB("sqlite:"+file, log)
	d.readOnly = true
	var err error
	dsn := "file:" + (&url.URL{Path: file}).EscapedPath() + "?mode=ro&immutable=1"
	if d.reader, err = openLite(dsn); err != nil {
		return nil, fmt.Errorf("open %s: %w", file, err)
	}
	return d, nil
}

func vacuumInto(ctx context.Context, path, file string) error {
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() + "?mode=ro&_pragma=busy_timeout(20000)"
	lite, err := openLite(dsn)
	if err != nil {
		return fmt.Errorf("open SQLite: %w", err)
	}
	defer lite.Close()
	if _, err := lite.ExecContext(ctx, "VACUUM INTO ?", file); err != nil {
		return fmt.Errorf("copy the database: %w", err)
	}
	return os.Chmod(file, 0o600)
}

func (d *DB) dumpPostgres(ctx context.Context, file string, read func(tx *Tx) error) error {
	session, err := d.Session(ctx)
	if err != nil {
		return fmt.Errorf("copy the database: %w", err)
	}
	defer session.Close(context.WithoutCancel(ctx))
	// The transaction waits for as long as the dump takes.
	if _, err := session.Exec(ctx, "SET idle_in_transaction_session_timeout = 0"); err != nil {
		return fmt.Errorf("copy the database: %w", err)
	}
	tx, err := session.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return fmt.Errorf("copy the database: %w", err)
	}
	defer tx.Rollback(context.WithoutCancel(ctx))
	var name string
	if err := tx.QueryRow(ctx, "SELECT pg_export_snapshot()").Scan(&name); err != nil {
		return fmt.Errorf("copy the database: %w", err)
	}
	err = d.runPostgres(ctx, "pg_dump", "--format=custom", "--no-owner", "--no-privileges", "--schema="+d.schema, "--snapshot="+name, "--file="+file)
	if err != nil {
		return err
	}
	return read(&Tx{db: d, pg: tx})
}

// runPostgres runs one of PostgreSQL's programs on the store. The password is in its
// environment, where other users do not see it.
func (d *DB) runPostgres(ctx context.Context, program string, args ...string) error {
	if _, err := exec.LookPath(program); err != nil {
		return fmt.Errorf("%s is not installed: a PostgreSQL is copied by its own programs; install the package postgresql-client of its version", program)
	}
	target, password, err := libpqURL(d.url)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, program, append(args, "--dbname="+target)...)
	cmd.Env = append(os.Environ(), "PGAPPNAME=plumb")
	if password != "" {
		cmd.Env = append(cmd.Env, "PGPASSWORD="+password)
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", program, err, strings.TrimSpace(string(out)))
	}
	return nil
}

// libpqParameters are those of a database's URL that PostgreSQL's programs know too.
var libpqParameters = []string{
	"host", "port", "user", "dbname", "sslmode", "sslcert", "sslkey", "sslrootcert", "sslcrl", "connect_timeout", "target_session_attrs", "passfile", "service",
}

func libpqURL(databaseURL string) (target, password string, err error) {
	u, err := url.Parse(databaseURL)
	if err != nil {
		return "", "", errors.New("the database is not a URL")
	}
	if u.User != nil {
		password, _ = u.User.Password()
		u.User = url.User(u.User.Username())
	}
	q := u.Query()
	if p := q.Get("password"); p != "" {
		password = p
	}
	for name := range q {
		if !slices.Contains(libpqParameters, name) {
			q.Del(name)
		}
	}
	u.RawQuery = q.Encode()
	return u.String(), password, nil
}

// LoadSnapshot makes a store of what Snapshot wrote. It refuses a store that is not
// empty.
func LoadSnapshot(ctx context.Context, databaseURL, file string, log *slog.Logger) error {
	if path, ok := strings.CutPrefix(databaseURL, "sqlite:"); ok {
		return loadLite(path, file)
	}
	d := newDB(databaseURL, log)
	if err := d.connect(ctx); err != nil {
		return err
	}
	defer d.Close()
	var found int
	if err := d.pool.QueryRow(ctx, "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()").Scan(&found); err != nil {
		return fmt.Errorf("look into the database: %w", err)
	}
	if found > 0 {
		return fmt.Errorf("the database has %d tables already: a backup is restored to an empty one", found)
	}
	return d.restorePostgres(ctx, file)
}

// restorePostgres restores all but the schema itself where it is there already, as
// "public" is in a new database: PostgreSQL's program fails on it.
func (d *DB) restorePostgres(ctx context.Context, file string) error {
	list, err := exec.CommandContext(ctx, "pg_restore", "--list", file).Output()
	if err != nil {
		return fmt.Errorf("pg_restore: read the list of what is in the backup: %w", err)
	}
	args := []string{"--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction"}
	if d.schema != "" {
		kept, schema := withoutSchema(string(list))
		if schema != "" && schema != d.schema {
			return fmt.Errorf("the backup's tables are of the schema %q and the database's URL leads to %q: add search_path=%s to the URL", schema, d.schema, url.QueryEscape(schema))
		}
		use, err := os.CreateTemp("", "plumb-restore-*.list")
		if err != nil {
			return err
		}
		defer os.Remove(use.Name())
		_, err = use.WriteString(kept)
		if err := errors.Join(err, use.Close()); err != nil {
			return err
		}
		args = append(args, "--use-list="+use.Name())
	}
	return d.runPostgres(ctx, "pg_restore", append(args, file)...)
}

// schemaEntry is a schema, or what is noted on it, in pg_restore's list.
var schemaEntry = regexp.MustCompile(`(?m)^\d+; \d+ \d+ (?:SCHEMA -|COMMENT - SCHEMA|ACL - SCHEMA) (\S+).*\n`)

// withoutSchema returns a list of pg_restore's without the schema that its entries
// are in, and the schema's name.
func withoutSchema(list string) (kept, schema string) {
	if m := schemaEntry.FindStringSubmatch(list); m != nil {
		schema = m[1]
	}
	return schemaEntry.ReplaceAllString(list, ""), schema
}

func loadLite(path, file string) error {
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		if _, err := os.Lstat(name); err == nil {
			return fmt.Errorf("%s is there already: a backup is restored where there is no database", name)
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make the database's folder: %w", err)
	}
	content, err := os.Open(file)
	if err != nil {
		return err
	}
	defer content.Close()
	to, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if _, err = to.ReadFrom(content); err == nil {
		err = to.Sync()
	}
	return errors.Join(err, to.Close())
}

// CheckSnapshot looks a file of Snapshot through and returns the schema's step that
// it has; 0 where only a restore would tell.
func CheckSnapshot(ctx context.Context, file string, postgres bool, log *slog.Logger) (Schema, error) {
	if postgres {
		out, err := exec.CommandContext(ctx, "pg_restore", "--list", file).CombinedOutput()
		if errors.Is(err, exec.ErrNotFound) {
			return Schema{}, nil
		}
		if err != nil {
			return Schema{}, fmt.Errorf("pg_restore: %w: %s", err, strings.TrimSpace(string(out)))
		}
		return Schema{}, nil
	}
	d, err := InspectSnapshot(file, log)
	if err != nil {
		return Schema{}, err
	}
	defer d.Close()
	var verdict string
	if err := d.reader.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&verdict); err != nil {
		return Schema{}, fmt.Errorf("check the database: %w", err)
	}
	if verdict != "ok" {
		return Schema{}, fmt.Errorf("check the database: %s", verdict)
	}
	return d.Schema(ctx)
}
