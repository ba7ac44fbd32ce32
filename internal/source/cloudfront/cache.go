package cloudfront

import (
	"container/list"
	"context"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"plumb/internal/db"
)

// A stored is an answer in the cache.
type stored struct {
	key          string
	distribution string
	uris         []string // as the viewer sent it, and as the functions and the root object made it
	status       int
	headers      Headers
	body         []byte
	at, until    time.Time
}

func (s *stored) size() int { return len(s.key) + len(s.body) + s.headers.size() + 256 }

// A cache has the answers that were used last, as far as its bytes reach.
type cache struct {
	mu      sync.Mutex
	max     int
	bytes   int
	byKey   map[string]*list.Element
	used    *list.List     // of *stored, the last one first
	applied map[string]int // by distribution: how many of its invalidations
}

// What is cached: bytes in all, and of one body.
const (
	maxCache  = 64 << 20
	maxCached = 1 << 20
)

func newCache() *cache {
	return &cache{max: maxCache, byKey: map[string]*list.Element{}, used: list.New(), applied: map[string]int{}}
}

// get returns an answer that still holds.
func (c *cache) get(key string, now time.Time) (*stored, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.byKey[key]
	if !ok {
		return nil, false
	}
	s := e.Value.(*stored)
	if !now.Before(s.until) {
		c.remove(e)
		return nil, false
	}
	c.used.MoveToFront(e)
	return s, true
}

// put keeps an answer, unless it was asked for before an invalidation that counts.
func (c *cache) put(s *stored, invalidated int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.applied[s.distribution] != invalidated {
		return
	}
	if e, ok := c.byKey[s.key]; ok {
		c.remove(e)
	}
	c.byKey[s.key] = c.used.PushFront(s)
	c.bytes += s.size()
	for c.bytes > c.max {
		c.remove(c.used.Back())
	}
}

func (c *cache) remove(e *list.Element) {
	s := e.Value.(*stored)
	c.used.Remove(e)
	delete(c.byKey, s.key)
	c.bytes -= s.size()
}

// maxApplied is how many distributions a cache remembers invalidations of.
const maxApplied = 10_000

// apply forgets what invalidations say that this cache has not seen.
func (c *cache) apply(ctx context.Context, d *db.DB, of Distribution) error {
	c.mu.Lock()
	seen, known := c.applied[of.ID]
	c.mu.Unlock()
	if known && seen == of.Invalidated {
		return nil
	}
	var fresh []Invalidation
	if known && seen < of.Invalidated {
		err := d.Read(ctx, func(tx *db.Tx) (err error) {
			fresh, err = Invalidations(ctx, tx, of.ID, math.MaxInt32, of.Invalidated-seen)
			return err
		})
		if err != nil {
			return err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.applied) > maxApplied {
		clear(c.applied)
		clear(c.byKey)
		c.used.Init()
		c.bytes = 0
	}
	for e := c.used.Front(); e != nil; {
		next := e.Next()
		if s := e.Value.(*stored); s.distribution == of.ID && anyForgets(fresh, s.uris) {
			c.remove(e)
		}
		e = next
	}
	c.applied[of.ID] = max(c.applied[of.ID], of.Invalidated)
	return nil
}

func anyForgets(all []Invalidation, uris []string) bool {
	for _, i := range all {
		for _, path := range i.Paths {
			prefix, open := strings.CutSuffix(path, "*")
			if slices.ContainsFunc(uris, func(uri string) bool { return uri == path || open && strings.HasPrefix(uri, prefix) }) {
				return true
			}
		}
	}
	return false
}
