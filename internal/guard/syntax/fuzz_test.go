package syntax

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sources are the rules of the cases that lie beside the package.
func sources(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("../testdata/cases/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal(len(files), err)
	}
	var all []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		rules, _, _ := strings.Cut(string(text), "\n---\n")
		all = append(all, rules)
	}
	return all
}

// FuzzParse looks for rule files on which the parser panics, hangs, or answers an
// error that points outside of the file.
func FuzzParse(f *testing.F) {
	for _, s := range sources(f) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, source string) {
		file, err := Parse("fuzz.guard", source)
		if err == nil {
			for _, r := range file.Rules {
				for _, line := range r.Body.Clauses {
					for _, c := range line {
						if p := c.Place(); p.Line < 1 || p.Column < 1 {
							t.Errorf("a clause stands at %v", p)
						}
					}
				}
			}
			return
		}
		e, ok := errors.AsType[*Error](err)
		if !ok {
			t.Fatalf("the error is a %T", err)
		}
		if lines := strings.Split(source, "\n"); e.At.Line < 1 || e.At.Line > len(lines) || e.At.Column < 1 {
			t.Errorf("the error is at %v", e.At)
		}
		if e.Error() == "" {
			t.Error("the error has no text")
		}
	})
}
