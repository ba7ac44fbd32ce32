package realtest

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"plumb/internal/report"
	"plumb/internal/rule/managed"
	"plumb/internal/rulebench"
	"plumb/internal/ruledev"
	"plumb/internal/ruletest"
	"plumb/internal/settings"
)

// publicTested is how many public rules have a test file here.
const publicTested = 55

// TestPublicRulesPassTheirTestFiles is "plumb rule test testdata/rule-test --root CHECKOUT": rules as they are in the checkout,
// each with items and what it must say.
func TestPublicRulesPassTheirTestFiles(t *testing.T) {
	o := ruletest.Options{Root: needCheckout(t, rulesVariable), Settings: settings.Default()}
	suites, err := ruletest.Collect([]string{"testdata/rule-test"}, o)
	if err != nil || len(suites) != publicTested {
		t.Fatalf("%d rules, want %d: %v", len(suites), publicTested, err)
	}
	began := time.Now()
	for _, c := range ruletest.Run(t.Context(), suites, o) {
		if c.Status != report.Passed {
			t.Errorf("%s: %s is %s: %s\n%s", c.Suite, c.Name, c.Status, c.Message, c.Detail)
		}
	}
	t.Logf("%d rules in %s", len(suites), time.Since(began).Round(100*time.Millisecond))
}

// TestRulesOfTheDevelopmentKitAreEvaluatedInTheAuthorsLoop is "plumb rule dev FOLDER" on
// each public rule that the Rule Development Kit made and that has a test file here:
// the folder as it is, with that file in it.
func TestRulesOfTheDevelopmentKitAreEvaluatedInTheAuthorsLoop(t *testing.T) {
	needBoto3(t)
	checkout := needCheckout(t, rulesVariable)
	files, err := filepath.Glob("testdata/rule-test/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	bench, err := rulebench.Start(t.Context(), slog.New(slog.DiscardHandler), rulebench.Options{Settings: settings.Default(), Reload: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { bench.Close() })
	ran := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		rule := regexp.MustCompile(`(?m)^rule: *(\S+)\n`).FindSubmatch(text)
		if rule == nil {
			continue
		}
		folder := filepath.Join(checkout, string(rule[1]))
		if filepath.Ext(folder) != "" {
			folder = filepath.Dir(folder)
		}
		if _, err := os.Stat(filepath.Join(folder, "parameters.json")); err != nil {
			continue // of one file
		}
		ran++
		t.Run(filepath.Base(folder), func(t *testing.T) { developed(t, bench, folder, bytes.Replace(text, rule[0], nil, 1)) })
	}
	if ran < 35 {
		t.Errorf("%d rules of the Rule Development Kit ran", ran)
	}
}

func developed(t *testing.T, bench *rulebench.Bench, folder string, tests []byte) {
	t.Helper()
	work := filepath.Join(t.TempDir(), filepath.Base(folder))
	if err := os.CopyFS(work, os.DirFS(folder)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(work, ruletest.FileName), tests, 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	s := ruledev.Session{
		Folder: work, Out: &out, Managed: managed.Load, Bench: func(context.Context) (*rulebench.Bench, error) { return bench, nil },
	}
	if err := s.Round(t.Context()); err != nil || !strings.Contains(out.String(), " looked at; ") || strings.Contains(out.String(), "the test fails") {
		t.Errorf("%v\n%s", err, out.String())
	}
}
