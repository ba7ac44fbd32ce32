package report

import (
	"fmt"

	"plumb/internal/guard"
	"plumb/internal/guard/syntax"
)

// context is the words in which a step is named. They are the original's, as users
// search for them.
func (r *Run) context(rec *guard.Record) string {
	switch rec.Kind {
	case guard.FileRecord:
		return fmt.Sprintf("File(rules=%d)", len(r.Rules.File().Rules))
	case guard.RuleRecord:
		return ruleName(r.file(), rec.Rule)
	case guard.RuleConditionRecord:
		return fmt.Sprintf("Rule#%s/When", ruleName(r.file(), rec.Rule))
	case guard.FilterRecord:
		return fmt.Sprintf("Filter/%s#%d", rec.In, rec.Number)
	case guard.AlternativesRecord:
		clause := map[string]string{"rule": "RuleClause", "condition": "WhenGuardClause"}[rec.In]
		if clause == "" {
			clause = "GuardClause"
		}
		return "cfn_guard::rules::exprs::" + clause + "#disjunction"
	}
	return r.clauseContext(rec)
}

// clauseContext names a step that is about a clause.
func (r *Run) clauseContext(rec *guard.Record) string {
	switch c := rec.Clause.(type) {
	case *syntax.TypeBlock:
		switch rec.Kind {
		case guard.TypeConditionRecord:
			return "TypeBlock#" + c.Type + "/When"
		case guard.TypeBlockRecord:
			return fmt.Sprintf("TypeBlock#%s/%d", c.Type, rec.Number)
		}
		return "TypeBlock#" + c.Type
	case *syntax.When:
		name := map[bool]string{true: "RuleClause", false: "GuardConditionClause"}[c.InRule]
		if rec.Kind == guard.ConditionRecord {
			return name + "/When"
		}
		return name
	case *syntax.Each:
		if rec.Kind == guard.MissingRecord {
			return "GuardBlockAccessClause#" + r.location(c)
		}
		return "BlockGuardClause#" + r.location(c)
	case *syntax.Reference:
		return fmt.Sprintf("Rule(%s@%s)", c.Rule, r.location(c))
	case *syntax.Check:
		if rec.Kind == guard.CheckRecord {
			return "GuardAccessClause#block" + c.String()
		}
		return c.String()
	}
	return ""
}

func (r *Run) location(c syntax.Clause) string {
	return fmt.Sprintf("Location[file:%s, line:%d, column:%d]", r.file(), c.Place().Line, c.Place().Column)
}

// missingBlock says why a block had nothing to look at.
func missingBlock(rec *guard.Record) string {
	query := ""
	if c, ok := rec.Clause.(*syntax.Each); ok {
		query = c.Query.String()
	}
	return fmt.Sprintf("Query %s did not resolve to correct value, reason %s", query, rec.From.Reason())
}
