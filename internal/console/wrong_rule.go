package console

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/store"
)

// A ruleGroup is a rule of one name in all places.
type ruleGroup struct {
	name     string
	accounts int
	ids      []string
	store.Tally
}

// groupRules joins rules of the same name in the places that the filters leave.
func groupRules(v *visit, all []store.FailingRule) []*ruleGroup {
	var out []*ruleGroup
	for _, r := range all {
		if !v.filters.leave("account", r.Account) || !v.filters.leave("region", r.Region) || !v.filters.leave("rule", r.Name) {
			continue
		}
		if len(out) == 0 || out[len(out)-1].name != r.Name {
			out = append(out, &ruleGroup{name: r.Name})
		}
		g := out[len(out)-1]
		g.accounts, g.ids = g.accounts+1, append(g.ids, r.ID)
		g.Compliant, g.NonCompliant = g.Compliant+r.Compliant, g.NonCompliant+r.NonCompliant
	}
	slices.SortStableFunc(out, func(a, b *ruleGroup) int { return cmp.Compare(b.NonCompliant, a.NonCompliant) })
	return out
}

func wrongByRule(v *visit, w *wrongView) error {
	since := newSince(v)
	t := &table{
		Caption: "Rules that resources fail", Empty: "Nothing that is judged fails. What no rule judges is not in this list: see Inventory.",
		Columns: []col{{Name: "rule"}, {"failing", true}, {"new in " + span(since), true}, {Name: "failing for"}, {Name: "last began"}, {Name: "complies"}, {"accounts", true}},
	}
	w.Table = t
	return v.read(func(ctx context.Context, tx *db.Tx) error {
		all, err := store.FailingRules(ctx, tx, v.account())
		if err != nil {
			return err
		}
		w.Facets = placeFacets(v, all)
		groups := groupRules(v, all)
		from := min(len(groups), int(v.state("after")))
		shown := groups[from:min(len(groups), from+wrongPage)]
		if from+wrongPage < len(groups) {
			t.More = v.with("after", fmt.Sprint(from+wrongPage))
		}
		var ids []string
		for _, g := range shown {
			ids = append(ids, g.ids...)
		}
		times, err := store.FailingTimes(ctx, tx, ids, v.now.Add(-since), maxFresh)
		for _, g := range shown {
			t.Rows = append(t.Rows, g.row(v, times))
		}
		return err
	})
}

func (g *ruleGroup) row(v *visit, times map[string]store.FailingTime) row {
	var oldest, newest time.Time
	fresh, least := int64(0), false
	for _, id := range g.ids {
		t, ok := times[id]
		if !ok {
			continue
		}
		if oldest.IsZero() || t.Oldest.Before(oldest) {
			oldest = t.Oldest
		}
		if t.Newest.After(newest) {
			newest = t.Newest
		}
		fresh, least = fresh+int64(t.Fresh), least || t.Fresh == maxFresh
	}
	news := number(fresh)
	if least {
		news.Text = "at least " + news.Text
	}
	return row{Mark: "bad", Cells: []cell{
		linked(g.name, v.with("rule", g.name)), number(g.NonCompliant), news, plain(span(v.now.Sub(oldest))), moment(newest, v.now),
		share(g.Compliant, g.NonCompliant), number(int64(g.accounts)),
	}}
}

// placeFacets narrow by account and region, with the failures that there are.
func placeFacets(v *visit, all []store.FailingRule) []facet {
	accounts, regions := map[string]int64{}, map[string]int64{}
	for _, r := range all {
		accounts[r.Account] += r.NonCompliant
		regions[r.Region] += r.NonCompliant
	}
	return []facet{v.countedFacet("account", accounts), v.countedFacet("region", regions)}
}

// countedFacet lists values by their counts, the highest first.
func (v *visit) countedFacet(key string, counts map[string]int64) facet {
	values := slices.SortedFunc(maps.Keys(counts), func(a, b string) int { return cmp.Or(cmp.Compare(counts[b], counts[a]), strings.Compare(a, b)) })
	return v.facet(key, key, values, func(s string) string { return grouped(counts[s]) })
}

