package console

import (
	"cmp"
	"slices"
	"strings"
	"time"
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
