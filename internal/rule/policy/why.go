package policy

import (
	"context"

	"plumb/internal/config"
	"plumb/internal/guard"
	"plumb/internal/guard/document"
	"plumb/internal/rule/view"
)

// Why returns a line for each reason why an item does not comply: the clause, the
// value that it looked at, the author's message.
func (p *Policy) Why(it config.Item, v view.View) ([]string, error) {
	form := it.Form()
	form["CONFIG_RULE_PARAMETERS"] = p.parameters
	doc, err := document.FromGo(form)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	result, err := p.rules.Evaluate(ctx, doc, guard.Options{Detail: guard.Failures, Now: v.Now})
	if err != nil {
		return nil, err
	}
	var out []string
	for _, r := range result.Record.Reasons() {
		out = append(out, r.String())
	}
	return out, nil
}
