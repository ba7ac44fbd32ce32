// Package guard evaluates policies written in Guard, the language of AWS Config's
// custom policy rules. Parse reads a rule file once; the RuleSet is then safe for
// any number of evaluations at the same time.
//
//	rules, err := guard.Parse("buckets.guard", source)
//	doc, err := document.FromGo(item) // or document.Parse(text, document.Template)
//	result, err := rules.Evaluate(ctx, doc, guard.Options{})
//	if result.Status == guard.Fail { ... }
//
// The package agrees with the original, cloudformation-guard, on every verdict,
// oddities included; docs/divergences.md lists where it does not. It knows nothing
// of AWS Config, does no input or output, and stores nothing.
package guard

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"plumb/internal/guard/document"
	"plumb/internal/guard/syntax"
)

// A Status is the verdict of a rule, a file or a clause.
type Status uint8

// The verdicts. Skip means that nothing applied.
const (
	Skip Status = iota
	Pass
	Fail
)

// String is the verdict as users write it.
func (s Status) String() string { return [...]string{"SKIP", "PASS", "FAIL"}[s] }

// MarshalText writes the verdict into structured output.
func (s Status) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// ParseStatus reads a verdict as users write it.
func ParseStatus(s string) (Status, error) {
	for _, status := range []Status{Skip, Pass, Fail} {
		if status.String() == s {
			return status, nil
		}
	}
	return Skip, fmt.Errorf("status %q is none of PASS, FAIL and SKIP", s)
}

// A RuleSet is a rule file that was read.
type RuleSet struct {
	file  *syntax.File
	rules map[string][]*syntax.Rule
	calls map[string]*syntax.Rule
	idle  sync.Pool // of *evaluation, for the memory that they hold
}

// Parse reads a rule file. The name appears in messages. The error is a
// *syntax.Error, which knows line and column.
func Parse(name, source string) (*RuleSet, error) {
	file, err := syntax.Parse(name, source)
	if err != nil {
		return nil, err
	}
	s := &RuleSet{file: file, rules: map[string][]*syntax.Rule{}, calls: map[string]*syntax.Rule{}}
	for _, r := range file.Rules {
		s.rules[r.Name] = append(s.rules[r.Name], r)
	}
	for _, r := range file.Calls {
		s.calls[r.Name] = r
	}
	return s, nil
}

// File is the tree that the rule set was made from.
func (s *RuleSet) File() *syntax.File { return s.file }

// A Detail is how much an evaluation remembers.
type Detail uint8

const (
	// Failures remembers what failed and why.
	Failures Detail = iota
	// Verdicts remembers each rule's verdict and no reasons. It is the fastest.
	Verdicts
	// Everything remembers every step.
	Everything
)

// ErrNoResources says that a type block met a document that is no template. The
// original ends there with an error too.
var ErrNoResources = errors.New("the document has no resources")

// Options are what an evaluation is given besides the document. The zero value is
// ready for use.
type Options struct {
	Detail Detail
	// Now is what the function now() answers. It is time.Now if nil.
	Now func() time.Time
	// MaxSteps bounds the work: values visited and compared. 0 means 10 million.
	MaxSteps int
	// MaxDepth bounds how deep rules, variables and queries may lead into each other.
	// 0 means 1000.
	MaxDepth int
}

// ErrLimit is in the chain of the error of an evaluation that would take too many
// steps or went too deep.
var ErrLimit = errors.New("limit of the evaluation reached")

// A Result is what a rule file says of a document.
type Result struct {
	Status Status
	Rules  []RuleResult
	Record *Record // nil if only verdicts were asked for
}

// A RuleResult is the verdict of one rule. Rules of the same name have one each.
type RuleResult struct {
	Name   string
	Status Status
	Record *Record // nil if only verdicts were asked for, or nothing failed and only failures were
}

// Evaluate decides every rule on a document. The error is a mistake in the rules
// that shows only now, such as an unknown variable, a limit, or the context's end.
func (s *RuleSet) Evaluate(ctx context.Context, doc *document.Value, o Options) (*Result, error) {
	e := s.evaluation(ctx, doc, o)
	defer e.release()
	r := &Result{Rules: make([]RuleResult, 0, len(s.file.Rules))}
	file := e.begin(Record{Kind: FileRecord})
	for _, rule := range s.file.Rules {
		status, record, err := e.rule(rule, e.root)
		if err != nil {
			return nil, fmt.Errorf("rule %s: %w", rule.Name, err)
		}
		r.Rules = append(r.Rules, RuleResult{Name: rule.Name, Status: status, Record: record})
		r.Status = combine(r.Status, status)
	}
	e.end(file, r.Status)
	r.Record = file
	return r, nil
}

// combine is how verdicts of parts make the verdict of the whole: one failure
// fails it, and it is skipped only if every part was.
func combine(a, b Status) Status { return max(a, b) }
