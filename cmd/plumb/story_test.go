package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// A save is what an author does to a new rule's file, and what "plumb rule dev"
// must then show.
type save struct {
	from, to string
	shown    []string
}

// stories are of one author each: a syntax error, its mending, a wrong verdict, its
// mending.
var stories = map[string]struct {
	file  string
	saves []save
}{
	"python": {"rule.py", []save{
		{"if key in item", "if key inn item", []string{"UserCodeSyntaxError", "rule.py, line 12"}},
		{"if key inn item", "if key in item", []string{"the tag is there  COMPLIANT"}},
		{"if key in item", "if key not in item", []string{"the test fails: NON_COMPLIANT, where COMPLIANT is expected"}},
		{"if key not in item", "if key in item", []string{"the tag is missing  NON_COMPLIANT  The tag owner is missing."}},
	}},
	"node": {"index.mjs", []save{
		{"return key in item.tags", "return key inn item.tags", []string{"SyntaxError"}},
		{"return key inn item.tags", "return key in item.tags", []string{"the tag is there  COMPLIANT"}},
		{"return key in item.tags", "return !(key in item.tags)", []string{"the test fails: NON_COMPLIANT, where COMPLIANT is expected"}},
		{"return !(key in item.tags)", "return key in item.tags", []string{"the tag is missing  NON_COMPLIANT  The tag owner is missing."}},
	}},
	"guard": {"rule.guard", []save{
		{"tags.owner exists", "tags.owner exist", []string{"rule.guard:3"}},
		{"tags.owner exist <<", "tags.owner exists <<", []string{"the tag is there  COMPLIANT"}},
		{"tags.owner exists", "tags.owner !exists", []string{"the test fails: NON_COMPLIANT, where COMPLIANT is expected", "at /tags/owner"}},
		{"tags.owner !exists", "tags.owner exists", []string{"the tag is missing  NON_COMPLIANT"}},
	}},
	"cel": {"rule.yaml", []save{
		{"check: parameters.tagKey in tags", "check: parameters.tagKey inn tags", []string{"rule.yaml:8"}},
		{"check: parameters.tagKey inn tags", "check: parameters.tagKey in tags", []string{"the tag is there  COMPLIANT"}},
		{"check: parameters.tagKey in tags", "check: '!(parameters.tagKey in tags)'", []string{"the test fails: NON_COMPLIANT, where COMPLIANT is expected"}},
		{"check: '!(parameters.tagKey in tags)'", "check: parameters.tagKey in tags", []string{"the tag is missing  NON_COMPLIANT  The tag owner is missing."}},
	}},
}

func TestAuthorOfEachKindOfRuleSeesMistakesAndTheirMending(t *testing.T) {
	for language, story := range stories {
		t.Run(language, func(t *testing.T) {
			if need := needs[language]; need != nil && exec.Command(need[0], need[1:]...).Run() != nil {
				t.Skipf("this machine has not what rules in %s need", language)
			}
			inFolder(t, nil)
			if code, out, errs := plumb(t, "rule", "new", "mine", "--language", language); code != 0 {
				t.Fatalf("code %d: %s%s", code, out, errs)
			}
			for _, s := range story.saves {
				edit(t, "mine/"+story.file, s.from, s.to)
				code, out, errs := plumb(t, "rule", "dev", "mine")
				for _, want := range s.shown {
					if code != 0 || !strings.Contains(out, want) {
						t.Errorf("after %q, code %d, and %q is not in\n%s%s", s.to, code, want, out, errs)
					}
				}
			}
			code, out, errs := plumb(t, "rule", "test", "mine")
			if code != 0 || !strings.Contains(out, "passed") || strings.Contains(out, "failed") {
				t.Errorf("at the end, code %d: %s%s", code, out, errs)
			}
		})
	}
}

func edit(t *testing.T, file, from, to string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), from) {
		t.Fatalf("%s has no %q:\n%s", file, from, text)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(text), from, to, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
}
