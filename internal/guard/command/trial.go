package command

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"plumb/internal/guard"
	"plumb/internal/guard/report"
	"plumb/internal/guard/trial"
)

// A Test runs the tests of rule files.
type Test struct {
	RulesFile    string
	TestData     string // a file or folder of tests
	Dir          string // a folder of rule files with a folder tests beside them, instead of both
	Format       string
	LastModified bool
	Verbose      bool // every step is shown as well
}

// A pair is a rule file with the files of its tests.
type pair struct {
	rules string
	tests []string
}

// Run runs the tests and writes how they went, and gives the code to exit with.
func (t *Test) Run(ctx context.Context, s Streams) (int, error) {
	switch {
	case !slices.Contains(Formats(), t.Format):
		return Error, fmt.Errorf("there is no output format %q", t.Format)
	case t.Format == SARIF:
		return Error, errors.New("tests cannot be reported as sarif")
	case t.Format != SingleLine && t.Verbose:
		return Error, errors.New("--verbose needs --output-format single-line-summary")
	case t.Dir == "" && (t.RulesFile == "" || t.TestData == ""):
		return Error, errors.New("either --dir, or --rules-file and --test-data are needed")
	case t.Dir != "" && t.RulesFile+t.TestData != "":
		return Error, errors.New("--dir cannot be used with --rules-file or --test-data")
	}
	pairs, err := t.pairs()
	if err != nil {
		return Error, err
	}
	if t.Format != SingleLine {
		return t.structured(ctx, s, pairs)
	}
	code := OK
	for _, p := range pairs {
		code = worse(code, t.text(ctx, s, p))
	}
	return code, nil
}

// worse is the code that says more: a test that could not be run, then one that
// failed.
func worse(a, b int) int {
	if a == TestError || b == TestError {
		return TestError
	}
	return max(a, b)
}

// pairs are the rule files with their tests.
func (t *Test) pairs() ([]pair, error) {
	if t.Dir != "" {
		return pairsIn(t.Dir)
	}
	if info, err := os.Stat(t.RulesFile); err != nil || info.IsDir() {
		return nil, fmt.Errorf("the rules file %q does not exist", t.RulesFile)
	}
	tests, err := find([]string{t.TestData}, t.LastModified, false, testEndings)
	return []pair{{t.RulesFile, tests}}, err
}

// pairsIn finds rule files, and the tests of each in the folder tests beside it: the
// files whose names begin with the rule file's.
func pairsIn(dir string) ([]pair, error) {
	rules, err := find([]string{dir}, false, false, ruleEndings)
	if err != nil {
		return nil, err
	}
	pairs := make([]pair, len(rules))
	taken := map[string]bool{}
	for i, path := range rules {
		pairs[i].rules = path
		stem := strings.TrimSuffix(strings.TrimSuffix(filepath.Base(path), ".guard"), ".ruleset")
		folder := filepath.Join(filepath.Dir(path), "tests")
		entries, err := os.ReadDir(folder)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("looking for tests: %w", err)
		}
		for _, e := range entries {
			file := filepath.Join(folder, e.Name())
			if !e.IsDir() && !taken[file] && strings.HasPrefix(e.Name(), stem) && endsIn(e.Name(), testEndings) {
				taken[file] = true
				pairs[i].tests = append(pairs[i].tests, file)
			}
		}
	}
	return pairs, nil
}

// text runs the tests of one rule file and writes them for a terminal.
func (t *Test) text(ctx context.Context, s Streams, p pair) int {
	if t.Dir != "" {
		if len(p.tests) == 0 {
			fmt.Fprintf(s.Out, "Guard File %s did not have any tests associated, skipping.\n---\n", p.rules)
			return OK
		}
		fmt.Fprintf(s.Out, "Testing Guard File %s\n", p.rules)
		defer fmt.Fprintln(s.Out, "---")
	}
	rules, err := rulesFrom(p.rules)
	if err != nil {
		fmt.Fprintf(s.Out, "Parse Error on ruleset file %v\n", err)
		if t.Dir != "" {
			return TestFailed // a folder's tests go on, as the original's do
		}
		return TestError
	}
	code, number := OK, 1
	for _, path := range p.tests {
		trials, err := readTrials(path)
		if err != nil {
			fmt.Fprintf(s.Out, "Error processing %v\n", err)
			code = worse(code, TestError)
			continue
		}
		for _, one := range trials {
			code = worse(code, t.textOne(ctx, s, rules, one, number))
			number++
		}
	}
	return code
}

// textOne runs one test and writes how it went.
func (t *Test) textOne(ctx context.Context, s Streams, rules *guard.RuleSet, one trial.Trial, number int) int {
	detail := guard.Verdicts
	if t.Verbose {
		detail = guard.Everything
	}
	outcomes, result, err := one.Run(ctx, rules, guard.Options{Detail: detail})
	if err != nil {
		fmt.Fprintf(s.Out, "Test Case #%d\nName: %s\nError processing %v\n\n", number, one.Name, err)
		return TestError
	}
	var run *report.Run
	if t.Verbose {
		run = &report.Run{Document: one.Input, Rules: rules, Result: result}
	}
	c := report.TrialCase{Name: one.Name, Outcomes: outcomes}
	if err := report.TrialText(s.Out, number, c, run); err != nil {
		return TestError
	}
	if c.Failed() {
		return TestFailed
	}
	return OK
}

func readTrials(path string) ([]trial.Trial, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading tests: %w", err)
	}
	trials, err := trial.Read(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return trials, nil
}

// structured runs all tests and writes one document.
func (t *Test) structured(ctx context.Context, s Streams, pairs []pair) (int, error) {
	code := OK
	var files []report.TrialFile
	for _, p := range pairs {
		if t.Dir != "" && len(p.tests) == 0 {
			continue
		}
		f := report.TrialFile{RulesPath: p.rules}
		f.Cases, f.Err = runTrials(ctx, p)
		files = append(files, f)
		switch {
		case f.Err != nil:
			code = worse(code, TestError)
		default:
			for _, c := range f.Cases {
				if c.Failed() {
					code = worse(code, TestFailed)
				}
			}
		}
	}
	return code, report.Trials(s.Out, t.Format, files, t.Dir == "")
}

// runTrials runs all tests of a rule file. The first that cannot be run ends it.
func runTrials(ctx context.Context, p pair) ([]report.TrialCase, error) {
	rules, err := rulesFrom(p.rules)
	if err != nil {
		return nil, err
	}
	var cases []report.TrialCase
	for _, path := range p.tests {
		trials, err := readTrials(path)
		if err != nil {
			return nil, err
		}
		for _, one := range trials {
			outcomes, _, err := one.Run(ctx, rules, guard.Options{Detail: guard.Verdicts})
			if err != nil {
				return nil, fmt.Errorf("%s: %s: %w", path, one.Name, err)
			}
			cases = append(cases, report.TrialCase{Name: one.Name, Outcomes: outcomes})
		}
	}
	return cases, nil
}
