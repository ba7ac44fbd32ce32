package ruletest

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"plumb/internal/report"
	"plumb/internal/rulefile"
)

// A Suite is the tests of one rule. Run returns a case for each.
type Suite struct {
	Name string // as it is shown: the path of what was found
	Path string
	run  func(ctx context.Context, w *worker) []report.Case
}

// Collect finds the suites at the paths: files, and folders with all below them.
func Collect(paths []string, o Options) ([]Suite, error) {
	var all []Suite
	seen := map[string]bool{}
	add := func(path string, named bool) error {
		if seen[filepath.Clean(path)] {
			return nil
		}
		seen[filepath.Clean(path)] = true
		s, ok, err := suiteOf(path, o)
		if err == nil && !ok && named {
			return fmt.Errorf("%s: no tests: a %s, a policy NAME.guard, a rule file or a folder with one of these is wanted", path, FileName)
		}
		if ok {
			all = append(all, s)
		}
		return err
	}
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			if err := add(path, true); err != nil {
				return nil, err
			}
			continue
		}
		if err := walk(path, func(file string) error { return add(file, false) }); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// walk calls f for the files of a folder that may hold tests, sorted.
func walk(root string, f func(string) error) error {
	return filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() {
			if name := e.Name(); path != root && (strings.HasPrefix(name, ".") || name == "node_modules" || name == "__pycache__") {
				return fs.SkipDir
			}
			return nil
		}
		return f(path)
	})
}

// suiteOf returns the suite of a file, if it is one that has tests.
func suiteOf(path string, o Options) (Suite, bool, error) {
	base := filepath.Base(path)
	shown := filepath.ToSlash(report.Relative(path))
	switch {
	case base == FileName || strings.HasSuffix(base, "."+FileName):
		return fileSuite(path, shown, o), true, nil
	case filepath.Ext(path) == ".guard" || filepath.Ext(path) == ".ruleset":
		trials, err := trialsOf(path)
		if err != nil || len(trials) == 0 && testedBeside(path) {
			return Suite{}, false, err
		}
		return guardSuite(path, shown, trials), true, nil
	case base == "parameters.json" && !testedBeside(path):
		if _, err := rulefile.Find(filepath.Dir(path)); err != nil {
			return Suite{}, false, nil // the file is somebody else's, or names a managed rule
		}
		return untested(path, shown, "the folder has no "+FileName+", so nothing is expected of its rule"), true, nil
	case filepath.Ext(path) == ".yaml" || filepath.Ext(path) == ".yml":
		all, err := rulefile.Find(path)
		if err != nil {
			return Suite{}, false, nil // no rule, and no error of ours
		}
		return catalogueSuite(all[0], shown), true, nil
	}
	return Suite{}, false, nil
}

// testedBeside reports whether a plumb-test.yaml stands beside a file.
func testedBeside(path string) bool {
	entries, err := os.ReadDir(filepath.Dir(path))
	return err == nil && slices.ContainsFunc(entries, func(e fs.DirEntry) bool {
		return e.Name() == FileName || strings.HasSuffix(e.Name(), "."+FileName)
	})
}

func untested(path, shown, why string) Suite {
	return Suite{shown, path, func(context.Context, *worker) []report.Case {
		return []report.Case{{Name: "tests", Path: path, Status: report.Skipped, Message: why}}
	}}
}
