package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestEveryPageIsPrintedByItsName(t *testing.T) {
	code, list, errs := plumb(t, "docs")
	if code != 0 {
		t.Fatalf("code %d: %s", code, errs)
	}
	files, err := filepath.Glob("../../docs/how-to/*.md")
	if err != nil || len(files) == 0 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".md")
		if !strings.Contains(list, "how-to/"+name+"  ") {
			t.Errorf("how-to/%s is not in the list", name)
		}
		want, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if code, out, errs := plumb(t, "docs", name); code != 0 || out != string(want) {
			t.Errorf("%s: code %d: %s", name, code, errs)
		}
	}
	for _, line := range strings.Split(strings.TrimSpace(list), "\n") {
		if fields := strings.Fields(line); len(fields) < 2 {
			t.Errorf("%q has no title", line)
		} else if code, out, errs := plumb(t, "docs", fields[0]); code != 0 || out == "" {
			t.Errorf("%s: code %d: %s", fields[0], code, errs)
		}
	}
	if code, _, errs := plumb(t, "docs", "setings"); code != 1 || !strings.Contains(errs, "is settings meant?") {
		t.Errorf("code %d: %s", code, errs)
	}
	if code, _, errs := plumb(t, "docs", "../README"); code != 1 {
		t.Errorf("code %d: %s", code, errs)
	}
}

// links are those of pages to other files.
var links = regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)

func TestPagesLinkToWhatIsThere(t *testing.T) {
	files := []string{"../../README.md", "../../deploy/README.md", "../../clients/node/README.md", "../../clients/python/README.md"}
	for _, pattern := range []string{"../../docs/*.md", "../../docs/how-to/*.md", "../../docs/decisions/*.md"} {
		more, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, more...)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range links.FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(f), l[1])); err != nil {
				t.Errorf("%s links to %s, which is not there", f, l[1])
			}
		}
	}
}

func TestManPageHasEveryCommandAndSetting(t *testing.T) {
	code, out, errs := plumb(t, "man")
	if code != 0 {
		t.Fatalf("code %d: %s", code, errs)
	}
	for _, want := range []string{".TH PLUMB 1", `.SS "plumb rule test PATH... [flags]"`, `.B \-\-listen HOST:PORT, PLUMB_LISTEN`, ".SH EXIT STATUS"} {
		if !strings.Contains(out, want+"\n") && !strings.Contains(out, want+" ") {
			t.Errorf("%q is missing", want)
		}
	}
	for _, line := range strings.Split(out, "\n") {
		if strings.HasPrefix(line, "'") || strings.HasPrefix(line, ".") && !regexp.MustCompile(`^\.(TH|SH|SS|TP|B|PP|nf|fi)\b`).MatchString(line) {
			t.Errorf("troff takes %q for a request", line)
		}
	}
}