// A failurePosition is where a page of failures of a rule in all places ends.
type failurePosition struct {
	Place  config.Place          `json:"p"`
	Before store.FailurePosition `json:"b"`
}

// failuresOf lists what fails the rules of one name, place by place, the newest first in
// each.
func failuresOf(ctx context.Context, tx *db.Tx, v *visit, name string, after failurePosition, limit int) (out []store.Judgment, last failurePosition, more bool, err error) {
	places, err := v.places(ctx, tx)
	if err != nil {
		return nil, last, false, err
	}
	for _, p := range places {
		if p.Compare(after.Place) < 0 {
			continue
		}
		before := store.FailurePosition{}
		if p == after.Place {
			before = after.Before
		}
		r, found, err := ruleIn(ctx, tx, p, name)
		if err != nil {
			return nil, last, false, err
		}
		if !found {
			continue
		}
		for {
			some, at, err := store.FailuresOf(ctx, tx, r, before, wrongPage)
			if err != nil {
				return nil, last, false, err
			}
			for _, j := range some {
				if v.filters.leave("type", j.Key.Type) {
					out = append(out, j)
				}
			}
			last, before = failurePosition{p, at}, at
			if len(out) >= limit {
				return out, last, true, nil
			}
			if len(some) < wrongPage {
				break
			}
		}
	}
	return out, last, false, nil
}

func ruleIn(ctx context.Context, tx *db.Tx, p config.Place, name string) (config.Rule, bool, error) {
	r, err := store.Rule(ctx, tx, p, name)
	if isNotFound(err) {
		return r, false, nil
	}
	return r, err == nil, err
}

// wrongOfRule opens the group of a rule.
func wrongOfRule(v *visit, w *wrongView) error {
	w.Opened, w.Close = w.Rule, v.with("rule", "", "did", "")
	t := &table{
		Caption: "Resources that fail it, the newest failures first", Pick: "pick", Empty: "Nothing fails this rule, or there is no such rule in the accounts that the filters leave.",
		Columns: []col{{Name: "resource"}, {Name: "type"}, {Name: "account"}, {Name: "region"}, {Name: "fails since"}, {Name: "what the rule says"}},
	}
	w.Table = t
	var after failurePosition
	if text := v.q.Get("after"); text != "" && json.Unmarshal([]byte(text), &after) != nil {
		return wrong("No page ends there.")
	}
	w.Actions = &wrongActions{
		Markdown: Root + "ticket", MarkdownAll: v.link("ticket", "rule", w.Rule), CSRF: v.csrf(), Back: v.with("did", ""), Rule: w.Rule,
	}
	if v.c.development() {
		w.Actions.Evaluate = Root + "evaluate"
	}
	types := map[string]int64{}
	return v.read(func(ctx context.Context, tx *db.Tx) error {
		all, last, more, err := failuresOf(ctx, tx, v, w.Rule, after, wrongPage)
		for _, j := range all {
			types[j.Key.Type]++
			t.Rows = append(t.Rows, failureRow(v, j))
		}
		if more {
			text, _ := json.Marshal(last) // numbers and texts cannot fail
			t.More = v.with("after", string(text))
		}
		w.Facets = []facet{v.facet("type", "type, on this page", slices.Sorted(maps.Keys(types)), func(s string) string { return grouped(types[s]) })}
		return err
	})
}

func failureRow(v *visit, j store.Judgment) row {
	value, _ := json.Marshal(j.Key) // texts cannot fail
	annotation := cell{Text: j.Annotation}
	if annotation.Text == "" {
		annotation = faint("no annotation")
	}
	return row{Mark: "bad", Value: string(value), Cells: []cell{
		linked(j.Key.ID, v.resource(j.Key)), {Text: j.Key.Type, Kind: "short"}, {Text: j.Key.Account, Kind: "short"}, {Text: j.Key.Region, Kind: "short"}, moment(j.Turned, v.now), annotation,
	}}
}
