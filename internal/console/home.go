package console

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

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

const (
	homeRows      = 8
	maxHomeRules  = 2000 // whose new failures are counted
	maxHomeItems  = 5000 // items that are counted
	pricePerItem  = 0.003
	oldReading    = 24 * time.Hour
	scoreDays     = 90
	nothingJudged = "nothing is judged yet"
)

type homeView struct {
	Numbers  []figure
	Line     *curve
	LineNote string
	Rules    *table
	Accounts *table
	Empty    bool
	Guide    string
}

func showHome(v *visit) (*page, error) {
	d := &homeView{}
	err := v.read(func(ctx context.Context, tx *db.Tx) error { return d.read(ctx, tx, v) })
	if err != nil {
		return nil, err
	}
	jobs, err := v.Jobs.Counts(v.ctx)
	if err != nil {
		return nil, err
	}
	waiting := 0
	for _, c := range jobs {
		waiting += int(c.N)
	}
	if v.c.development() {
		d.Numbers = append(d.Numbers, figure{grouped(int64(waiting)), "jobs that are due or planned", "now", v.link("operations"), ""})
	}
	return &page{Title: "Home", Template: "home", Data: d, Table: d.Accounts, AtNote: "These numbers are kept as they are now; the line over time has a point a day.",
		Calls: []call{v.cli(v.c.Settings.Account, v.c.Settings.Region, "configservice get-compliance-summary-by-resource-type")}}, nil
}

func (d *homeView) read(ctx context.Context, tx *db.Tx, v *visit) error {
	places, err := v.places(ctx, tx)
	if err != nil {
		return err
	}
	tallies, err := store.TallyPlaces(ctx, tx)
	if err != nil {
		return err
	}
	var all store.PlaceTally
	for _, p := range places {
		n := tallies[p]
		all.Live, all.Compliant, all.NonCompliant = all.Live+n.Live, all.Compliant+n.Compliant, all.NonCompliant+n.NonCompliant
	}
	d.Empty = all.Live == 0
	judged := all.Compliant + all.NonCompliant
	score := figure{"—", nothingJudged, grouped(all.Live) + " recorded", v.link("inventory"), ""}
	if judged > 0 {
		score = figure{fmt.Sprintf("%d %%", percent(all.Compliant, all.NonCompliant)), "of the judged resources comply", grouped(judged) + " of " + grouped(all.Live) + " are judged", v.link("inventory"), ""}
	}
	failing := figure{grouped(all.NonCompliant), "resources that fail a rule", "", v.link("wrong", "by", "resource"), bad(all.NonCompliant)}
	d.Numbers = append(d.Numbers, score, failing)
	for _, add := range []func(context.Context, *db.Tx, *visit) error{d.addRules, d.addReadings, d.addDeliveries, d.addItems, d.addLine} {
		if err := add(ctx, tx, v); err != nil {
			return err
		}
	}
	d.addAccounts(v, places, tallies)
	return nil
}

func bad(n int64) string {
	if n > 0 {
		return "bad"
	}
	return ""
}

// addRules counts new failures, and lists the rules that most resources fail.
func (d *homeView) addRules(ctx context.Context, tx *db.Tx, v *visit) error {
	all, err := store.FailingRules(ctx, tx, v.account())
	if err != nil {
		return err
	}
	groups := groupRules(v, all)
	var ids []string
	for _, g := range groups {
		ids = append(ids, g.ids...)
	}
	counted := ids[:min(len(ids), maxHomeRules)]
	times, err := store.FailingTimes(ctx, tx, counted, v.now.Add(-24*time.Hour), maxFresh)
	if err != nil {
		return err
	}
	fresh, least := int64(0), len(counted) < len(ids)
	for _, t := range times {
		fresh, least = fresh+int64(t.Fresh), least || t.Fresh == maxFresh
	}
	value := grouped(fresh)
	if least {
		value = "≥ " + value
	}
	d.Numbers = append(d.Numbers, figure{value, "new failures in 24 h", "", v.link("wrong", "since", "24h"), bad(fresh)})
	d.Rules = &table{Caption: "Rules that most resources fail", Columns: []col{{Name: "rule"}, {"failing", true}, {Name: "complies"}}, Empty: "Nothing that is judged fails."}
	for _, g := range groups[:min(len(groups), homeRows)] {
		d.Rules.Rows = append(d.Rules.Rows, row{Mark: "bad", Cells: []cell{linked(g.name, v.link("wrong", "rule", g.name)), number(g.NonCompliant), share(g.Compliant, g.NonCompliant)}})
	}
	return nil
}

