package report

import (
	"fmt"
	"io"
	"strings"

	"plumb/internal/guard"
	"plumb/internal/guard/trial"
)

// A TrialFile is how the tests of one rule file went.
type TrialFile struct {
	RulesPath string
	Cases     []TrialCase
	Err       error // why they could not be run
}

// A TrialCase is how one test went.
type TrialCase struct {
	Name     string
	Outcomes []trial.Outcome
}

// Failed tells whether an expectation was not met.
func (c TrialCase) Failed() bool {
	for _, o := range c.Outcomes {
		if o.Asked && !o.Met {
			return true
		}
	}
	return false
}

// TrialText writes one test for a terminal.
func TrialText(w io.Writer, number int, c TrialCase, run *Run) error {
	p := &printer{w: w}
	p.line("Test Case #%d", number)
	if c.Name != "" {
		p.line("Name: %s", c.Name)
	}
	for _, o := range c.Outcomes {
		if !o.Asked {
			p.line("  No Test expectation was set for Rule %s", o.Rule)
		}
	}
	if run != nil && p.err == nil {
		p.err = Tree(w, run)
	}
	for _, part := range []struct {
		title string
		met   bool
	}{{"FAIL", false}, {"PASS", true}} {
		trialLines(p, c, part.title, part.met)
	}
	p.line("")
	return p.err
}

// trialLines writes the rules that met, or did not meet, their expectations.
func trialLines(p *printer, c TrialCase, title string, met bool) {
	titled := false
	for _, o := range c.Outcomes {
		if !o.Asked || o.Met != met {
			continue
		}
		if !titled {
			p.line("  %s Rules:", title)
			titled = true
		}
		if met {
			p.line("    %s: Expected = %s", o.Rule, o.Expected)
		} else {
			p.line("    %s: Expected = %s, Evaluated = [%s]", o.Rule, o.Expected, statusWords(o.Evaluated))
		}
	}
}

func statusWords(statuses []guard.Status) string {
	words := make([]string, len(statuses))
	for i, s := range statuses {
		words[i] = s.String()
	}
	return strings.Join(words, ", ")
}

func (f TrialFile) object() object {
	if f.Err != nil {
		return object{{"rule_file", f.RulesPath}, {"error", f.Err.Error()}}
	}
	cases := list{}
	for _, c := range f.Cases {
		cases = append(cases, c.object())
	}
	return object{{"rule_file", f.RulesPath}, {"test_cases", cases}}
}

func (c TrialCase) object() object {
	passed, failed, skipped := list{}, list{}, list{}
	for _, o := range c.Outcomes {
		switch {
		case !o.Asked:
			skipped = append(skipped, object{{"name", o.Rule}})
		case o.Met:
			passed = append(passed, object{{"name", o.Rule}, {"evaluated", o.Expected}})
		default:
			evaluated := list{}
			for _, s := range o.Evaluated {
				evaluated = append(evaluated, s)
			}
			failed = append(failed, object{{"name", o.Rule}, {"expected", o.Expected}, {"evaluated", evaluated}})
		}
	}
	return object{
		{"name", c.Name}, {"passed_rules", passed}, {"failed_rules", failed}, {"skipped_rules", skipped},
	}
}

// Trials writes how tests went, as "json", "yaml" or "junit". A single file of rules
// is written without a list around it.
func Trials(w io.Writer, format string, files []TrialFile, single bool) error {
	var value any
	all := list{}
	for _, f := range files {
		all = append(all, f.object())
	}
	if value = all; single && len(all) == 1 {
		value = all[0]
	}
	switch format {
	case "json":
		return writeJSON(w, value)
	case "yaml":
		return writeYAML(w, value)
	case "junit":
		return trialJUnit(w, files)
	}
	return fmt.Errorf("tests cannot be reported as %q", format)
}

// trialJUnit makes a suite of each rule file.
func trialJUnit(w io.Writer, files []TrialFile) error {
	var suites []junitSuite
	for _, f := range files {
		s := junitSuite{Name: f.RulesPath}
		if f.Err != nil {
			s.Cases = []junitCase{{Name: f.RulesPath, Status: "error", Error: &junitMessage{Text: f.Err.Error()}}}
		}
		for _, c := range f.Cases {
			s.Cases = append(s.Cases, trialCases(c)...)
		}
		suites = append(suites, s)
	}
	return writeJUnit(w, "cfn-guard test report", suites)
}

// trialCases makes a case of each rule of which something was expected.
func trialCases(c TrialCase) []junitCase {
	var cases []junitCase
	for _, o := range c.Outcomes {
		switch {
		case o.Met:
			cases = append(cases, junitCase{ID: c.Name, Name: o.Rule, Status: "pass"})
		case o.Asked:
			cases = append(cases, junitCase{ID: c.Name, Name: o.Rule, Failure: &junitMessage{
				Text: fmt.Sprintf("Expected = %s, Evaluated = [%s]", o.Expected, statusWords(o.Evaluated)),
			}})
		}
	}
	return cases
}
