package recorder

import (
	"context"
	"maps"
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
	before *config.Item // nil if it came; only its relationships matter
}

// ripple asks for captures of the resources that get an item because of others:
// those whose items lead to one that changed, and those that one begins or
// ceases to lead to. Items that come from a ripple do not ripple.
func (r *Recorder) ripple(ctx context.Context, tx *db.Tx, p config.Place, moves []move) error {
	if r.Source == nil || len(moves) == 0 {
		return nil
	}
	leading, err := store.LeadingTo(ctx, tx, p, targets(moves))
	if err != nil {
		return err
	}
	readable := r.Source.Types(p)
	since := map[int64][]config.ResourceKey{} // by the state id that is to be reached
	for _, m := range moves {
		for _, k := range r.touched(m, leading[m.item.ResourceKey]) {
			list := since[m.item.StateID]
			if k != m.item.ResourceKey && slices.Contains(readable, k.Type) && !slices.Contains(list, k) {
				since[m.item.StateID] = append(list, k)
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(since)) {
		if err := r.askCapture(ctx, tx, p, since[id], id, time.Time{}); err != nil {
			return err
		}
	}
	return nil
}

// targets are the resources that changed and are still there: what leads to one
// that came or went has an item of its own reading.
func targets(moves []move) []store.Target {
	var out []store.Target
	for _, m := range moves {
		if m.before != nil && !m.item.Status.Gone() {
			out = append(out, store.Target{ResourceKey: m.item.ResourceKey, Name: m.item.Name})
		}
	}
	return out
}

func (r *Recorder) touched(m move, leading []config.ResourceKey) []config.ResourceKey {
	var before []config.ResourceKey
	if m.before != nil {
		before = r.Source.Related(*m.before)
	}
	after := r.Source.Related(m.item)
	keys := append(without(before, after), without(after, before)...)
	return append(keys, without(leading, keys)...)
}

// without returns what is in a and not in b.
func without(a, b []config.ResourceKey) []config.ResourceKey {
	return slices.DeleteFunc(slices.Clone(a), func(k config.ResourceKey) bool { return slices.Contains(b, k) })
}
