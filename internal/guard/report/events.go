package report

import (
	"io"

	"plumb/internal/guard"
	"plumb/internal/guard/syntax"
)

// Events writes every step of an evaluation as JSON.
func Events(w io.Writer, r *Run) error {
	if err := writeJSON(w, r.event(r.Result.Record)); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func (r *Run) event(rec *guard.Record) object {
	children := make(list, len(rec.Children))
	for i, c := range rec.Children {
		children[i] = r.event(c)
	}
	return object{{"context", r.context(rec)}, {"container", r.container(rec)}, {"children", children}}
}

// container is what a step was, with its verdict.
func (r *Run) container(rec *guard.Record) any {
	switch rec.Kind {
	case guard.FileRecord:
		return object{{"FileCheck", named(r.DataName, rec.Status, nil)}}
	case guard.RuleRecord:
		return object{{"RuleCheck", named(ruleName(r.file(), rec.Rule), rec.Status, rec.Message)}}
	case guard.RuleConditionRecord:
		return object{{"RuleCondition", rec.Status}}
	case guard.TypeConditionRecord:
		return object{{"TypeCondition", rec.Status}}
	case guard.TypeBlockRecord:
		return object{{"TypeBlock", rec.Status}}
	case guard.FilterRecord:
		return object{{"Filter", rec.Status}}
	case guard.ConditionRecord:
		return object{{"WhenCondition", rec.Status}}
	case guard.WhenRecord:
		return object{{"WhenCheck", block(rec, false)}}
	case guard.AlternativesRecord:
		return object{{"Disjunction", block(rec, true)}}
	}
	return r.clauseContainer(rec)
}

// clauseContainer is the step of a clause.
func (r *Run) clauseContainer(rec *guard.Record) any {
	switch c := rec.Clause.(type) {
	case *syntax.TypeBlock:
		return object{{"TypeCheck", object{{"type_name", c.Type}, {"block", block(rec, false)}}}}
	case *syntax.Each:
		if rec.Kind == guard.EachRecord {
			return object{{"BlockGuardCheck", block(rec, c.Query.Some)}}
		}
	case *syntax.Check:
		if rec.Kind == guard.CheckRecord {
			some := c.Query.Some
			if rec.Status == guard.Skip || decidedAsWhole(rec) {
				some = !some
			}
			return object{{"GuardClauseBlockCheck", block(rec, some)}}
		}
	}
	return object{{"ClauseValueCheck", valueCheck(rec)}}
}

// decidedAsWhole tells whether a query found nothing and that was the question.
func decidedAsWhole(rec *guard.Record) bool {
	for _, c := range rec.Children {
		if c.Kind == guard.NothingRecord || c.Kind == guard.ValueRecord && c.From.Value == nil {
			return true
		}
	}
	return false
}

func named(name string, s guard.Status, message *string) object {
	return object{{"name", name}, {"status", s}, {"message", message}}
}

func block(rec *guard.Record, atLeastOne bool) object {
	return object{{"at_least_one_matches", atLeastOne}, {"status", rec.Status}, {"message", nil}}
}

// valueCheck is how one value compared. What passed is not worth more than a word.
func valueCheck(rec *guard.Record) any {
	switch {
	case rec.Status == guard.Pass:
		return "Success"
	case rec.Kind == guard.NothingRecord:
		return object{{"NoValueForEmptyCheck", rec.Message}}
	case rec.Kind == guard.RefersRecord:
		return object{{"DependentRule", object{
			{"rule", referredRule(rec)}, {"message", nil}, {"custom_message", rec.Message}, {"status", rec.Status},
		}}}
	case rec.Kind == guard.MissingRecord:
		return object{{"MissingBlockValue", object{
			{"from", findingObject(rec.From)}, {"message", missingBlock(rec)},
			{"custom_message", nil}, {"status", rec.Status},
		}}}
	case rec.Op.Unary():
		return object{{"Unary", object{
			{"value", object{
				{"from", findingObject(rec.From)}, {"message", nil},
				{"custom_message", rec.Message}, {"status", rec.Status},
			}},
			{"comparison", comparison(rec)},
		}}}
	}
	return binaryCheck(rec)
}

// binaryCheck is a comparison of two sides. A set is shown as a list, a single value
// alone.
func binaryCheck(rec *guard.Record) object {
	to := make(list, len(rec.To))
	for i, f := range rec.To {
		to[i] = findingObject(f)
	}
	var message *string
	if rec.Reason != "" {
		message = &rec.Reason
	}
	o := object{
		{"comparison", comparison(rec)}, {"from", findingObject(rec.From)}, {"to", to},
		{"message", message}, {"custom_message", rec.Message}, {"status", rec.Status},
	}
	if rec.InSet {
		return object{{"InComparison", o}}
	}
	o[2].value = nil
	if len(to) > 0 {
		o[2].value = to[0]
	}
	return object{{"Comparison", o}}
}

func comparison(rec *guard.Record) list { return list{rec.Op.Name(), rec.OpNot} }

// findingObject tells what was found from what was not.
func findingObject(f guard.Finding) object {
	switch {
	case f.Missing != nil:
		return object{{"UnResolved", missingObject(f)}}
	case f.Literal():
		return object{{"Literal", valueObject(f)}}
	}
	return object{{"Resolved", valueObject(f)}}
}

func valueObject(f guard.Finding) object {
	return object{{"path", f.Value.Path()}, {"value", f.Value}}
}

func missingObject(f guard.Finding) object {
	return object{{"traversed_to", valueObject(f)}, {"remaining_query", f.Remaining()}, {"reason", f.Reason()}}
}
