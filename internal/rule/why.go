package rule

import (
	"context"

	"plumb/internal/config"
	"plumb/internal/rule/view"
)

// A Decision is what an in-process rule says of an item when it is asked, and what
// decided that.
type Decision struct {
	Compliance config.Compliance
	Annotation string
	Why        []string // lines: the check with the values that it read, or the clauses that failed
}

// A reasoner says why it decided as it did.
type reasoner interface {
	Why(config.Item, view.View) ([]string, error)
}

// Decide evaluates an item by an in-process rule and keeps nothing of it. What the rule
// looks through beside the item is as it is now.
func (e *Engine) Decide(ctx context.Context, r config.Rule, it config.Item) (Decision, error) {
	c, err := e.Compile(r)
	if err != nil || c.Evaluator == nil {
		return Decision{}, err
	}
	return e.DecideBy(ctx, r, c, it)
}

// DecideBy does as Decide, by an evaluator that is given.
func (e *Engine) DecideBy(ctx context.Context, r config.Rule, c Compiled, it config.Item) (Decision, error) {
	if !judged(r, it) || it.Status.Gone() || !r.Covers(it, c.Types) {
		return Decision{Compliance: config.NotApplicable, Annotation: "The rule does not cover the resource."}, nil
	}
	v := e.view(ctx, r.Place)
	var d Decision
	var err error
	d.Compliance, d.Annotation, err = c.Evaluator.Evaluate(it, v)
	if w, ok := c.Evaluator.(reasoner); ok && err == nil {
		d.Why, err = w.Why(it, v)
	}
	return d, err
}
