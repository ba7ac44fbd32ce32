package db

import (
	"container/list"
	"sync"
)

// An lru keeps values by a text, the most recently used ones, as long as their
// texts together are not longer than its size. It is safe for concurrent use.
type lru[T any] struct {
	size int

	mu    sync.Mutex
	used  int
	order list.List // of *lruEntry[T], the most recently used first
	known map[string]*list.Element
}

type lruEntry[T any] struct {
	key   string
	value T
}

func newLRU[T any](size int) *lru[T] { return &lru[T]{size: size, known: map[string]*list.Element{}} }

func (c *lru[T]) get(key string) (value T, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.known[key]
	if !ok {
		return value, false
	}
	c.order.MoveToFront(e)
	return e.Value.(*lruEntry[T]).value, true
}

// put keeps a value. One whose text alone would fill an eighth is not worth what
// it pushes out.
func (c *lru[T]) put(key string, value T) {
	if len(key) > c.size/8 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.known[key]; ok {
		e.Value.(*lruEntry[T]).value = value
		c.order.MoveToFront(e)
		return
	}
	c.known[key] = c.order.PushFront(&lruEntry[T]{key, value})
	c.used += len(key)
	for c.used > c.size {
		last := c.order.Back()
		old := c.order.Remove(last).(*lruEntry[T])
		delete(c.known, old.key)
		c.used -= len(old.key)
	}
}
