package codecommit

import (
	"context"
	"slices"
	"sync"
	"time"
)

// How many pushes are read at once: each is in memory until it is kept. Slow pushes
// do not take all turns: an account has three at most, an access key one.
const (
	maxPushes        = 4
	maxAccountPushes = 3 // of one account
	maxCallerPushes  = 1 // with one access key
)

// maxPushTime is how long a push may take to come.
const maxPushTime = 10 * time.Minute

// A pusher is who has a turn, or waits for one.
type pusher struct{ account, key string }

// turns are those of pushes. The first that waits gets the first that is free for it.
type turns struct {
	mu      sync.Mutex
	taken   []pusher
	waiting []*waiter
}

type waiter struct {
	pusher
	turn chan struct{} // closed when it has one
}

// take waits for a turn. What it returns gives it back.
func (t *turns) take(ctx context.Context, p pusher) (release func(), err error) {
	w := &waiter{p, make(chan struct{})}
	t.mu.Lock()
	t.waiting = append(t.waiting, w)
	t.next()
	t.mu.Unlock()
	select {
	case <-w.turn:
		return func() { t.give(p) }, nil
	case <-ctx.Done():
	}
	t.mu.Lock()
	i := slices.Index(t.waiting, w)
	if i >= 0 {
		t.waiting = slices.Delete(t.waiting, i, i+1)
	}
	t.mu.Unlock()
	if i < 0 { // the turn came at the same time
		t.give(p)
	}
	return nil, ctx.Err()
}

func (t *turns) give(p pusher) {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.Index(t.taken, p)
	t.taken = slices.Delete(t.taken, i, i+1)
	t.next()
}

// next has those begin who may.
func (t *turns) next() {
	t.waiting = slices.DeleteFunc(t.waiting, func(w *waiter) bool {
		if !t.free(w.pusher) {
			return false
		}
		t.taken = append(t.taken, w.pusher)
		close(w.turn)
		return true
	})
}

func (t *turns) free(p pusher) bool {
	var account, caller int
	for _, other := range t.taken {
		if other.account == p.account {
			account++
		}
		if other == p {
			caller++
		}
	}
	return len(t.taken) < maxPushes && account < maxAccountPushes && caller < maxCallerPushes
}
