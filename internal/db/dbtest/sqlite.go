package dbtest

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"plumb/internal/db"
	"plumb/internal/job"
)

// Folder returns a folder that is removed when the test ends. It is in memory where
// that can be: what a test writes need not survive the machine, and waiting for its disk takes
// longer than most tests.
func Folder(t testing.TB) string {
	t.Helper()
	if !inMemory() {
		return t.TempDir()
	}
	dir, err := os.MkdirTemp(memory, "plumb-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("remove the test's folder: %v", err)
		}
	})
	return dir
}

// SQLite makes a file that has had every migration and has nothing in it.
func SQLite(t testing.TB, file string) {
	t.Helper()
	content, err := migrated()
	if err == nil {
		err = os.WriteFile(file, content, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// migrated returns such a file, which is made once: the migrations take longer than most tests.
var migrated = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "plumb-test-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "plumb.db")
	if err := migrate(context.Background(), "sqlite:"+file); err != nil {
		return nil, err
	}
	return os.ReadFile(file)
})

// migrate gives a database every migration.
func migrate(ctx context.Context, url string) error {
	d, err := db.Open(ctx, url, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer d.Close() // which has a file of SQLite hold all that was written
	return job.Migrate(ctx, d)
}
