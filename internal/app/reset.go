package app

import (
	"context"
	"fmt"
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
	if err := old.Rest(wait); err != nil {
		a.log.Warn("jobs were cut off by a reset", "err", err)
	}
	if err := old.Empty(ctx); err != nil {
		return err
	}
	m, err := a.build(ctx)
	if err != nil {
		return fmt.Errorf("build afresh: %w", err)
	}
	if err := m.Start(ctx); err != nil {
		m.Close()
		return fmt.Errorf("start afresh: %w", err)
	}
	a.machine.Store(m)
	old.Close()
	return nil
}
