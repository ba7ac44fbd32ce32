package db_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"plumb/internal/db"
	"plumb/internal/db/dbtest"
)

// withParameters opens a new PostgreSQL schema with other session parameters.
func withParameters(t *testing.T, parameters string) *db.DB {
	t.Helper()
	u := dbtest.PostgresURL(t)
	sep := "?"
	if strings.Contains(u, "?") {
		sep = "&"
	}
	d, err := db.Open(t.Context(), u+sep+parameters, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

// freeze takes a lock and leaves it there, as a server does that is stopped.
func freeze(t *testing.T, d *db.DB, parameter string) {
	t.Helper()
	locked := make(chan struct{})
	go d.Write(context.WithoutCancel(t.Context()), func(tx *db.Tx) error {
		if parameter != "" {
			if _, err := tx.Exec(t.Context(), "SET LOCAL "+parameter); err != nil {
				t.Error(err)
			}
		}
		err := tx.Lock(t.Context(), "place")
		close(locked)
		<-t.Context().Done() // says nothing more until the test ends
		return err
	})
	<-locked
}

func lockPlace(ctx context.Context, d *db.DB) error {
	return d.Write(ctx, func(tx *db.Tx) error { return tx.Lock(ctx, "place") })
}

func TestFrozenTransactionIsEndedAndTheNextOneGoesOn(t *testing.T) {
	d := withParameters(t, "idle_in_transaction_session_timeout=1500&lock_timeout=600")
	freeze(t, d, "")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := lockPlace(ctx, d); err != nil {
		t.Fatalf("the lock was not given on: %v", err)
	}
}

func TestLockThatIsNotGivenIsARetryableError(t *testing.T) {
	d := withParameters(t, "lock_timeout=100")
	freeze(t, d, "idle_in_transaction_session_timeout = 0")
	err := lockPlace(t.Context(), d)
	var u *db.UnavailableError
	if !errors.As(err, &u) {
		t.Fatalf("got %v", err)
	}
}

func TestSessionsBlockNobodyForLong(t *testing.T) {
	d := withParameters(t, "application_name=test")
	for name, want := range map[string]string{"idle_in_transaction_session_timeout": "20s", "lock_timeout": "8s", "application_name": "test"} {
		var got string
		err := d.Read(t.Context(), func(tx *db.Tx) error { return tx.QueryRow(t.Context(), "SHOW "+name).Scan(&got) })
		if err != nil || got != want {
			t.Errorf("%s is %q, %v; want %q", name, got, err, want)
		}
	}
}

func TestDatabaseThatIsAwayIsUnavailable(t *testing.T) {
	p := dbtest.NewProxy(t, dbtest.PostgresURL(t))
	d, err := db.Open(t.Context(), p.URL, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	during := d.Write(t.Context(), func(tx *db.Tx) error {
		p.GoAway()
		_, err := tx.Exec(t.Context(), "DELETE FROM plumb_migration WHERE number < 0")
		return err
	})
	read := d.Read(t.Context(), func(*db.Tx) error { return nil })
	write := d.Write(t.Context(), func(*db.Tx) error { return nil })
	p.ComeBack(t)
	if err := d.Read(t.Context(), func(*db.Tx) error { return nil }); err != nil {
		t.Errorf("after it came back: %v", err)
	}
	for what, err := range map[string]error{"in a transaction": during, "a read": read, "a write": write} {
		var away *db.UnavailableError
		if !errors.As(err, &away) {
			t.Errorf("%s: got %v", what, err)
		}
	}
}

// Connections that were idle while the database was away ended with it.
func TestDatabaseThatIsBackIsAvailableToAll(t *testing.T) {
	p := dbtest.NewProxy(t, dbtest.PostgresURL(t))
	d, err := db.Open(t.Context(), p.URL, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	const many = 4
	together := func() (failed int) {
		var begun, ended sync.WaitGroup
		begun.Add(many)
		errs := make(chan error, many)
		for range many {
			ended.Go(func() {
				once := sync.OnceFunc(begun.Done)
				defer once()
				errs <- d.Read(t.Context(), func(*db.Tx) error {
					once()
					begun.Wait() // so that each has a connection of its own
					return nil
				})
			})
		}
		ended.Wait()
		close(errs)
		for err := range errs {
			if err != nil {
				failed++
			}
		}
		return failed
	}
	if n := together(); n != 0 {
		t.Fatalf("%d reads failed", n)
	}
	p.GoAway()
	if d.Read(t.Context(), func(*db.Tx) error { return nil }) == nil {
		t.Error("a database that is away was read")
	}
	p.ComeBack(t)
	if n := together(); n != 0 {
		t.Errorf("after it came back %d reads of %d failed", n, many)
	}
}

func TestStoreIsNotWritableWhileTheDiskRefuses(t *testing.T) {
	d := dbtest.Open(t)
	table(t, d)
	limit := func(pages string) {
		if _, err := d.Writer().Exec("PRAGMA max_page_count = " + pages); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Writable(t.Context()); err != nil {
		t.Fatal(err)
	}
	limit("1") // as many as there are
	fill := func() error {
		return d.Write(t.Context(), func(tx *db.Tx) error {
			_, err := tx.Exec(t.Context(), `INSERT INTO thing (name, n) VALUES (?, 1)`, strings.Repeat("x", 1<<20))
			return err
		})
	}
	if fill() == nil {
		t.Fatal("a full disk took a row")
	}
	if _, err := d.Writer().Exec("PRAGMA query_only = ON"); err != nil {
		t.Fatal(err)
	}
	if d.Writable(t.Context()) == nil {
		t.Error("the store says that it takes writes")
	}
	if _, err := d.Writer().Exec("PRAGMA query_only = OFF"); err != nil {
		t.Fatal(err)
	}
	if err := d.Writable(t.Context()); err != nil {
		t.Error(err)
	}
}
