package app

import (
	"context"
	"fmt"
	"os"
	"time"
)

// Reset forgets everything that was kept: a new machine on an emptied store,
// with a clock that was not moved, takes the place of the old one.
// Requests that are under way on the old machine may fail.
func (a *App) Reset(ctx context.Context) error {
	a.resetting.Lock()
	defer a.resetting.Unlock()
	a.ready.Store(false)
	defer a.ready.Store(true)
	old := a.machine.Load()
	wait, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := old.rest(wait); err != nil {
		a.log.Warn("jobs were cut off by a reset", "err", err)
	}
	if err := old.db.Empty(ctx); err != nil {
		return fmt.Errorf("empty the store: %w", err)
	}
	if err := a.removeFiles(); err != nil {
		return err
	}
	m, err := a.build(ctx)
	if err != nil {
		return fmt.Errorf("build afresh: %w", err)
	}
	if err := m.start(ctx); err != nil {
		m.close()
		return fmt.Errorf("start afresh: %w", err)
	}
	a.machine.Store(m)
	old.close()
	return nil
}

// removeFiles empties the folders that hold objects and code.
func (a *App) removeFiles() error {
	for _, name := range []string{objectsFolder, codeFolder} {
		if err := os.RemoveAll(a.folder(name)); err != nil {
			return fmt.Errorf("remove files: %w", err)
		}
	}
	return nil
}

// Folders within the data folder.
const (
	objectsFolder = "objects"   // of buckets
	codeFolder    = "functions" // unpacked; a cache
	runFolder     = "run"       // of running functions
	sandboxFolder = "sandbox"
)
