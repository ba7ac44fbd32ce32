package differential

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// differs names the cases in which the original's build answers otherwise, and why.
func differs(name string) string {
	return map[string]string{
		"functions_of_time":                      "the build is older than the functions of time",
		"documents_keep_the_kinds_of_yaml_words": "the build is older than the YAML 1.1 booleans",
		"equal_compares_queries_as_sets":         "the build is older than a repair of != between queries",
		"files_without_rules_say_nothing":        "the build writes nothing",
	}[name]
}

func TestCasesAreDecidedAsTheOriginalDecidesThem(t *testing.T) {
	o := startOriginal(t)
	files, err := filepath.Glob("../testdata/cases/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		parts := strings.Split(string(text), "\n---\n")
		for i := 1; i < len(parts); i += 2 {
			q := question{Rules: parts[0], Data: parts[i]}
			theirs, our := o.ask(t, q), ours(t, q)
			if theirs.Panic != "" {
				t.Logf("%s: the original breaks down", name)
			}
			if !agree(theirs, our) && differs(name) == "" {
				t.Errorf("%s:\n%s", name, difference(theirs, our))
			}
		}
	}
}
