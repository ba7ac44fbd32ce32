package report

import (
	"fmt"
	"strings"

	"plumb/internal/guard"
)

// A clausePrinter writes the failures on one resource.
type clausePrinter struct {
	p        *printer
	run      *Run
	layout   layout
	resource *resource
}

// width is the room that the names of a clause's lines take.
const width = len("PropertyPath") + 4

// clause writes a failure with those that it consists of. Rules and alternatives are
// frames; what is in them is left out if it concerns another resource.
func (c *clausePrinter) clause(prefix string, f *failure) {
	switch f.kind {
	case ruleFailure:
		c.p.line("%sRule = %s {", prefix, f.rule)
		c.messages(prefix+"  ", f, 0)
		c.p.line("%s  ALL {", prefix)
		c.all(prefix+"    ", f.checks)
		c.p.line("%s  }", prefix)
		c.p.line("%s}", prefix)
	case anyFailure:
		c.p.line("%sANY {", prefix)
		c.all(prefix+"  ", f.checks)
		c.p.line("%s}", prefix)
	default:
		if c.resource.failures[f] {
			c.leaf(prefix, f)
		}
	}
}

func (c *clausePrinter) all(prefix string, checks []*failure) {
	for _, f := range checks {
		c.clause(prefix, f)
	}
}

// leaf writes one comparison.
func (c *clausePrinter) leaf(prefix string, f *failure) {
	missing := f.record.From
	if missing.Missing == nil && f.kind == binaryFailure && len(f.record.To) > 0 && !f.record.InSet {
		missing = f.record.To[0]
	}
	c.p.line("%sCheck = %s {", prefix, f.context)
	switch {
	case f.kind == blockFailure:
		c.missingBlock(prefix+"  ", f)
	case missing.Missing != nil:
		c.missing(prefix+"  ", f, missing)
	default:
		c.comparison(prefix+"  ", f)
	}
	c.p.line("%s}", prefix)
}

// missing writes a property that is not there.
func (c *clausePrinter) missing(prefix string, f *failure, missing guard.Finding) {
	if f.custom != nil {
		c.message(prefix, *f.custom, 0)
	}
	c.p.line("%sRequiredPropertyError {", prefix)
	c.p.line("%s  PropertyPath = %s", prefix, missing.Value.Place())
	c.p.line("%s  MissingProperty = %s", prefix, missing.Remaining())
	c.p.line("%s  Reason = %s", prefix, missing.Reason())
	c.quote(prefix+"  ", missing)
	c.p.line("%s}", prefix)
}

// missingBlock writes a block that had nothing to look at.
func (c *clausePrinter) missingBlock(prefix string, f *failure) {
	c.p.line("%sRequiredPropertyError {", prefix)
	w := len("Message") + 4
	if from := f.record.From; from.Missing != nil {
		w = len("MissingProperty") + 4
		c.p.line("%s  %-*s= %s", prefix, w, "PropertyPath", from.Value.Path())
		c.p.line("%s  %-*s= %s", prefix, w, "MissingProperty", from.Remaining())
	}
	c.messages(prefix+"  ", f, w)
	c.quote(prefix+"  ", f.record.From)
	c.p.line("")
	c.p.line("%s}", prefix)
}

// comparison writes a value that does not compare.
func (c *clausePrinter) comparison(prefix string, f *failure) {
	rec := f.record
	c.p.line("%sComparisonError {", prefix)
	c.messages(prefix+"  ", f, width)
	line := func(name, value string) { c.p.line("%s  %-*s= %s", prefix, width, name, value) }
	path := rec.From.Value.Place()
	if !c.layout.code {
		path = c.layout.property(rec.From.Value.Path())
	}
	if rec.InSet { // the original closes the error before what belongs in it
		c.p.line("%s}", prefix)
	}
	line("PropertyPath", path)
	line("Operator", operatorWords(rec))
	if f.kind == binaryFailure {
		line("Value", rec.From.Value.Literal())
		line("ComparedWith", comparedWith(rec))
	}
	c.quote(prefix+"  ", rec.From)
	c.p.line("")
	if !rec.InSet {
		c.p.line("%s}", prefix)
	}
}

// comparedWith is the other side of a comparison.
func comparedWith(rec *guard.Record) string {
	if !rec.InSet {
		if len(rec.To) == 0 {
			return ""
		}
		return rec.To[0].Value.Literal()
	}
	words := make([]string, len(rec.To))
	for i, f := range rec.To {
		words[i] = f.Value.Literal()
	}
	return "[" + strings.Join(words, ", ") + "]"
}

// operatorWords name a comparison in short.
func operatorWords(rec *guard.Record) string {
	word := map[string]string{
		"Eq": "EQUAL", "Le": "LESS THAN EQUAL", "Ge": "GREATER THAN EQUAL", "IsMap": "IS STRUCT",
	}[rec.Op.Name()]
	if word == "" {
		word = rec.Op.String()
	}
	if !rec.OpNot {
		return word
	}
	return "NOT " + strings.TrimPrefix(word, "IS ")
}

// messages writes what the rule's author says, and what went wrong.
func (c *clausePrinter) messages(prefix string, f *failure, w int) {
	if f.custom != nil {
		c.message(prefix, *f.custom, w)
	}
	if f.error != nil && *f.error != "" {
		c.p.line("%s%-*s = %s", prefix, w, "Error", *f.error)
	}
}

// message writes the author's message, a line for each of its lines.
func (c *clausePrinter) message(prefix, message string, w int) {
	separator := "\n"
	if strings.Contains(message, ";") {
		separator = ";"
	}
	var lines []string
	for line := range strings.SplitSeq(message, separator) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	switch len(lines) {
	case 0:
	case 1:
		c.p.line("%s%-*s = %s", prefix, w, "Message", lines[0])
	default:
		c.p.line("%s%-*s {", prefix, w, "Message")
		for _, line := range lines {
			c.p.line("%s  %s", prefix, line)
		}
		c.p.line("%s}", prefix)
	}
}

// quote writes the lines of the document around a value.
func (c *clausePrinter) quote(prefix string, f guard.Finding) {
	if !c.layout.code || f.Value == nil {
		return
	}
	c.p.line("%sCode:", prefix)
	lines := strings.Split(strings.TrimSuffix(c.run.DataText, "\n"), "\n")
	start := max(1, f.Value.At().Line-3)
	for n := start; n < start+6 && n <= len(lines); n++ {
		c.p.line("%s  %s", prefix, fmt.Sprintf("%5d.%s", n, strings.TrimSuffix(lines[n-1], "\r")))
	}
}
