package environment

import (
	"context"
	"slices"
	"time"
)

// A waiter is an invocation that waits for an environment. It gets one, or nil
// with the right to take an idle one or make one.
type waiter struct {
	key     string
	account string
	got     chan *environment // capacity 1
}

// grace is how long an invocation waits for an environment that has just
// answered before another is started: longer than a runtime needs to ask for the
// next event, shorter than any start.
const grace = 50 * time.Millisecond

// take returns an environment that the caller owns.
func (p *Pool) take(ctx context.Context, v Version) (*environment, error) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, ErrClosed
	}
	if e := p.takeIdle(v); e != nil {
		p.mu.Unlock()
		return e, nil
	}
	if e := p.takeOlder(v); e != nil {
		p.mu.Unlock()
		return e, p.renew(ctx, e)
	}
	if p.closed {
		p.mu.Unlock()
		return nil, ErrClosed
	}
	if p.ending[v.Key] == 0 && p.mayGrow(v) {
		return p.grow(ctx, v)
	}
	w := &waiter{key: v.Key, account: v.Account, got: make(chan *environment, 1)}
	p.waiting = append(p.waiting, w)
	p.pace()
	var soon <-chan time.Time
	if p.ending[v.Key] > 0 {
		t := time.NewTimer(p.grace)
		defer t.Stop()
		soon = t.C
	}
	p.mu.Unlock()
	for {
		select {
		case e, open := <-w.got:
			if !open {
				return nil, ErrClosed
			}
			if e != nil {
				return e, nil
			}
			p.mu.Lock()
			if e := p.takeIdle(v); e != nil {
				p.mu.Unlock()
				return e, nil
			}
			if p.mayGrow(v) {
				return p.grow(ctx, v)
			}
			p.waiting = slices.Insert(p.waiting, 0, w) // another was faster
			p.mu.Unlock()
		case <-soon:
			p.mu.Lock()
			if i := slices.Index(p.waiting, w); i >= 0 && p.mayGrow(v) {
				p.waiting = slices.Delete(p.waiting, i, i+1)
				return p.grow(ctx, v)
			}
			p.mu.Unlock()
			soon = nil
		case <-ctx.Done():
			return nil, p.giveUp(w, ctx.Err())
		}
	}
}

// giveUp takes a waiter out of the queue, and passes on what it got meanwhile.
func (p *Pool) giveUp(w *waiter, err error) error {
	p.mu.Lock()
	i := slices.Index(p.waiting, w)
	if i >= 0 {
		p.waiting = slices.Delete(p.waiting, i, i+1)
	}
	p.mu.Unlock()
	if i >= 0 {
		return err
	}
	if e, open := <-w.got; open && e != nil {
		p.giveBack(e)
	} else if open {
		p.mu.Lock()
		p.wake()
		p.mu.Unlock()
	}
	return err
}

// takeIdle returns an idle environment if there is one and it may work now.
func (p *Pool) takeIdle(v Version) *environment {
	if !p.room(v.Account) {
		return nil
	}
	beyond := p.busy() >= p.options.Eager
	e := p.popIdle(v.Key)
	if e != nil && beyond {
		p.granted--
	}
	return e
}

// owed returns the one who has waited longest and may have its turn, if that is for
// another function, which there is no room for: then the environment makes room.
// Nil if nobody does.
func (p *Pool) owed(e *environment) *waiter {
	for _, w := range p.waiting {
		if p.options.Shared && w.account != e.version.Account && p.busyFor(w.account) >= share(min(p.options.Eager, p.options.Total)) {
			continue // its account has its share
		}
		if w.key != e.version.Key && !p.room(w.account) && p.mayWake(w) {
			return w
		}
		return nil
	}
	return nil
}

// mayWake reports whether there is an environment for the waiter, or may be one.
func (p *Pool) mayWake(w *waiter) bool {
	return len(p.idle[w.key]) > 0 || p.count[w.key] < p.options.PerFunction
}

// wake gives the right to an environment to the first who may have it.
func (p *Pool) wake() {
	for i, w := range p.waiting {
		if !p.room(w.account) {
			if p.options.Shared {
				continue // there may be room for another account
			}
			return
		}
		if p.mayWake(w) {
			p.waiting = slices.Delete(p.waiting, i, i+1)
			w.got <- nil
			return
		}
	}
}
