package console

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/store"
)

// A neighbor is a resource one step away.
type neighbor struct {
	config.ResourceKey
	name    string // where only the name is known
	phrase  string
	leadsTo bool // the neighbor leads here
}

const (
	maxOfKind    = 3   // neighbors of one kind that are drawn unless they are asked for
	maxNeighbors = 500 // that are listed
)

// addNeighbors lists and draws what is next to the revision.
func (r *resourcePage) addNeighbors(ctx context.Context, tx *db.Tx, v *visit) error {
	if r.Item == nil {
		return nil
	}
	all, err := r.neighbors(ctx, tx)
	if err != nil {
		return err
	}
	if len(all) > maxNeighbors {
		r.RelationNote = fmt.Sprintf("It has %d neighbors; the first %d are listed.", len(all), maxNeighbors)
		all = all[:maxNeighbors]
	}
	keys := make([]config.ResourceKey, 0, len(all))
	for _, n := range all {
		if n.ID != "" {
			keys = append(keys, n.ResourceKey)
		}
	}
	tallies, err := store.RollUps(ctx, tx, r.Key.Place, keys)
	if err != nil {
		return err
	}
	t := &table{Columns: []col{{Name: "neighbor"}, {Name: "type"}, {Name: "relationship"}, {Name: "verdicts"}}, Empty: "It has no relationships that are recorded."}
	for _, n := range all {
		state := faint("none")
		if tally := tallies[n.ResourceKey]; tally != (store.Tally{}) {
			state = verdict(tally.Compliance())
		}
		t.Rows = append(t.Rows, row{Cells: []cell{linked(n.label(), n.href(v)), {Text: n.Type, Kind: "short"}, {Text: n.phrase}, state}})
	}
	r.Neighbors = t
	if len(all) > 0 {
		g := r.draw(v, all, tallies)
		r.Graph = &g
	}
	return nil
}

func (n neighbor) label() string {
	if n.ID != "" {
		return n.ID
	}
	return n.name
}

func (n neighbor) href(v *visit) string {
	if n.ID == "" {
		return v.link("find", "q", n.name)
	}
	return v.resource(n.ResourceKey)
}

// neighbors are what the revision leads to, and what leads to the resource now.
func (r *resourcePage) neighbors(ctx context.Context, tx *db.Tx) ([]neighbor, error) {
	var all []neighbor
	seen := map[string]bool{}
	for _, rel := range r.Item.Relationships {
		n := neighbor{ResourceKey: config.ResourceKey{Place: r.Key.Place, Type: rel.Type, ID: rel.ID}, name: rel.ResourceName, phrase: strings.TrimSpace(rel.Name)}
		seen[n.Type+" "+n.label()] = true
		all = append(all, n)
	}
	leading, err := store.LeadingTo(ctx, tx, r.Key.Place, []store.Target{{ResourceKey: r.Key, Name: r.Item.Name}})
	if err != nil {
		return nil, err
	}
	for _, k := range leading[r.Key] {
		if k.Type != config.TypeResourceCompliance && !seen[k.Type+" "+k.ID] {
			all = append(all, neighbor{ResourceKey: k, phrase: "leads here", leadsTo: true})
		}
	}
	slices.SortStableFunc(all, func(a, b neighbor) int { return strings.Compare(a.Type, b.Type) })
	return all, nil
}

// draw folds kinds of which there are many, unless the address opens one.
func (r *resourcePage) draw(v *visit, all []neighbor, tallies map[config.ResourceKey]store.Tally) graph {
	var nodes []node
	for len(all) > 0 {
		n := slices.IndexFunc(all, func(b neighbor) bool { return b.Type != all[0].Type })
		if n < 0 {
			n = len(all)
		}
		kind, same := all[0].Type, all[:n]
		all = all[n:]
		show := maxOfKind
		if v.q.Get("open") == kind {
			show = 40
		}
		if len(same) == show+1 {
			show++
		}
		for _, b := range same[:min(show, len(same))] {
			nodes = append(nodes, node{Name: b.label(), Kind: kind, Href: b.href(v), Class: classOf(tallies[b.ResourceKey])})
		}
		if more := len(same) - show; more > 0 {
			nodes = append(nodes, node{Name: fmt.Sprintf("%d more", more), Kind: kind, Href: v.with("open", kind) + "#neighbors"})
		}
	}
	tally := store.Tally{}
	for _, j := range r.Verdicts {
		tally.Count(j.Compliance)
	}
	return neighborGraph(node{Name: r.Key.ID, Kind: r.Key.Type, Href: v.resource(r.Key), Class: classOf(tally)}, nodes)
}

func classOf(t store.Tally) string {
	switch t.Compliance() {
	case config.NonCompliant:
		return "bad"
	case config.Compliant:
		return "good"
	}
	return ""
}
