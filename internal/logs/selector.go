package logs

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// A condition is what a selector of a JSON pattern wants of a message:
//
//	{ $.level = "ERROR" && ($.code > 499 || $.path = "/api/*") }
type condition func(message any) bool

func (c condition) matchesJSON(message string) bool {
	var v any
	d := json.NewDecoder(strings.NewReader(message))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return false
	}
	if _, ok := v.(map[string]any); !ok {
		return false
	}
	return c(v)
}

// A selectorParser reads a selector from left to right.
type selectorParser struct {
	rest  string
	depth int
}

// maxDepth is how deep parentheses may go.
const maxDepth = 32

func parseSelector(text string) (condition, error) {
	if !strings.HasSuffix(text, "}") {
		return nil, fmt.Errorf("a brace is missing")
	}
	p := &selectorParser{rest: text[1 : len(text)-1]}
	c, err := p.either()
	if err == nil && p.skip() != "" {
		err = fmt.Errorf("%q is not understood", p.rest)
	}
	return c, err
}

func (p *selectorParser) skip() string {
	p.rest = strings.TrimLeft(p.rest, " \t\r\n")
	return p.rest
}

// take reads a word if it comes next.
func (p *selectorParser) take(word string) bool {
	if len(p.skip()) < len(word) || !strings.EqualFold(p.rest[:len(word)], word) {
		return false
	}
	p.rest = p.rest[len(word):]
	return true
}

func (p *selectorParser) either() (condition, error) {
	left, err := p.both()
	for err == nil && p.take("||") {
		var right condition
		a := left
		right, err = p.both()
		left = func(v any) bool { return a(v) || right(v) }
	}
	return left, err
}

func (p *selectorParser) both() (condition, error) {
	left, err := p.one()
	for err == nil && p.take("&&") {
		var right condition
		a := left
		right, err = p.one()
		left = func(v any) bool { return a(v) && right(v) }
	}
	return left, err
}

func (p *selectorParser) one() (condition, error) {
	if p.take("(") {
		if p.depth++; p.depth > maxDepth {
			return nil, fmt.Errorf("parentheses go deeper than %d", maxDepth)
		}
		c, err := p.either()
		if err == nil && !p.take(")") {
			err = fmt.Errorf("a parenthesis is missing")
		}
		p.depth--
		return c, err
	}
	path, err := p.path()
	if err != nil {
		return nil, err
	}
	switch {
	case p.take("NOT EXISTS"):
		return func(v any) bool { _, ok := path.in(v); return !ok }, nil
	case p.take("EXISTS"):
		return func(v any) bool { _, ok := path.in(v); return ok }, nil
	case p.take("IS NULL"):
		return func(v any) bool { found, ok := path.in(v); return ok && found == nil }, nil
	case p.take("IS TRUE"):
		return func(v any) bool { found, _ := path.in(v); return found == true }, nil
	case p.take("IS FALSE"):
		return func(v any) bool { found, _ := path.in(v); return found == false }, nil
	}
	return p.comparison(path)
}

// A path leads to a member: names and numbers of list entries.
type path []any

// path reads $.name.name[0] or $["name"].
func (p *selectorParser) path() (path, error) {
	if !p.take("$") {
		return nil, fmt.Errorf("a property selector begins with $, and this is %q", p.rest)
	}
	var out path
	for {
		switch {
		case strings.HasPrefix(p.rest, "."):
			end := strings.IndexAny(p.rest[1:], " \t\r\n.[]=!<>()&|")
			if end < 0 {
				end = len(p.rest) - 1
			}
			if end == 0 {
				return nil, fmt.Errorf("a name is missing after $")
			}
			out, p.rest = append(out, p.rest[1:1+end]), p.rest[1+end:]
		case strings.HasPrefix(p.rest, "["):
			inside, rest, ok := strings.Cut(p.rest[1:], "]")
			if !ok {
				return nil, fmt.Errorf("a bracket is missing")
			}
			if n, err := strconv.Atoi(inside); err == nil {
				out = append(out, n)
			} else {
				out = append(out, strings.Trim(inside, `"'`))
			}
			p.rest = rest
		default:
			if len(out) == 0 {
				return nil, fmt.Errorf("a property selector names a member: $.name")
			}
			return out, nil
		}
	}
}

