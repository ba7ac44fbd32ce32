package console

import (
	"context"
	"fmt"
	"strings"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/store"
)

// A packPage is one conformance pack.
type packPage struct {
	Facts    []fact
	Warnings []string
	Rules    *table
}

func showPacks(v *visit) (*page, error) {
	t := &table{Caption: "Conformance packs", Empty: "There is no conformance pack in these accounts. aws configservice put-conformance-pack makes one.",
		Columns: []col{{Name: "pack"}, {Name: "account"}, {Name: "region"}, {"rules", true}, {"rules failing", true}, {"rules that say nothing", true}, {Name: "complies"}}}
	err := v.read(func(ctx context.Context, tx *db.Tx) error {
		places, err := v.places(ctx, tx)
		if err != nil {
			return err
		}
		for _, p := range places {
			packs, err := store.PackResults(ctx, tx, p)
			if err != nil {
				return err
			}
			for _, k := range packs {
				r := row{Cells: []cell{linked(k.Name, v.link("pack", "account", p.Account, "region", p.Region, "name", k.Name)), {Text: p.Account, Kind: "short"}, {Text: p.Region, Kind: "short"},
					number(k.Rules), number(k.NonCompliant), number(k.Rules - k.Compliant - k.NonCompliant), share(k.Compliant, k.NonCompliant)}}
				if k.NonCompliant > 0 {
					r.Mark = "bad"
				}
				t.Rows = append(t.Rows, r)
			}
		}
		return nil
	})
	p := list("Packs", "", t)
	p.AtNote = "Packs are kept as they are now, so this page shows now."
	p.Calls = []call{v.cli(v.c.Settings.Account, v.c.Settings.Region, "configservice describe-conformance-pack-compliance --conformance-pack-name NAME")}
	return p, err
}

func showPack(v *visit) (*page, error) {
	place, err := v.place()
	if err != nil {
		return nil, err
	}
	name := v.q.Get("name")
	d := &packPage{Rules: &table{Caption: "Its rules in the accounts that have a pack of this name", Empty: "It has no rules."}}
	err = v.read(func(ctx context.Context, tx *db.Tx) error { return d.read(ctx, tx, v, place, name) })
	if err != nil {
		return nil, err
	}
	return &page{Title: name, Template: "pack", Data: d, Table: d.Rules, AtNote: "Packs are kept as they are now, so this page shows now.", Calls: []call{
		v.cli(place.Account, place.Region, "configservice describe-conformance-pack-compliance", "conformance-pack-name", name)}}, nil
}

// maxMatrix is how many places the matrix of a pack has.
const maxMatrix = 30

// read makes the matrix of the pack's rules in this place and in those that have a pack of
// the same name.
func (d *packPage) read(ctx context.Context, tx *db.Tx, v *visit, place config.Place, name string) error {
	pack, err := store.ConformancePack(ctx, tx, place, name)
	if err != nil {
		return err
	}
	d.Facts = []fact{{Name: "account", Value: place.Account}, {Name: "region", Value: place.Region}, {Name: "state", Value: string(pack.Status.State)}}
	if pack.Status.Reason != "" {
		d.Warnings = append(d.Warnings, pack.Status.Reason)
	}
	d.Warnings = append(d.Warnings, "The score of a pack over time is not kept; the export of this page is what an auditor can be given, and is not signed.")
	places, err := v.places(ctx, tx)
	if err != nil {
		return err
	}
	type in struct {
		place config.Place
		rules map[string]config.PackRule
		tally map[string]store.Tally
	}
	var all []in
	for _, p := range places {
		k, err := store.ConformancePack(ctx, tx, p, name)
		if isNotFound(err) {
			continue
		}
		if err != nil {
			return err
		}
		if len(all) == maxMatrix {
			d.Rules.Note = fmt.Sprintf("These are the first %d accounts and regions.", maxMatrix)
			break
		}
		rules, err := store.PackRules(ctx, tx, k.ID)
		if err != nil {
			return err
		}
		one := in{place: p, rules: map[string]config.PackRule{}}
		var ids []string
		for _, r := range rules {
			one.rules[baseName(r.Name)] = r
			ids = append(ids, r.ID)
		}
		if one.tally, err = store.TallyRules(ctx, tx, ids); err != nil {
			return err
		}
		all = append(all, one)
	}
	names := map[string]any{}
	d.Rules.Columns = []col{{Name: "rule"}}
	for _, one := range all {
		d.Rules.Columns = append(d.Rules.Columns, col{Name: one.place.Account + " " + one.place.Region})
		for n := range one.rules {
			names[n] = nil
		}
	}
	for _, n := range sortedKeys(names) {
		line := row{Cells: []cell{plain(n)}}
		for _, one := range all {
			r, there := one.rules[n]
			c := faint("not there")
			if there {
				c = verdict(one.tally[r.ID].Compliance())
				c.Href = v.rule(one.place, r.Name)
				switch {
				case !v.Rules.Evaluates(r.Rule):
					c = cell{Text: "no evaluator", Kind: "faint", Href: c.Href}
				case one.tally[r.ID].NonCompliant > 0:
					line.Mark, c.Note = "bad", grouped(one.tally[r.ID].NonCompliant)
				}
			}
			line.Cells = append(line.Cells, c)
		}
		d.Rules.Rows = append(d.Rules.Rows, line)
	}
	return nil
}

// baseName is the name of a pack's rule without what makes it unique.
func baseName(name string) string {
	if i := strings.LastIndex(name, "-conformance-pack-"); i > 0 {
		return name[:i]
	}
	return name
}
