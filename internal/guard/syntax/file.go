package syntax

import (
	"plumb/internal/guard/casing"
	"plumb/internal/guard/document"
)

// maxSource bounds a rule file. Guard files are a few kilobytes.
const maxSource = 4 << 20

// Parse reads a rule file. The name is used in messages only. A file without any
// rule is a File without rules. The error is an *Error.
func Parse(name, source string) (*File, error) {
	p := &parser{
		file: name, src: source, lines: lineStarts(source),
		memo: map[memoKey]memoEntry{}, spelled: map[string][casing.Count]string{},
	}
	if len(source) > maxSource {
		return nil, &Error{File: name, At: document.Pos{Line: 1, Column: 1}, Reason: "the file is larger than 4 MiB"}
	}
	f := &File{Name: name}
	outside := &Rule{Name: DefaultRule, Outside: true, At: document.Pos{Line: 1, Column: 1}}
	for p.ws(); p.pos < len(p.src); p.ws() {
		if !p.statement(f, outside) {
			return nil, p.explain()
		}
	}
	if len(outside.Body.Clauses) > 0 {
		f.Rules = append([]*Rule{outside}, f.Rules...)
	}
	return f, nil
}

// statement reads one rule, variable or clause outside of rules.
func (p *parser) statement(f *File, outside *Rule) bool {
	if let, ok := try(p, p.let); ok {
		f.Lets = append(f.Lets, let)
		return true
	}
	if p.failed {
		return false
	}
	if r, ok := try(p, p.rule); ok {
		if r.Parameters != nil {
			f.Calls = append(f.Calls, r)
		} else {
			f.Rules = append(f.Rules, r)
		}
		return true
	}
	for _, read := range []func() ([]Clause, bool){
		func() ([]Clause, bool) { return p.disjunction(p.typeBlock) },
		func() ([]Clause, bool) {
			w, ok := p.whenBlock(p.clauseOrReference, true)
			return []Clause{w}, ok
		},
		func() ([]Clause, bool) { return p.disjunction(p.clause) },
	} {
		if p.failed {
			return false
		}
		if line, ok := try(p, read); ok {
			outside.Body.Clauses = append(outside.Body.Clauses, line)
			return true
		}
	}
	return p.want("a rule, a variable or a clause")
}

// rule reads a named rule, with or without parameters.
func (p *parser) rule() (*Rule, bool) {
	r := &Rule{At: p.here()}
	if !p.tag("rule") || !p.ws1() {
		return nil, false
	}
	var ok bool
	if r.Name, ok = p.name(); !p.must(ok) {
		return nil, false
	}
	if p.pos < len(p.src) && p.src[p.pos] == '(' {
		if r.Parameters, ok = p.parameters(); !ok {
			return nil, false
		}
	} else {
		r.When, _ = try(p, p.when)
		if p.failed {
			return nil, false
		}
	}
	r.Body, ok = p.block(p.ruleClause)
	return r, p.must(ok)
}

// parameters reads (name, name). A name that is there twice counts once.
func (p *parser) parameters() ([]string, bool) {
	var names []string
	seen := map[string]bool{}
	p.tag("(")
	for {
		p.multispace()
		name, ok := p.name()
		if !p.must(ok) {
			return nil, false
		}
		if !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
		p.multispace()
		if !p.tag(",") {
			return names, p.must(p.char(')'))
		}
	}
}

// ruleClause reads what may stand directly in a rule.
func (p *parser) ruleClause() (Clause, bool) {
	return p.oneOf(
		p.typeBlock,
		func() (Clause, bool) { return p.whenBlock(p.clauseOrReference, true) },
		p.clauseOrReference)
}
