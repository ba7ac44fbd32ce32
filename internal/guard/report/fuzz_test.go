package report

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"plumb/internal/guard"
	"plumb/internal/guard/document"
)

// FuzzEvaluate looks for rules and documents on which the evaluator or a report
// panics, hangs or grows, or on which the verdicts depend on how much is remembered.
func FuzzEvaluate(f *testing.F) {
	files, err := filepath.Glob("../testdata/cases/*.txt")
	if err != nil || len(files) == 0 {
		f.Fatal(len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		parts := strings.Split(string(text), "\n---\n")
		for i := 1; i < len(parts); i += 2 {
			f.Add(parts[0], parts[i])
		}
	}
	f.Fuzz(func(t *testing.T, source, text string) {
		rules, err := guard.Parse("fuzz.guard", source)
		if err != nil {
			return
		}
		doc, err := document.Parse([]byte(text), document.Template)
		if err != nil {
			return
		}
		evaluateAndReport(t, rules, doc, text)
	})
}

func evaluateAndReport(t *testing.T, rules *guard.RuleSet, doc *document.Value, text string) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	var results []*guard.Result
	for _, detail := range []guard.Detail{guard.Verdicts, guard.Failures, guard.Everything} {
		now := func() time.Time { return time.Unix(1, 0) }
		r, err := rules.Evaluate(ctx, doc, guard.Options{Detail: detail, MaxSteps: 20000, MaxDepth: 300, Now: now})
		if err != nil {
			return
		}
		results = append(results, r)
	}
	for i := range results[0].Rules {
		if a, b, c := results[0].Rules[i], results[1].Rules[i], results[2].Rules[i]; a.Status != b.Status || b.Status != c.Status {
			t.Errorf("rule %s: %s, %s, %s", a.Name, a.Status, b.Status, c.Status)
		}
	}
	run := &Run{RulesName: "fuzz.guard", DataName: "data", DataText: text, Document: doc, Rules: rules, Result: results[2]}
	all := Summary{Pass: true, Fail: true, Skip: true}
	results[1].Record.Reasons()
	for _, err := range []error{
		Text(io.Discard, run, all), Tree(io.Discard, run), Events(io.Discard, run), OneJSON(io.Discard, run),
		OneYAML(io.Discard, run), JUnit(io.Discard, []*Run{run}), SARIF(io.Discard, Files([]*Run{run}), "1"),
		ParseTree(io.Discard, "yaml", rules.File()),
	} {
		if err != nil {
			t.Error(err)
		}
	}
}
