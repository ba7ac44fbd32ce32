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

// An effect is a change that may give other resources an item: a resource that
// came, changed by itself or went.
type effect struct {
	item            config.Item
	before          *config.Item // nil if it came; only its relationships matter
	relationsDiffer bool         // before has to be read
}

// readBefore reads the items that those with other relationships follow.
func (c *changes) readBefore(ctx context.Context, tx *db.Tx, p config.Place) error {
	var keys []config.ResourceKey
	for _, e := range c.effects {
		if e.relationsDiffer {
			keys = append(keys, e.item.ResourceKey)
		}
	}
	items, err := currentItems(ctx, tx, p, keys)
	for i, e := range c.effects {
		if e.relationsDiffer {
			c.effects[i].before = new(items[e.item.ResourceKey])
		}
	}
	return err
}

// captureAffected asks for captures of the resources that get an item because of
// others: those with a relationship to one that changed, and those to which one
// has a relationship that is new or has ended. Items that come from these captures
// have no effects. What is not recorded gets no item.
func (r *Recorder) captureAffected(ctx context.Context, tx *db.Tx, rec config.Recorder, p config.Place, effects []effect) error {
	if r.Source == nil || len(effects) == 0 {
		return nil
	}
	origins, err := store.LeadingTo(ctx, tx, p, targets(effects))
	if err != nil {
		return err
	}
	readable := r.Source.Types(p)
	since := map[int64][]config.ResourceKey{} // by the state id that their items must have at least
	for _, e := range effects {
		for _, k := range r.affected(e, origins[e.item.ResourceKey]) {
			list := since[e.item.StateID]
			if k != e.item.ResourceKey && slices.Contains(readable, k.Type) && rec.Records(k.Type) && !slices.Contains(list, k) {
				since[e.item.StateID] = append(list, k)
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

// targets are the resources that changed and still exist: those with a
// relationship to one that came or went change by themselves.
func targets(effects []effect) []store.Target {
	var out []store.Target
	for _, e := range effects {
		if e.before != nil && !e.item.Status.Gone() {
			out = append(out, store.Target{ResourceKey: e.item.ResourceKey, Name: e.item.Name})
		}
	}
	return out
}

// affected returns the resources that a change gives an item; origins have a
// relationship to the changed one.
func (r *Recorder) affected(e effect, origins []config.ResourceKey) []config.ResourceKey {
	var before []config.ResourceKey
	if e.before != nil {
		before = r.Source.Related(*e.before)
	}
	after := r.Source.Related(e.item)
	keys := append(without(before, after), without(after, before)...)
	return append(keys, without(origins, keys)...)
}

// without returns what is in a and not in b.
func without(a, b []config.ResourceKey) []config.ResourceKey {
	return slices.DeleteFunc(slices.Clone(a), func(k config.ResourceKey) bool { return slices.Contains(b, k) })
}
