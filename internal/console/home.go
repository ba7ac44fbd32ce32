package console

import (
	"context"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/store"
)

// A listPage is a table with what it can be narrowed by.
type listPage struct {
	Intro  string
	Facets []facet
	Table  *table
}

// list returns a page that is a table.
func list(title, intro string, t *table, facets ...facet) *page {
	return &page{Title: title, Template: "list", Table: t, Data: listPage{intro, facets, t}}
}

// showHome shows the accounts with what is known of them.
func showHome(v *visit) (*page, error) {
	var places []config.Place
	var tallies map[config.Place]store.PlaceTally
	err := v.read(func(ctx context.Context, tx *db.Tx) (err error) {
		if places, err = v.places(ctx, tx); err != nil {
			return err
		}
		tallies, err = store.TallyPlaces(ctx, tx)
		return err
	})
	if err != nil {
		return nil, err
	}
	t := &table{
		Caption: "Accounts and regions", Columns: []col{{Name: "account"}, {Name: "region"}, {"resources", true}, {"non-compliant", true}, {Name: "compliant of those judged"}},
		Empty: "Nothing is recorded yet. Start a recorder, or see docs/how-to/first-rule.md.",
	}
	for _, p := range places {
		n := tallies[p]
		r := row{Cells: []cell{said(p.Account), said(p.Region), number(n.Live), number(n.NonCompliant), share(n.Compliant, n.NonCompliant)}}
		if n.Compliant+n.NonCompliant == 0 {
			r.Cells[4] = faint("no verdict yet")
		}
		if n.NonCompliant > 0 {
			r.Mark = "bad"
		}
		t.Rows = append(t.Rows, r)
	}
	p := list("Home", "", t)
	p.Calls = []call{v.cli(v.c.Settings.Account, v.c.Settings.Region, "configservice get-compliance-summary-by-resource-type")}
	p.AtNote = "These numbers are kept as they are now."
	return p, nil
}
