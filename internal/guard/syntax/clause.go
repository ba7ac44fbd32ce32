package syntax

import "strings"

// clause reads what may stand on a line of any block.
func (p *parser) clause() (Clause, bool) {
	return remember(p, clauseConstruct, func() (Clause, bool) {
		return nested(p, func() (Clause, bool) {
			return p.oneOf(
				func() (Clause, bool) { return p.whenBlock(p.clause, false) },
				p.each, p.call, p.check)
		})
	})
}

// clauseOrReference is clause, or the name of a rule. A name alone could begin any
// clause, so it comes last.
func (p *parser) clauseOrReference() (Clause, bool) {
	return p.oneOf(p.clause, p.reference)
}

// condition reads what may stand after when.
func (p *parser) condition() (Clause, bool) {
	return p.oneOf(p.check, p.call, p.reference)
}

// oneOf tries each construct in turn.
func (p *parser) oneOf(reads ...func() (Clause, bool)) (Clause, bool) {
	for _, read := range reads {
		if c, ok := try(p, read); ok || p.failed {
			return c, ok
		}
	}
	return nil, false
}

// not reads a negation: "not ", "NOT " or "!".
func (p *parser) not() bool {
	_, ok := try(p, func() (bool, bool) { return true, p.tag("not", "NOT") && p.blanks() > 0 })
	return ok || p.tag("!")
}

// check reads a comparison.
func (p *parser) check() (Clause, bool) {
	c, ok := remember(p, checkConstruct, p.freshCheck)
	return c, ok
}

// freshCheck reads a comparison. What must follow an operator is not optional: from
// there on nothing else can be meant.
func (p *parser) freshCheck() (*Check, bool) {
	c := &Check{At: p.here()}
	p.ws()
	c.Not = p.not()
	q, ok := p.query()
	if !ok {
		return nil, false
	}
	c.Query = *q
	p.ws()
	if c.Op, c.OpNot, ok = p.comparison(); !ok {
		return nil, false
	}
	if !c.Op.Unary() {
		if c.With, ok = p.operand(); !p.must(ok) {
			return nil, false
		}
	}
	p.ws()
	c.Message = p.message()
	return c, !p.failed
}

// comparison reads an operator. The mark of a message is not "less than".
func (p *parser) comparison() (op Op, not, ok bool) {
	if strings.HasPrefix(p.src[p.pos:], "<<") {
		return 0, false, p.want("a comparison (==, !=, <, in, exists, empty, is_string and the like)")
	}
	for _, o := range []struct {
		word string
		op   Op
		not  bool
	}{
		{"==", Equal, false}, {"!=", Equal, true}, {">=", GreaterEqual, false},
		{"<=", LessEqual, false}, {">", Greater, false}, {"<", Less, false},
	} {
		if p.tag(o.word) {
			return o.op, o.not, true
		}
	}
	start := p.pos
	not = p.not()
	for _, o := range wordOps {
		if p.tag(o.word, strings.ToUpper(o.word)) {
			return o.op, not, true
		}
	}
	p.pos = start
	return 0, false, p.want("a comparison (==, !=, <, in, exists, empty, is_string and the like)")
}

var wordOps = [...]struct {
	word string
	op   Op
}{
	{"in", In}, {"exists", Exists}, {"empty", Empty}, {"is_string", IsString}, {"is_list", IsList},
	{"is_struct", IsStruct}, {"is_bool", IsBool}, {"is_int", IsInt}, {"is_null", IsNull}, {"is_float", IsFloat},
}

// operand reads what is compared with, or assigned: a value, a function's result or
// what a query finds, in this order, as a query may look like a value.
func (p *parser) operand() (Operand, bool) {
	if v, ok := try(p, p.value); ok || p.failed {
		return &Literal{v}, ok
	}
	p.ws()
	if f, ok := try(p, p.function); ok || p.failed {
		return f, ok
	}
	q, ok := p.query()
	return q, ok
}

// message reads <<...>>, if it stands here.
func (p *parser) message() *string {
	start := p.pos
	if !p.tag("<<") {
		return nil
	}
	text, _, found := strings.Cut(p.src[p.pos:], ">>")
	if !found {
		p.pos = start
		p.giveUp("the message that begins here with << does not end with >>")
		return nil
	}
	p.pos += len(text) + len(">>")
	return &text
}

// reference reads the name of a rule, where it cannot be anything else: at the end
// of a line, before a block or an alternative, or with a message.
func (p *parser) reference() (Clause, bool) {
	r := &Reference{At: p.here(), Not: p.not()}
	var ok bool
	if r.Rule, ok = p.name(); !ok {
		return nil, false
	}
	if p.endsReference() {
		return r, true
	}
	p.blanks()
	start := p.pos
	if r.Message = p.message(); r.Message == nil {
		p.pos = start
		p.want("the end of the line")
		p.want("a message")
		p.giveUp("")
		return nil, false
	}
	return r, true
}

// endsReference looks ahead without taking anything.
func (p *parser) endsReference() bool {
	start := p.pos
	defer func() { p.pos = start }()
	if p.pos == len(p.src) || p.or() {
		return true
	}
	p.pos = start
	p.blanks()
	return p.tag("\n", "\r\n", "#", "{")
}

// call reads a rule with arguments.
func (p *parser) call() (Clause, bool) {
	c := &Call{Reference: Reference{At: p.here(), Not: p.not()}}
	var ok bool
	if c.Rule, c.Arguments, ok = p.invocation(); !ok {
		return nil, false
	}
	c.Message, _ = try(p, func() (*string, bool) {
		p.ws()
		m := p.message()
		return m, m != nil
	})
	return c, !p.failed
}

// invocation reads name(argument, argument).
func (p *parser) invocation() (name string, arguments []Operand, ok bool) {
	if name, ok = p.name(); !ok || !p.char('(') {
		return "", nil, false
	}
	arguments, ok = separated(p, func() bool { return p.char(',') }, p.argument)
	return name, arguments, ok && p.char(')')
}

func (p *parser) argument() (Operand, bool) {
	p.multispace()
	a, ok := nested(p, p.operand)
	p.multispace()
	return a, ok
}
