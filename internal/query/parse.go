package query

import (
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	// MaxLength is how many characters an expression may have.
	MaxLength = 4096
	// maxDepth is how deep parentheses and NOT may be nested.
	maxDepth = 100
)

// Parse reads and checks an expression. An error is an *Error.
func Parse(text string) (*Query, error) { return parse(text, false) }

// ParseExtended is Parse of an expression that may have what AWS's have not: JOIN,
// AS, DISTINCT, HAVING and AS OF.
func ParseExtended(text string) (*Query, error) { return parse(text, true) }

func parse(text string, extended bool) (*Query, error) {
	p := &parser{lexer: lexer{text: text}, extended: extended}
	if utf8.RuneCountInString(text) > MaxLength {
		return nil, p.errorAt(0, "the expression has more than %d characters", MaxLength)
	}
	q, err := p.query()
	if err != nil {
		return nil, err
	}
	return q, nil
}

// A parser holds the token that is read next.
type parser struct {
	lexer
	token
	depth    int
	extended bool
	distinct bool
	groups   *Query    // whose HAVING is read; nil elsewhere
	mentions []mention // of joins
}

func (p *parser) advance() (err error) {
	p.token, err = p.lexer.token()
	return err
}

// wrong is the error of a token that should have been something else.
func (p *parser) wrong(want string) error {
	if p.kind == word && slices.Contains(unsupported, strings.ToUpper(p.token.text)) {
		return p.errorAt(p.at, "%s is not supported", strings.ToUpper(p.token.text))
	}
	return p.errorAt(p.at, "expected %s, found %s", want, p.token)
}

// unsupported are words of SQL that the language does not have.
var unsupported = []string{
	"ALL", "AS", "CASE", "DISTINCT", "EXISTS", "FROM", "HAVING", "IS", "JOIN", "LIMIT", "NULL", "OFFSET", "UNION", "WITH",
}

// reserved are the words that are no properties.
var reserved = []string{
	"SELECT", "WHERE", "GROUP", "ORDER", "BY", "AND", "OR", "NOT", "IN", "BETWEEN", "LIKE", "ASC", "DESC", "TRUE", "FALSE",
}

// accept moves past a keyword or symbol if it is next.
func (p *parser) accept(text string) (bool, error) {
	if !p.is(text) {
		return false, nil
	}
	return true, p.advance()
}

func (p *parser) expect(text string) error {
	ok, err := p.accept(text)
	if err == nil && !ok {
		err = p.wrong(text)
	}
	return err
}

func (p *parser) query() (q *Query, err error) {
	q = &Query{}
	if err := p.advance(); err != nil {
		return nil, err
	}
	if err := p.expect("SELECT"); err != nil {
		return nil, err
	}
	if p.extended {
		if p.distinct, err = p.accept("DISTINCT"); err != nil {
			return nil, err
		}
	}
	if err := p.commas(func() error { return p.item(q) }); err != nil {
		return nil, err
	}
	for _, clause := range []func(*Query) error{p.from, p.joins, p.where, p.groupBy, p.having, p.orderBy, p.asOf} {
		if err := clause(q); err != nil {
			return nil, err
		}
	}
	if p.kind != end {
		return nil, p.wrong("the end")
	}
	return q, p.checkJoined(q)
}

// commas reads one or more of something with commas between them.
func (p *parser) commas(one func() error) error {
	for {
		if err := one(); err != nil {
			return err
		}
		if more, err := p.accept(","); err != nil || !more {
			return err
		}
	}
}

func (p *parser) item(q *Query) error {
	if star, err := p.accept("*"); err != nil || star {
		q.Items = append(q.Items, Item{Star: true})
		return err
	}
	prop, agg, err := p.propertyOrAggregate("a property, an aggregate or *")
	if err != nil {
		return err
	}
	alias, err := p.alias(q)
	q.Items = append(q.Items, Item{Property: prop, Aggregate: agg, Alias: alias})
	return err
}

func (p *parser) where(q *Query) error {
	ok, err := p.accept("WHERE")
	if err != nil || !ok {
		return err
	}
	q.Where, err = p.or()
	return err
}

func (p *parser) or() (Condition, error) {
	all, err := p.joined("OR", func() (Condition, error) { return p.and() })
	if err != nil || len(all) == 1 {
		return first(all), err
	}
	return Or(all), nil
}

func (p *parser) and() (Condition, error) {
	all, err := p.joined("AND", func() (Condition, error) { return p.not() })
	if err != nil || len(all) == 1 {
		return first(all), err
	}
	return And(all), nil
}

func first(all []Condition) Condition {
	if len(all) == 0 {
		return nil
	}
	return all[0]
}

