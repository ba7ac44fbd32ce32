// Package clock is the time that the whole program is handed. It runs with the
// machine's clock until somebody freezes or advances it, which tests and rule
// authors do instead of waiting.
//
// It keeps nothing. A server that goes on after a restart keeps its State.
package clock

import (
	"sync"
	"time"
)

// A Clock is a source of time. The zero value runs with the machine's clock. It is
// safe for concurrent use.
type Clock struct {
	mu     sync.Mutex
	offset time.Duration
	frozen *time.Time
}

// Now returns the clock's time in UTC, cut to microseconds, which is what both
// stores keep.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.frozen != nil {
		return *c.frozen
	}
	return time.Now().UTC().Add(c.offset).Truncate(time.Microsecond)
}

// Freeze stops the clock at t, or where it stands if t is zero.
func (c *Clock) Freeze(t time.Time) {
	now := c.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if t.IsZero() {
		t = now
	}
	t = t.UTC().Truncate(time.Microsecond)
	c.frozen = &t
}

// Advance moves the clock forward by d, whether it runs or stands. Going back is
// refused by doing nothing: what was due stays due.
func (c *Clock) Advance(d time.Duration) {
	if d <= 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.frozen != nil {
		t := c.frozen.Add(d)
		c.frozen = &t
		return
	}
	c.offset += d
}

// Run lets a frozen clock run on from where it stands.
func (c *Clock) Run() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.frozen == nil {
		return
	}
	c.offset = time.Until(*c.frozen)
	c.frozen = nil
}

// Frozen reports whether the clock stands.
func (c *Clock) Frozen() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.frozen != nil
}

// A State is what a clock needs to go on from where it is in another process.
type State struct {
	Ahead  time.Duration // of the machine's clock
	Frozen time.Time     // where it stands; zero if it runs
}

// State returns where the clock is.
func (c *Clock) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := State{Ahead: c.offset}
	if c.frozen != nil {
		s.Frozen = *c.frozen
	}
	return s
}

// Restore moves the clock to where another one was.
func (c *Clock) Restore(s State) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset, c.frozen = s.Ahead, nil
	if !s.Frozen.IsZero() {
		c.frozen = &s.Frozen
	}
}
