// Package report writes what an evaluation found in the forms that users of
// cfn-guard know: text for a terminal, JSON, YAML, JUnit and SARIF.
//
// It decides nothing; the verdicts come from package guard. It stores nothing.
package report

import (
	"plumb/internal/guard"
	"plumb/internal/guard/document"
	"plumb/internal/guard/syntax"
)

// A Run is the evaluation of one rule file on one document. Its result must hold
// the failures; the tree wants everything.
type Run struct {
	RulesName string // the rule file, as it is shown
	DataName  string // the document, as it is shown
	DataText  string // what the document was read from, to quote its lines
	Document  *document.Value
	Rules     *guard.RuleSet
	Result    *guard.Result
}

// ruleName is a rule's name as it is shown: clauses outside of rules are the
// default rule of their file.
func ruleName(file string, r *syntax.Rule) string {
	if r.Outside && file != "" {
		return file + "/" + r.Name
	}
	return r.Name
}

func (r *Run) file() string { return r.Rules.File().Name }

// names are the names of the rules that have a verdict, in their order.
func (r *Run) names() []string {
	names := make([]string, len(r.Result.Rules))
	for i, rule := range r.Rules.File().Rules {
		names[i] = ruleName(r.file(), rule)
	}
	return names
}
