package rule

import (
	"container/list"
	"sync"
)

// A cache remembers what was used last, up to a weight. It is safe for
// concurrent use.
type cache[K comparable, V any] struct {
	maxWeight int
	weigh     func(V) int

	mu      sync.Mutex
	weight  int
	entries map[K]*list.Element
	order   list.List // the one used last is in front
}

type cacheEntry[K comparable, V any] struct {
	key   K
	value V
}

func newCache[K comparable, V any](maxWeight int, weigh func(V) int) *cache[K, V] {
	return &cache[K, V]{maxWeight: maxWeight, weigh: weigh, entries: map[K]*list.Element{}}
}

func (c *cache[K, V]) get(k K) (v V, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	el, ok := c.entries[k]
	if !ok {
		return v, false
	}
	c.order.MoveToFront(el)
	return el.Value.(cacheEntry[K, V]).value, true
}

// put keeps a value. One that is heavier than the whole cache is kept alone.
func (c *cache[K, V]) put(k K, v V) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if el, ok := c.entries[k]; ok {
		c.remove(el)
	}
	c.entries[k] = c.order.PushFront(cacheEntry[K, V]{k, v})
	c.weight += c.weigh(v)
	for c.weight > c.maxWeight && c.order.Len() > 1 {
		c.remove(c.order.Back())
	}
}

func (c *cache[K, V]) drop(k K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if el, ok := c.entries[k]; ok {
		c.remove(el)
	}
}

func (c *cache[K, V]) remove(el *list.Element) {
	entry := c.order.Remove(el).(cacheEntry[K, V])
	delete(c.entries, entry.key)
	c.weight -= c.weigh(entry.value)
}
