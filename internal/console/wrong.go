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

const (
	wrongPage   = 50
	maxTagLook  = 5000 // failing resources of a type in a place that are looked at for their tags
	maxFresh    = 1000 // new failures of one rule in one place that are counted
	maxMarkdown = 1000 // lines of a ticket
)

// A wrongPage shows what does not comply, grouped, or one group opened.
type wrongView struct {
	listPage
	By      []choice // ways to group
	Since   []choice // ways to count what is new
	Opened  string   // the group; empty for the list of groups
	Close   string
	Rule    string // the opened rule
	Actions *wrongActions
	Done    string
}

type wrongActions struct{ Evaluate, Markdown, MarkdownAll, CSRF, Back, Rule, At string }

// A choice is one of several views of the same.
type choice struct {
	Text, Href string
	On         bool
}

// The ways to group what is wrong.
var groupings = []string{"rule", "type", "account", "tag", "pack", "resource"}

func showWrong(v *visit) (*page, error) {
	by := cmp.Or(v.q.Get("by"), "rule")
	if !slices.Contains(groupings, by) {
		return nil, wrong("There is no grouping " + by + ": want one of " + strings.Join(groupings, ", ") + ".")
	}
	w := &wrongView{Done: v.done()}
	for _, g := range groupings {
		w.By = append(w.By, choice{g, v.with("by", g, "rule", "", "did", ""), g == by})
	}
	since := newSince(v)
	for _, s := range []string{"1h", "24h", "168h"} {
		d, _ := time.ParseDuration(s)
		w.Since = append(w.Since, choice{span(d), v.with("since", s), d == since})
	}
	w.Rule = v.q.Get("rule")
	show := map[string]func(*visit, *wrongView) error{
		"rule": wrongByRule, "type": wrongByType, "account": wrongByAccount, "tag": wrongByTag, "pack": wrongByPack, "resource": wrongByResource,
	}[by]
	if w.Rule != "" {
		show = wrongOfRule
	}
	if err := show(v, w); err != nil {
		return nil, err
	}
	p := &page{Title: "What is wrong now", Template: "wrong", Data: w, Table: w.Table, Calls: []call{
		v.cli(v.c.Settings.Account, v.c.Settings.Region, "configservice describe-compliance-by-config-rule", "compliance-types", "NON_COMPLIANT")}}
	p.AtNote = "Verdicts are kept as they are now, so this page shows now. A resource's own page tells when its verdicts turned."
	if w.Rule != "" {
		p.Title = w.Rule
		p.Calls = []call{v.cli(v.c.Settings.Account, v.c.Settings.Region, "configservice get-compliance-details-by-config-rule",
			"config-rule-name", w.Rule, "compliance-types", "NON_COMPLIANT")}
	}
	return p, nil
}

// newSince is how far back a failure counts as new.
func newSince(v *visit) time.Duration {
	if d, err := time.ParseDuration(v.q.Get("since")); err == nil && d > 0 {
		return d
	}
	return 24 * time.Hour
}

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
		linked(g.name, v.with("rule", g.name)), number(g.NonCompliant), news, said(span(v.now.Sub(oldest))), moment(newest, v.now),
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
	said := cell{Text: j.Annotation}
	if said.Text == "" {
		said = faint("no annotation")
	}
	return row{Mark: "bad", Value: string(value), Cells: []cell{
		linked(j.Key.ID, v.resource(j.Key)), {Text: j.Key.Type, Kind: "short"}, {Text: j.Key.Account, Kind: "short"}, {Text: j.Key.Region, Kind: "short"}, moment(j.Turned, v.now), said,
	}}
}

func wrongByType(v *visit, w *wrongView) error {
	return w.tallied(v, "type", func(k store.TypeAt) (string, string) {
		return k.Type, v.with("by", "resource", "is", "type:"+k.Type)
	})
}

func wrongByAccount(v *visit, w *wrongView) error {
	return w.tallied(v, "account", func(k store.TypeAt) (string, string) {
		return k.Account, v.with("by", "rule", "is", "account:"+k.Account)
	})
}

