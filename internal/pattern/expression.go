package pattern

import (
	"strconv"
)

// expression reads an object among the conditions at a name: one operator with its
// argument.
func (p *parser) expression(l *leaf) error {
	t, err := p.next()
	if err != nil {
		return err
	}
	if t.kind != fieldName {
		return p.fail("Match expression name not found")
	}
	operator := t.text
	switch operator {
	case "prefix", "suffix":
		return p.affix(l, operator)
	case "exactly", "equals-ignore-case", "wildcard", "cidr":
		return p.text(l, operator)
	case "numeric":
		return p.numeric(l)
	case "anything-but":
		return p.anythingBut(l)
	case "exists":
		return p.exists(l)
	}
	return p.fail("Unrecognized match type " + operator)
}

const oneKey = "Only one key allowed in match expression"

// end wants the end of an object.
func (p *parser) end(otherwise string) error {
	t, err := p.next()
	if err == nil && t.kind != endObject {
		err = p.fail(otherwise)
	}
	return err
}

// text reads the argument of an operator that takes one string.
func (p *parser) text(l *leaf, operator string) error {
	t, err := p.next()
	if err != nil {
		return err
	}
	if t.kind != text {
		switch operator {
		case "cidr":
			operator = "prefix" // AWS's message says so
		case "exactly":
			operator = "exact"
		}
		return p.fail(operator + " match pattern must be a string")
	}
	s, err := p.read(t)
	if err != nil {
		return err
	}
	switch operator {
	case "exactly":
		l.exact[s] = true
	case "equals-ignore-case":
		l.others = append(l.others, equalFold(s))
	case "wildcard":
		parts, reason := wildcardOf(s)
		if reason != "" {
			return p.fail(reason)
		}
		l.others = append(l.others, parts)
	case "cidr":
		network, err := networkOf(s)
		if err != nil {
			return err
		}
		l.others = append(l.others, network)
	}
	return p.end(oneKey)
}

// affix reads the argument of prefix and suffix: a string, or
// {"equals-ignore-case": string}.
func (p *parser) affix(l *leaf, operator string) error {
	t, err := p.next()
	if err != nil {
		return err
	}
	fold := t.kind == beginObject
	if fold {
		if t, err = p.foldedAffix(operator); err != nil {
			return err
		}
	} else if t.kind != text {
		return p.fail(operator + " match pattern must be a string")
	}
	s, err := p.read(t)
	if err != nil {
		return err
	}
	if operator == "prefix" {
		l.others = append(l.others, prefix{s, fold})
	} else {
		l.others = append(l.others, suffix{s, fold})
	}
	if fold {
		if err := p.end(oneKey); err != nil {
			return err
		}
	}
	return p.end(oneKey)
}

func (p *parser) foldedAffix(operator string) (token, error) {
	t, err := p.next()
	if err != nil {
		return t, err
	}
	if t.kind != fieldName {
		return t, p.fail(title(operator) + " expression name not found")
	}
	if t.text != "equals-ignore-case" {
		return t, p.fail("Unsupported " + operator + " pattern: " + t.text)
	}
	if t, err = p.next(); err == nil && t.kind != text {
		err = p.fail("equals-ignore-case match pattern must be a string")
	}
	return t, err
}

func title(s string) string { return string(s[0]-'a'+'A') + s[1:] }

func (p *parser) exists(l *leaf) error {
	t, err := p.next()
	if err != nil {
		return err
	}
	want, err := strconv.ParseBool(t.text)
	if t.kind != literal || err != nil {
		return p.fail("exists match pattern must be either true or false.")
	}
	if want {
		l.others = append(l.others, anything{})
	} else {
		l.absent = true
	}
	return p.end(oneKey)
}

const tooMany = "Too many elements in numeric expression"

// numeric reads ["=", 5], [">", 0], and [">", 0, "<=", 5].
func (p *parser) numeric(l *leaf) error {
	t, err := p.next()
	if err != nil {
		return err
	}
	if t.kind != beginArray {
		return p.fail("Value of numeric must be an array.")
	}
	r, err := p.bounds()
	if err != nil {
		return err
	}
	l.others = append(l.others, r)
	return p.end(tooMany)
}

func (p *parser) bounds() (span, error) {
	all := span{low: -limit, high: limit}
	t, err := p.next()
	if err != nil {
		return all, err
	}
	operator, err := p.read(t)
	switch {
	case err != nil:
		return all, err
	case t.kind != text:
		return all, p.fail("Invalid member in numeric match: " + operator)
	}
	called := operator
	switch operator {
	case "=":
		called = "equals"
	case "<", "<=", ">", ">=":
	default:
		if _, err := p.next(); err != nil {
			return all, err
		}
		return all, p.fail("Unrecognized numeric range operator: " + operator)
	}
	n, err := p.bound(called)
	if err != nil {
		return all, err
	}
	switch operator {
	case "=":
		all.low, all.high = n, n
	case "<", "<=":
		all.high, all.openHigh = n, operator == "<"
	default:
		all.low, all.openLow = n, operator == ">"
		return p.second(all)
	}
	t, err = p.next()
	if err == nil && t.kind != endArray {
		err = p.fail(tooMany)
	}
	return all, err
}

// second reads the upper bound that may follow a lower one.
func (p *parser) second(r span) (span, error) {
	t, err := p.next()
	if err != nil || t.kind == endArray {
		return r, err
	}
	operator, err := p.read(t)
	switch {
	case err != nil:
		return r, err
	case t.kind != text:
		return r, p.fail("Bad value in numeric range: " + operator)
	case operator != "<" && operator != "<=":
		return r, p.fail("Bad numeric range operator: " + operator)
	}
	if r.high, err = p.bound(operator); err != nil {
		return r, err
	}
	r.openHigh = operator == "<"
	if t, err = p.next(); err != nil {
		return r, err
	}
	if t.kind != endArray {
		return r, p.fail("Too many terms in numeric range expression")
	}
	if r.low >= r.high {
		return r, p.fail("Bottom must be less than top")
	}
	return r, nil
}

func (p *parser) bound(operator string) (float64, error) {
	t, err := p.next()
	if err != nil {
		return 0, err
	}
	if t.kind != number {
		return 0, p.fail("Value of " + operator + " must be numeric")
	}
	n := numberOf(t.text)
	if !n.comparable {
		return 0, p.fail(outOfRange)
	}
	return n.value, nil
}
