package guard

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"plumb/internal/guard/document"
)

// A case is a file: rules, then any number of documents, each with what is expected
// of it, all separated by lines of dashes. What is expected is a verdict for each
// rule, reasons, or an error:
//
//	first: PASS
//	second: FAIL
//	reason: found "Suspended" at /versioning
//	error: there is no variable
func TestCasesAreDecidedAsExpected(t *testing.T) {
	files, err := filepath.Glob("testdata/cases/*.txt")
	if err != nil || len(files) < 50 {
		t.Fatal(len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			parts := strings.Split(string(text), "\n---\n")
			if len(parts) < 3 || len(parts)%2 == 0 {
				t.Fatalf("%d parts", len(parts))
			}
			for i := 1; i < len(parts); i += 2 {
				expected := strings.TrimSpace(parts[i+1])
				if got := decided(t, parts[0], parts[i], expected); got != expected {
					t.Errorf("document %d: got\n%s\nwant\n%s", (i+1)/2, got, expected)
				}
			}
		})
	}
}

// decided decides rules on a document in every detail, and shows the result in the
// form in which it is expected.
func decided(t *testing.T, source, text, expected string) string {
	t.Helper()
	var shown string
	for _, detail := range []Detail{Verdicts, Failures, Everything} {
		got, reasons, err := decide(t, source, text, detail)
		if err != nil {
			got = showError(err, expected)
		}
		if detail != Verdicts {
			got += showReasons(reasons, expected)
		}
		if detail == Failures {
			shown = got
		}
		if verdicts, _, _ := strings.Cut(shown, "reason:"); detail != Verdicts && !strings.HasPrefix(got, verdicts) {
			t.Errorf("details %d differ:\n%s\n%s", detail, shown, got)
		}
	}
	return strings.TrimSpace(shown)
}

func decide(t *testing.T, source, text string, detail Detail) (string, []Reason, error) {
	t.Helper()
	rules, err := Parse("", source)
	if err != nil {
		return "", nil, err
	}
	doc, err := document.Parse([]byte(text), document.Template)
	if err != nil {
		return "", nil, err
	}
	now := func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }
	result, err := rules.Evaluate(t.Context(), doc, Options{Detail: detail, Now: now})
	if err != nil {
		return "", nil, err
	}
	var b bytes.Buffer
	for _, r := range result.Rules {
		fmt.Fprintf(&b, "%s: %s\n", r.Name, r.Status)
	}
	return b.String(), result.Record.Reasons(), nil
}

// showError shows as much of an error as is expected.
func showError(err error, expected string) string {
	want, found := strings.CutPrefix(expected, "error: ")
	if found && strings.Contains(strings.ReplaceAll(err.Error(), "\n", " "), want) {
		return expected
	}
	return "error: " + err.Error()
}

// showReasons shows the reasons that are expected, and all of them if one is not
// there.
func showReasons(reasons []Reason, expected string) string {
	var all []string
	for _, r := range reasons {
		all = append(all, fmt.Sprintf("%d:%d %s", r.At.Line, r.At.Column, r))
	}
	text := strings.Join(all, "\n")
	var b strings.Builder
	for line := range strings.SplitSeq(expected, "\n") {
		want, ok := strings.CutPrefix(line, "reason: ")
		if !ok {
			continue
		}
		if !strings.Contains(text, want) {
			return "reason: " + text
		}
		b.WriteString(line + "\n")
	}
	return b.String()
}
