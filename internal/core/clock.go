package core

import (
	"context"
	"errors"
	"fmt"
	"time"

	"plumb/internal/clock"
	"plumb/internal/db"
)

// A clock that was moved stays moved: items were recorded and jobs are due by it.
// Its state is kept in the store, which it is the time of.

// MoveClock moves the clock and keeps where it is. If that fails it is not moved.
func (m *Machine) MoveClock(ctx context.Context, move func(c *clock.Clock)) error {
	m.moving.Lock()
	defer m.moving.Unlock()
	before := m.Clock.State()
	move(m.Clock)
	if err := m.keepClock(ctx, m.Clock.State()); err != nil {
		m.Clock.Restore(before)
		return fmt.Errorf("keep the clock: %w", err)
	}
	return nil
}

func (m *Machine) keepClock(ctx context.Context, s clock.State) error {
	return m.DB.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO clock (id, ahead, frozen) VALUES (1, ?, ?)
			ON CONFLICT (id) DO UPDATE SET ahead = excluded.ahead, frozen = excluded.frozen`,
			s.Ahead.Microseconds(), db.Micros(s.Frozen))
		return err
	})
}

// restoreClock moves the clock to where it was when the last server ended.
func (m *Machine) restoreClock(ctx context.Context) error {
	var ahead, frozen int64
	err := m.DB.Read(ctx, func(tx *db.Tx) error {
		return tx.QueryRow(ctx, `SELECT ahead, frozen FROM clock`).Scan(&ahead, &frozen)
	})
	if errors.Is(err, db.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("restore the clock: %w", err)
	}
	m.Clock.Restore(clock.State{Ahead: time.Duration(ahead) * time.Microsecond, Frozen: db.Time(frozen)})
	m.log.Info("the clock was moved", "now", m.Clock.Now(), "frozen", frozen != 0)
	return nil
}