// addReadings counts the types whose reading fails or is old.
func (d *homeView) addReadings(ctx context.Context, tx *db.Tx, v *visit) error {
	var failing, old int64
	err := store.EachReading(ctx, tx, func(p config.Place, r store.Reading) {
		switch {
		case !v.allowed(p.Account):
		case !r.Failing.IsZero():
			failing++
		case !r.Completed.IsZero() && v.now.Sub(r.Completed) > oldReading && r.Asked.IsZero():
			old++
		}
	})
	f := figure{grouped(failing), "types whose reading fails", "", v.link("operations"), ""}
	if failing > 0 {
		f.Class = "warn"
	}
	if old > 0 {
		f.Note = grouped(old) + " were last read more than a day ago"
	}
	d.Numbers = append(d.Numbers, f)
	return err
}

func (d *homeView) addDeliveries(ctx context.Context, tx *db.Tx, v *visit) error {
	places, err := v.places(ctx, tx)
	if err != nil {
		return err
	}
	failing, channels := int64(0), 0
	for _, p := range places {
		_, s, err := store.DeliveryChannel(ctx, tx, p)
		if isNotFound(err) {
			continue
		}
		if err != nil {
			return err
		}
		channels++
		for _, part := range []config.DeliveryInfo{s.Snapshot, s.History, s.Stream} {
			if part.ErrorCode != "" {
				failing++
			}
		}
	}
	f := figure{grouped(failing), "deliveries that fail", counted(int64(channels), "channel", "channels"), v.link("operations"), bad(failing)}
	d.Numbers = append(d.Numbers, f)
	return nil
}

func (d *homeView) addItems(ctx context.Context, tx *db.Tx, v *visit) error {
	found, err := store.ListChanges(ctx, tx, store.ChangeQuery{From: v.now.Add(-24 * time.Hour), To: endOfTime, Limit: maxHomeItems, Look: maxHomeItems,
		Keep: func(c store.Change) bool { return v.allowed(c.Account) }})
	n := int64(len(found.Found))
	value := grouped(n)
	if found.More {
		value = "≥ " + value
	}
	d.Numbers = append(d.Numbers, figure{value, "items in 24 h", fmt.Sprintf("AWS would charge $%.2f", float64(n)*pricePerItem), v.link("changes", "within", "24h"), ""})
	return err
}

func (d *homeView) addLine(ctx context.Context, tx *db.Tx, v *visit) error {
	scores, err := store.Scores(ctx, tx, v.account(), v.now.AddDate(0, 0, -scoreDays))
	if err != nil {
		return err
	}
	var values []int64
	for _, s := range scores {
		if s.Compliant+s.NonCompliant > 0 {
			values = append(values, percent(s.Compliant, s.NonCompliant))
		}
	}
	if len(values) < 2 {
		d.LineNote = "The score over time has a point for each night from now on."
		return nil
	}
	c := curveOf(values, fmt.Sprintf("The score of the last %d days: from %d to %d percent", len(values), values[0], values[len(values)-1]))
	d.Line, d.LineNote = &c, c.Label+"."
	return nil
}

// addAccounts lists the places, those with the most failures first.
func (d *homeView) addAccounts(v *visit, places []config.Place, tallies map[config.Place]store.PlaceTally) {
	t := &table{
		Caption: "Accounts and regions", Columns: []col{{Name: "account"}, {Name: "region"}, {"recorded", true}, {"failing", true}, {Name: "complies"}},
		Empty: "Nothing is recorded yet.",
	}
	slices.SortStableFunc(places, func(a, b config.Place) int { return cmp.Compare(tallies[b].NonCompliant, tallies[a].NonCompliant) })
	for _, p := range places {
		n := tallies[p]
		r := row{Cells: []cell{linked(p.Account, v.link("wrong", "is", "account:"+p.Account)), cell{Text: p.Region, Kind: "short"}, number(n.Live), number(n.NonCompliant), share(n.Compliant, n.NonCompliant)}}
		if n.Compliant+n.NonCompliant == 0 {
			r.Cells[4] = faint("no verdict yet")
		}
		if n.NonCompliant > 0 {
			r.Mark = "bad"
		}
		if len(t.Rows) < 100 {
			t.Rows = append(t.Rows, r)
		}
	}
	if len(places) > 100 {
		t.Note = "These are the 100 with the most failures, of " + fmt.Sprint(len(places)) + "."
	}
	d.Accounts = t
}
