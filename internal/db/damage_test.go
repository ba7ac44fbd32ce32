package db_test

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"plumb/internal/db"
	"plumb/internal/db/dbtest"
)

// damaged are the ways in which a file comes to be no database.
var damaged = map[string]func(whole []byte) []byte{
	"other text": func([]byte) []byte { return []byte(strings.Repeat("no database ", 100)) },
	"cut short":  func(whole []byte) []byte { return whole[:len(whole)/3] },
	"one page":   func(whole []byte) []byte { return whole[:4096] },
	"its head":   func(whole []byte) []byte { return append([]byte("XQLite"), whole[6:]...) },
	"its schema": func(whole []byte) []byte {
		return append(append(whole[:100:100], make([]byte, 3996)...), whole[4096:]...)
	},
}

func TestDamagedFileIsToldWithWhatToDo(t *testing.T) {
	for name, damage := range damaged {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "plumb.db")
			dbtest.SQLite(t, path)
			whole, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, suffix := range []string{"-wal", "-shm"} {
				if err := os.Remove(path + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
					t.Fatal(err)
				}
			}
			if err := os.WriteFile(path, damage(whole), 0o600); err != nil {
				t.Fatal(err)
			}
			d, err := db.Open(t.Context(), "sqlite:"+path, slog.New(slog.DiscardHandler))
			if err == nil {
				d.Close()
				t.Fatal("it opened")
			}
			if !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "restore a backup with plumb restore") {
				t.Error(err)
			}
		})
	}
}

func TestWholeFileOpensAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "plumb.db")
	for range 3 {
		d, err := db.Open(t.Context(), "sqlite:"+path, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		d.Close()
	}
}

func TestPostgresThatCannotBeReachedIsToldInOneLine(t *testing.T) {
	_, err := db.Open(t.Context(), "postgres://nobody:secret@127.0.0.1:1/x", slog.New(slog.DiscardHandler))
	if err == nil || strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), "see that the server runs") {
		t.Errorf("%v", err)
	}
	if strings.Count(err.Error(), "127.0.0.1:1 ") != 1 {
		t.Errorf("a try is told twice: %v", err)
	}
}
