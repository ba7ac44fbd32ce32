package sql

import (
	"errors"
	"fmt"
	"strings"
)

// maxDepth bounds how deeply expressions are nested.
const maxDepth = 64

var errTooDeep = errors.New("the expression is nested too deeply")

// A Query is a rule's statement, parsed. It is safe for concurrent use.
type Query struct {
	// Filter is the topic filter after FROM; empty for a rule that is reached by its
	// own topic $aws/rules/NAME only.
	Filter string
	all    bool // SELECT *
	items  []item
	where  node // nil for every message
}

// An item is a column of SELECT.
type item struct {
	as    string
	value node
}

type parser struct {
	source string
	tokens []token
	at     int
	depth  int
}

// Parse reads a statement.
func Parse(source string) (*Query, error) {
	p, err := newParser(source)
	if err != nil {
		return nil, err
	}
	q := &Query{}
	if err := p.want("SELECT"); err != nil {
		return nil, err
	}
	if err := p.columns(q); err != nil {
		return nil, err
	}
	if p.take("FROM") {
		if p.peek().kind != text {
			return nil, fmt.Errorf("expected a topic filter between quotes, found %s", p.peek())
		}
		q.Filter = p.next().text
		if err := CheckFilter(q.Filter); err != nil {
			return nil, err
		}
	}
	if p.take("WHERE") {
		if q.where, err = p.expression(); err != nil {
			return nil, err
		}
	}
	return q, p.ended()
}

func newParser(source string) (*parser, error) {
	tokens, err := lex(source)
	return &parser{source: source, tokens: tokens}, err
}

func (p *parser) peek() token { return p.tokens[p.at] }

func (p *parser) next() token {
	t := p.tokens[p.at]
	if t.kind != end {
		p.at++
	}
	return t
}

func (p *parser) take(word string) bool {
	if p.peek().is(word) {
		p.at++
		return true
	}
	return false
}

func (p *parser) want(word string) error {
	if !p.take(word) {
		return fmt.Errorf("expected %s, found %s", word, p.peek())
	}
	return nil
}

func (p *parser) ended() error {
	if t := p.peek(); t.kind != end {
		return fmt.Errorf("unexpected %s", t)
	}
	return nil
}

// columns reads what is selected.
func (p *parser) columns(q *Query) error {
	for {
		if p.take("*") {
			q.all = true
		} else if err := p.column(q); err != nil {
			return err
		}
		if !p.take(",") {
			return nil
		}
	}
}

func (p *parser) column(q *Query) error {
	begin := p.peek().at
	value, err := p.expression()
	if err != nil {
		return err
	}
	i := item{strings.TrimSpace(p.source[begin:p.peek().at]), value}
	if path, ok := value.(path); ok {
		i.as = path.last(i.as)
	}
	if p.take("AS") {
		t := p.next()
		if t.kind != name && t.kind != text {
			return fmt.Errorf("expected a name after AS, found %s", t)
		}
		i.as = t.text
	}
	q.items = append(q.items, i)
	return nil
}

// levels are the binary operators, those that bind least first.
var levels = [][]string{{"OR"}, {"AND"}, {"=", "<>", "!=", "<", "<=", ">", ">=", "IN"}, {"+", "-"}, {"*", "/", "%"}}

func (p *parser) expression() (node, error) { return p.binary(0) }

func (p *parser) binary(level int) (node, error) {
	if level == len(levels) {
		return p.unary()
	}
	if p.depth++; p.depth > maxDepth*len(levels) {
		return nil, errTooDeep
	}
	defer func() { p.depth-- }()
	if level == 2 && p.take("NOT") { // it binds less than comparisons
		value, err := p.binary(level)
		return not{value}, err
	}
	left, err := p.binary(level + 1)
	for err == nil {
		operator := ""
		for _, o := range levels[level] {
			if p.take(o) {
				operator = o
				break
			}
		}
		if operator == "" {
			return left, nil
		}
		var right node
		right, err = p.binary(level + 1)
		left = operation{operator, left, right}
	}
	return nil, err
}

func (p *parser) unary() (node, error) {
	if p.take("-") {
		if p.depth++; p.depth > maxDepth*len(levels) {
			return nil, errTooDeep
		}
		defer func() { p.depth-- }()
		value, err := p.unary()
		return operation{"-", literal{intNumber(0)}, value}, err
	}
	value, err := p.primary()
	for err == nil {
		switch {
		case p.take("."):
			t := p.next()
			if t.kind != name && t.kind != text {
				return nil, fmt.Errorf("expected a name after the dot, found %s", t)
			}
			value = path{value, t.text, nil}
		case p.take("["):
			var index node
			if index, err = p.expression(); err == nil {
				value, err = path{value, "", index}, p.want("]")
			}
		default:
			return value, nil
		}
	}
	return nil, err
}

