package recorder

import (
	"context"
	"slices"
	"strings"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/store"
)

// inverse returns the relationships that items list because other items have
// them: a security group lists the instances and interfaces that use it. The other
// side is in the store, so types that list it are read last; see doPoll.
func (r *Recorder) inverse(ctx context.Context, tx *db.Tx, p config.Place, observations []Observation) (map[config.ResourceKey][]config.Relationship, error) {
	if r.Source == nil {
		return nil, nil
	}
	phrases := map[string]map[string]string{}
	var targets []store.Target
	for _, o := range observations {
		t := o.Item.Type
		if _, known := phrases[t]; !known {
			phrases[t] = r.Source.Inverse(t)
		}
		if phrases[t] != nil && !o.Gone {
			targets = append(targets, store.Target{ResourceKey: o.Item.ResourceKey, Name: o.Item.Name})
		}
	}
	leading, err := store.LeadingTo(ctx, tx, p, targets)
	if err != nil {
		return nil, err
	}
	out := make(map[config.ResourceKey][]config.Relationship, len(leading))
	for to, from := range leading {
		for _, k := range from {
			if phrase, ok := phrases[to.Type][k.Type]; ok {
				out[to] = append(out[to], config.Relationship{Type: k.Type, ID: k.ID, Name: phrase})
			}
		}
		slices.SortFunc(out[to], func(a, b config.Relationship) int { return strings.Compare(a.Type+a.ID, b.Type+b.ID) })
	}
	return out, nil
}
