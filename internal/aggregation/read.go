package aggregation

import (
	"context"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/store"
)

// A Rule is a rule of a place that has results.
type Rule struct {
	config.Place
	store.RuleResult
}

// Rules returns up to q.Limit rules that an aggregator shows, by place and name:
// those after q.After in the place from, and all of the places behind it.
func (g *Aggregation) Rules(
	ctx context.Context, tx *db.Tx, a config.Aggregator, within Within, q store.RuleResultQuery, from config.Place,
) (out []Rule, err error) {
	after, limit := q.After, q.Limit
	err = g.Each(ctx, tx, a, within, from, func(ps store.Places) (bool, error) {
		ps, err := ps.WithResults(ctx, tx, q)
		if err != nil {
			return false, err
		}
		for _, p := range ps {
			q.After, q.Limit = "", limit-len(out)
			if p.Place == from {
				q.After = after
			}
			found, err := store.RuleResults(ctx, tx, p.Place, q)
			if err != nil {
				return false, err
			}
			for _, r := range found {
				out = append(out, Rule{p.Place, r})
			}
			if len(out) == limit {
				return false, nil
			}
		}
		return true, nil
	})
	return out, err
}

// Resources returns up to q.Limit live resources of a type that an aggregator
// shows, by place and id: those after q.After in q.Place, and all of the places
// behind it.
func (g *Aggregation) Resources(
	ctx context.Context, tx *db.Tx, a config.Aggregator, within Within, q store.ResourceQuery,
) (out []store.Resource, err error) {
	if !a.Shows(q.Type) {
		return nil, nil
	}
	from, after, limit := q.Place, q.After, q.Limit
	err = g.Each(ctx, tx, a, within, from, func(ps store.Places) (bool, error) {
		ps, err := ps.WithResources(ctx, tx, q)
		if err != nil {
			return false, err
		}
		for _, p := range ps {
			q.Place, q.After, q.Limit = p.Place, "", limit-len(out)
			if p.Place == from {
				q.After = after
			}
			found, err := store.Resources(ctx, tx, q)
			if err != nil {
				return false, err
			}
			if out = append(out, found...); len(out) == limit {
				return false, nil
			}
		}
		return true, nil
	})
	return out, err
}

// A GroupKey is what sums are grouped by.
type GroupKey string

// The keys that groups can have. None is one sum.
const (
	ByType    GroupKey = "RESOURCE_TYPE"
	ByAccount GroupKey = "ACCOUNT_ID"
	ByRegion  GroupKey = "AWS_REGION"
)

// of returns the group of a place.
func (k GroupKey) of(p config.Place) string {
	switch k {
	case ByAccount:
		return p.Account
	case ByRegion:
		return p.Region
	default:
		return ""
	}
}

// Counts returns how many live, recorded resources an aggregator shows, of one
// type or, if it is empty, of all; by group and together.
func (g *Aggregation) Counts(
	ctx context.Context, tx *db.Tx, a config.Aggregator, within Within, resourceType string, by GroupKey,
) (groups map[string]int64, total int64, err error) {
	groups = map[string]int64{}
	types := a.Types
	if resourceType != "" {
		if types = []string{resourceType}; !a.Shows(resourceType) {
			return groups, 0, nil
		}
	}
	wanted := config.Aggregator{Types: types}
	add := func(group string, n int64) {
		groups[group] += n
		total += n
	}
	err = g.Each(ctx, tx, a, within, config.Place{}, func(ps store.Places) (bool, error) {
		if by == ByType {
			counts, err := ps.CountTypes(ctx, tx)
			for t, n := range counts {
				if wanted.Shows(t) {
					add(t, n)
				}
			}
			return true, err
		}
		counts, err := ps.Count(ctx, tx, types)
		for p, n := range counts {
			add(by.of(p), n)
		}
		return true, err
	})
	return groups, total, err
}

// RuleTallies counts the rules that an aggregator shows by their roll-up, in
// groups.
func (g *Aggregation) RuleTallies(ctx context.Context, tx *db.Tx, a config.Aggregator, within Within, by GroupKey) (map[string]store.Tally, error) {
	return g.tallies(ctx, tx, a, within, by, store.Places.TallyByRule)
}

// tallies adds up in groups what is counted in each place that an aggregator shows.
func (g *Aggregation) tallies(
	ctx context.Context, tx *db.Tx, a config.Aggregator, within Within, by GroupKey,
	count func(store.Places, context.Context, *db.Tx) (map[config.Place]store.Tally, error),
) (map[string]store.Tally, error) {
	groups := map[string]store.Tally{}
	err := g.Each(ctx, tx, a, within, config.Place{}, func(ps store.Places) (bool, error) {
		tallies, err := count(ps, ctx, tx)
		for p, t := range tallies {
			n := groups[by.of(p)]
			n.Compliant += t.Compliant
			n.NonCompliant += t.NonCompliant
			groups[by.of(p)] = n
		}
		return true, err
	})
	return groups, err
}

// Items returns the newest items of those of the resources that live and that an
// aggregator shows.
func (g *Aggregation) Items(
	ctx context.Context, tx *db.Tx, a config.Aggregator, keys []config.ResourceKey,
) (map[config.ResourceKey]config.Item, error) {
	byPlace := map[config.Place][]config.ResourceKey{}
	for _, k := range keys {
		if a.Shows(k.Type) {
			byPlace[k.Place] = append(byPlace[k.Place], k)
		}
	}
	out := map[config.ResourceKey]config.Item{}
	for p, keys := range byPlace {
		shown, err := g.Place(ctx, tx, a, p)
		if err != nil {
			return nil, err
		}
		if !shown {
			continue
		}
		items, err := store.CurrentItems(ctx, tx, p, keys)
		if err != nil {
			return nil, err
		}
		for _, it := range items {
			if !it.Status.Gone() {
				out[it.ResourceKey] = it
			}
		}
	}
	return out, nil
}

// Places returns all places that an aggregator shows, in their order.
func (g *Aggregation) Places(ctx context.Context, tx *db.Tx, a config.Aggregator) (out []config.Place, err error) {
	err = g.Each(ctx, tx, a, Within{}, config.Place{}, func(ps store.Places) (bool, error) {
		for _, p := range ps {
			out = append(out, p.Place)
		}
		return true, nil
	})
	return out, err
}
