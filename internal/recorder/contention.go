package recorder

import (
	"context"
	"sync"

	"plumb/internal/config"
)

// resourceLocks have the batches of this server wait for each other that record
// the same resources. Without them a batch would find out only when it writes that
// what it read has changed, and would start over. Batches of several servers still
// do, and hold the resources in the store when they lost too often.
type resourceLocks struct {
	mu   sync.Mutex
	held map[config.ResourceKey]chan struct{} // is closed when the batch ends
}

// lock waits until no other batch has one of the resources, and takes them all.
func (l *resourceLocks) lock(ctx context.Context, observations []Observation) (unlock func(), err error) {
	mine := make(chan struct{})
	for {
		other := l.take(observations, mine)
		if other == nil {
			return func() { l.release(observations, mine) }, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-other:
		}
	}
}

// take takes all resources, or none if a batch has one of them, whose end it
// returns.
func (l *resourceLocks) take(observations []Observation, mine chan struct{}) (other chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, o := range observations {
		if other := l.held[o.Item.ResourceKey]; other != nil {
			return other
		}
	}
	for _, o := range observations {
		l.held[o.Item.ResourceKey] = mine
	}
	return nil
}

func (l *resourceLocks) release(observations []Observation, mine chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, o := range observations {
		delete(l.held, o.Item.ResourceKey)
	}
	close(mine)
}
