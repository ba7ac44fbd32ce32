// Package clock is the time that the whole program is handed. It runs with the
// machine's clock until somebody freezes or advances it, which tests and rule
// authors do instead of waiting.
//
// It keeps nothing: a restarted server is back at the machine's time.
package clock

import (
	"sync"
	"time"
)

// A Clock tells the time. The zero value runs with the machine's clock. It is
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
