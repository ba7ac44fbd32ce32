package velocity

import (
	"fmt"
	"strconv"
	"strings"
)

// reference reads $a.b; nil if it is none, and then nothing is read.
func (p *parser) reference() (*reference, error) {
	from := p.at
	if p.peek() != '$' {
		return nil, nil
	}
	p.at++
	r := &reference{}
	if p.peek() == '!' {
		r.quiet = true
		p.at++
	}
	braced := p.peek() == '{'
	if braced {
		p.at++
	}
	if r.name = p.name(); r.name == "" {
		p.at = from
		return nil, nil
	}
	if err := p.steps(r); err != nil {
		return nil, err
	}
	if braced {
		if p.peek() != '}' {
			return nil, p.fail("%s has no }", p.source[from:p.at])
		}
		p.at++
	}
	r.source = p.source[from:p.at]
	return r, nil
}

func (p *parser) steps(r *reference) error {
	for {
		switch p.peek() {
		case '.':
			from := p.at
			p.at++
			s := step{name: p.name()}
			if s.name == "" { // the end of a sentence
				p.at = from
				return nil
			}
			if p.peek() == '(' {
				p.at++
				args, err := p.items(")")
				if err != nil {
					return err
				}
				s.call, s.args = true, args
			}
			r.steps = append(r.steps, s)
		case '[':
			p.at++
			e, err := p.expression()
			if err != nil {
				return err
			}
			if err := p.expect("]"); err != nil {
				return err
			}
			r.steps = append(r.steps, step{index: e})
		default:
			return nil
		}
	}
}

// items reads expressions between commas until an end.
func (p *parser) items(end string) (out []expression, err error) {
	p.space()
	if strings.HasPrefix(p.rest(), end) {
		p.at += len(end)
		return nil, nil
	}
	for {
		e, err := p.expression()
		if err != nil {
			return nil, err
		}
		out = append(out, e)
		p.space()
		if p.peek() == ',' {
			p.at++
			continue
		}
		return out, p.expect(end)
	}
}

// levels are the operators, the loosest first, each with the words that mean the same.
var levels = [][]string{
	{"||", "or"}, {"&&", "and"}, {"==", "!=", "eq", "ne"}, {"<=", ">=", "<", ">", "le", "ge", "lt", "gt"}, {"+", "-"}, {"*", "/", "%"},
}

var words = map[string]string{"or": "||", "and": "&&", "eq": "==", "ne": "!=", "le": "<=", "ge": ">=", "lt": "<", "gt": ">"}

