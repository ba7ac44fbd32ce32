package query

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// A Literal is a value in an expression, as whatever it can be compared with: '80'
// is a text, and matches the number 80 too.
type Literal struct {
	Text   string
	Quoted bool // sorts among texts; an unquoted number does not
	Number *Number
	Bool   *bool
	Range  *Range // of IP addresses
}

func quotedLiteral(s string) Literal {
	l := Literal{Text: s, Quoted: true}
	if n, ok := parseNumber(s); ok {
		l.Number = &n
	}
	if s == "true" || s == "false" {
		l.Bool = new(s == "true")
	}
	if r, ok := ParseRange(s); ok {
		l.Range = &r
	}
	return l
}

func numberLiteral(s string) Literal {
	n, _ := parseNumber(s) // the lexer did it before
	return Literal{Text: s, Number: &n}
}

func boolLiteral(b bool) Literal { return Literal{Text: strconv.FormatBool(b), Bool: &b} }

// Ranges returns the ranges of IP addresses that a predicate compares with; none
// if it compares otherwise. Values of the property that are no ranges themselves
// are compared as texts all the same.
func (p *Predicate) Ranges() []Range {
	if p.Op == Like || !p.Property.comparesRanges() {
		return nil
	}
	var out []Range
	for _, l := range p.Values {
		if l.Range != nil {
			out = append(out, *l.Range)
		}
	}
	if p.Op == Between && (len(out) != 2 || !out[0].sameFamily(out[1])) {
		return nil
	}
	return out
}

// Holds reports whether the operator holds for a value.
func (p *Predicate) Holds(v Value) bool {
	if v.Kind == Text {
		if ranges := p.Ranges(); len(ranges) > 0 {
			if r, ok := ParseRange(v.Text); ok {
				return p.holdsForRange(r)
			}
		}
	}
	switch p.Op {
	case Like:
		return v.Kind == Text && p.Pattern.Matches(v.Text)
	case Equal, In:
		for _, l := range p.Values {
			if l.equals(v) {
				return true
			}
		}
		return false
	case Between:
		low, ok := p.Values[0].order(v)
		high, both := p.Values[1].order(v)
		return ok && both && low >= 0 && high <= 0
	}
	c, ok := p.Values[0].order(v)
	return ok && p.Op.holds(c)
}

// holds reports whether an operator of order holds for the result of a comparison.
func (op Op) holds(c int) bool {
	switch op {
	case Less:
		return c < 0
	case LessEqual:
		return c <= 0
	case Greater:
		return c > 0
	case GreaterEqual:
		return c >= 0
	}
	return c == 0
}

func (l Literal) equals(v Value) bool {
	switch v.Kind {
	case Text:
		return v.Text == l.Text
	case Numeric:
		return l.Number != nil && v.Number.Compare(*l.Number) == 0
	}
	return l.Bool != nil && v.Bool == *l.Bool
}

// order compares a value with the literal; ok is false if they have no order.
func (l Literal) order(v Value) (c int, ok bool) {
	switch {
	case v.Kind == Text && l.Quoted:
		return strings.Compare(v.Text, l.Text), true
	case v.Kind == Numeric && l.Number != nil:
		return v.Number.Compare(*l.Number), true
	}
	return 0, false
}

// A Pattern is what LIKE compares with: a text, in which _ stands for any one
// character and a % at the end for any others.
type Pattern struct {
	Text string // with every _, without the %
	Open bool   // it ended with %
}

// minLiteral is how many characters stand before the first wildcard.
const minLiteral = 3

// patternOf returns the pattern of a text, or why it is none.
func patternOf(s string) (p Pattern, why string) {
	p.Text, p.Open = strings.CutSuffix(s, "%")
	if strings.Contains(p.Text, "%") {
		return p, "% may only end the value of LIKE"
	}
	if first := strings.IndexByte(s, '_'); first >= 0 && utf8.RuneCountInString(s[:first]) < minLiteral ||
		first < 0 && p.Open && utf8.RuneCountInString(p.Text) < minLiteral {
		return p, "a wildcard needs " + strconv.Itoa(minLiteral) + " characters before it"
	}
	return p, ""
}

// Matches reports whether a text has the form.
func (p Pattern) Matches(s string) bool {
	for _, want := range p.Text {
		r, size := utf8.DecodeRuneInString(s)
		if size == 0 || want != '_' && r != want {
			return false
		}
		s = s[size:]
	}
	return p.Open || s == ""
}
