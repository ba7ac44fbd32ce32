// Package report writes what checks found: for people, as JSON, as JUnit's XML,
// as SARIF and as annotations of GitHub. A check is a test of a rule, or a rule on
// a planned resource.
//
//	err := report.Text(w, report.Report{Tool: "plumb rule test", Cases: cases})
//
// It knows nothing of rules and stores nothing.
package report

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"
)

// A Status is how a case ended.
type Status string

// The statuses of a case. Broken could not be run.
const (
	Passed  Status = "passed"
	Failed  Status = "failed"
	Broken  Status = "broken"
	Skipped Status = "skipped"
)

// A Case is one thing that was checked.
type Case struct {
	Suite   string        `json:"suite"` // what the case belongs to: a rule
	Name    string        `json:"name"`
	Path    string        `json:"path"` // the file that a person would open
	Line    int           `json:"line,omitempty"`
	Status  Status        `json:"status"`
	Message string        `json:"message,omitempty"` // one sentence; empty if it passed
	Detail  string        `json:"detail,omitempty"`  // a function's log, a trace
	Causes  []Cause       `json:"causes,omitempty"`  // lines elsewhere that are to be mended; empty if that is where the case is
	Follows bool          `json:"-"`                 // it is broken by what an earlier case of the suite tells
	Took    time.Duration `json:"-"`
}

// A Cause is a line of a file that keeps a case from passing: of a function's code,
// where the case is a line of a test.
type Cause struct {
	Path    string `json:"path"`
	Line    int    `json:"line"`
	Message string `json:"message"`
}

// A Report is all cases of a run.
type Report struct {
	Tool, Version string
	Cases         []Case
}

// Count returns how many cases have a status.
func (r Report) Count(s Status) (n int) {
	for _, c := range r.Cases {
		if c.Status == s {
			n++
		}
	}
	return n
}

// suites are the names of the suites in the order of their first case.
func (r Report) suites() (names []string, cases map[string][]Case) {
	cases = map[string][]Case{}
	for _, c := range r.Cases {
		if _, ok := cases[c.Suite]; !ok {
			names = append(names, c.Suite)
		}
		cases[c.Suite] = append(cases[c.Suite], c)
	}
	return names, cases
}

// where is FILE:LINE as compilers write it.
func (c Case) where() string {
	path := filepath.ToSlash(Relative(c.Path))
	if c.Line == 0 {
		return path
	}
	return fmt.Sprintf("%s:%d", path, c.Line)
}

// Text writes a report for people: a line for each suite, and all of what failed.
// Skipped cases are shown with their reason.
func Text(w io.Writer, r Report) error {
	names, cases := r.suites()
	var b strings.Builder
	for _, name := range names {
		suite := Report{Cases: cases[name]}
		for _, c := range suite.Cases {
			writeCase(&b, c)
		}
		bad := suite.Count(Failed) + suite.Count(Broken)
		var took time.Duration
		for _, c := range suite.Cases {
			took += c.Took
		}
		word := "ok  "
		switch {
		case bad > 0:
			word = "FAIL"
		case suite.Count(Skipped) == len(suite.Cases):
			word = "skip"
		}
		fmt.Fprintf(&b, "%s %s: %d passed", word, name, suite.Count(Passed))
		for _, s := range []Status{Failed, Broken, Skipped} {
			if n := suite.Count(s); n > 0 {
				fmt.Fprintf(&b, ", %d %s", n, s)
			}
		}
		if took >= time.Millisecond {
			fmt.Fprintf(&b, " (%d ms)", took.Milliseconds())
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func writeCase(b *strings.Builder, c Case) {
	if c.Status == Passed {
		return
	}
	fmt.Fprintf(b, "%s: %s: %s: %s\n", c.where(), c.Status, c.Name, c.Message)
	for line := range strings.Lines(strings.TrimRight(c.Detail, "\n")) {
		fmt.Fprintf(b, "    %s\n", strings.TrimRight(line, "\n"))
	}
}

// Relative is a path as it is written below the working folder; the path itself
// if it is elsewhere.
func Relative(path string) string {
	if !filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	here, err := filepath.Abs(".")
	if err != nil {
		return path
	}
	if r, err := filepath.Rel(here, path); err == nil && !strings.HasPrefix(r, "..") {
		return r
	}
	return path
}
