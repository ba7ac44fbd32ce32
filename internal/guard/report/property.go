package report

import (
	"strings"

	"plumb/internal/guard"
	"plumb/internal/guard/document"
	"plumb/internal/guard/syntax"
)

// byProperty writes what failed, one line for each property.
func (r *Run) byProperty(p *printer, s Summary) {
	passed, failed, skipped := r.verdicts()
	if !worthWriting(s, len(passed), len(failed), len(skipped)) {
		return
	}
	p.line("Evaluation of rules %s against data %s", r.RulesName, r.DataName)
	if s.Fail {
		if len(failed) > 0 {
			p.line("--")
		}
		for i, rule := range r.Result.Rules {
			if rule.Status == guard.Fail && rule.Record != nil {
				r.failedProperties(p, r.names()[i], rule.Record)
			}
		}
	}
	if s.Pass {
		r.ruleLines(p, passed, "compliant")
	}
	if s.Skip {
		r.ruleLines(p, skipped, "not applicable")
	}
	p.line("--")
}

// worthWriting looks at the first verdict that is wanted only, as the original does.
func worthWriting(s Summary, passed, failed, skipped int) bool {
	switch {
	case s.Fail:
		return failed > 0
	case s.Pass:
		return passed > 0
	}
	return s.Skip && skipped > 0
}

func (r *Run) ruleLines(p *printer, names []string, word string) {
	if len(names) > 0 {
		p.line("--")
	}
	for _, n := range names {
		p.line("Rule [%s] is %s for template [%s]", n, word, r.DataName)
	}
}

// failedProperties writes the comparisons that failed below a record. A rule that
// was called with a message of its own is one line.
func (r *Run) failedProperties(p *printer, rule string, rec *guard.Record) {
	switch rec.Kind {
	case guard.FilterRecord:
		return
	case guard.ValueRecord, guard.NothingRecord, guard.RefersRecord, guard.MissingRecord:
		if rec.Status == guard.Fail {
			r.failedProperty(p, rule, rec)
		}
		return
	case guard.RuleRecord:
		if rec.Message != nil && rec.Status == guard.Fail {
			p.line("Parameterized Rule %s failed for %s. Reason %s",
				ruleName(r.file(), rec.Rule), r.DataName, strings.ReplaceAll(*rec.Message, "\n", "; "))
			return
		}
	}
	for _, c := range rec.Children {
		r.failedProperties(p, rule, c)
	}
}

// failedProperty writes one comparison in a line.
func (r *Run) failedProperty(p *printer, rule string, rec *guard.Record) {
	message := oneLine(text(rec.Message))
	path, provided := "", "null"
	if v := rec.From.Value; v != nil {
		path, provided = v.Path(), compact(v)
	}
	switch {
	case rec.Kind == guard.RefersRecord:
		p.line("Parameterized Rule %s failed for %s. Reason %s", rule, r.DataName,
			strings.ReplaceAll(text(rec.Message), "\n", "; "))
	case rec.Kind == guard.NothingRecord:
		p.line("Property [] in data [%s] is not compliant with [%s] because needed value at [null] was not empty. "+
			"Error Message [%s]", r.DataName, rule, message)
	case rec.From.Missing != nil || rec.Reason != "":
		p.line("Property traversed until [%s] in data [%s] is not compliant with [%s] due to retrieval error. "+
			"Error Message [%s]", path, r.DataName, rule, r.retrievalReason(rec))
	case rec.Op.Unary():
		p.line("Property [%s] in data [%s] is not compliant with [%s] because needed value at [%s] %s. Error Message [%s]",
			path, r.DataName, rule, provided, summaryWords(rec.Op, rec.OpNot), message)
	default:
		did, match := "did not", "match expected value"
		if rec.OpNot {
			did = "did"
		}
		if rec.Op == syntax.In {
			match += " in"
		}
		p.line("Property [%s] in data [%s] is not compliant with [%s] because provided value [%s] %s %s [%s]. "+
			"Error Message [%s]", path, r.DataName, rule, provided, did, match, expected(rec), message)
	}
}

// retrievalReason says why a comparison was not possible.
func (r *Run) retrievalReason(rec *guard.Record) string {
	switch {
	case rec.Kind == guard.MissingRecord:
		return missingBlock(rec)
	case rec.Reason != "":
		return rec.Reason
	}
	return rec.From.Reason()
}

// expected is what a value was compared with, as JSON.
func expected(rec *guard.Record) string {
	if rec.InSet {
		words := make([]string, len(rec.To))
		for i, f := range rec.To {
			words[i] = compact(f.Value)
		}
		return "[" + strings.Join(words, ",") + "]"
	}
	if len(rec.To) == 0 {
		return "null"
	}
	return compact(rec.To[0].Value)
}

func compact(v *document.Value) string {
	b, err := v.MarshalJSON()
	if err != nil {
		return v.Literal()
	}
	return string(b)
}

// summaryWords are the original's, which differ from those in other reports.
func summaryWords(op syntax.Op, not bool) string {
	words := map[syntax.Op][2]string{
		syntax.Exists:   {"did not exist", "existed"},
		syntax.Empty:    {"was not empty", "was empty"},
		syntax.IsList:   {"was not a list ", "was list"},
		syntax.IsStruct: {"was not a struct", "was struct"},
		syntax.IsString: {"was not a string ", "was string"},
		syntax.IsBool:   {"was not a bool", "was bool"},
		syntax.IsInt:    {"was not an int", "was int"},
		syntax.IsNull:   {"was not null", "was null"},
		syntax.IsFloat:  {"was not a float", "was float"},
	}[op]
	if not {
		return words[1]
	}
	return words[0]
}
