package syntax

import "plumb/internal/guard/document"

// or reads the word between two alternatives.
func (p *parser) or() bool {
	p.ws()
	return p.tag("or", "OR", "|OR|") && p.ws1()
}

// disjunction reads alternatives.
func (p *parser) disjunction(read func() (Clause, bool)) ([]Clause, bool) {
	alternatives, ok := separated(p, p.or, func() (Clause, bool) {
		p.ws()
		return read()
	})
	return alternatives, ok && len(alternatives) > 0
}

// conjunction reads lines for as long as they can be read; there must be one.
func (p *parser) conjunction(read func() (Clause, bool)) (Conjunction, bool) {
	var lines Conjunction
	for {
		line, ok := try(p, func() ([]Clause, bool) { return p.disjunction(read) })
		if ok {
			lines = append(lines, line)
			continue
		}
		if len(lines) == 0 {
			p.giveUp("")
		}
		return lines, !p.failed
	}
}

// when reads a condition.
func (p *parser) when() (Conjunction, bool) {
	return remember(p, whenConstruct, func() (Conjunction, bool) {
		p.ws()
		if !p.tag("when", "WHEN") {
			return nil, p.want("when")
		}
		if !p.must(p.ws1()) {
			return nil, false
		}
		return p.conjunction(p.condition)
	})
}

// block reads { ... }. If nothing in it can be read, it is no block; once something
// could, it must end.
func (p *parser) block(read func() (Clause, bool)) (Block, bool) {
	var b Block
	if !p.wsChar('{') {
		return b, false
	}
	for {
		if let, ok := try(p, func() (Let, bool) { p.ws(); return p.let() }); ok {
			b.Lets = append(b.Lets, let)
			continue
		}
		if p.failed {
			return b, false
		}
		line, ok := try(p, func() ([]Clause, bool) { return p.disjunction(read) })
		if !ok {
			break
		}
		b.Clauses = append(b.Clauses, line)
	}
	if p.failed || len(b.Lets)+len(b.Clauses) == 0 {
		return b, false
	}
	return b, p.must(p.wsChar('}'))
}

// whenBlock reads a condition with a block.
func (p *parser) whenBlock(read func() (Clause, bool), inRule bool) (Clause, bool) {
	p.ws()
	w := &When{At: p.here(), InRule: inRule}
	var ok bool
	if w.Condition, ok = p.when(); !ok {
		return nil, false
	}
	w.Body, ok = p.block(read)
	return w, ok
}

// each reads a query with a block.
func (p *parser) each() (Clause, bool) {
	e := &Each{At: p.here()}
	q, ok := p.query()
	if !ok {
		return nil, false
	}
	e.Query = *q
	_, e.NotEmpty = try(p, func() (bool, bool) {
		p.ws()
		return true, p.not() && p.tag("EMPTY", "empty")
	})
	e.Body, ok = p.block(p.clause)
	return e, ok
}

// let reads let name = value.
func (p *parser) let() (Let, bool) {
	l := Let{At: p.here()}
	if !p.tag("let") || !p.ws1() {
		return l, false
	}
	var ok bool
	if l.Name, ok = p.name(); !ok {
		return l, false
	}
	p.ws()
	if !p.must(p.tag("=", ":=") || p.want("'=' or ':='")) {
		return l, false
	}
	l.Value, ok = p.operand()
	return l, p.must(ok)
}

// typeName reads AWS::S3::Bucket or Custom::Thing.
func (p *parser) typeName() (string, bool) {
	start := p.pos
	first, ok := p.name()
	if !ok || !p.tag("::") {
		return "", false
	}
	second, ok := p.name()
	if !ok {
		return "", false
	}
	end := p.pos
	if p.tag("::") {
		if _, ok := p.name(); ok {
			name := p.src[start:p.pos]
			p.tag("::MODULE")
			return name, true
		}
		p.pos = end
	}
	return first + "::" + second, true
}

// typeBlock reads the checks of one type of resource.
func (p *parser) typeBlock() (Clause, bool) {
	t := &TypeBlock{At: p.here()}
	var ok bool
	if t.Type, ok = p.typeName(); !ok || !p.must(p.ws1()) {
		return nil, false
	}
	t.Query = p.resourcesOf(t)
	condition, conditional := try(p, p.when)
	if p.failed {
		return nil, false
	}
	t.Condition = condition
	body, ok := try(p, func() (Block, bool) { return p.block(p.clause) })
	switch {
	case ok:
		t.Body = body
		return t, true
	case conditional:
		return nil, p.must(false)
	case p.failed:
		return nil, false
	}
	p.ws()
	c, ok := p.clause()
	t.Body.Clauses = Conjunction{{c}}
	return t, p.must(ok)
}

// resourcesOf is the query Resources.*[ Type == 'the type' ].
func (p *parser) resourcesOf(t *TypeBlock) Query {
	same := &Check{
		At: t.At, Op: Equal,
		Query: Query{Parts: []Part{p.key("Type")}},
		With:  &Literal{document.NewString(t.Type)},
	}
	return Query{Parts: []Part{p.key("Resources"), {Kind: AllValues}, {Kind: Filter, Filter: Conjunction{{same}}}}}
}