// tallied groups the kept tallies of types in places.
func (w *wrongView) tallied(v *visit, name string, group func(store.TypeAt) (text, href string)) error {
	t := &table{Caption: "Resources that fail any rule", Empty: "Nothing that is judged fails.", Columns: []col{{Name: name}, {"failing", true}, {"judged", true}, {"recorded", true}, {Name: "complies"}}}
	w.Table = t
	var all map[store.TypeAt]store.PlaceTally
	err := v.read(func(ctx context.Context, tx *db.Tx) (err error) {
		all, err = store.TallyTypesOf(ctx, tx, v.account())
		return err
	})
	sums, hrefs := map[string]store.PlaceTally{}, map[string]string{}
	for k, n := range all {
		if !v.filters.leave("account", k.Account) || !v.filters.leave("region", k.Region) || !v.filters.leave("type", k.Type) {
			continue
		}
		text, href := group(k)
		s := sums[text]
		s.Live, s.Compliant, s.NonCompliant = s.Live+n.Live, s.Compliant+n.Compliant, s.NonCompliant+n.NonCompliant
		sums[text], hrefs[text] = s, href
	}
	names := slices.SortedFunc(maps.Keys(sums), func(a, b string) int {
		return cmp.Or(cmp.Compare(sums[b].NonCompliant, sums[a].NonCompliant), strings.Compare(a, b))
	})
	for _, text := range names {
		if s := sums[text]; s.NonCompliant > 0 {
			t.Rows = append(t.Rows, row{Mark: "bad", Cells: []cell{
				linked(text, hrefs[text]), number(s.NonCompliant), number(s.Compliant + s.NonCompliant), number(s.Live), share(s.Compliant, s.NonCompliant)}})
		}
	}
	return err
}

func wrongByTag(v *visit, w *wrongView) error {
	key := cmp.Or(v.q.Get("tag"), "owner")
	t := &table{Caption: "Failing resources by the tag " + key, Empty: "Nothing that is judged fails.", Columns: []col{{Name: key}, {"failing", true}}}
	w.Table, w.Intro = t, "Whose are they? Another tag: put tag=NAME into the address."
	var counts map[string]int64
	more := false
	err := v.read(func(ctx context.Context, tx *db.Tx) error {
		places, err := v.places(ctx, tx)
		if err == nil {
			counts, more, err = store.FailingByTag(ctx, tx, places, key, maxTagLook)
		}
		return err
	})
	for _, value := range slices.SortedFunc(maps.Keys(counts), func(a, b string) int { return cmp.Or(cmp.Compare(counts[b], counts[a]), strings.Compare(a, b)) }) {
		c := said(value)
		if value == "" {
			c = faint("without the tag")
		}
		t.Rows = append(t.Rows, row{Mark: "bad", Cells: []cell{c, number(counts[value])}})
	}
	if more {
		t.Note = "At least so many: of each type in each place, " + grouped(maxTagLook) + " failing resources were looked at."
	}
	return err
}

func wrongByPack(v *visit, w *wrongView) error {
	t := &table{Caption: "Conformance packs with rules that fail", Empty: "No pack has a rule that fails.",
		Columns: []col{{Name: "pack"}, {Name: "account"}, {Name: "region"}, {"rules failing", true}, {"rules", true}}}
	w.Table = t
	return v.read(func(ctx context.Context, tx *db.Tx) error {
		places, err := v.places(ctx, tx)
		if err != nil {
			return err
		}
		for _, p := range places {
			packs, err := store.PackResults(ctx, tx, p)
			if err != nil {
				return err
			}
			for _, r := range packs {
				if r.NonCompliant > 0 {
					t.Rows = append(t.Rows, row{Mark: "bad", Cells: []cell{
						linked(r.Name, v.link("pack", "account", p.Account, "region", p.Region, "name", r.Name)), {Text: p.Account, Kind: "short"}, {Text: p.Region, Kind: "short"},
						number(r.NonCompliant), number(r.Rules)}})
				}
			}
		}
		return nil
	})
}

