package app

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Reset forgets everything that was kept: a new machine on an emptied store,
// with a clock that was not moved, takes the place of the old one.
// Requests that are under way on the old machine may fail.
func (a *App) Reset(ctx context.Context) error {
	a.resetting.Lock()
	defer a.resetting.Unlock()
	if a.stopped {
		return errors.New("the server is being stopped")
	}
	// Half a reset is a server without jobs, so the client may leave.
	ctx = context.WithoutCancel(ctx)
	a.ready.Store(false)
	old := a.machine.Load()
	wait, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := old.Rest(wait); err != nil {
		a.log.Warn("jobs were cut off by a reset", "err", err)
	}
	notEmptied := old.Empty(ctx)
	m, err := a.startAnew(ctx)
	if err != nil {
		return errors.Join(notEmptied, err) // and /readyz says that the server is not ready
	}
	a.machine.Store(m)
	old.Close()
	a.further.follow(ctx)
	a.ready.Store(true)
	return notEmptied
}

func (a *App) startAnew(ctx context.Context) (*machine, error) {
	m, err := a.build(ctx)
	if err != nil {
		return nil, fmt.Errorf("build anew: %w", err)
	}
	if err := a.run(ctx, m); err != nil {
		m.Close()
		return nil, fmt.Errorf("start anew: %w", err)
	}
	return m, nil
}