func (p *parser) expression() (expression, error) {
	if err := p.deeper(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	return p.level(0)
}

func (p *parser) operator(level int) string {
	p.space()
	rest := p.rest()
	for _, op := range levels[level] {
		if !strings.HasPrefix(rest, op) {
			continue
		}
		if w, isWord := words[op]; isWord {
			if len(rest) > len(op) && isName(rest[len(op)]) {
				continue
			}
			p.at += len(op)
			return w
		}
		p.at += len(op)
		return op
	}
	return ""
}

func (p *parser) level(n int) (expression, error) {
	if n == len(levels) {
		return p.unary()
	}
	left, err := p.level(n + 1)
	for err == nil {
		op := p.operator(n)
		if op == "" {
			return left, nil
		}
		var right expression
		right, err = p.level(n + 1)
		left = binary{op, left, right}
	}
	return nil, err
}

func (p *parser) unary() (expression, error) {
	if err := p.deeper(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	p.space()
	rest := p.rest()
	switch {
	case strings.HasPrefix(rest, "!"):
		p.at++
		of, err := p.unary()
		return unary{"!", of}, err
	case strings.HasPrefix(rest, "not") && len(rest) > 3 && !isName(rest[3]):
		p.at += 3
		of, err := p.unary()
		return unary{"!", of}, err
	case strings.HasPrefix(rest, "-") && len(rest) > 1 && (rest[1] == '$' || rest[1] == '('):
		p.at++
		of, err := p.unary()
		return unary{"-", of}, err
	}
	return p.primary()
}

func (p *parser) primary() (expression, error) {
	switch c := p.peek(); {
	case c == '(':
		p.at++
		e, err := p.expression()
		if err != nil {
			return nil, err
		}
		return e, p.expect(")")
	case c == '$':
		r, err := p.reference()
		if err == nil && r == nil {
			err = p.fail("a variable is expected")
		}
		return r, err
	case c == '\'', c == '"':
		return p.quoted(c)
	case c == '[':
		return p.list()
	case c == '{':
		return p.dictionary()
	case c == '-' || c >= '0' && c <= '9':
		return p.number()
	}
	from := p.at
	switch word := p.name(); word {
	case "true":
		return literal{true}, nil
	case "false":
		return literal{false}, nil
	case "null":
		return literal{nil}, nil
	}
	p.at = from
	return nil, p.fail("an expression is expected")
}

func (p *parser) number() (expression, error) {
	from := p.at
	if p.peek() == '-' {
		p.at++
	}
	digits := func() {
		for p.at < len(p.source) && p.source[p.at] >= '0' && p.source[p.at] <= '9' {
			p.at++
		}
	}
	digits()
	if strings.HasPrefix(p.rest(), ".") && !strings.HasPrefix(p.rest(), "..") {
		p.at++
		digits()
		f, err := strconv.ParseFloat(p.source[from:p.at], 64)
		if err != nil {
			return nil, p.fail("%s is no number", p.source[from:p.at])
		}
		return literal{f}, nil
	}
	n, err := strconv.ParseInt(p.source[from:p.at], 10, 64)
	if err != nil {
		return nil, p.fail("%s is no number", p.source[from:p.at])
	}
	return literal{n}, nil
}

// quoted reads a text: as it is between ' and ', a template between " and ". A quote
// that is written twice is one.
func (p *parser) quoted(quote byte) (expression, error) {
	p.at++
	var b strings.Builder
	for {
		i := strings.IndexByte(p.rest(), quote)
		if i < 0 {
			return nil, p.fail("the text has no end")
		}
		b.WriteString(p.source[p.at : p.at+i])
		p.at += i + 1
		if p.peek() != quote {
			break
		}
		b.WriteByte(quote)
		p.at++
	}
	if quote == '\'' || !strings.ContainsAny(b.String(), "$#") {
		return literal{b.String()}, nil
	}
	inner := &parser{source: b.String(), depth: p.depth}
	nodes, end, err := inner.nodes()
	if err == nil && end != "" {
		err = fmt.Errorf("#%s without a beginning", end)
	}
	if err != nil {
		return nil, p.fail("in a text: %v", err)
	}
	return interpolated{nodes}, nil
}

func (p *parser) list() (expression, error) {
	p.at++
	p.space()
	if p.peek() == ']' {
		p.at++
		return list{}, nil
	}
	first, err := p.expression()
	if err != nil {
		return nil, err
	}
	p.space()
	if strings.HasPrefix(p.rest(), "..") {
		p.at += 2
		to, err := p.expression()
		if err != nil {
			return nil, err
		}
		return span{first, to}, p.expect("]")
	}
	items := []expression{first}
	if p.peek() == ',' {
		p.at++
		more, err := p.items("]")
		return list{append(items, more...)}, err
	}
	return list{items}, p.expect("]")
}

func (p *parser) dictionary() (expression, error) {
	p.at++
	var out dictionary
	p.space()
	if p.peek() == '}' {
		p.at++
		return out, nil
	}
	for {
		key, err := p.expression()
		if err != nil {
			return nil, err
		}
		if err := p.expect(":"); err != nil {
			return nil, err
		}
		value, err := p.expression()
		if err != nil {
			return nil, err
		}
		out.keys, out.values = append(out.keys, key), append(out.values, value)
		p.space()
		if p.peek() == ',' {
			p.at++
			continue
		}
		return out, p.expect("}")
	}
}
