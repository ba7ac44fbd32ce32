package query

import (
	"slices"
	"time"
)

// A Query is an expression that was parsed and checked.
type Query struct {
	Items   []Item
	Where   Condition // nil if there is none
	GroupBy []Property
	OrderBy []Order

	// What only extended queries have.
	Joins   []Join      // each from the item or from one before it
	Having  Condition   // on groups; its properties are those of GROUP BY, and AggregateOf
	having  []Aggregate // that it names
	AsOf    time.Time   // when the items were the newest; zero is now
	History bool        // all items are looked at, up to AsOf if that is set
}

// Past reports whether the query is about other items than the newest.
func (q *Query) Past() bool { return q.History || !q.AsOf.IsZero() }

// An Item is what stands between SELECT and WHERE: a property, an aggregate, or *.
type Item struct {
	Star      bool
	Property  Property
	Aggregate *Aggregate
	Alias     string // how results name it; empty for its own name
}

// An Aggregate is a function over the values of a property in a group of items.
type Aggregate struct {
	Func     Func
	Property Property // without steps: COUNT(*)
}

// A Func is what an aggregate does.
type Func string

// The functions that there are.
const (
	Count Func = "COUNT"
	Sum   Func = "SUM"
	Avg   Func = "AVG"
	Min   Func = "MIN"
	Max   Func = "MAX"
)

// Name is how results name the aggregate: COUNT(*), SUM(configuration.size).
func (a Aggregate) Name() string {
	if len(a.Property.Steps) == 0 {
		return string(a.Func) + "(*)"
	}
	return string(a.Func) + "(" + a.Property.Name + ")"
}

// An Order is one thing to sort by.
type Order struct {
	Property   Property
	Aggregate  *Aggregate // instead of the property
	Descending bool
}

// A Condition is an And, an Or, a Not or a *Predicate.
type Condition interface{ isCondition() }

// An And holds if all of its conditions do.
type And []Condition

// An Or holds if any of its conditions does.
type Or []Condition

// A Not holds if its condition does not.
type Not struct{ Condition Condition }

// A Predicate holds if the operator does for any value of the property.
type Predicate struct {
	Property Property
	Op       Op
	Values   []Literal
	Pattern  Pattern // of Like
}

func (And) isCondition()        {}
func (Or) isCondition()         {}
func (Not) isCondition()        {}
func (*Predicate) isCondition() {}

// An Op is how a predicate compares.
type Op int

// The operators. In has any number of values, Between two, the others one.
const (
	Equal Op = iota
	Less
	LessEqual
	Greater
	GreaterEqual
	In
	Between
	Like
)

// Grouped reports whether a result row speaks for a group of items.
func (q *Query) Grouped() bool {
	return len(q.GroupBy) > 0 || slices.ContainsFunc(q.Items, func(i Item) bool { return i.Aggregate != nil })
}

// OrdersByAggregate reports whether groups are sorted by what is computed of them.
func (q *Query) OrdersByAggregate() bool {
	return slices.ContainsFunc(q.OrderBy, func(o Order) bool { return o.Aggregate != nil })
}

// Fields returns the names of what is selected, in order.
func (q *Query) Fields() []string {
	var out []string
	for _, i := range q.Items {
		switch {
		case i.Star:
			out = append(out, starFields...)
		case i.Alias != "":
			out = append(out, i.Alias)
		case i.Aggregate != nil:
			out = append(out, i.Aggregate.Name())
		default:
			out = append(out, i.Property.Name)
		}
	}
	return out
}

// Aggregates returns the aggregates that a query names, each once.
func (q *Query) Aggregates() (out []Aggregate) {
	add := func(a *Aggregate) {
		if a != nil && !slices.ContainsFunc(out, func(b Aggregate) bool { return b.Name() == a.Name() }) {
			out = append(out, *a)
		}
	}
	for _, i := range q.Items {
		add(i.Aggregate)
	}
	for _, o := range q.OrderBy {
		add(o.Aggregate)
	}
	for _, a := range q.having {
		add(&a)
	}
	return out
}

// AggregateOf returns what a condition on groups has in place of a property.
func AggregateOf(a Aggregate) Property { return Property{Name: a.Name(), Steps: []string{a.Name()}} }

// Properties calls f with every property that a condition names.
func Properties(c Condition, f func(Property)) {
	switch c := c.(type) {
	case And:
		for _, e := range c {
			Properties(e, f)
		}
	case Or:
		for _, e := range c {
			Properties(e, f)
		}
	case Not:
		Properties(c.Condition, f)
	case *Predicate:
		f(c.Property)
	}
}

// Conjuncts returns the conditions that must all hold for c to hold.
func Conjuncts(c Condition) []Condition {
	switch c := c.(type) {
	case nil:
		return nil
	case And:
		var out []Condition
		for _, e := range c {
			out = append(out, Conjuncts(e)...)
		}
		return out
	}
	return []Condition{c}
}
