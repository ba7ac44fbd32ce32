package console

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/lambda"
	"plumb/internal/rule"
	"plumb/internal/store"
)

const (
	rulesPage   = 60
	maxRuleLook = 6000 // rules that are looked at for one page
)

// Which rules a list shows.
var ruleKinds = []struct{ key, text string }{
	{"all", "all"}, {"failing", "that resources fail"}, {"nothing", "that look at nothing"}, {"broken", "with errors of their own"},
}

func showRules(v *visit) (*page, error) {
	show := cmp.Or(v.q.Get("show"), "all")
	words := strings.Fields(strings.ToLower(v.q.Get("words")))
	t := &table{
		Caption: "Rules", Empty: "There is no such rule.",
		Columns: []col{{Name: "rule"}, {Name: "account"}, {Name: "region"}, {"failing", true}, {"compliant", true}, {Name: "complies"}, {Name: "last evaluated"}, {Name: "state"}},
	}
	var after store.RulePosition
	if text := v.q.Get("after"); text != "" && json.Unmarshal([]byte(text), &after) != nil {
		return nil, wrong("No page ends there.")
	}
	err := v.read(func(ctx context.Context, tx *db.Tx) error {
		for looked := 0; ; {
			some, err := store.ListRules(ctx, tx, v.account(), after, 500)
			if err != nil {
				return err
			}
			for _, r := range some {
				after = r.Position()
				if listedRule(v, r, show, words) {
					t.Rows = append(t.Rows, ruleRow(v, r))
				}
				if len(t.Rows) == rulesPage {
					break
				}
			}
			looked += len(some)
			if full := len(t.Rows) == rulesPage || looked >= maxRuleLook; full || len(some) < 500 {
				if full {
					text, _ := json.Marshal(after) // numbers and texts cannot fail
					t.More = v.with("after", string(text))
				}
				return nil
			}
		}
	})
	data := rulesView{listPage: listPage{Table: t}, Words: v.q.Get("words"), Show: show}
	for _, k := range ruleKinds {
		data.Kinds = append(data.Kinds, choice{k.text, v.with("show", k.key), k.key == show})
	}
	return &page{Title: "Rules", Template: "rules", Data: data, Table: t, AtNote: "Rules and verdicts are kept as they are now, so this page shows now.",
		Calls: []call{v.cli(v.c.Settings.Account, v.c.Settings.Region, "configservice describe-config-rules")}}, err
}

type rulesView struct {
	listPage
	Kinds []choice
	Words string
	Show  string
}

func listedRule(v *visit, r store.ListedRule, show string, words []string) bool {
	if !v.filters.leave("account", r.Account) || !v.filters.leave("region", r.Region) {
		return false
	}
	for _, w := range words {
		if !strings.Contains(strings.ToLower(r.Name), w) {
			return false
		}
	}
	switch show {
	case "failing":
		return r.NonCompliant > 0
	case "nothing":
		return r.Tally == store.Tally{}
	case "broken":
		return r.ErrorCode != ""
	}
	return true
}

func ruleRow(v *visit, r store.ListedRule) row {
	out := row{Cells: []cell{
		linked(r.Name, v.rule(r.Place, r.Name)), {Text: r.Account, Kind: "short"}, {Text: r.Region, Kind: "short"}, number(r.NonCompliant), number(r.Compliant),
		share(r.Compliant, r.NonCompliant), moment(r.LastEvaluated, v.now), {Text: strings.ToLower(string(r.State))},
	}}
	if r.Tally == (store.Tally{}) {
		out.Cells[5] = faint("looks at nothing yet")
	}
	switch {
	case r.ErrorCode != "":
		out.Mark, out.Cells[7] = "warn", cell{Text: r.ErrorCode, Note: short(r.ErrorMessage, 60)}
	case r.NonCompliant > 0:
		out.Mark = "bad"
	}
	return out
}

// A rulePage is one rule in one place.
type rulePage struct {
	Rule     config.Rule
	Sentence string
	Facts    []fact
	Warnings []string
	Failing  *table
	Left     *table // what it never judged
	LeftNote string
	Source   string
	Log      []string
	LogNote  string
	Event    string
	Params   string

	Evaluate   string
	Try        string // its address
	Bench      string // the action that puts it on the bench; empty if there is none
	CSRF, Back string
	Done       string
}

