package console

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/lambda"
	"plumb/internal/logs"
	"plumb/internal/rule"
	"plumb/internal/store"
)

// A judged is what a rule says of a resource, and why.
type judged struct {
	Rule, RuleHref string
	Compliance     config.Compliance
	Annotation     string
	Since, Last    time.Time
	SinceAge       string

	Kind   string // how it is decided: in words
	Now    config.Compliance
	Why    []string
	Failed string // why that is not known
	Event  string
	Log    []string
	Open   bool // it is told why at once

	id, name string
}

func judgedBy(v *visit, j store.Judgment) judged {
	return judged{
		Rule: j.Rule, RuleHref: v.rule(j.Key.Place, j.Rule), Compliance: j.Compliance, Annotation: j.Annotation,
		Since: j.Turned, Last: j.Recorded, SinceAge: age(v.now.Sub(j.Turned)), Open: j.Compliance == config.NonCompliant, id: j.RuleID, name: j.Rule,
	}
}

// maxReasons is how many verdicts are decided again for one page, those that fail first.
const maxReasons = 25

// addReasons has the rules that say something say why. It is not done in a transaction:
// rules may read more.
func (r *resourcePage) addReasons(v *visit) error {
	told := 0
	for _, want := range []config.Compliance{config.NonCompliant, config.Compliant} {
		for i := range r.Verdicts {
			if j := &r.Verdicts[i]; j.Compliance == want && told < maxReasons {
				told++
				if err := j.explain(v, r.Key, r.Item); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (j *judged) explain(v *visit, key config.ResourceKey, it *config.Item) error {
	var of config.Rule
	err := v.read(func(ctx context.Context, tx *db.Tx) (err error) {
		of, err = store.RuleByID(ctx, tx, j.id)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if of.Source.Owner == config.OwnerLambda {
		return j.explainFunction(v, of, key)
	}
	j.Kind = "managed rule " + of.Source.Identifier
	if of.Source.Owner == config.OwnerPolicy {
		j.Kind = "policy in Guard"
	}
	if it == nil {
		return nil
	}
	d, err := v.Rules.Decide(v.ctx, of, *it)
	switch {
	case errors.Is(err, rule.ErrNoEvaluator):
		j.Failed = "Nothing here evaluates this rule: " + err.Error()
	case err != nil:
		j.Failed = "Asked again, it failed: " + err.Error()
	default:
		j.Now, j.Why = d.Compliance, d.Why
	}
	return nil
}

// explainFunction shows what the function was sent, as it would be now, and what it wrote.
func (j *judged) explainFunction(v *visit, of config.Rule, key config.ResourceKey) error {
	ref, err := lambda.ParseARN(of.Source.Identifier)
	if err != nil {
		j.Kind = "a function that is not named well"
		return nil
	}
	j.Kind = "function " + ref.Name
	if j.Compliance != config.NonCompliant {
		return nil
	}
	event, _, err := v.Rules.Event(v.ctx, key.Place, rule.Occasion{Rule: of.Name, Item: &config.Item{ResourceKey: key}})
	if err != nil {
		j.Failed = "The event cannot be made again: " + err.Error()
	} else {
		j.Event = shownEvent(event)
	}
	lines, err := functionLog(v, ref, j.Since.Add(-10*time.Second), j.Last.Add(10*time.Second))
	j.Log = lines
	return err
}

// shownEvent is an event for people. Its result token would let them answer it.
func shownEvent(event []byte) string {
	form, err := config.Decode(event)
	m, ok := form.(map[string]any)
	if err != nil || !ok {
		return string(event)
	}
	if _, there := m["resultToken"]; there {
		m["resultToken"] = "(not shown)"
	}
	if text, ok := m["invokingEvent"].(string); ok {
		if inner, err := config.Decode([]byte(text)); err == nil {
			m["invokingEvent"] = inner
		}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(m); err != nil {
		return string(event)
	}
	return b.String()
}

// maxLog is how many lines of a function's log a page shows.
const maxLog = 60

// functionLog returns what a function wrote in a time; nothing where it wrote to another
// place.
func functionLog(v *visit, ref lambda.Ref, from, to time.Time) ([]string, error) {
	v.Logs.Flush(v.ctx)
	page, err := v.Logs.Filter(v.ctx, ref.Place, "/aws/lambda/"+ref.Name, logs.Query{From: from.UnixMilli(), Until: to.UnixMilli(), Limit: maxLog})
	if err != nil {
		return nil, nil //nolint:nilerr // a group that is not there has no lines
	}
	var out []string
	for _, e := range page.Events {
		out = append(out, time.UnixMilli(e.Time).UTC().Format("15:04:05.000")+"  "+strings.TrimRight(e.Message, "\n"))
	}
	return out, nil
}