func wrongByResource(v *visit, w *wrongView) error {
	t := &table{Caption: "Resources that fail any rule", Empty: "Nothing that is judged fails.",
		Columns: []col{{Name: "resource"}, {Name: "type"}, {Name: "account"}, {Name: "region"}, {"rules failing", true}, {"rules", true}}}
	w.Table = t
	after, err := v.keyAfter()
	if err != nil {
		return err
	}
	return v.read(func(ctx context.Context, tx *db.Tx) error {
		places, err := v.places(ctx, tx)
		if err != nil {
			return err
		}
		types := []string{""}
		if some := v.filters.is["type"]; len(some) > 0 {
			types = slices.Sorted(slices.Values(some))
		}
		for _, p := range places {
			for _, kind := range types {
				if p.Compare(after.Place) < 0 || p == after.Place && kind != "" && kind < after.Type {
					continue
				}
				q := store.TallyQuery{Type: kind, Compliance: []config.Compliance{config.NonCompliant}, Limit: wrongPage - len(t.Rows)}
				if p == after.Place {
					q.AfterType, q.AfterID = after.Type, after.ID
				}
				some, err := store.TallyResources(ctx, tx, p, q)
				if err != nil {
					return err
				}
				for _, r := range some {
					k := config.ResourceKey{Place: p, Type: r.Type, ID: r.ID}
					t.Rows = append(t.Rows, row{Mark: "bad", Cells: []cell{linked(r.ID, v.resource(k)), {Text: r.Type, Kind: "short"}, {Text: p.Account, Kind: "short"}, {Text: p.Region, Kind: "short"},
						number(r.NonCompliant), number(r.NonCompliant + r.Compliant)}})
					if len(t.Rows) == wrongPage {
						t.More = v.afterKey(k)
						return nil
					}
				}
			}
		}
		return nil
	})
}

// keyAfter reads the resource that a page begins after.
func (v *visit) keyAfter() (k config.ResourceKey, err error) {
	if text := v.q.Get("after"); text != "" && json.Unmarshal([]byte(text), &k) != nil {
		return k, wrong("No page ends there.")
	}
	return k, nil
}

func (v *visit) afterKey(k config.ResourceKey) string {
	text, _ := json.Marshal(k) // texts cannot fail
	return v.with("after", string(text))
}

// A ticket is failures as Markdown, for whoever has to mend them.
type ticket struct {
	Text  string
	Lines int
	More  bool
	Back  string
}

// showTicket writes what was picked, or all that fails a rule.
func showTicket(v *visit) (*page, error) {
	name := v.q.Get("rule")
	var all []store.Judgment
	more := false
	err := v.read(func(ctx context.Context, tx *db.Tx) (err error) {
		if picks := v.q["pick"]; len(picks) > 0 {
			all, err = picked(ctx, tx, v, name, picks)
			return err
		}
		all, _, more, err = failuresOf(ctx, tx, v, name, failurePosition{}, maxMarkdown)
		return err
	})
	if err != nil {
		return nil, err
	}
	all = all[:min(len(all), maxMarkdown)]
	return &page{Title: "A ticket on " + name, Template: "ticket", Data: ticket{markdown(v, name, all), len(all), more, v.link("wrong", "rule", name)}}, nil
}

// picked are the verdicts of a rule on resources that the address names.
func picked(ctx context.Context, tx *db.Tx, v *visit, name string, picks []string) ([]store.Judgment, error) {
	var all []store.Judgment
	for _, text := range picks {
		var k config.ResourceKey
		if json.Unmarshal([]byte(text), &k) != nil || !v.allowed(k.Account) {
			continue
		}
		some, err := store.JudgmentsOn(ctx, tx, k, maxVerdicts)
		if err != nil {
			return nil, err
		}
		for _, j := range some {
			if j.Rule == name {
				all = append(all, j)
			}
		}
	}
	return all, nil
}

func markdown(v *visit, name string, all []store.Judgment) string {
	var b strings.Builder
	fmt.Fprintf(&b, "### %s: %s\n\nAs of %s UTC.\n\n", markdownText(name), counted(int64(len(all)), "resource does not comply", "resources do not comply"), shortTime(v.now))
	b.WriteString("| resource | type | account | region | since | rule says |\n|---|---|---|---|---|---|\n")
	for _, j := range all {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", markdownText(j.Key.ID), markdownText(j.Key.Type), j.Key.Account, j.Key.Region,
			shortTime(j.Turned), markdownText(j.Annotation))
	}
	return b.String()
}

// markdownText writes a text that is no markup.
func markdownText(s string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "\r", " ", "<", "&lt;", "[", `\[`, "`", "\\`", "*", `\*`).Replace(s)
}
