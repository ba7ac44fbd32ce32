// Package trial is the unit tests of rule files: documents with the verdicts that
// the author of the rules expects, in the form that cfn-guard reads.
//
//   - name: versioning is suspended
//     input: {versioning: suspended}
//     expectations: {rules: {versioned: FAIL}}
//
// It runs trials and says how they went; what is printed is package report's
// matter. It stores nothing.
package trial

import (
	"context"
	"errors"
	"fmt"

	"plumb/internal/guard"
	"plumb/internal/guard/document"
)

// A Trial is one document with what is expected of it.
type Trial struct {
	Name     string
	Input    *document.Value
	Expected map[string]guard.Status // by rule
}

// Read reads a file of trials, in YAML or JSON.
func Read(text []byte) ([]Trial, error) {
	v, err := document.Parse(text, document.Core)
	if err != nil {
		return nil, err
	}
	if v.Kind() != document.List {
		return nil, fmt.Errorf("a file of tests is a list, found %s", v.Kind())
	}
	trials := make([]Trial, v.Len())
	for i := range trials {
		if trials[i], err = one(v.Item(i)); err != nil {
			return nil, fmt.Errorf("test %d: %w", i+1, err)
		}
	}
	return trials, nil
}

// one reads one test.
func one(v *document.Value) (Trial, error) {
	var t Trial
	if v.Kind() != document.Map {
		return t, fmt.Errorf("a test is a map with name, input and expectations, found %s", v.Kind())
	}
	if name := v.Get("name"); name != nil && name.Kind() == document.String {
		t.Name = name.Text()
	}
	input := v.Get("input")
	if input == nil {
		return t, errors.New("input is missing")
	}
	t.Input = input.Detached()
	var err error
	t.Expected, err = expectations(v.Get("expectations"))
	return t, err
}

// expectations reads the verdicts that are expected. They are needed: a test that expects
// nothing would always pass.
func expectations(v *document.Value) (map[string]guard.Status, error) {
	if v == nil || v.Get("rules") == nil {
		return nil, errors.New("expectations.rules is missing")
	}
	rules := v.Get("rules")
	expected := make(map[string]guard.Status, rules.Len())
	for i, k := range rules.Keys() {
		status, err := guard.ParseStatus(rules.Item(i).Text())
		if err != nil {
			return nil, fmt.Errorf("expectation for rule %s: %w", k.Name, err)
		}
		expected[k.Name] = status
	}
	return expected, nil
}

// An Outcome is how one rule fared. A rule name may stand for several rules.
type Outcome struct {
	Rule      string
	Expected  guard.Status
	Evaluated []guard.Status
	Asked     bool // something was expected of the rule
	Met       bool // the expectation was met
}

// Run decides the rules on the trial's document. The outcomes are in the order of
// the rules.
func (t Trial) Run(
	ctx context.Context, rules *guard.RuleSet, o guard.Options,
) ([]Outcome, *guard.Result, error) {
	result, err := rules.Evaluate(ctx, t.Input, o)
	if err != nil {
		return nil, nil, err
	}
	var outcomes []Outcome
	at := map[string]int{}
	for _, r := range result.Rules {
		i, known := at[r.Name]
		if !known {
			i = len(outcomes)
			at[r.Name] = i
			expected, asked := t.Expected[r.Name]
			outcomes = append(outcomes, Outcome{Rule: r.Name, Expected: expected, Asked: asked})
		}
		outcomes[i].Evaluated = append(outcomes[i].Evaluated, r.Status)
	}
	for i := range outcomes {
		outcomes[i].Met = outcomes[i].Asked && met(outcomes[i])
	}
	return outcomes, result, nil
}

// met tells whether one of a name's rules has the expected verdict. To be skipped,
// all of them must be.
func met(o Outcome) bool {
	equal := 0
	for _, s := range o.Evaluated {
		if s == o.Expected {
			equal++
		}
	}
	if o.Expected == guard.Skip {
		return equal == len(o.Evaluated)
	}
	return equal > 0
}
