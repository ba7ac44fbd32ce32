package policy

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"

	"plumb/internal/config"
	"plumb/internal/guard"
	"plumb/internal/guard/document"
	"plumb/internal/rule/view"
)

// Why returns a line for each reason why an item does not comply: the clause, the
// value that it looked at, the author's message.
func (p *Policy) Why(it config.Item, v view.View) ([]string, error) {
	record, err := p.record(it, v, guard.Failures)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, r := range record.Reasons() {
		out = append(out, strings.ReplaceAll(r.String(), nowhere, ""))
	}
	return out, nil
}

// nowhere is how Guard tells a place in a file of what has none: an item.
const nowhere = "[L:0,C:0]"

// Messages returns what the author wrote, in << >>, beside the clauses that failed, each
// text once.
func (p *Policy) Messages(it config.Item, v view.View) ([]string, error) {
	record, err := p.record(it, v, guard.Failures)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, r := range record.Reasons() {
		if text := strings.Join(strings.Fields(r.Message), " "); text != "" && !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	return all, nil
}

// Reads returns the paths of an item that its verdict depends on, as lists of keys.
func (p *Policy) Reads(it config.Item, v view.View) ([][]string, error) {
	record, err := p.record(it, v, guard.Everything)
	if errors.Is(err, guard.ErrNoResources) {
		return nil, nil // a rule for templates
	}
	if err != nil {
		return nil, err
	}
	reads := record.Reads()
	skipped := record.Status == guard.Skip && !whenCalled.MatchString(p.text)
	if called.MatchString(p.text) && !skipped { // what a function makes of a value has no path
		for _, path := range inText.FindAllString(p.text, -1) {
			reads = append(reads, strings.Split(path, "."))
		}
	}
	return reads, nil
}

var (
	called     = regexp.MustCompile(`\b[a-z_]+\(`)
	whenCalled = regexp.MustCompile(`\bwhen[^{]*%`) // a condition may look at what a function made
	inText     = regexp.MustCompile(`\b(?:configuration|supplementaryConfiguration|tags|resourceName|resourceId|ARN|relationships|awsAccountId|awsRegion|availabilityZone)\b(?:\.\w+)*`)
)

func (p *Policy) record(it config.Item, v view.View, detail guard.Detail) (*guard.Record, error) {
	form := it.Form()
	form["CONFIG_RULE_PARAMETERS"] = p.parameters
	doc, err := document.FromGo(form)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	result, err := p.rules.Evaluate(ctx, doc, guard.Options{Detail: detail, Now: v.Now})
	if err != nil {
		return nil, err
	}
	return result.Record, nil
}
