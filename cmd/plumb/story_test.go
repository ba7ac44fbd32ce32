package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// A save is what an author does to a new rule's file, and what "plumb rule dev
// --watch" must then show.
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
		{"return key in item.tags", "return key inn item.tags", []string{"SyntaxError: Unexpected identifier", "mine/index.mjs:9"}},
		{"return key inn item.tags", "return key in item.tags", []string{"the tag is there  COMPLIANT"}},
		{"return key in item.tags", "return !(key in item.tags)", []string{"the test fails: NON_COMPLIANT, where COMPLIANT is expected"}},
		{"return !(key in item.tags)", "return key in item.tags", []string{"the tag is missing  NON_COMPLIANT  The tag owner is missing."}},
	}},
	"go": {"main.go", []save{
		{"ok := it.Tags[key]; ok {", "ok := it.Tags[key]; ok [", []string{"mine/main.go:35:3: syntax error"}},
		{"ok := it.Tags[key]; ok [", "ok := it.Tags[key]; ok {", []string{"the tag is there  COMPLIANT"}},
		{"ok := it.Tags[key]; ok {", "ok := it.Tags[key]; !ok {", []string{"the test fails: NON_COMPLIANT, where COMPLIANT is expected"}},
		{"ok := it.Tags[key]; !ok {", "ok := it.Tags[key]; ok && key[len(key)] > 0 {", []string{"error  boundsError", "  mine/main.go:34, in evaluate\n"}},
		{"ok && key[len(key)] > 0 {", "ok {", []string{"the tag is missing  NON_COMPLIANT  The tag owner is missing."}},
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
			if language == "go" && os.Getenv("PLUMB_TEST_REAL") == "" {
				t.Skip("PLUMB_TEST_REAL is not set: with it, a program is built and linked at each save")
			}
			inFolder(t, nil)
			if code, out, errs := plumb(t, "rule", "new", "mine", "--language", language); code != 0 {
				t.Fatalf("code %d: %s%s", code, out, errs)
			}
			d := watch(t, "mine")
			d.shows("the tag is there  COMPLIANT", "the tag is missing  NON_COMPLIANT")
			for _, s := range story.saves {
				edit(t, "mine/"+story.file, s.from, s.to)
				d.shows(s.shown...)
			}
			d.end()
			code, out, errs := plumb(t, "rule", "test", "mine")
			if code != 0 || !strings.Contains(out, "passed") || strings.Contains(out, "failed") {
				t.Errorf("at the end, code %d: %s%s", code, out, errs)
			}
		})
	}
}

// A desk is "plumb rule dev --watch" on a folder: what it prints after one save is a
// round.
type desk struct {
	*testing.T
	text   strings.Builder // of the round that is being printed
	rounds chan string
	end    func()
}

func watch(t *testing.T, folder string) *desk {
	t.Helper()
	d := &desk{T: t, rounds: make(chan string, 10)}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	go func() { ended <- run(ctx, []string{"rule", "dev", folder, "--watch"}, strings.NewReader(""), d, d) }()
	d.end = sync.OnceFunc(func() {
		cancel()
		if code := <-ended; code != 0 {
			t.Errorf("it ended with %d", code)
		}
	})
	t.Cleanup(d.end)
	return d
}

// Write takes what is printed; an empty line ends a round.
func (d *desk) Write(text []byte) (int, error) {
	d.text.Write(text)
	if string(text) == "\n" {
		d.rounds <- d.text.String()
		d.text.Reset()
	}
	return len(text), nil
}

// shows waits for a round and looks for texts in it.
func (d *desk) shows(want ...string) {
	d.Helper()
	select {
	case text := <-d.rounds:
		for _, w := range want {
			if !strings.Contains(text, w) {
				d.Errorf("%q is not in\n%s", w, text)
			}
		}
	case <-time.After(2 * time.Minute): // nothing is evaluated any more
		d.Fatalf("nothing was printed that has %q", want)
	}
}

// edit saves as most editors do, in one step.
func edit(t *testing.T, file, from, to string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), from) {
		t.Fatalf("%s has no %q:\n%s", file, from, text)
	}
	beside := filepath.Join(filepath.Dir(file), ".saved")
	if err := os.WriteFile(beside, []byte(strings.Replace(string(text), from, to, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(beside, file); err != nil {
		t.Fatal(err)
	}
}
