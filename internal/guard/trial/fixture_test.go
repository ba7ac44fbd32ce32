package trial

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"plumb/internal/guard"
)

// PLUMB_GUARD_FIXTURES is a list of folders, checkouts of the original and of its
// rule registry.
func TestVerdictsOfTheOriginalAreOurs(t *testing.T) {
	folders := os.Getenv("PLUMB_GUARD_FIXTURES")
	if folders == "" {
		t.Skip("PLUMB_GUARD_FIXTURES is not set")
	}
	var asked, met, files int
	for _, folder := range filepath.SplitList(folders) {
		for rules, tests := range fixtures(t, folder) {
			files++
			a, m := verdicts(t, rules, tests)
			asked, met = asked+a, met+m
		}
	}
	t.Logf("%d of %d expected verdicts agree (%d rule files)", met, asked, files)
	if met*100 < asked*99 || asked < 1000 {
		t.Errorf("only %d of %d expected verdicts agree", met, asked)
	}
}

func verdicts(t *testing.T, rules string, tests []string) (asked, met int) {
	source, err := os.ReadFile(rules)
	if err != nil {
		t.Fatal(err)
	}
	set, err := guard.Parse(filepath.Base(rules), string(source))
	if err != nil {
		t.Errorf("%s: %v", rules, err)
		return 0, 0
	}
	for _, path := range tests {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		trials, err := Read(text)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		for _, trial := range trials {
			outcomes, _, err := trial.Run(t.Context(), set, guard.Options{})
			if err != nil {
				t.Errorf("%s: %s: %v", path, trial.Name, err)
				asked += len(trial.Expected)
				continue
			}
			for _, o := range outcomes {
				if !o.Asked {
					continue
				}
				asked++
				if o.Met {
					met++
				} else {
					t.Logf("%s: %s: %s: expected %s, evaluated %s", path, trial.Name, o.Rule, o.Expected, o.Evaluated)
				}
			}
		}
	}
	return asked, met
}

// fixtures pairs rule files with their test files by their names.
func fixtures(t *testing.T, folder string) map[string][]string {
	pairs := map[string][]string{}
	rules := map[string][]string{}
	var tests []string
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		base := filepath.Base(path)
		switch {
		case strings.HasSuffix(base, ".guard"):
			stem := strings.TrimSuffix(base, ".guard")
			rules[stem] = append(rules[stem], path)
		case strings.Contains(base, "tests.") && !strings.HasSuffix(base, ".rs"),
			strings.Contains(path, "test-command") &&
				strings.Contains(base, "enabled."):
			tests = append(tests, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range tests {
		stem, _, _ := strings.Cut(filepath.Base(test), ".")
		stem = strings.TrimSuffix(strings.TrimSuffix(stem, "_tests"), "-tests")
		if len(rules[stem]) == 0 {
			t.Logf("%s: no rule file", test)
		}
		for _, r := range rules[stem] {
			pairs[r] = append(pairs[r], test)
		}
	}
	return pairs
}