func showRule(v *visit) (*page, error) {
	p, err := v.place()
	if err != nil {
		return nil, err
	}
	d := &rulePage{CSRF: v.csrf(), Back: v.with("did", ""), Done: v.done()}
	if v.c.development() {
		d.Evaluate, d.Bench = Root+"evaluate", Root+"bench/copy"
	}
	err = v.read(func(ctx context.Context, tx *db.Tx) (err error) {
		if d.Rule, err = store.Rule(ctx, tx, p, v.q.Get("name")); err != nil {
			return err
		}
		return d.read(ctx, tx, v)
	})
	if err != nil {
		return nil, err
	}
	d.Try = v.link("try", "account", p.Account, "region", p.Region, "name", d.Rule.Name)
	if err := d.addFunction(v); err != nil {
		return nil, err
	}
	return &page{
		Title: d.Rule.Name, Template: "rule", Data: d, Table: d.Failing, AtNote: "Rules and verdicts are kept as they are now, so this page shows now.",
		Calls: []call{
			v.cli(p.Account, p.Region, "configservice describe-config-rule-evaluation-status", "config-rule-names", d.Rule.Name),
			v.cli(p.Account, p.Region, "configservice get-compliance-details-by-config-rule", "config-rule-name", d.Rule.Name),
			{"Plumb", "plumb rule run " + quoted(d.Rule.Name) + "\nplumb why " + quoted(d.Rule.Name) + " RESOURCE"},
		},
	}, nil
}

func (d *rulePage) read(ctx context.Context, tx *db.Tx, v *visit) error {
	status, err := store.RuleStatus(ctx, tx, d.Rule.ID)
	if err != nil {
		return err
	}
	tallies, err := store.TallyRules(ctx, tx, []string{d.Rule.ID})
	if err != nil {
		return err
	}
	next, err := store.RuleNextRun(ctx, tx, d.Rule.ID)
	if err != nil {
		return err
	}
	failures, on, err := store.RuleFailures(ctx, tx, d.Rule)
	if err != nil {
		return err
	}
	types := d.addSource(v)
	inScope, err := store.Counts(ctx, tx, d.Rule.Place, types)
	if err != nil {
		return err
	}
	d.addSentence(tallies[d.Rule.ID], inScope, types, failures, on)
	d.addStatus(v, status, next)
	if err := d.addFailing(ctx, tx, v); err != nil {
		return err
	}
	return d.addLeft(ctx, tx, v, types)
}

// addSource says how the rule decides, and returns the types that it looks at; none is all.
func (d *rulePage) addSource(v *visit) (types []string) {
	r := d.Rule
	if r.Scope != nil {
		types = r.Scope.Types
	}
	d.Params = r.InputParameters
	kind := "managed, " + r.Source.Identifier
	switch r.Source.Owner {
	case config.OwnerPolicy:
		kind = "policy in Guard"
		if r.Source.Policy != nil {
			d.Source = r.Source.Policy.Text
		}
	case config.OwnerLambda:
		kind = "function"
	default:
		if f, err := v.Known.Managed.File(r.Source.Identifier); err == nil {
			d.Source = strings.TrimSpace(f.Check)
			if len(types) == 0 {
				types = f.Resources
			}
		}
	}
	d.Facts = append(d.Facts, fact{Name: "account", Value: r.Account}, fact{Name: "region", Value: r.Region}, fact{Name: "kind", Value: kind})
	if r.CreatedBy != "" {
		d.Facts = append(d.Facts, fact{Name: "made by", Value: r.CreatedBy})
	}
	if len(types) > 0 {
		d.Facts = append(d.Facts, fact{Name: "looks at", Value: strings.Join(types, ", ")})
	}
	if r.TagScoped() {
		d.Facts = append(d.Facts, fact{Name: "with the tag", Value: *r.Scope.TagKey})
	}
	if !v.Rules.Evaluates(r) {
		d.Warnings = append(d.Warnings, "Nothing here evaluates this rule: it has no verdicts, which does not mean that all is well.")
	}
	return types
}

func (d *rulePage) addSentence(t store.Tally, inScope []store.Count, types []string, failures int, on config.ResourceKey) {
	var n int64
	for _, c := range inScope {
		n += c.N
	}
	noun := "resources"
	if len(types) == 1 {
		noun = types[0]
	}
	judged := t.Compliant + t.NonCompliant
	d.Sentence = fmt.Sprintf("Judged %s of %s %s: %s non-compliant, %s compliant.", grouped(judged), grouped(n), noun, grouped(t.NonCompliant), grouped(t.Compliant))
	if rest := n - judged; rest > 0 && judged > 0 {
		d.Sentence += fmt.Sprintf(" It does not apply to the other %s, or was not asked.", grouped(rest))
	}
	if judged == 0 {
		d.Sentence = fmt.Sprintf("It has judged nothing. There are %s %s that it could look at.", grouped(n), noun)
	}
	if failures > 0 {
		d.Warnings = append(d.Warnings, fmt.Sprintf("It failed on %s when it was last asked, last on %s %s.", counted(int64(failures), "resource", "resources"), on.Type, on.ID))
	}
}

