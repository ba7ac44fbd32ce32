package db_test

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"plumb/internal/db"
	"plumb/internal/db/dbtest"
)

func table(t *testing.T, d *db.DB) {
	t.Helper()
	write(t, d, func(tx *db.Tx) error {
		_, err := tx.Exec(t.Context(), `CREATE TABLE thing (name TEXT PRIMARY KEY, n BIGINT NOT NULL)`)
		return err
	})
}

func write(t *testing.T, d *db.DB, f func(*db.Tx) error) {
	t.Helper()
	if err := d.Write(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

func count(t *testing.T, d *db.DB) (n int) {
	t.Helper()
	err := d.Read(t.Context(), func(tx *db.Tx) error {
		return tx.QueryRow(t.Context(), `SELECT count(*) FROM thing WHERE name <> '?'`).Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestFailedTransactionLeavesNothing(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		table(t, d)
		called := false
		err := d.Write(t.Context(), func(tx *db.Tx) error {
			tx.AfterCommit(func() { called = true })
			if _, err := tx.Exec(t.Context(), `INSERT INTO thing (name, n) VALUES (?, ?)`, "a", 1); err != nil {
				return err
			}
			return errors.New("no")
		})
		if err == nil || count(t, d) != 0 || called {
			t.Fatalf("err %v, rows %d, called back %v", err, count(t, d), called)
		}
	})
}

func TestPanicEndsTheTransaction(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		table(t, d)
		func() {
			defer func() { _ = recover() }()
			_ = d.Write(t.Context(), func(tx *db.Tx) error {
				_, _ = tx.Exec(t.Context(), `INSERT INTO thing (name, n) VALUES (?, ?)`, "a", 1)
				panic("broken")
			})
		}()
		write(t, d, func(tx *db.Tx) error {
			_, err := tx.Exec(t.Context(), `INSERT INTO thing (name, n) VALUES (?, ?)`, "b", 1)
			return err
		})
		if count(t, d) != 1 {
			t.Fatalf("%d rows", count(t, d))
		}
	})
}

func TestReadingTransactionCannotWrite(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		table(t, d)
		err := d.Read(t.Context(), func(tx *db.Tx) error {
			_, err := tx.Exec(t.Context(), `INSERT INTO thing (name, n) VALUES (?, ?)`, "a", 1)
			return err
		})
		if err == nil {
			t.Fatal("it wrote")
		}
	})
}

func TestLockedThingIsCountedRightByManyWriters(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		table(t, d)
		write(t, d, func(tx *db.Tx) error {
			_, err := tx.Exec(t.Context(), `INSERT INTO thing (name, n) VALUES ('a', 0)`)
			return err
		})
		const writers, times = 8, 10
		done := make(chan error, writers)
		for range writers {
			go func() {
				for range times {
					if err := d.Write(context.Background(), increment); err != nil {
						done <- err
						return
					}
				}
				done <- nil
			}()
		}
		for range writers {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		var n int
		write(t, d, func(tx *db.Tx) error { return tx.QueryRow(t.Context(), `SELECT n FROM thing`).Scan(&n) })
		if n != writers*times {
			t.Fatalf("counted %d, want %d", n, writers*times)
		}
	})
}

func increment(tx *db.Tx) error {
	ctx := context.Background()
	if err := tx.Lock(ctx, "thing a"); err != nil {
		return err
	}
	var n int
	if err := tx.QueryRow(ctx, `SELECT n FROM thing WHERE name = ?`, "a").Scan(&n); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `UPDATE thing SET n = ? WHERE name = ?`, n+1, "a")
	return err
}

func TestDatabaseOfANewerProgramIsRefusedWithASentence(t *testing.T) {
	url := "sqlite:" + filepath.Join(t.TempDir(), "plumb.db")
	d, err := db.Open(t.Context(), url, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	write(t, d, func(tx *db.Tx) error {
		_, err := tx.Exec(t.Context(), `INSERT INTO plumb_migration (number, name) VALUES (9999, '9999_future')`)
		return err
	})
	d.Close()
	_, err = db.Open(t.Context(), url, slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "newer Plumb") || !strings.Contains(err.Error(), "9999") {
		t.Fatalf("got %v", err)
	}
}

func TestUnknownDatabaseIsRefusedWithWhatToWrite(t *testing.T) {
	for _, url := range []string{"mysql://x", "plumb.db", "sqlite:"} {
		_, err := db.Open(t.Context(), url, slog.New(slog.DiscardHandler))
		if err == nil || !strings.Contains(err.Error(), "sqlite:") {
			t.Errorf("%s: got %v", url, err)
		}
	}
}

func TestAWriteWhoseContextEndsSaysSo(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		ctx, cancel := context.WithCancel(t.Context())
		err := d.Write(ctx, func(tx *db.Tx) error {
			cancel()
			if d.IsPostgres() {
				return nil
			}
			for { // until the transaction is rolled back
				if _, err := tx.Exec(context.Background(), "SELECT 1"); errors.Is(err, sql.ErrTxDone) {
					return nil
				}
			}
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}
