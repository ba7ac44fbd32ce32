package guard

import (
	"fmt"
	"strings"

	"plumb/internal/guard/document"
	"plumb/internal/guard/syntax"
)

// A Reason is one comparison that failed: why a rule did.
type Reason struct {
	Clause  string            // the clause as it is shown
	At      document.Pos      // where the clause stands in the rule file
	Path    string            // the path of the value, or of the last value on the way
	Value   *document.Value   // nil if there was nothing to look at
	With    []*document.Value // what the value was compared with
	Problem string            // what is wrong
	Message string            // what the author of the rule says about it
}

// String is the reason in a line.
func (r Reason) String() string {
	s := r.Clause + ": " + r.Problem
	if message := strings.Join(strings.Fields(r.Message), " "); message != "" {
		s = message + " (" + s + ")"
	}
	return s
}

// Reasons are the comparisons below a record that made it fail.
func (r *Record) Reasons() []Reason {
	if r == nil || r.Status != Fail {
		return nil
	}
	switch r.Kind {
	case ValueRecord, NothingRecord, RefersRecord, MissingRecord:
		return []Reason{r.reason()}
	case FilterRecord, RuleConditionRecord, TypeConditionRecord, ConditionRecord:
		return nil // they decide whether something applies, not whether it passes
	}
	var all []Reason
	for _, c := range r.Children {
		all = append(all, c.Reasons()...)
	}
	if len(all) == 0 && r.Kind == EachRecord {
		all = append(all, Reason{Clause: show(r.Clause), At: r.Clause.Place(), Problem: "found nothing"})
	}
	return all
}

// reason is the record of one value, for people.
func (r *Record) reason() Reason {
	reason := Reason{Value: r.From.Value, Problem: r.problem()}
	if r.Message != nil {
		reason.Message = *r.Message
	}
	if r.Clause != nil {
		reason.Clause, reason.At = show(r.Clause), r.Clause.Place()
	}
	if r.From.Value != nil {
		reason.Path = r.From.Value.Path()
	}
	for _, f := range r.To {
		reason.With = append(reason.With, f.Value)
	}
	return reason
}

// problem says what is wrong with one value.
func (r *Record) problem() string {
	switch {
	case r.Kind == RefersRecord:
		return "the rule does not pass"
	case r.Kind == NothingRecord:
		return "found nothing"
	case r.From.Missing != nil:
		return r.From.Reason()
	case len(r.To) > 0 && r.To[0].Missing != nil:
		return "what it is compared with is missing: " + r.To[0].Reason()
	case r.Reason != "":
		return r.Reason
	}
	return fmt.Sprintf("found %s at %s", short(r.From.Value), where(r.From.Value))
}

// where is a value's place for people: its path, and the line if it was read from
// text.
func where(v *document.Value) string {
	path := v.Path()
	if path == "" {
		path = "/"
	}
	if v.At().Line == 0 {
		return path
	}
	return fmt.Sprintf("%s (line %d, column %d)", path, v.At().Line, v.At().Column)
}

// short cuts what would not fit into a line.
func short(v *document.Value) string {
	s := []rune(v.Literal())
	if len(s) > 100 {
		return string(s[:100]) + "..."
	}
	return string(s)
}

// show writes a clause in one line.
func show(c syntax.Clause) string {
	switch c := c.(type) {
	case *syntax.Check:
		return strings.Join(strings.Fields(c.String()), " ")
	case *syntax.Each:
		return c.Query.String()
	case *syntax.Reference:
		return c.Rule
	}
	return ""
}
