package db

import (
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
)

// readers is how many connections read a SQLite store at once; WAL lets them
// read while the one writer writes.
const readers = 8

func (d *DB) openSQLite(path string) error {
	if path == "" {
		return fmt.Errorf("database \"sqlite:\": name a file, for example sqlite:.plumb/plumb.db")
	}
	if d.readOnly {
		return d.inspectSQLite(path)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make the database's folder: %w", err)
	}
	var err error
	if d.writer, err = openLite(sqliteDSN(path, "immediate")); err != nil {
		return fmt.Errorf("open SQLite: %w", err)
	}
	d.writer.SetMaxOpenConns(1)
	d.writer.SetMaxIdleConns(1)
	if err := d.writer.Ping(); err != nil {
		d.writer.Close()
		return fmt.Errorf("open SQLite %s: %w", path, err)
	}
	if d.reader, err = openLite(sqliteDSN(path, "deferred")); err != nil {
		d.writer.Close()
		return fmt.Errorf("open SQLite: %w", err)
	}
	d.reader.SetMaxOpenConns(readers)
	d.reader.SetMaxIdleConns(readers)
	return nil
}

func (d *DB) inspectSQLite(path string) error {
	reader, err := openLite(sqliteDSN(path, "deferred") + "&mode=ro")
	if err == nil {
		err = reader.Ping()
	}
	if err != nil {
		return fmt.Errorf("open SQLite %s: %w", path, err)
	}
	d.reader = reader
	return nil
}

func openLite(dsn string) (*sql.DB, error) {
	c, err := newLiteConnector(dsn)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(c), nil
}

func sqliteDSN(path, lock string) string {
	q := url.Values{"_txlock": {lock}}
	for _, p := range []string{
		"busy_timeout(20000)", // another process may hold the file: a backup, a second server by mistake
		"journal_mode(WAL)",
		"synchronous(FULL)",
		"foreign_keys(ON)",
		"temp_store(MEMORY)",
		"cache_size(-16000)",
		"case_sensitive_like(ON)", // as PostgreSQL's LIKE
	} {
		q.Add("_pragma", p)
	}
	if lock == "deferred" {
		q.Add("_pragma", "query_only(ON)")
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
}
