// Package policy judges items by custom policy rules: their text is Guard's
// language, which guard evaluates, and the document is the item in the event
// form, with the rule's parameters beside it.
//
// It parses a rule once and evaluates it many times. It stores nothing.
package policy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"plumb/internal/config"
	"plumb/internal/guard"
	"plumb/internal/guard/document"
	"plumb/internal/rule/view"
)

// A Policy evaluates one custom policy rule. It is safe for concurrent use.
type Policy struct {
	rules      *guard.RuleSet
	text       string
	parameters map[string]any
}

// Compile parses the text of a CUSTOM_POLICY rule. The error says line, column
// and what was expected.
func Compile(r config.Rule) (*Policy, error) {
	if r.Source.Policy == nil {
		return nil, fmt.Errorf("the rule %s has no policy", r.Name)
	}
	rules, err := guard.Parse(r.Name, r.Source.Policy.Text)
	if err != nil {
		return nil, err
	}
	p := &Policy{rules: rules, text: r.Source.Policy.Text, parameters: map[string]any{}}
	if r.InputParameters != "" {
		if err := json.Unmarshal([]byte(r.InputParameters), &p.parameters); err != nil {
			return nil, fmt.Errorf("input parameters: %w", err)
		}
	}
	return p, nil
}

// patience is how long one evaluation may take: it holds up what is recorded.
const patience = 5 * time.Second

// Evaluate judges an item: PASS is COMPLIANT, FAIL is NON_COMPLIANT with the
// names of the rules that failed, SKIP, when no rule applies, is NOT_APPLICABLE.
func (p *Policy) Evaluate(it config.Item, v view.View) (config.Compliance, string, error) {
	form := it.Form()
	form["CONFIG_RULE_PARAMETERS"] = p.parameters
	doc, err := document.FromGo(form)
	if err != nil {
		return config.InsufficientData, "", fmt.Errorf("read the item: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	result, err := p.rules.Evaluate(ctx, doc, guard.Options{Detail: guard.Verdicts, Now: v.Now})
	if errors.Is(err, guard.ErrNoResources) {
		return config.NotApplicable, "", nil // a rule for templates
	}
	if err != nil {
		return config.InsufficientData, "", err
	}
	switch result.Status {
	case guard.Pass:
		return config.Compliant, "", nil
	case guard.Skip:
		return config.NotApplicable, "", nil
	default:
		return config.NonCompliant, "Failed rules: " + strings.Join(failed(result), ", "), nil
	}
}

func failed(result *guard.Result) []string {
	var out []string
	for _, r := range result.Rules {
		if r.Status == guard.Fail {
			out = append(out, r.Name)
		}
	}
	return out
}
