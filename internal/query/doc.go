// Package query is the language of advanced queries: a subset of SELECT over
// configuration items.
//
//	q, err := query.Parse("SELECT resourceId WHERE configuration.state.name = 'running'")
//	if query.Holds(q.Where, query.ValuesOf(form)) {
//		row := q.Project(form)
//	}
//
// It parses, checks, and says what an expression means: Holds is the one place
// that decides whether an item matches, and compare.go when a value does. It
// knows no database: who has many items to look through reads them as it likes
// and must come to the same answer.
//
// An item is in its event form, as decoded JSON. A property is a path into it. A
// path that leads through a list means all of its elements, and a predicate holds
// if it holds for any value; each predicate looks on its own.
package query
