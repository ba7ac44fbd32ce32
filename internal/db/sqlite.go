package db

import (
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
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
	if err := checkLength(path); err != nil {
		return err
	}
	if d.readOnly {
		return d.inspectSQLite(path)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make the database's folder: %w", err)
	}
	if err := privateFile(path); err != nil {
		return fmt.Errorf("make the database's file: %w", err)
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
	if d.longReader, err = openLongLite(sqliteDSN(path, "deferred")); err != nil {
		d.writer.Close()
		d.reader.Close()
		return fmt.Errorf("open SQLite: %w", err)
	}
	return nil
}

func (d *DB) inspectSQLite(path string) error {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return &OpenError{fmt.Errorf("%s: there is no such file", path), "name the data folder of a server with --data, or its database with --database"}
	}
	reader, err := openLite(sqliteDSN(path, "deferred") + "&mode=ro")
	if err == nil {
		err = reader.Ping()
	}
	if err != nil {
		return fmt.Errorf("open SQLite %s: %w", path, err)
	}
	d.reader = reader
	d.longReader, err = openLongLite(sqliteDSN(path, "deferred") + "&mode=ro")
	return err
}

// privateFile makes the database's file before SQLite does, which would let
// everyone read it, and takes the rights of others from files that are there.
// SQLite gives the files beside it the rights of this one.
func privateFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	f.Close()
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		info, err := os.Stat(name)
		if err != nil || info.Mode().Perm()&0o077 == 0 {
			continue
		}
		if err := os.Chmod(name, 0o600); err != nil && !errors.Is(err, fs.ErrPermission) {
			return err
		}
	}
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
