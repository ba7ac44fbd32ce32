package query

import "slices"

// maxGroupBy is how many properties a query may group by. With an ORDER BY that
// has an aggregate it is one.
const maxGroupBy = 3

func (p *parser) groupBy(q *Query) error {
	at := p.at
	ok, err := p.accept("GROUP")
	if err != nil {
		return err
	}
	if !ok {
		if p.distinct {
			return p.groupDistinct(q, at)
		}
		return p.checkItems(q, at)
	}
	if p.distinct {
		return p.errorAt(at, "DISTINCT and GROUP BY cannot be had together")
	}
	if err := p.expect("BY"); err != nil {
		return err
	}
	err = p.commas(func() error {
		if i, ok := q.aliased(p.token.text); ok && i.Aggregate == nil && !i.Property.IsParent() {
			q.GroupBy = append(q.GroupBy, i.Property)
			return p.advance()
		}
		prop, err := p.property("a property")
		q.GroupBy = append(q.GroupBy, prop)
		return err
	})
	if err != nil {
		return err
	}
	if len(q.GroupBy) > maxGroupBy {
		return p.errorAt(at, "GROUP BY takes at most %d properties", maxGroupBy)
	}
	return p.checkItems(q, at)
}

// checkItems checks that what is selected of groups is the same for all of a
// group.
func (p *parser) checkItems(q *Query, at int) error {
	if !q.Grouped() {
		return nil
	}
	for _, i := range q.Items {
		switch {
		case i.Star:
			return p.errorAt(at, "* cannot be selected together with aggregates or GROUP BY")
		case i.Aggregate == nil && !q.groupsBy(i.Property):
			return p.errorAt(at, "%s is selected and must be in GROUP BY", i.Property.Name)
		}
	}
	return nil
}

func (q *Query) groupsBy(prop Property) bool {
	return slices.ContainsFunc(q.GroupBy, func(g Property) bool { return g.Name == prop.Name })
}

func (p *parser) orderBy(q *Query) error {
	at := p.at
	ok, err := p.accept("ORDER")
	if err != nil || !ok {
		return err
	}
	if err := p.expect("BY"); err != nil {
		return err
	}
	if err := p.commas(func() error { return p.order(q) }); err != nil {
		return err
	}
	if q.OrdersByAggregate() && len(q.GroupBy) > 1 {
		return p.errorAt(at, "ORDER BY with an aggregate takes one property in GROUP BY")
	}
	return nil
}

func (p *parser) order(q *Query) error {
	at := p.at
	var prop Property
	var agg *Aggregate
	var err error
	if i, ok := q.aliased(p.token.text); ok {
		prop, agg, err = i.Property, i.Aggregate, p.advance()
	} else {
		prop, agg, err = p.propertyOrAggregate("a property or an aggregate")
	}
	if err != nil {
		return err
	}
	switch {
	case agg != nil && !q.Grouped():
		return p.errorAt(at, "ORDER BY has an aggregate, and nothing is grouped")
	case agg == nil && prop.IsParent():
		return p.errorAt(at, "%s has members and no value of its own: name one of them", prop.Name)
	case agg == nil && q.Grouped() && !q.groupsBy(prop):
		return p.errorAt(at, "%s is in ORDER BY and must be in GROUP BY", prop.Name)
	}
	o := Order{Property: prop, Aggregate: agg}
	if o.Descending, err = p.accept("DESC"); err == nil && !o.Descending {
		_, err = p.accept("ASC")
	}
	q.OrderBy = append(q.OrderBy, o)
	return err
}

// OfTypes returns the query over resources of some types only, joined ones too.
func (q *Query) OfTypes(types []string) *Query {
	narrow := *q
	of := And{oneOf(Property{Name: "resourceType", Steps: []string{"resourceType"}}, types)}
	for _, j := range q.Joins {
		of = append(of, oneOf(Property{Name: j.Name + ".resourceType", Steps: []string{"resourceType"}, Join: j.Name}, types))
	}
	narrow.Where = append(of, Conjuncts(q.Where)...)
	return &narrow
}

func oneOf(p Property, texts []string) *Predicate {
	only := &Predicate{Property: p, Op: In}
	for _, t := range texts {
		only.Values = append(only.Values, quotedLiteral(t))
	}
	return only
}

// Types returns the types of resources that a condition is about; none means that
// it may be any.
func Types(c Condition) []string {
	for _, one := range Conjuncts(c) {
		p, ok := one.(*Predicate)
		if !ok || p.Property.Name != "resourceType" || p.Op != Equal && p.Op != In {
			continue
		}
		out := make([]string, len(p.Values))
		for i, v := range p.Values {
			out[i] = v.Text
		}
		return out
	}
	return nil
}
