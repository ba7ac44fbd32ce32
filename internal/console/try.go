package console

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/rule"
	"plumb/internal/store"
)

const (
	maxFlips = 200
	maxTrial = 10 * time.Second // one goes on at a time
)

// A tryView is a rule that is tried with other parameters or another text.
type tryView struct {
	listPage
	Rule       config.Rule
	Parameters string
	Source     string // of a policy
	Policy     bool
	Spans      []choice
	tried
	Fault string // why it cannot be tried so
	Back  string
}

// A tried is what came of a trial.
type tried struct {
	Sentence string
	Turned   []string
}

// How far back a rule can be tried; "now" is the newest items alone.
var trialSpans = []struct{ key, text string }{
	{"now", "what is there now"}, {"24h", "the last day"}, {"168h", "the last 7 days"}, {"720h", "the last 30 days"}, {"2160h", "the last 90 days"},
}

func showTry(v *visit) (*page, error) {
	p, err := v.place()
	if err != nil {
		return nil, err
	}
	d := &tryView{}
	err = v.read(func(ctx context.Context, tx *db.Tx) (err error) {
		d.Rule, err = store.Rule(ctx, tx, p, v.q.Get("name"))
		return err
	})
	if err != nil {
		return nil, err
	}
	d.Back = v.rule(p, d.Rule.Name)
	d.Parameters = d.Rule.InputParameters
	if d.Policy = d.Rule.Source.Owner == config.OwnerPolicy && d.Rule.Source.Policy != nil; d.Policy {
		d.Source = d.Rule.Source.Policy.Text
	}
	since := v.q.Get("since")
	for _, s := range trialSpans {
		d.Spans = append(d.Spans, choice{s.text, s.key, s.key == cmp.Or(since, "720h")})
	}
	if since != "" {
		if v.q.Has("parameters") {
			d.Parameters = v.q.Get("parameters")
		}
		if d.Policy && v.q.Has("source") {
			d.Source = v.q.Get("source")
		}
		if err := d.try(v, since); err != nil {
			return nil, err
		}
	}
	command := "plumb backtest " + quoted(d.Rule.Name) + " --since 30d --parameter NAME=VALUE"
	return &page{Title: "Try a change of " + d.Rule.Name, Template: "try", Data: d, Table: d.Table, Calls: []call{{"Plumb", command}},
		AtNote: "A rule is tried on items up to now."}, nil
}

// sinceOf reads how far back a rule is tried; zero is what is there now.
func sinceOf(v *visit, since string) (time.Time, error) {
	if since == "now" {
		return time.Time{}, nil
	}
	back, err := time.ParseDuration(since)
	if err != nil || back <= 0 {
		return time.Time{}, wrong("The time " + since + " is not one: want now, or a duration such as 720h.")
	}
	return v.now.Add(-back), nil
}

// try fills the page with what would be otherwise.
func (d *tryView) try(v *visit, since string) (err error) {
	t := rule.Trial{Rule: d.Rule}
	if t.Since, err = sinceOf(v, since); err != nil {
		return err
	}
	if d.Fault = d.compile(v, &t); d.Fault != "" {
		return nil
	}
	d.Table, d.tried, err = v.try(t)
	return err
}

// try runs a trial for as long as a page may take.
func (v *visit) try(t rule.Trial) (*table, tried, error) {
	if !v.c.trying.TryLock() {
		return nil, tried{}, &refusal{http.StatusServiceUnavailable, "Another change is being tried. Try again in a moment."}
	}
	defer v.c.trying.Unlock()
	out := &table{
		Caption: "Items on which it would decide otherwise", Empty: "It would decide nothing otherwise.",
		Columns: []col{{Name: "resource"}, {Name: "type"}, {Name: "item of"}, {Name: "the rule says"}, {Name: "it would say"}, {Name: "why"}},
	}
	ctx, cancel := context.WithTimeout(v.ctx, maxTrial)
	defer cancel()
	if e, ok := t.Compiled.Evaluator.(functionEvaluator); ok {
		e.ctx = ctx
		t.Compiled.Evaluator = e
	}
	done, err := v.Rules.Try(ctx, t, func(f rule.Flip) error {
		if len(out.Rows) < maxFlips {
			out.Rows = append(out.Rows, flipRow(v, f))
		}
		return nil
	})
	least := ""
	switch {
	case ctx.Err() != nil && v.ctx.Err() == nil:
		least = "at least "
		out.Note = fmt.Sprintf("It was tried for %d seconds, which was not enough for all resources: plumb backtest goes on.", int(maxTrial.Seconds()))
	case err != nil:
		return nil, tried{}, err
	}
	told := tried{Sentence: sentenceOf(done, least)}
	for _, c := range slices.Sorted(maps.Keys(done.Turned)) {
		told.Turned = append(told.Turned, fmt.Sprintf("%s%s would %s %s now", least, counted(int64(done.Turned[c]), "resource", "resources"), verbOf(done), c))
	}
	if done.Failed > 0 {
		told.Turned = append(told.Turned, fmt.Sprintf("%s have no verdict, first %s", counted(int64(done.Failed), "item", "items"), done.Failure))
	}
	if done.Flips > maxFlips {
		out.Note += fmt.Sprintf(" The first %d are listed.", maxFlips)
	}
	return out, told, nil
}

// sentenceOf tells what a trial came to. Without a rule to compare with, each turn of its
// own verdict is one.
func sentenceOf(done rule.Tried, least string) string {
	what := "it would decide otherwise on"
	if done.Compared == "" {
		what = "no rule has its name, so each turn of its own verdict is listed:"
	}
	return fmt.Sprintf("Tried on %s%s of %s: %s %s%s.", least, counted(int64(done.Items), "item", "items"),
		counted(int64(done.Resources), "resource", "resources"), what, least, grouped(int64(done.Flips)))
}

func verbOf(done rule.Tried) string {
	if done.Compared == "" {
		return "be"
	}
	return "turn"
}

// compile compiles what the form says, or returns why it cannot.
func (d *tryView) compile(v *visit, t *rule.Trial) string {
	if d.Rule.Source.Owner == config.OwnerLambda {
		return "A function is not tried on this page. In development mode, the rule bench tries its code on what was recorded."
	}
	if d.Parameters != "" {
		var given map[string]any
		if err := json.Unmarshal([]byte(d.Parameters), &given); err != nil {
			return "The parameters are no JSON object: " + err.Error()
		}
	}
	t.Rule.InputParameters = d.Parameters
	if d.Policy {
		changed := *t.Rule.Source.Policy
		changed.Text = d.Source
		t.Rule.Source.Policy = &changed
	}
	var err error
	switch t.Compiled, err = v.Rules.Compile(t.Rule); {
	case err != nil:
		return err.Error()
	case t.Compiled.Evaluator == nil:
		return "Nothing here evaluates this rule."
	}
	return ""
}

func flipRow(v *visit, f rule.Flip) row {
	out := row{Cells: []cell{
		linked(f.ID, v.resource(f.ResourceKey)), {Text: f.Type, Kind: "short"}, moment(f.At, v.now), verdictOrNone(f.Before), verdictOrNone(f.After), plain(f.Annotation),
	}}
	switch f.After {
	case config.NonCompliant:
		out.Mark = "bad"
	case config.Compliant:
		out.Mark = "good"
	}
	return out
}

func verdictOrNone(c config.Compliance) cell {
	if c == "" {
		return faint("no verdict")
	}
	return verdict(c)
}
