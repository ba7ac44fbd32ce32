package wire

import (
	"strings"
	"sync"
	"time"

	"plumb/internal/caller"
	"plumb/internal/model"
)

// A Throttle bounds how often each operation of one service is asked for, in each region of each account.
type Throttle struct {
	Service string // its name in credential scopes
	Rate    int    // requests per second, up to 1,000,000; 0: as many as come
	Burst   int    // requests that may come at once, up to 1,000,000; 0: as many as Rate
}

// maxPaces bounds the memory of a throttle: twice as many paces are kept.
const maxPaces = 1 << 14

// A throttle has a pace for each account, region and operation that asked lately. A pace is the time at which the whole
// burst is free again: each request moves it by the time that one request takes at the rate.
//
// Paces are in two maps. When recent is full, it becomes older, and the older one is forgotten: those in it may have the
// whole burst once more. So nothing has to be looked through, and who asks all the time is not forgotten.
type throttle struct {
	service string
	each    time.Duration // what one request takes
	all     time.Duration // what a burst takes
	now     func() time.Time

	mu            sync.Mutex
	recent, older map[paced]time.Time
}

type paced struct{ account, region, operation string }

// newThrottle returns nil, which lets everything through, where there is no rate.
func newThrottle(o Throttle, now func() time.Time) *throttle {
	if o.Rate == 0 {
		return nil
	}
	if o.Burst == 0 {
		o.Burst = o.Rate
	}
	each := time.Second / time.Duration(o.Rate)
	return &throttle{service: o.Service, each: each, all: each * time.Duration(o.Burst), now: now, recent: map[paced]time.Time{}}
}

// check counts a request, or refuses it with the error that AWS's clients answer by coming again later.
func (t *throttle) check(service string, c caller.Caller, operation string) error {
	if t == nil || service != t.service {
		return nil
	}
	if !t.take(paced{c.Account, c.Region, operation}) {
		return model.ThrottlingException("Rate exceeded")
	}
	return nil
}

func (t *throttle) take(p paced) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	free, ok := t.recent[p]
	if !ok {
		free = t.older[p]
	}
	if free.Before(now) || free.Sub(now) > t.all { // so late only if the clock went back
		free = now
	}
	free = free.Add(t.each)
	if free.Sub(now) > t.all {
		return false
	}
	if !ok {
		p = t.makeRoom(p)
	}
	t.recent[p] = free
	return true
}

// makeRoom returns p for recent. Its texts are copied: they are parts of the request's headers, which would stay with them.
func (t *throttle) makeRoom(p paced) paced {
	if len(t.recent) >= maxPaces {
		t.older, t.recent = t.recent, map[paced]time.Time{}
	}
	return paced{strings.Clone(p.account), strings.Clone(p.region), p.operation}
}
