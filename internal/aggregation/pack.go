package aggregation

import (
	"context"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/store"
)

// A PackQuery selects conformance packs: those after a name in a place, and all of
// the places behind it. Empty members select everything.
type PackQuery struct {
	Within     Within
	Name       string
	Compliance config.Compliance
	From       config.Place
	After      string
	Limit      int
}

// A Pack is a conformance pack of a place, with what its rules say.
type Pack struct {
	config.Place
	store.PackResult
}

// Packs returns up to q.Limit conformance packs that an aggregator shows, by place
// and name.
func (g *Aggregation) Packs(ctx context.Context, tx *db.Tx, a config.Aggregator, q PackQuery) (out []Pack, err error) {
	err = g.Each(ctx, tx, a, q.Within, q.From, func(ps store.Places) (bool, error) {
		ps, err := ps.WithPacks(ctx, tx)
		if err != nil {
			return false, err
		}
		for _, p := range ps {
			found, err := store.PackResults(ctx, tx, p.Place)
			if err != nil {
				return false, err
			}
			for _, r := range found {
				if p.Place == q.From && r.Name <= q.After || q.Name != "" && q.Name != r.Name || q.Compliance != "" && q.Compliance != r.Compliance() {
					continue
				}
				if out = append(out, Pack{p.Place, r}); len(out) == q.Limit {
					return false, nil
				}
			}
		}
		return true, nil
	})
	return out, err
}

// PackTallies counts the conformance packs that an aggregator shows by their
// roll-up, in groups; packs without results are in neither count.
func (g *Aggregation) PackTallies(ctx context.Context, tx *db.Tx, a config.Aggregator, within Within, by GroupKey) (map[string]store.Tally, error) {
	return g.tallies(ctx, tx, a, within, by, store.Places.TallyByPack)
}
