package velocity

import (
	"fmt"
	"strings"
)

// The bounds of a template.
const (
	maxTemplate = 300 << 10
	maxDepth    = 100
)

// Parse reads a template.
func Parse(source string) (*Template, error) {
	if len(source) > maxTemplate {
		return nil, fmt.Errorf("the template is longer than %d bytes", maxTemplate)
	}
	p := &parser{source: source}
	nodes, end, err := p.nodes()
	if err == nil && end != "" {
		err = p.fail("#%s without a beginning", end)
	}
	if err != nil {
		return nil, err
	}
	return &Template{nodes}, nil
}

type parser struct {
	source string
	at     int
	depth  int
}

func (p *parser) fail(format string, args ...any) error {
	line := 1 + strings.Count(p.source[:min(p.at, len(p.source))], "\n")
	return fmt.Errorf("line %d: %s", line, fmt.Sprintf(format, args...))
}

func (p *parser) deeper() error {
	if p.depth++; p.depth > maxDepth {
		return p.fail("nested more than %d deep", maxDepth)
	}
	return nil
}

func (p *parser) rest() string { return p.source[p.at:] }

func (p *parser) peek() byte {
	if p.at < len(p.source) {
		return p.source[p.at]
	}
	return 0
}

// nodes reads until the template ends or a directive ends the block, whose name it
// returns.
func (p *parser) nodes() (out []node, end string, err error) {
	if err := p.deeper(); err != nil {
		return nil, "", err
	}
	defer func() { p.depth-- }()
	var b strings.Builder
	flush := func() {
		if b.Len() > 0 {
			out = append(out, text(b.String()))
			b.Reset()
		}
	}
	for p.at < len(p.source) {
		rest := p.rest()
		switch {
		case strings.HasPrefix(rest, `\$`), strings.HasPrefix(rest, `\#`):
			b.WriteByte(rest[1])
			p.at += 2
		case strings.HasPrefix(rest, "##"):
			if i := strings.IndexByte(rest, '\n'); i >= 0 {
				p.at += i + 1
			} else {
				p.at = len(p.source)
			}
		case strings.HasPrefix(rest, "#*"):
			i := strings.Index(rest, "*#")
			if i < 0 {
				return nil, "", p.fail("the comment has no end")
			}
			p.at += i + 2
		case rest[0] == '#':
			name, length := directive(rest)
			if name == "" {
				b.WriteByte('#')
				p.at++
				continue
			}
			flush()
			p.at += length
			if name == "end" || name == "else" || name == "elseif" {
				return out, name, nil
			}
			n, err := p.directive(name)
			if err != nil {
				return nil, "", err
			}
			out = append(out, n)
		case rest[0] == '$':
			r, err := p.reference()
			if err != nil {
				return nil, "", err
			}
			if r == nil {
				b.WriteByte('$')
				p.at++
				continue
			}
			flush()
			out = append(out, r)
		default:
			i := strings.IndexAny(rest[1:], `$#\`)
			if i < 0 {
				i = len(rest) - 1
			}
			b.WriteString(rest[:i+1])
			p.at += i + 1
		}
	}
	flush()
	return out, "", nil
}

// directives are those that there are, the longer before the ones that they begin with.
var directives = []string{"set", "if", "elseif", "else", "end", "foreach", "break"}

// refused are those that Velocity has besides.
var refused = []string{"macro", "include", "parse", "evaluate", "define", "stop"}

// directive returns the name that a text begins with, and its length: #if or #{if}.
func directive(rest string) (string, int) {
	braced := strings.HasPrefix(rest, "#{")
	word, from := "", 1
	if braced {
		from = 2
	}
	for from+len(word) < len(rest) && isLetter(rest[from+len(word)]) {
		word = rest[from : from+len(word)+1]
	}
	length := from + len(word)
	if braced {
		if length >= len(rest) || rest[length] != '}' {
			return "", 0
		}
		length++
	}
	for _, d := range append(directives, refused...) {
		if d == word {
			return d, length
		}
	}
	for _, d := range []string{"elseif", "else", "end"} { // #endtext ends, as Velocity has it
		if !braced && strings.HasPrefix(word, d) {
			return d, 1 + len(d)
		}
	}
	return "", 0
}

func (p *parser) directive(name string) (node, error) {
	switch name {
	case "set":
		return p.set()
	case "if":
		return p.branch()
	case "foreach":
		return p.loop()
	case "break":
		return exit{}, nil
	}
	return nil, p.fail("#%s is not supported", name)
}

func (p *parser) expect(s string) error {
	p.space()
	if !strings.HasPrefix(p.rest(), s) {
		return p.fail("%q is expected", s)
	}
	p.at += len(s)
	return nil
}

func (p *parser) space() {
	for p.at < len(p.source) && strings.IndexByte(" \t\r\n", p.source[p.at]) >= 0 {
		p.at++
	}
}

// lineEnd takes the rest of a line of which a directive is the last.
func (p *parser) lineEnd() {
	i := p.at
	for i < len(p.source) && (p.source[i] == ' ' || p.source[i] == '\t') {
		i++
	}
	if strings.HasPrefix(p.source[i:], "\r\n") {
		p.at = i + 2
	} else if i < len(p.source) && p.source[i] == '\n' {
		p.at = i + 1
	}
}

func (p *parser) set() (node, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	p.space()
	target, err := p.reference()
	if err != nil {
		return nil, err
	}
	if target == nil {
		return nil, p.fail("#set needs a variable")
	}
	if err := p.expect("="); err != nil {
		return nil, err
	}
	value, err := p.expression()
	if err != nil {
		return nil, err
	}
	if err := p.expect(")"); err != nil {
		return nil, err
	}
	p.lineEnd()
	return set{target, value}, nil
}

func (p *parser) condition() (expression, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	e, err := p.expression()
	if err != nil {
		return nil, err
	}
	if err := p.expect(")"); err != nil {
		return nil, err
	}
	p.lineEnd()
	return e, nil
}

func (p *parser) branch() (node, error) {
	var out branch
	for word := "if"; word != "end"; {
		switch word {
		case "if", "elseif":
			if len(out.bodies) > len(out.conditions) {
				return nil, p.fail("#elseif after #else")
			}
			c, err := p.condition()
			if err != nil {
				return nil, err
			}
			out.conditions = append(out.conditions, c)
		case "else":
			if len(out.bodies) > len(out.conditions) {
				return nil, p.fail("a second #else")
			}
			p.lineEnd()
		default:
			return nil, p.fail("#if has no #end")
		}
		body, next, err := p.nodes()
		if err != nil {
			return nil, err
		}
		out.bodies, word = append(out.bodies, body), next
	}
	p.lineEnd()
	return out, nil
}

func (p *parser) loop() (node, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	p.space()
	r, err := p.reference()
	if err != nil {
		return nil, err
	}
	if r == nil || len(r.steps) > 0 {
		return nil, p.fail("#foreach needs a variable")
	}
	if err := p.expect("in"); err != nil {
		return nil, err
	}
	over, err := p.expression()
	if err != nil {
		return nil, err
	}
	if err := p.expect(")"); err != nil {
		return nil, err
	}
	p.lineEnd()
	body, end, err := p.nodes()
	if err != nil {
		return nil, err
	}
	if end != "end" {
		return nil, p.fail("#foreach has no #end")
	}
	p.lineEnd()
	return loop{r.name, over, body}, nil
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func isName(c byte) bool { return isLetter(c) || c >= '0' && c <= '9' || c == '_' || c == '-' }

func (p *parser) name() string {
	from := p.at
	if p.at < len(p.source) && (isLetter(p.source[p.at]) || p.source[p.at] == '_') {
		for p.at < len(p.source) && isName(p.source[p.at]) {
			p.at++
		}
	}
	return p.source[from:p.at]
}
