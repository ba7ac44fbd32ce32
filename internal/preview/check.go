package preview

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"plumb/internal/config"
	"plumb/internal/report"
	"plumb/internal/rule/managed"
	"plumb/internal/rule/view"
	"plumb/internal/rulefile"
)

// A Judge evaluates items, and says which of their members a verdict depends on.
type Judge interface {
	Evaluate(config.Item, view.View) (config.Compliance, string, error)
	Reads(config.Item, view.View) ([][]string, error)
}

// An explainer is a judge that knows what its author says of a failure, and why one
// came about: a policy in Guard.
type explainer interface {
	Messages(config.Item, view.View) ([]string, error)
	Why(config.Item, view.View) ([]string, error)
}

// A Rule is one to check by.
type Rule struct {
	Name  string
	Types []string // that it is on; none is every type
	Finds []string // that it looks through beside the item's
	Judge Judge
	// Properties judges what is written in a template; nil if the rule has no word
	// on that.
	Properties Judge
}

// Check has rules evaluate planned items. Cases of rules that do not apply are left
// out. A rule whose verdict would be a guess gives a skipped case that says why.
func Check(f File, rules []Rule, items []*Planned) []report.Case {
	var cases []report.Case
	for _, r := range rules {
		for _, p := range items {
			if len(r.Types) > 0 && !slices.Contains(r.Types, p.Item.Type) {
				continue
			}
			c := report.Case{Suite: r.Name, Name: p.Address, Path: f.Path, Line: p.Line}
			if r.judge(p, &c) {
				cases = append(cases, c)
			}
		}
	}
	return cases
}

// judge fills in a case, and reports whether it is worth one.
func (r Rule) judge(p *Planned, c *report.Case) bool {
	j := r.Judge
	if r.Properties != nil && p.properties != nil {
		p, j = p.properties, r.Properties
	}
	if j == nil {
		return false
	}
	v := view.Fixed{At: managed.Beside().At}
	reads, err := j.Reads(p.Item, v)
	if err == nil {
		if why := p.Unreadable(reads); why != "" {
			c.Status, c.Message = report.Skipped, "cannot be told: "+why
			return true
		}
	}
	if len(r.Finds) > 0 {
		c.Status, c.Message = report.Skipped, "cannot be told: it looks through "+strings.Join(r.Finds, ", ")+", of which not all are known here"
		return true
	}
	var compliance config.Compliance
	var annotation string
	if err == nil {
		compliance, annotation, err = j.Evaluate(p.Item, v)
	}
	switch {
	case err != nil:
		c.Status, c.Message = report.Broken, err.Error()
	case compliance == config.Compliant:
		c.Status = report.Passed
	case compliance == config.NonCompliant:
		c.Status, c.Message = report.Failed, "NON_COMPLIANT"
		if annotation != "" {
			c.Message += ": " + annotation
		}
		if e, ok := j.(explainer); ok {
			explain(e, p.Item, v, c)
		}
	default:
		return false
	}
	return true
}

// explain adds what the author says to a case that failed, and each reason. That there
// are any is known, so an error would be one of the rule itself, which is told.
func explain(e explainer, it config.Item, v view.View, c *report.Case) {
	messages, err := e.Messages(it, v)
	if err != nil {
		c.Detail = err.Error()
		return
	}
	if len(messages) > 0 {
		c.Message += ": " + strings.Join(messages, " ")
	}
	why, err := e.Why(it, v)
	if err != nil {
		why = []string{err.Error()}
	}
	c.Detail = strings.Join(why, "\n")
}

// Others says which resources nothing was checked of, by their types.
func Others(all []Resource) string {
	counts := map[string]int{}
	for _, r := range all {
		counts[r.Kind]++
	}
	var texts []string
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		texts = append(texts, fmt.Sprintf("%d of %s", counts[kind], kind))
	}
	return strings.Join(texts, ", ")
}

// ManagedRule returns a rule of AWS with these InputParameters.
func ManagedRule(c *managed.Catalogue, identifier, parameters string) (Rule, error) {
	file, err := c.File(identifier)
	if err != nil {
		return Rule{}, err
	}
	e, err := c.Evaluator(identifier, parameters)
	if err != nil {
		return Rule{}, err
	}
	r := Rule{Name: identifier, Types: file.Resources, Finds: file.Finds, Judge: e}
	proactive, err := c.ProactiveEvaluator(identifier, parameters)
	switch {
	case err == nil:
		r.Properties = proactive
	case !errors.Is(err, managed.ErrNoEvaluator):
		return r, err
	}
	return r, nil
}

// AllManaged returns the rules that this program evaluates by changes and that need
// no parameters.
func AllManaged(c *managed.Catalogue) ([]Rule, error) {
	var all []Rule
	for _, identifier := range c.Evaluated() {
		file, err := c.File(identifier)
		if err != nil {
			return nil, err
		}
		r, err := ManagedRule(c, identifier, "")
		if err != nil || !file.Trigger.OnChange() {
			continue // it needs parameters, or has no item to look at
		}
		all = append(all, r)
	}
	return all, nil
}

// WrittenRule returns a rule that somebody wrote. A function is none: it is not run
// on what is not there.
func WrittenRule(c *managed.Catalogue, w rulefile.Rule) (Rule, error) {
	if w.Kind == rulefile.Managed {
		parameters, err := w.InputParameters()
		if err != nil {
			return Rule{}, err
		}
		return ManagedRule(c, w.Identifier, parameters)
	}
	if w.Kind == rulefile.Function {
		return Rule{}, fmt.Errorf("%s: a function is not run on what is not there yet: managed rules, policies in Guard and rule files are; \"plumb rule test\" runs functions",
			filepath.ToSlash(report.Relative(w.Path)))
	}
	if err := w.CheckTypes(); err != nil {
		return Rule{}, err
	}
	e, err := w.Evaluator(c)
	if err != nil {
		if path := filepath.ToSlash(report.Relative(w.Path)); !strings.HasPrefix(err.Error(), path+":") { // it says where
			err = fmt.Errorf("%s: %w", path, err)
		}
		return Rule{}, err
	}
	j, ok := e.(Judge)
	if !ok {
		return Rule{}, fmt.Errorf("%s: it cannot be told what the rule reads", w.Path)
	}
	r := Rule{Name: w.Name, Types: w.Types, Judge: j}
	if m, ok := e.(*managed.Evaluator); ok {
		r.Types, r.Finds = m.Types(), m.Finds()
	}
	return r, nil
}
