package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"plumb/internal/db"
	"plumb/internal/db/dbtest"
)

// A bench is one run of the program: what was asked for, what was found, and a
// folder for everything that is kept meanwhile.
type bench struct {
	options
	table   table
	dir     string
	stores  int
	closers []func()
}

func (b *bench) open() (err error) {
	b.dir, err = os.MkdirTemp("", "plumb-bench-")
	return err
}

func (b *bench) close() {
	for i := len(b.closers) - 1; i >= 0; i-- {
		b.closers[i]()
	}
	os.RemoveAll(b.dir)
}

func (b *bench) atEnd(f func()) { b.closers = append(b.closers, f) }

// log shows what goes wrong, and nothing else.
func (b *bench) log() *slog.Logger {
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
}

// newStore names an empty store: a SQLite file on the disk, or a schema.
func (b *bench) newStore(ctx context.Context) (url string, err error) {
	if b.database == "" {
		b.stores++
		return "sqlite:" + filepath.Join(b.dir, fmt.Sprintf("store%d.db", b.stores)), nil
	}
	url, drop, err := dbtest.Schema(ctx, b.database)
	if err != nil {
		return "", err
	}
	b.atEnd(func() { drop() })
	return url, nil
}

// openStore opens an empty store.
func (b *bench) openStore(ctx context.Context) (*db.DB, error) {
	url, err := b.newStore(ctx)
	if err != nil {
		return nil, err
	}
	d, err := db.Open(ctx, url, b.log())
	if err != nil {
		return nil, err
	}
	b.atEnd(d.Close)
	return d, nil
}
