package ruletest

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
	"plumb/internal/guard/document"
	"plumb/internal/guard/syntax"
	"plumb/internal/guard/trial"
	"plumb/internal/report"
	"plumb/internal/resource/typename"
	"plumb/internal/rulefile"
	"plumb/internal/textfile"
)

// trialsOf returns the files of trials beside a policy: NAME_tests.yaml in its
// folder, and those in the folder tests that begin with its name, as cfn-guard has
// them.
func trialsOf(policy string) (files []string, err error) {
	dir, stem := filepath.Dir(policy), strings.TrimSuffix(filepath.Base(policy), filepath.Ext(policy))
	for _, folder := range []string{dir, filepath.Join(dir, "tests")} {
		entries, err := os.ReadDir(folder)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for _, e := range entries {
			rest, ok := strings.CutPrefix(e.Name(), stem)
			inTests := folder != dir
			if ok && !e.IsDir() && slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(rest)) && (inTests || strings.HasPrefix(rest, "_test")) {
				files = append(files, filepath.Join(folder, e.Name()))
			}
		}
	}
	return files, nil
}

func guardSuite(path, shown string, trials []string) Suite {
	return Suite{shown, path, func(ctx context.Context, _ *worker) []report.Case {
		text, err := textfile.Read(path)
		if err != nil {
			return broken(path, err)
		}
		rules, err := guard.Parse(filepath.ToSlash(report.Relative(path)), string(text))
		if err != nil {
			c := broken(path, err)
			if e, ok := errors.AsType[*syntax.Error](err); ok {
				c[0].Line = e.At.Line
			}
			return c
		}
		if len(trials) == 0 {
			return []report.Case{{Name: "tests", Path: path, Status: report.Skipped, Message: "no tests beside it, neither " +
				strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)) + "_tests.yaml nor in the folder tests"}}
		}
		if err := (rulefile.Rule{Kind: rulefile.Policy, Path: path}).CheckTypes(); err != nil {
			return problems(path, err)
		}
		var cases []report.Case
		for _, file := range trials {
			cases = append(cases, guardCases(ctx, rules, file)...)
		}
		return cases
	}}
}

func guardCases(ctx context.Context, rules *guard.RuleSet, file string) []report.Case {
	text, err := textfile.Read(file)
	if err != nil {
		return broken(file, err)
	}
	all, err := trial.Read(text)
	if err != nil {
		return broken(file, err)
	}
	var cases []report.Case
	for i, t := range all {
		c := report.Case{Name: t.Name, Path: file, Status: report.Passed}
		if c.Name == "" {
			c.Name = fmt.Sprintf("test %d", i+1)
		}
		if err := checkInput(t.Input); err != nil {
			c.Status, c.Message = report.Broken, err.Error()
			cases = append(cases, c)
			continue
		}
		outcomes, _, err := t.Run(ctx, rules, guard.Options{Detail: guard.Verdicts})
		if err != nil {
			c.Status, c.Message = report.Broken, err.Error()
		}
		known := map[string]bool{}
		for _, o := range outcomes {
			known[o.Rule] = true
			if o.Asked && !o.Met {
				c.Status = report.Failed
				c.Message = join(c.Message, fmt.Sprintf("%s is %v, where %v is expected", o.Rule, listed(o.Evaluated), o.Expected))
			}
		}
		for name := range t.Expected {
			if !known[name] && err == nil {
				c.Status, c.Message = report.Failed, join(c.Message, "there is no rule "+name)
			}
		}
		cases = append(cases, c)
	}
	return cases
}

// checkInput refuses an item of a type that is not there. A template has no type.
func checkInput(v *document.Value) error {
	if v == nil || v.Kind() != document.Map {
		return nil
	}
	if t := v.Get("resourceType"); t != nil && t.Kind() == document.String {
		return typename.Check(t.Plain())
	}
	return nil
}

func listed(all []guard.Status) string {
	texts := make([]string, len(all))
	for i, s := range all {
		texts[i] = fmt.Sprint(s)
	}
	return strings.Join(texts, " and ")
}

func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + "; " + b
}

// broken is the one case of a suite that cannot be run.
func broken(path string, err error) []report.Case {
	return []report.Case{{Name: filepath.Base(path), Path: path, Status: report.Broken, Message: err.Error()}}
}