func (p path) in(v any) (found any, ok bool) {
	for _, step := range p {
		switch step := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			if v, ok = m[step]; !ok {
				return nil, false
			}
		case int:
			list, _ := v.([]any)
			if step < 0 || step >= len(list) {
				return nil, false
			}
			v = list[step]
		}
	}
	return v, true
}

// comparison reads an operator and a value.
func (p *selectorParser) comparison(at path) (condition, error) {
	operator := ""
	for _, o := range []string{"!=", "<=", ">=", "=", "<", ">"} {
		if p.take(o) {
			operator = o
			break
		}
	}
	if operator == "" {
		return nil, fmt.Errorf("a comparison is missing before %q", p.rest)
	}
	if strings.HasPrefix(p.skip(), "%") && (operator == "=" || operator == "!=") {
		return p.expression(at, operator)
	}
	text, isText, err := p.value()
	if err != nil {
		return nil, err
	}
	if number, err := strconv.ParseFloat(text, 64); err == nil && !isText {
		return func(v any) bool { return compareNumber(at, v, operator, number) }, nil
	}
	if operator != "=" && operator != "!=" {
		return nil, fmt.Errorf("%s compares numbers, and %q is none", operator, text)
	}
	return func(v any) bool {
		found, ok := at.in(v)
		s, isString := found.(string)
		if n, isNumber := found.(json.Number); isNumber {
			s, isString = n.String(), true
		}
		equal := isString && matchStars(text, s)
		return ok && equal == (operator == "=")
	}, nil
}

// expression reads a regular expression and compares a text with it.
func (p *selectorParser) expression(at path, operator string) (condition, error) {
	end := strings.IndexByte(p.rest[1:], '%')
	if end < 0 {
		return nil, fmt.Errorf("a regular expression has no end")
	}
	matches, err := textMatcher(p.rest[:end+2])
	p.rest = p.rest[end+2:]
	return func(v any) bool {
		found, ok := at.in(v)
		s, isString := found.(string)
		return ok && (isString && matches(s)) == (operator == "=")
	}, err
}

// value reads a phrase in quotation marks, or a word.
func (p *selectorParser) value() (text string, isText bool, err error) {
	if strings.HasPrefix(p.skip(), `"`) {
		text, p.rest, err = quoted(p.rest)
		return text, true, err
	}
	end := strings.IndexAny(p.rest, " \t\r\n)&|")
	if end < 0 {
		end = len(p.rest)
	}
	if end == 0 {
		return "", false, fmt.Errorf("a value is missing")
	}
	text, p.rest = p.rest[:end], p.rest[end:]
	return text, false, nil
}

func compareNumber(at path, v any, operator string, number float64) bool {
	found, ok := at.in(v)
	n, isNumber := found.(json.Number)
	have, err := n.Float64()
	if !ok || !isNumber || err != nil {
		return ok && operator == "!="
	}
	switch operator {
	case "=":
		return have == number
	case "!=":
		return have != number
	case "<":
		return have < number
	case "<=":
		return have <= number
	case ">":
		return have > number
	}
	return have >= number
}

// matchStars compares a text with a pattern in which * stands for anything.
func matchStars(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == text
	}
	first, last := parts[0], parts[len(parts)-1]
	if len(text) < len(first)+len(last) || !strings.HasPrefix(text, first) || !strings.HasSuffix(text, last) {
		return false
	}
	text = text[len(first) : len(text)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(text, part)
		if i < 0 {
			return false
		}
		text = text[i+len(part):]
	}
	return true
}
