package report

import (
	"fmt"
	"io"
	"strings"

	"plumb/internal/guard"
	"plumb/internal/guard/syntax"
)

// Tree writes every step of an evaluation, one a line, as a tree.
func Tree(w io.Writer, r *Run) error {
	return r.branch(w, r.Result.Record, "", true)
}

// branch writes a step and, further in, the steps that it was made of.
func (r *Run) branch(w io.Writer, rec *guard.Record, prefix string, last bool) error {
	mark, below := "|- ", "|  "
	if last {
		mark, below = "`- ", "   "
	}
	if _, err := fmt.Fprintf(w, "%s%s%s[Context=%s]\n", prefix, mark, r.title(rec), r.context(rec)); err != nil {
		return err
	}
	for i, child := range rec.Children {
		if err := r.branch(w, child, prefix+below, i == len(rec.Children)-1); err != nil {
			return err
		}
	}
	return nil
}

// title is what kind of step it was, and how it went.
func (r *Run) title(rec *guard.Record) string {
	formats := map[guard.RecordKind]string{
		guard.RuleConditionRecord: "Rule/When(Status=%s)",
		guard.TypeConditionRecord: "TypeBlock/When Status=%s)",
		guard.TypeBlockRecord:     "TypeBlock/Block Status=%s)",
		guard.FilterRecord:        "Filter/ConjunctionsBlock(Status=%s)",
		guard.WhenRecord:          "WhenConditionalBlock(Status = %s)",
		guard.ConditionRecord:     "WhenCondition(Status = %s)",
		guard.AlternativesRecord:  "Disjunction(Status = %s)",
		guard.EachRecord:          "GuardValueBlockCheck(Status = %s)",
		guard.CheckRecord:         "GuardClauseBlock(Status = %s)",
	}
	switch rec.Kind {
	case guard.FileRecord:
		return fmt.Sprintf("File(%s, Status=%s)", r.DataName, rec.Status)
	case guard.RuleRecord:
		return fmt.Sprintf("Rule(%s, Status=%s)", ruleName(r.file(), rec.Rule), rec.Status)
	case guard.TypeRecord:
		if c, ok := rec.Clause.(*syntax.TypeBlock); ok {
			return fmt.Sprintf("Type(%s, Status=%s)", c.Type, rec.Status)
		}
	}
	if format, ok := formats[rec.Kind]; ok {
		return fmt.Sprintf(format, rec.Status)
	}
	return valueTitle(rec)
}

// valueTitle is how one value compared.
func valueTitle(rec *guard.Record) string {
	if rec.Status == guard.Pass {
		return "GuardClauseValueCheck(Status=PASS)"
	}
	comparison := notOp(rec) + " " + rec.Op.String()
	switch {
	case rec.Kind == guard.NothingRecord:
		return fmt.Sprintf("GuardClause(Status=FAIL, Empty, %s)", text(rec.Message))
	case rec.Kind == guard.MissingRecord:
		return fmt.Sprintf("GuardBlockValueMissing(Status=FAIL, Reason=%s, %s)", missingBlock(rec), rec.From.Value.Path())
	case rec.Kind == guard.RefersRecord:
		return fmt.Sprintf("GuardClauseDependentRule(Rule=%s, Status=FAIL)", referredRule(rec))
	case rec.Op.Unary():
		return fmt.Sprintf("GuardClauseUnaryCheck(Status=FAIL, Comparison=%s, Value-At=%s)", comparison, finding(rec.From))
	case rec.InSet:
		return fmt.Sprintf("GuardClauseInBinaryCheck(Status=FAIL, Comparison=%s, from=%s, to=%s)",
			comparison, finding(rec.From), findings(rec.To))
	}
	to := ""
	if len(rec.To) > 0 {
		to = finding(rec.To[0])
	}
	return fmt.Sprintf("GuardClauseBinaryCheck(Status=FAIL, Comparison=%s, from=%s, to=%s)",
		comparison, finding(rec.From), to)
}

func referredRule(rec *guard.Record) string {
	if c, ok := rec.Clause.(*syntax.Reference); ok {
		return c.Rule
	}
	return ""
}

func notOp(rec *guard.Record) string {
	if rec.OpNot {
		return "not"
	}
	return ""
}

// finding is a value with how it came about.
func finding(f guard.Finding) string {
	switch {
	case f.Missing != nil:
		return fmt.Sprintf("(unresolved, %s)", f.Value)
	case f.Literal():
		return fmt.Sprintf("literal, %s", f.Value)
	}
	return fmt.Sprintf("(resolved, %s)", f.Value)
}

func findings(all []guard.Finding) string {
	words := make([]string, len(all))
	for i, f := range all {
		words[i] = finding(f)
	}
	return strings.ReplaceAll(strings.Join(words, "."), ".[", "[")
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