func (d *rulePage) addStatus(v *visit, s config.RuleStatus, next time.Time) {
	add := func(name string, t time.Time) {
		if !t.IsZero() {
			d.Facts = append(d.Facts, fact{Name: name, Value: age(v.now.Sub(t))})
		}
	}
	add("last evaluated", s.LastSuccessfulEvaluation)
	add("last asked", s.LastSuccessfulInvocation)
	add("next run", next)
	if d.Rule.State != config.RuleActive {
		d.Facts = append(d.Facts, fact{Name: "state", Value: strings.ToLower(string(d.Rule.State))})
	}
	if s.LastErrorCode != "" {
		d.Warnings = append(d.Warnings, "Its last failure: "+s.LastErrorCode+": "+s.LastErrorMessage)
	}
}

func (d *rulePage) addFailing(ctx context.Context, tx *db.Tx, v *visit) error {
	all, _, err := store.FailuresOf(ctx, tx, d.Rule, store.FailurePosition{}, wrongPage)
	d.Failing = &table{Caption: "Resources that fail it, the newest failures first", Empty: "Nothing fails it.",
		Columns: []col{{Name: "resource"}, {Name: "type"}, {Name: "account"}, {Name: "region"}, {Name: "fails since"}, {Name: "what the rule says"}}}
	for _, j := range all {
		d.Failing.Rows = append(d.Failing.Rows, failureRow(v, j))
	}
	if len(all) == wrongPage {
		d.Failing.Note = "These are the newest " + fmt.Sprint(wrongPage) + "; What is wrong has all."
	}
	return err
}

// addLeft lists resources that the rule never judged.
func (d *rulePage) addLeft(ctx context.Context, tx *db.Tx, v *visit, types []string) error {
	d.Left = &table{Caption: "What it never judged", Columns: []col{{Name: "resource"}, {Name: "type"}}, Empty: "There is nothing of its types that it has not judged."}
	if len(types) == 0 {
		d.LeftNote = "It looks at every type, so what it never judged is not listed."
		d.Left = nil
		return nil
	}
	for _, kind := range types {
		ids, last, err := store.UnjudgedBy(ctx, tx, d.Rule, kind, "", 25-len(d.Left.Rows), 5000)
		if err != nil {
			return err
		}
		for _, id := range ids {
			k := config.ResourceKey{Place: d.Rule.Place, Type: kind, ID: id}
			d.Left.Rows = append(d.Left.Rows, row{Cells: []cell{linked(id, v.resource(k)), {Text: kind}}})
		}
		if last != "" {
			d.LeftNote = "The first 5,000 of each type were looked at."
		}
		if len(d.Left.Rows) >= 25 {
			d.LeftNote = "There may be more: these are the first 25."
			break
		}
	}
	if len(d.Left.Rows) > 0 && d.LeftNote == "" {
		d.LeftNote = "That a rule never applied to a resource is not kept, so these are either that or were never asked about."
	}
	return nil
}

// addFunction adds what a function wrote last, and an event that it may get.
func (d *rulePage) addFunction(v *visit) error {
	if d.Rule.Source.Owner != config.OwnerLambda {
		return nil
	}
	ref, err := lambda.ParseARN(d.Rule.Source.Identifier)
	if err != nil {
		d.LogNote = "The function is not named well: " + d.Rule.Source.Identifier
		return nil
	}
	d.Facts = append(d.Facts, fact{Name: "function", Value: ref.Name})
	if d.Log, err = functionLog(v, ref, v.now.Add(-24*time.Hour), v.now.Add(time.Minute)); err != nil {
		return err
	}
	if len(d.Log) == 0 {
		d.LogNote = "It wrote nothing here in the last 24 hours."
	}
	o := rule.Occasion{Rule: d.Rule.Name}
	if len(d.Failing.Rows) > 0 {
		var k config.ResourceKey
		if json.Unmarshal([]byte(d.Failing.Rows[0].Value), &k) == nil {
			o.Item = &config.Item{ResourceKey: k}
		}
	}
	event, _, err := v.Rules.Event(v.ctx, d.Rule.Place, o)
	if err == nil {
		d.Event = shownEvent(event)
	} else if !errors.Is(err, store.ErrNotFound) {
		d.LogNote = strings.TrimSpace(d.LogNote + " No event can be made: " + err.Error())
	}
	return nil
}