func (p *parser) joined(by string, one func() (Condition, error)) (all []Condition, err error) {
	for more := true; more; {
		c, err := one()
		if err != nil {
			return nil, err
		}
		all = append(all, c)
		if more, err = p.accept(by); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// not reads a condition that may begin with NOT or a parenthesis.
func (p *parser) not() (Condition, error) {
	if p.depth++; p.depth > maxDepth && (p.is("NOT") || p.is("(")) {
		return nil, p.errorAt(p.at, "conditions are nested more than %d deep", maxDepth)
	}
	defer func() { p.depth-- }()
	if ok, err := p.accept("NOT"); err != nil {
		return nil, err
	} else if ok {
		c, err := p.not()
		return Not{c}, err
	}
	ok, err := p.accept("(")
	if err != nil || !ok {
		return p.predicate(err)
	}
	c, err := p.or()
	if err != nil {
		return nil, err
	}
	return c, p.expect(")")
}

func (p *parser) predicate(err error) (Condition, error) {
	if err != nil {
		return nil, err
	}
	prop, err := p.compared("a property, NOT or (")
	if err != nil {
		return nil, err
	}
	if p.kind == symbol {
		return p.comparison(prop)
	}
	negated, err := p.accept("NOT")
	if err != nil {
		return nil, err
	}
	c := &Predicate{Property: prop}
	switch {
	case p.is("IN"):
		err = p.in(c)
	case p.is("BETWEEN"):
		err = p.between(c)
	case p.is("LIKE"):
		err = p.like(c)
	default:
		return nil, p.wrong("an operator")
	}
	if err != nil {
		return nil, err
	}
	if negated {
		return Not{c}, nil
	}
	return c, nil
}

var comparisons = map[string]Op{"=": Equal, "<>": Equal, "!=": Equal, "<": Less, "<=": LessEqual, ">": Greater, ">=": GreaterEqual}

func (p *parser) comparison(prop Property) (Condition, error) {
	text := p.token.text
	op, ok := comparisons[text]
	if !ok {
		return nil, p.wrong("an operator")
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	l, err := p.literal()
	if err != nil {
		return nil, err
	}
	c := &Predicate{Property: prop, Op: op, Values: []Literal{l}}
	if text == "<>" || text == "!=" {
		return Not{c}, nil
	}
	return c, nil
}

func (p *parser) in(c *Predicate) error {
	c.Op = In
	if err := p.advance(); err != nil {
		return err
	}
	if err := p.expect("("); err != nil {
		return err
	}
	err := p.commas(func() error {
		l, err := p.literal()
		c.Values = append(c.Values, l)
		return err
	})
	if err != nil {
		return err
	}
	return p.expect(")")
}

func (p *parser) between(c *Predicate) error {
	c.Op = Between
	if err := p.advance(); err != nil {
		return err
	}
	low, err := p.literal()
	if err != nil {
		return err
	}
	if err := p.expect("AND"); err != nil {
		return err
	}
	high, err := p.literal()
	c.Values = []Literal{low, high}
	return err
}

func (p *parser) like(c *Predicate) error {
	c.Op = Like
	if err := p.advance(); err != nil {
		return err
	}
	if p.kind != quoted {
		return p.wrong("a text in single quotes")
	}
	var why string
	if c.Pattern, why = patternOf(p.token.text); why != "" {
		return p.errorAt(p.at, "%s", why)
	}
	c.Values = []Literal{quotedLiteral(p.token.text)}
	return p.advance()
}

func (p *parser) literal() (l Literal, err error) {
	switch {
	case p.kind == quoted:
		l = quotedLiteral(p.token.text)
	case p.kind == number:
		l = numberLiteral(p.token.text)
	case p.is("TRUE"), p.is("FALSE"):
		l = boolLiteral(p.is("TRUE"))
	default:
		return l, p.wrong("a value")
	}
	return l, p.advance()
}

// property reads a property that has a value.
func (p *parser) property(want string) (Property, error) {
	at := p.at
	prop, err := p.anyProperty(want)
	if err == nil && prop.IsParent() {
		err = p.errorAt(at, "%s has members and no value of its own: name one of them", prop.Name)
	}
	return prop, err
}

// anyProperty reads a property, which may be one that only has members.
func (p *parser) anyProperty(want string) (Property, error) {
	if p.kind != word || slices.Contains(reserved, strings.ToUpper(p.token.text)) || slices.Contains(unsupported, strings.ToUpper(p.token.text)) {
		return Property{}, p.wrong(want)
	}
	prop, ok := propertyOf(p.token.text)
	if !ok {
		prop, ok = p.joinedProperty()
	}
	if !ok {
		return prop, p.errorAt(p.at, "there is no property %s", p.token)
	}
	return prop, p.advance()
}

// propertyOrAggregate reads one of the two.
func (p *parser) propertyOrAggregate(want string) (Property, *Aggregate, error) {
	f := Func(strings.ToUpper(p.token.text))
	if p.kind != word || !slices.Contains([]Func{Count, Sum, Avg, Min, Max}, f) {
		prop, err := p.anyProperty(want)
		return prop, nil, err
	}
	if err := p.advance(); err != nil {
		return Property{}, nil, err
	}
	if err := p.expect("("); err != nil {
		return Property{}, nil, err
	}
	a := &Aggregate{Func: f}
	star, err := p.star(f)
	if err == nil && !star {
		a.Property, err = p.property("a property")
	}
	if err != nil {
		return Property{}, nil, err
	}
	return Property{}, a, p.expect(")")
}

// star reads the * that only COUNT takes.
func (p *parser) star(f Func) (bool, error) {
	if p.is("*") && f != Count {
		return false, p.errorAt(p.at, "%s takes a property", f)
	}
	return p.accept("*")
}
