package recorder

import (
	"context"
	"slices"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/store"
)

// A move is an item that differs by itself from the one before it: a resource
// that came, changed or went.
type move struct {
	item   config.Item
	before *config.Item // nil if it came
}

// ripple asks for captures of the resources that get an item because of others:
// those whose items lead to one that changed, and those that one begins or
// ceases to lead to. Items that come from a ripple do not ripple.
func (r *Recorder) ripple(ctx context.Context, tx *db.Tx, p config.Place, moves []move) error {
	if r.Source == nil || len(moves) == 0 {
		return nil
	}
	readable := r.Source.Types(p)
	for _, m := range moves {
		keys, err := r.touched(ctx, tx, m)
		if err != nil {
			return err
		}
		keys = slices.DeleteFunc(keys, func(k config.ResourceKey) bool {
			return k == m.item.ResourceKey || !slices.Contains(readable, k.Type)
		})
		if err := r.askCapture(ctx, tx, p, keys, m.item.StateID, time.Time{}); err != nil {
			return err
		}
	}
	return nil
}

func (r *Recorder) touched(ctx context.Context, tx *db.Tx, m move) ([]config.ResourceKey, error) {
	var before []config.ResourceKey
	if m.before != nil {
		before = r.Source.Related(*m.before)
	}
	after := r.Source.Related(m.item)
	keys := append(without(before, after), without(after, before)...)
	if m.before == nil || m.item.Status.Gone() {
		return keys, nil
	}
	leading, err := store.LeadingTo(ctx, tx, m.item.ResourceKey, m.item.Name)
	if err != nil {
		return nil, err
	}
	return append(keys, without(leading, keys)...), nil
}

// without returns what is in a and not in b.
func without(a, b []config.ResourceKey) []config.ResourceKey {
	return slices.DeleteFunc(slices.Clone(a), func(k config.ResourceKey) bool { return slices.Contains(b, k) })
}
