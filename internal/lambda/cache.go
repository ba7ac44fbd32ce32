package lambda

import (
	"context"
	"sync"
	"time"

	"plumb/internal/db"
)

// cacheLife is how long another server's change of a function may go unnoticed.
// AWS's own changes take longer to arrive everywhere.
const cacheLife = time.Second

// A cache remembers what references meant, so that a warm invocation reads no
// store. Every change of any function by this server empties it.
type cache struct {
	shared bool // other servers change the store too

	mu      sync.Mutex
	changes int // how often it was emptied
	known   map[Ref]meaning
}

// A meaning is what an invocation must know of a reference.
type meaning struct {
	function Function
	reserved *int
	until    time.Time // by the machine's clock
}

// get returns what is known, and which number put must be given.
func (c *cache) get(r Ref) (m meaning, ok bool, changes int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	m, ok = c.known[r]
	return m, ok && (!c.shared || time.Now().Before(m.until)), c.changes
}

// put remembers what was read after get, unless something changed meanwhile:
// then what was read may be old.
func (c *cache) put(r Ref, m meaning, changes int) {
	const most = 10000
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.changes != changes {
		return
	}
	if c.known == nil || len(c.known) >= most {
		c.known = map[Ref]meaning{}
	}
	m.until = time.Now().Add(cacheLife)
	c.known[r] = m
}

func (c *cache) empty() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changes++
	c.known = nil
}

// change runs f in a transaction that changes functions.
func (s *Service) change(ctx context.Context, f func(tx *db.Tx) error) error {
	return s.db.Write(ctx, func(tx *db.Tx) error {
		if err := f(tx); err != nil {
			return err
		}
		tx.AfterCommit(s.cache.empty)
		return nil
	})
}
