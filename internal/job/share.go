package job

import (
	"math/rand/v2"
	"sync"
	"time"
)

// Owned are arguments of a job that is done for an account. With
// QueueOptions.Shared one owner does not keep all workers of a queue busy.
type Owned interface{ Owner() string }

// shares counts the running jobs of owners. The zero value lets everybody have
// everything.
type shares struct {
	limits map[string]int // jobs of one owner at a time, by queue

	mu      sync.Mutex
	running map[share]int
}

type share struct{ queue, owner string }

// newShares leaves a quarter of each queue's workers, one at least, to others than
// the busiest owner.
func newShares(workers map[string]int) *shares {
	s := &shares{limits: map[string]int{}, running: map[share]int{}}
	for queue, n := range workers {
		s.limits[queue] = max(1, n-max(1, n/4))
	}
	return s
}

// take counts a job in, or reports that its owner has as many as may be.
func (s *shares) take(queue string, args Args) (done func(), ok bool) {
	owned, is := args.(Owned)
	limit, limited := s.limits[queue]
	if !is || !limited || owned.Owner() == "" {
		return func() {}, true
	}
	key := share{queue, owned.Owner()}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running[key] >= limit {
		return nil, false
	}
	s.running[key]++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.running[key]--; s.running[key] == 0 {
			delete(s.running, key)
		}
	}, true
}

// shareWait is when a job comes back whose owner had its share. The time differs,
// so that those of many jobs do not come back together.
func shareWait() time.Duration { return time.Second + rand.N(time.Second) }
