package report

import (
	"io"

	"plumb/internal/guard/syntax"
)

// ParseTree writes the tree of a rule file, as "json" or "yaml".
func ParseTree(w io.Writer, format string, f *syntax.File) error {
	if format == "json" {
		return writeJSON(w, fileObject(f))
	}
	return writeYAML(w, fileObject(f))
}

// fileObject is the tree in the original's form, which tools read.
func fileObject(f *syntax.File) object {
	rules, calls := list{}, list{}
	for _, r := range f.Rules {
		rules = append(rules, ruleObject(f.Name, r))
	}
	for _, r := range f.Calls {
		names := list{}
		for _, p := range r.Parameters {
			names = append(names, p)
		}
		calls = append(calls, object{{"parameter_names", names}, {"rule", ruleObject(f.Name, r)}})
	}
	return object{{"assignments", lets(f.Lets)}, {"guard_rules", rules}, {"parameterized_rules", calls}}
}

func ruleObject(file string, r *syntax.Rule) object {
	return object{
		{"rule_name", ruleName(file, r)}, {"conditions", conditions(r.When)}, {"block", blockObject(&r.Body, ruleClause)},
	}
}

func conditions(c syntax.Conjunction) any {
	if len(c) == 0 {
		return nil
	}
	return lines(c, guardClause)
}

func blockObject(b *syntax.Block, clause func(syntax.Clause) any) object {
	return object{{"assignments", lets(b.Lets)}, {"conjunctions", lines(b.Clauses, clause)}}
}

// lines are alternatives in lines.
func lines(c syntax.Conjunction, clause func(syntax.Clause) any) list {
	all := list{}
	for _, line := range c {
		alternatives := list{}
		for _, one := range line {
			alternatives = append(alternatives, clause(one))
		}
		all = append(all, alternatives)
	}
	return all
}

func lets(all []syntax.Let) list {
	l := list{}
	for _, let := range all {
		l = append(l, object{{"var", let.Name}, {"value", operandObject(let.Value)}})
	}
	return l
}

func operandObject(o syntax.Operand) any {
	switch o := o.(type) {
	case *syntax.Literal:
		return object{{"Value", object{{"path", ""}, {"value", o.Value}}}}
	case *syntax.Query:
		return object{{"AccessClause", queryObject(o)}}
	case *syntax.Function:
		return object{{"FunctionCall", object{
			{"parameters", operandList(o.Arguments)}, {"name", o.Name}, {"location", place(o.At.Line, o.At.Column)},
		}}}
	}
	return nil
}

func operandList(all []syntax.Operand) list {
	l := list{}
	for _, o := range all {
		l = append(l, operandObject(o))
	}
	return l
}

func place(line, column int) object { return object{{"line", line}, {"column", column}} }

func queryObject(q *syntax.Query) object {
	parts := list{}
	for _, p := range q.Parts {
		parts = append(parts, partObject(p))
	}
	return object{{"query", parts}, {"match_all", !q.Some}}
}

// partObject is one step of a path.
func partObject(p syntax.Part) any {
	var name any
	if p.Name != "" {
		name = p.Name
	}
	switch p.Kind {
	case syntax.This:
		return "This"
	case syntax.Key, syntax.Variable:
		return object{{"Key", p.String()}}
	case syntax.Index:
		return object{{"Index", int(p.Index)}}
	case syntax.AllIndices:
		return object{{"AllIndices", name}}
	case syntax.AllValues:
		return object{{"AllValues", name}}
	case syntax.Filter:
		return object{{"Filter", list{name, lines(p.Filter, guardClause)}}}
	}
	return object{{"MapKeyFilter", list{name, object{
		{"comparator", list{p.Op.Name(), p.OpNot}}, {"compare_with", operandObject(p.With)},
	}}}}
}

// ruleClause is a clause that stands directly in a rule.
func ruleClause(c syntax.Clause) any {
	switch c := c.(type) {
	case *syntax.TypeBlock:
		return object{{"TypeBlock", object{
			{"type_name", c.Type}, {"conditions", conditions(c.Condition)},
			{"block", blockObject(&c.Body, guardClause)}, {"query", queryObject(&c.Query)[0].value},
		}}}
	case *syntax.When:
		return whenObject(c)
	}
	return object{{"Clause", guardClause(c)}}
}

func whenObject(c *syntax.When) object {
	return object{{"WhenBlock", list{lines(c.Condition, guardClause), blockObject(&c.Body, guardClause)}}}
}

// guardClause is a clause in any block.
func guardClause(c syntax.Clause) any {
	switch c := c.(type) {
	case *syntax.Check:
		return object{{"Clause", object{
			{"access_clause", object{
				{"query", queryObject(&c.Query)}, {"comparator", list{c.Op.Name(), c.OpNot}},
				{"compare_with", operandObject(c.With)}, {"custom_message", c.Message},
				{"location", place(c.At.Line, c.At.Column)},
			}},
			{"negation", c.Not},
		}}}
	case *syntax.Reference:
		return object{{"NamedRule", referenceObject(c)}}
	case *syntax.Call:
		return object{{"ParameterizedNamedRule", object{
			{"parameters", operandList(c.Arguments)}, {"named_rule", referenceObject(&c.Reference)},
		}}}
	case *syntax.Each:
		return object{{"BlockClause", object{
			{"query", queryObject(&c.Query)}, {"block", blockObject(&c.Body, guardClause)},
			{"location", place(c.At.Line, c.At.Column)}, {"not_empty", c.NotEmpty},
		}}}
	case *syntax.When:
		return whenObject(c)
	}
	return nil
}

func referenceObject(r *syntax.Reference) object {
	return object{
		{"dependent_rule", r.Rule}, {"negation", r.Not}, {"custom_message", r.Message},
		{"location", place(r.At.Line, r.At.Column)},
	}
}
