package query

import (
	"slices"
	"strings"
	"time"
)

// What only extended queries have. Each of these reads nothing in others.

// alias reads AS and a name, unless AS OF is what follows.
func (p *parser) alias(q *Query) (string, error) {
	if !p.extended || !p.is("AS") {
		return "", nil
	}
	before, as := p.lexer, p.token
	if err := p.advance(); err != nil {
		return "", err
	}
	if p.is("OF") {
		p.lexer, p.token = before, as
		return "", nil
	}
	name := p.token
	_, taken := q.aliased(name.text)
	switch {
	case name.kind != word || slices.Contains(reserved, strings.ToUpper(name.text)) || strings.ContainsAny(name.text, ".:/"):
		return "", p.wrong("a name without dots")
	case taken:
		return "", p.errorAt(name.at, "two things are named %s", name)
	}
	return name.text, p.advance()
}

// aliased returns what a name stands for.
func (q *Query) aliased(name string) (Item, bool) {
	i := slices.IndexFunc(q.Items, func(i Item) bool { return i.Alias != "" && i.Alias == name })
	if i < 0 {
		return Item{}, false
	}
	return q.Items[i], true
}

// from reads FROM history, the only table that has a name.
func (p *parser) from(q *Query) error {
	if !p.extended {
		return nil
	}
	ok, err := p.accept("FROM")
	if err != nil || !ok {
		return err
	}
	q.History = true
	return p.expect("history")
}

// groupDistinct makes DISTINCT a grouping by all that is selected.
func (p *parser) groupDistinct(q *Query, at int) error {
	for _, i := range q.Items {
		switch {
		case i.Star, i.Aggregate != nil:
			return p.errorAt(at, "DISTINCT takes properties only")
		case i.Property.IsParent():
			return p.errorAt(at, "%s has members and no value of its own: name one of them", i.Property.Name)
		}
		q.GroupBy = append(q.GroupBy, i.Property)
	}
	return nil
}

// having reads a condition on groups.
func (p *parser) having(q *Query) error {
	at := p.at
	if !p.extended {
		return nil
	}
	ok, err := p.accept("HAVING")
	if err != nil || !ok {
		return err
	}
	if !q.Grouped() {
		return p.errorAt(at, "HAVING is a condition on groups, and nothing is grouped")
	}
	p.groups = q
	q.Having, err = p.or()
	p.groups = nil
	return err
}

// compared reads what a predicate compares: a property or, of groups, an aggregate,
// a name, or what is grouped by.
func (p *parser) compared(want string) (Property, error) {
	q := p.groups
	if q == nil {
		return p.property(want)
	}
	at := p.at
	var agg *Aggregate
	var prop Property
	var err error
	if i, ok := q.aliased(p.token.text); ok && p.kind == word {
		prop, agg, err = i.Property, i.Aggregate, p.advance()
	} else {
		prop, agg, err = p.propertyOrAggregate(want)
	}
	switch {
	case err != nil:
		return prop, err
	case agg != nil:
		q.having = append(q.having, *agg)
		return AggregateOf(*agg), nil
	case !q.groupsBy(prop):
		return prop, p.errorAt(at, "%s is in HAVING and must be in GROUP BY", prop.Name)
	}
	return prop, nil
}

// asOf reads the time that a query is about.
func (p *parser) asOf(q *Query) error {
	if !p.extended {
		return nil
	}
	ok, err := p.accept("AS")
	if err != nil || !ok {
		return err
	}
	if err := p.expect("OF"); err != nil {
		return err
	}
	if p.kind != quoted {
		return p.wrong("a time in single quotes")
	}
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
		if q.AsOf, err = time.Parse(layout, p.token.text); err == nil {
			return p.advance()
		}
	}
	return p.errorAt(p.at, "%s is not a time of ISO 8601, such as 2026-01-31T12:00:00Z", p.token)
}
