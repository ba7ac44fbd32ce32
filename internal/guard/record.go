package guard

import (
	"plumb/internal/guard/document"
	"plumb/internal/guard/syntax"
)

// A RecordKind is what kind of step a record is about.
type RecordKind uint8

// The kinds of records.
const (
	FileRecord RecordKind = iota
	RuleRecord
	RuleConditionRecord
	TypeRecord
	TypeConditionRecord
	TypeBlockRecord
	FilterRecord
	WhenRecord
	ConditionRecord
	AlternativesRecord
	EachRecord
	CheckRecord
	ValueRecord   // one value under one comparison
	RefersRecord  // the verdict of a rule that is referred to
	NothingRecord // a query that was not empty, or empty, when the other was asked for
	MissingRecord // a block's query that led nowhere
)

// A Record is one step of an evaluation, with the steps that it was made of.
type Record struct {
	Kind   RecordKind
	Status Status
	Clause syntax.Clause // what was evaluated, where it is a clause
	Rule   *syntax.Rule  // of a rule and its condition
	Number int           // which resource of a type; how many lines a filter has
	In     string        // what alternatives stand in: "rule", "block" or "condition"; what a filter goes over

	From    Finding   // the value that was looked at
	To      []Finding // what it was compared with
	Op      syntax.Op
	OpNot   bool
	InSet   bool    // it was compared with a list or set as a whole
	Reason  string  // why the comparison was not possible
	Message *string // the rule author's message

	Children []*Record
}

// A Finding is a value that a query found, or the place where it got no further.
type Finding struct {
	Value   *document.Value // what was found, or the last value on the way
	Missing *Missing        // nil if the value was found

	literal bool // it is written in the rule
}

// begin opens a record. It is nil if nothing is remembered.
func (e *evaluation) begin(r Record) *Record {
	if e.detail == Verdicts {
		return nil
	}
	kept := new(r)
	e.open = append(e.open, kept)
	return kept
}

// end closes the record that was opened last.
func (e *evaluation) end(r *Record, s Status) {
	if r == nil {
		return
	}
	r.Status = s
	e.open = e.open[:len(e.open)-1]
	if len(e.open) == 0 || s != Fail && e.detail != Everything {
		return
	}
	parent := e.open[len(e.open)-1]
	parent.Children = append(parent.Children, r)
}

// recording tells whether records are worth making.
func (e *evaluation) recording() bool { return e.detail != Verdicts }

// Literal tells whether the value is written in the rule, and not found in the
// document.
func (f Finding) Literal() bool { return f.literal }
