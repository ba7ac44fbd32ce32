package report

import (
	"fmt"
	"io"

	"plumb/internal/guard"
)

// A Summary is which verdicts are worth a line of their own.
type Summary struct{ Pass, Fail, Skip bool }

// Empty tells whether no verdict is.
func (s Summary) Empty() bool { return !s.Pass && !s.Fail && !s.Skip }

// Text writes a run for a terminal: a table of verdicts, and what failed. What it
// looks like depends on the document: a CloudFormation template and a Terraform
// plan are shown by resource, anything else by property.
func Text(w io.Writer, r *Run, s Summary) error {
	p := &printer{w: w}
	r.table(p, s)
	switch {
	case r.Document.Get("Resources") != nil && r.byResource(p, template):
	case r.Document.Get("resource_changes") != nil && r.byResource(p, plan):
	default:
		r.byProperty(p, s)
	}
	return p.err
}

// Table writes the table of verdicts alone.
func Table(w io.Writer, r *Run, s Summary) error {
	p := &printer{w: w}
	r.table(p, s)
	return p.err
}

// A printer remembers the first error of writing, so that text can be written line
// by line.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, a ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", a...)
	}
}

// verdicts are the names of rules by their verdict. A rule that is there several
// times is not shown as skipped if it was not skipped once.
func (r *Run) verdicts() (passed, failed, skipped []string) {
	statuses := map[string]map[guard.Status]bool{}
	names := r.names()
	for i, name := range names {
		if statuses[name] == nil {
			statuses[name] = map[guard.Status]bool{}
		}
		statuses[name][r.Result.Rules[i].Status] = true
	}
	seen := map[string]bool{}
	for _, name := range names {
		if seen[name] {
			continue
		}
		seen[name] = true
		of := statuses[name]
		if of[guard.Pass] {
			passed = append(passed, name)
		}
		if of[guard.Fail] {
			failed = append(failed, name)
		}
		if of[guard.Skip] && !of[guard.Pass] && !of[guard.Fail] {
			skipped = append(skipped, name)
		}
	}
	return passed, failed, skipped
}

// table writes the names of rules by their verdicts, under the verdict of the document.
func (r *Run) table(p *printer, s Summary) {
	passed, failed, skipped := r.verdicts()
	longest := 0
	for i := range r.Result.Rules {
		longest = max(longest, len(r.Rules.File().Rules[i].Name))
	}
	header := false
	for _, part := range []struct {
		wanted bool
		title  string
		names  []string
		status guard.Status
	}{
		{s.Skip, "SKIP rules", skipped, guard.Skip},
		{s.Pass, "PASS rules", passed, guard.Pass},
		{s.Fail, "FAILED rules", failed, guard.Fail},
	} {
		if !part.wanted || len(part.names) == 0 {
			continue
		}
		if !header {
			p.line("%s Status = %s", r.DataName, r.Result.Status)
			header = true
		}
		p.line("%s", part.title)
		for _, name := range part.names {
			p.line("%s/%-*s%s", r.RulesName, longest+4, bareName(r.file(), name), part.status)
		}
	}
	if header {
		p.line("---")
	}
}

// bareName is a rule's name without the file in front of it.
func bareName(file, name string) string {
	if len(name) > len(file) && name[:len(file)] == file && name[len(file)] == '/' {
		return name[len(file)+1:]
	}
	return name
}