func (p *parser) primary() (node, error) {
	switch t := p.peek(); {
	case t.kind == number:
		p.next()
		return literal{parseNumber(t.text)}, nil
	case t.kind == text:
		p.next()
		return literal{t.text}, nil
	case p.take("("):
		if p.peek().is("SELECT") {
			return nil, errors.New("nested queries are not served")
		}
		value, err := p.expression()
		if err == nil {
			err = p.want(")")
		}
		return value, err
	case p.take("["):
		list, err := p.list("]")
		return array{list}, err
	case p.take("{"):
		return p.object()
	case p.take("*"):
		return path{}, nil // the whole message, as in encode(*, 'base64')
	case t.is("CASE"):
		return p.choice()
	case t.kind == name:
		return p.named()
	default:
		return nil, fmt.Errorf("unexpected %s", t)
	}
}

// list reads expressions up to a closing symbol.
func (p *parser) list(closing string) (out []node, err error) {
	if p.take(closing) {
		return nil, nil
	}
	for {
		value, err := p.expression()
		if err != nil {
			return nil, err
		}
		out = append(out, value)
		if !p.take(",") {
			return out, p.want(closing)
		}
	}
}

func (p *parser) object() (node, error) {
	o := object{}
	for !p.take("}") {
		t := p.next()
		if t.kind != text && t.kind != name {
			return nil, fmt.Errorf("expected a key, found %s", t)
		}
		if err := p.want(":"); err != nil {
			return nil, err
		}
		value, err := p.expression()
		if err != nil {
			return nil, err
		}
		o.members = append(o.members, item{t.text, value})
		if !p.take(",") && !p.peek().is("}") {
			return nil, fmt.Errorf("expected }, found %s", p.peek())
		}
	}
	return o, nil
}

// choice reads CASE value WHEN a THEN b ... ELSE c END.
func (p *parser) choice() (node, error) {
	p.next()
	c := choice{otherwise: literal{undefined{}}}
	var err error
	if c.value, err = p.expression(); err != nil {
		return nil, err
	}
	for p.take("WHEN") {
		var when, then node
		if when, err = p.expression(); err == nil {
			if err = p.want("THEN"); err == nil {
				then, err = p.expression()
			}
		}
		if err != nil {
			return nil, err
		}
		c.whens, c.thens = append(c.whens, when), append(c.thens, then)
	}
	if p.take("ELSE") {
		if c.otherwise, err = p.expression(); err != nil {
			return nil, err
		}
	}
	return c, p.want("END")
}

// reserved are the words that are no names of members.
var reserved = []string{"SELECT", "FROM", "WHERE", "AS", "AND", "OR", "NOT", "IN", "WHEN", "THEN", "ELSE", "END"}

// named reads a constant, a call, or the beginning of a path.
func (p *parser) named() (node, error) {
	t := p.next()
	for _, w := range reserved {
		if t.is(w) {
			return nil, fmt.Errorf("unexpected %s", t)
		}
	}
	switch {
	case t.is("true"):
		return literal{true}, nil
	case t.is("false"):
		return literal{false}, nil
	case t.is("null"):
		return literal{nil}, nil
	case t.is("undefined"):
		return literal{undefined{}}, nil
	case !p.take("("):
		return path{path{}, t.text, nil}, nil
	}
	if t.is("cast") {
		return p.cast()
	}
	f, ok := functions[strings.ToLower(t.text)]
	if !ok {
		return nil, fmt.Errorf("the function %s is not known here", t.text)
	}
	arguments, err := p.list(")")
	if err != nil {
		return nil, err
	}
	if n := len(arguments); n < f.min || n > f.max {
		return nil, fmt.Errorf("the function %s does not take %d arguments", t.text, n)
	}
	return call{f, arguments}, nil
}

// cast reads the rest of cast(value AS Type).
func (p *parser) cast() (node, error) {
	value, err := p.expression()
	if err == nil {
		err = p.want("AS")
	}
	if err != nil {
		return nil, err
	}
	t := p.next()
	to, ok := casts[strings.ToLower(t.text)]
	if !ok {
		return nil, fmt.Errorf("expected String, Int, Decimal or Boolean, found %s", t)
	}
	return cast{value, to}, p.want(")")
}
