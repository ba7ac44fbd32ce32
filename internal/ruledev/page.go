package ruledev

import (
	"fmt"
	"io"
	"strings"
	"time"

	"plumb/internal/config"
	"plumb/internal/rulebench"
	"plumb/internal/rulefile"
)

// A page prints for people.
type page struct {
	w     io.Writer
	color bool
}

// The colors of a terminal.
const (
	plain  = "\x1b[0m"
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	gray   = "\x1b[90m"
)

func (p *page) in(color, text string) string {
	if !p.color || text == "" {
		return text
	}
	return color + text + plain
}

func (p *page) begin(r rulefile.Rule) {
	what := string(r.Kind)
	if r.Kind == rulefile.Function {
		what += ", " + r.Runtime + ", " + r.Handler
	}
	fmt.Fprintf(p.w, "%s (%s)\n", r.Name, what)
}

func (p *page) nothing(r rulefile.Rule, running bool) {
	if running {
		of := "no resource"
		if len(r.Types) > 0 {
			of = "nothing of " + strings.Join(r.Types, ", ")
		}
		fmt.Fprintf(p.w, "%s has nothing to look at: the server has recorded %s; without --endpoint, the tests and fixtures of the folder are looked at\n", r.Name, of)
		return
	}
	fmt.Fprintf(p.w, "%s has nothing to look at: write items into the folder fixtures (\"plumb item sample TYPE\" prints one), tests into plumb-test.yaml, "+
		"or name a server with --endpoint that has recorded resources\n", r.Name)
}

// broken prints what keeps a rule from being evaluated at all.
func (p *page) broken(r rulefile.Rule, err error) {
	p.begin(r)
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintf(p.w, "  %s\n", p.in(red, strings.TrimRight(line, "\n")))
	}
}

func (p *page) end(n int, first, all time.Duration) {
	fmt.Fprintf(p.w, "  %s\n", p.in(gray, fmt.Sprintf("%d looked at; first verdict after %d ms, all after %d ms", n, first.Milliseconds(), all.Milliseconds())))
}

// answer prints the verdicts on one thing, what is wrong with them for its test, and what helps to understand them.
func (p *page) answer(l look, a rulebench.Answer, wrong string, why []string) {
	subject := l.subject()
	switch {
	case a.Error != "":
		fmt.Fprintf(p.w, "  %s  %s  %s\n", subject, p.in(red, "error"), a.Error)
	case len(a.Verdicts) == 0:
		fmt.Fprintf(p.w, "  %s  %s  %s\n", subject, p.in(yellow, "no verdict"), "the function ended without PutEvaluations")
	}
	for _, v := range a.Verdicts {
		on := subject
		if l.name == "" || v.ID != l.id() {
			on = strings.TrimSpace(l.name + "  " + v.Type + " " + v.ID)
		}
		fmt.Fprintf(p.w, "  %s  %s  %s\n", on, p.in(colorOf(v.Compliance), string(v.Compliance)), v.Annotation)
	}
	if wrong != "" {
		fmt.Fprintf(p.w, "      %s\n", p.in(red, "the test fails: "+strings.TrimSuffix(wrong, ": "+a.Error)))
	}
	for _, line := range why {
		fmt.Fprintf(p.w, "      %s\n", line)
	}
	for _, line := range a.Explained() {
		fmt.Fprintf(p.w, "      %s\n", p.in(gray, line))
	}
}

func (l look) id() string {
	if l.Item != nil {
		return l.Item.ID
	}
	return l.ID
}

// subject names what was looked at.
func (l look) subject() string {
	switch {
	case l.name != "":
		return l.name
	case l.Item != nil:
		return l.Item.Type + " " + l.Item.ID
	default:
		return l.Type + " " + l.ID
	}
}

func colorOf(c config.Compliance) string {
	return map[config.Compliance]string{config.Compliant: green, config.NonCompliant: red}[c]
}
