package queue

import (
	"context"
	"sync/atomic"

	"plumb/internal/config"
	"plumb/internal/db"
)

// A request with authorization reads its queue twice, for the policy and for what is
// done. The second reading is spared: it would see the same, or what changed in the
// moment between, which nobody can tell from a request that came a moment earlier.

type rememberedKey struct{}

// Remembering returns the context of a request for which Asked remembers a queue.
func Remembering(ctx context.Context) context.Context {
	return context.WithValue(ctx, rememberedKey{}, new(atomic.Pointer[Queue]))
}

// Asked is ByARN for questions before a request is done. The request's first Find of that
// queue returns what was read; later ones read again, as the request may have changed it.
func Asked(ctx context.Context, tx *db.Tx, queueARN string) (Queue, error) {
	q, err := ByARN(ctx, tx, queueARN)
	if at, ok := ctx.Value(rememberedKey{}).(*atomic.Pointer[Queue]); ok && err == nil {
		at.Store(&q)
	}
	return q, err
}

func recall(ctx context.Context, p config.Place, name string) (Queue, bool) {
	at, ok := ctx.Value(rememberedKey{}).(*atomic.Pointer[Queue])
	if !ok {
		return Queue{}, false
	}
	q := at.Swap(nil)
	if q == nil || q.Place != p || q.Name != name {
		return Queue{}, false
	}
	return *q, true
}
