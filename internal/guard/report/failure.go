package report

import (
	"fmt"

	"plumb/internal/guard"
	"plumb/internal/guard/document"
	"plumb/internal/guard/syntax"
)

// A failureKind is what a failure is about.
type failureKind uint8

const (
	ruleFailure  failureKind = iota
	anyFailure               // alternatives, none of which passed
	blockFailure             // a block whose query led nowhere
	unaryFailure
	binaryFailure
)

// A failure is why something failed, in a form that is shown.
type failure struct {
	kind    failureKind
	rule    string // of a rule
	context string // of the others
	custom  *string
	error   *string
	record  *guard.Record
	checks  []*failure
}

// failures are the reasons why rules failed: what is below the records, without
// the steps in between.
func (r *Run) failures(records []*guard.Record) []*failure {
	var all []*failure
	for _, rec := range records {
		if rec.Status != guard.Fail {
			continue
		}
		switch rec.Kind {
		case guard.RuleRecord:
			all = append(all, &failure{
				kind: ruleFailure, rule: ruleName(r.file(), rec.Rule), custom: rec.Message, record: rec,
				checks: r.failures(rec.Children),
			})
		case guard.AlternativesRecord:
			all = append(all, &failure{kind: anyFailure, record: rec, checks: r.failures(rec.Children)})
		case guard.EachRecord:
			if len(rec.Children) == 0 {
				all = append(all, r.failure(blockFailure, rec, nil, "query for block clause did not retrieve any value"))
			}
			all = append(all, r.failures(rec.Children)...)
		case guard.CheckRecord, guard.TypeRecord, guard.TypeBlockRecord, guard.WhenRecord:
			all = append(all, r.failures(rec.Children)...)
		case guard.ValueRecord, guard.NothingRecord, guard.RefersRecord, guard.MissingRecord:
			all = append(all, r.valueFailure(rec))
		}
	}
	return all
}

func (r *Run) failure(kind failureKind, rec *guard.Record, custom *string, format string, a ...any) *failure {
	message := fmt.Sprintf(format, a...)
	return &failure{kind: kind, context: r.context(rec), custom: custom, error: &message, record: rec}
}

// valueFailure says in a sentence what is wrong with one value.
func (r *Run) valueFailure(rec *guard.Record) *failure {
	custom := new(text(rec.Message))
	switch {
	case rec.Kind == guard.NothingRecord:
		*custom = oneLine(*custom)
		return r.failure(unaryFailure, rec, custom,
			"Check was not compliant as variable in context [%s] was not empty", r.context(rec))
	case rec.Kind == guard.RefersRecord:
		return r.failure(unaryFailure, rec, custom,
			"Check was not compliant as dependent rule [%s] did not PASS. Context [%s]", referredRule(rec), r.context(rec))
	case rec.Kind == guard.MissingRecord:
		return r.failure(blockFailure, rec, custom,
			"Check was not compliant as property [%s] is missing. Value traversed to [%s]",
			rec.From.Remaining(), rec.From.Value)
	case rec.Op.Unary() && rec.From.Missing != nil:
		return r.failure(unaryFailure, rec, custom,
			"Check was not compliant as property [%s] is missing. Value traversed to [%s].",
			rec.From.Remaining(), rec.From.Value)
	case rec.Op.Unary():
		return r.failure(unaryFailure, rec, custom, "Check was not compliant as property [%s] %s.",
			rec.From.Value.Place(), unaryWords(rec.Op, rec.OpNot))
	case rec.InSet:
		return r.failure(binaryFailure, rec, rec.Message,
			"Check was not compliant as property [%s] was not present in [%s]", rec.From.Value.Place(), findings(rec.To))
	}
	return r.pairFailure(rec, custom)
}

// pairFailure says it of a value that was compared with another.
func (r *Run) pairFailure(rec *guard.Record, custom *string) *failure {
	reason := ""
	if rec.Reason != "" {
		reason = " Error = [" + rec.Reason + "]"
	}
	switch {
	case rec.From.Missing != nil:
		return r.failure(binaryFailure, rec, custom,
			"Check was not compliant as property [%s] to compare from is missing. Value traversed to [%s].%s",
			rec.From.Remaining(), rec.From.Value, reason)
	case len(rec.To) > 0 && rec.To[0].Missing != nil:
		return r.failure(binaryFailure, rec, custom,
			"Check was not compliant as property [%s] to compare to is missing. Value traversed to [%s].%s",
			rec.To[0].Remaining(), rec.To[0].Value, reason)
	}
	to := ""
	if len(rec.To) > 0 {
		to = rec.To[0].Value.String()
	}
	return r.failure(binaryFailure, rec, custom, "Check was not compliant as property value [%s] %s value [%s].%s",
		rec.From.Value, binaryWords(rec.Op, rec.OpNot), to, reason)
}

// unaryWords say what a value was that it should not have been.
func unaryWords(op syntax.Op, not bool) string {
	words := map[syntax.Op][2]string{
		syntax.Exists:   {"did not exist", "existed"},
		syntax.Empty:    {"was not empty", "was empty"},
		syntax.IsList:   {"was not list", "was a list "},
		syntax.IsStruct: {"was not struct", "was a struct"},
		syntax.IsString: {"was not string", "was a string "},
		syntax.IsInt:    {"was not int", "was int"},
		syntax.IsBool:   {"was not bool", "was bool"},
		syntax.IsNull:   {"was not null", "was null"},
		syntax.IsFloat:  {"was not float", "was float"},
	}[op]
	if not {
		return words[1]
	}
	return words[0]
}

// binaryWords name the relation that a value has, or lacks, to another.
func binaryWords(op syntax.Op, not bool) string {
	words := map[syntax.Op][2]string{
		syntax.Equal:        {"not equal to", "equal to"},
		syntax.LessEqual:    {"not less than equal to", "less than equal to"},
		syntax.Less:         {"not less than", "less than"},
		syntax.GreaterEqual: {"not greater than equal", "greater than equal to"},
		syntax.Greater:      {"not greater than", "greater than"},
		syntax.In:           {"not in", "in"},
	}[op]
	if not {
		return words[1]
	}
	return words[0]
}

// at is the place in the document that a failure is about.
func (f *failure) at() document.Pos {
	if f.record == nil || f.record.From.Value == nil {
		return document.Pos{}
	}
	return f.record.From.Value.At()
}

// leaves are the failures that are no collection of others.
func (f *failure) leaves() []*failure {
	if f.kind != ruleFailure && f.kind != anyFailure {
		return []*failure{f}
	}
	var all []*failure
	for _, c := range f.checks {
		all = append(all, c.leaves()...)
	}
	return all
}
