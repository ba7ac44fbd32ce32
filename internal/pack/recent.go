package pack

import (
	"slices"
	"sync"
)

// recent keeps the few values that were used last, by dictionary.
type recent[T any] struct {
	limit int
	mu    sync.Mutex
	kept  []entry[T] // in the order of their last use
}

type entry[T any] struct {
	dictionary uint32
	value      T
}

func (r *recent[T]) get(dictionary uint32) (value T, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, e := range r.kept {
		if e.dictionary == dictionary {
			r.kept = append(slices.Delete(r.kept, i, i+1), e)
			return e.value, true
		}
	}
	return value, false
}

// put keeps a value instead of the one that was not used for the longest time.
// Whoever holds that one may go on using it.
func (r *recent[T]) put(dictionary uint32, value T) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.kept) == r.limit {
		r.kept = slices.Delete(r.kept, 0, 1)
	}
	r.kept = append(r.kept, entry[T]{dictionary, value})
}
