package environment

import (
	"context"
	"slices"
	"time"
)

// A waiter is an invocation that waits for an environment. It gets one, or nil
// with the right to take an idle one or make one.
type waiter struct {
	key string
	got chan *environment // capacity 1
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
	if e := p.takeIdle(v.Key); e != nil {
		p.mu.Unlock()
		return e, nil
	}
	if p.ending[v.Key] == 0 && p.mayGrow(v.Key) {
		return p.grow(ctx, v)
	}
	w := &waiter{key: v.Key, got: make(chan *environment, 1)}
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
			if e := p.takeIdle(v.Key); e != nil {
				p.mu.Unlock()
				return e, nil
			}
			if p.mayGrow(v.Key) {
				return p.grow(ctx, v)
			}
			p.waiting = slices.Insert(p.waiting, 0, w) // another was faster
			p.mu.Unlock()
		case <-soon:
			p.mu.Lock()
			if i := slices.Index(p.waiting, w); i >= 0 && p.mayGrow(v.Key) {
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
func (p *Pool) takeIdle(key string) *environment {
	if !p.room() {
		return nil
	}
	beyond := p.busy() >= p.options.Eager
	e := p.popIdle(key)
	if e != nil && beyond {
		p.granted--
	}
	return e
}

// owed reports whether the one who has waited longest waits for another
// function, which there is no room for: then the environment makes room.
func (p *Pool) owed(e *environment) bool {
	return len(p.waiting) > 0 && p.waiting[0].key != e.version.Key && !p.room() && p.mayWake(p.waiting[0])
}

// mayWake reports whether there is an environment for the waiter, or may be one.
func (p *Pool) mayWake(w *waiter) bool {
	return len(p.idle[w.key]) > 0 || p.count[w.key] < p.options.PerFunction
}

// wake gives the right to an environment to the first who may have it.
func (p *Pool) wake() {
	if !p.room() {
		return
	}
	for i, w := range p.waiting {
		if p.mayWake(w) {
			p.waiting = slices.Delete(p.waiting, i, i+1)
			w.got <- nil
			return
		}
	}
}
