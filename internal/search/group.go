package search

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/query"
	"plumb/internal/store"
)

// A group is the items that have the same values of what is grouped by.
type group struct {
	keys  []sortKey
	tally []tally // of each aggregate
}

// A tally is what an aggregate needs of a group.
type tally struct {
	count    int64 // of items or values
	numbers  int64 // among them
	sum      float64
	whole    int64 // the sum while it is an integer that fits
	fraction bool
	least    sortKey
	greatest sortKey
}

func (t *tally) add(values []query.Value, n int64) {
	t.count += n * int64(len(values))
	for _, v := range values {
		if v.Kind == query.Numeric {
			t.addNumber(v.Number, n)
		}
		if k := (sortKey{v, true}); !t.least.present || v.Compare(t.least.value) < 0 {
			t.least = k
		}
		if k := (sortKey{v, true}); !t.greatest.present || v.Compare(t.greatest.value) > 0 {
			t.greatest = k
		}
	}
}

const maxWhole = 1 << 53

func (t *tally) addNumber(v query.Number, n int64) {
	t.numbers += n
	t.sum += v.AsFloat() * float64(n)
	if v.IsFloat || v.Int > maxWhole/max(n, 1) || v.Int < -maxWhole/max(n, 1) {
		t.fraction = true
		return
	}
	if t.whole += v.Int * n; t.whole > maxWhole || t.whole < -maxWhole {
		t.fraction = true
	}
}

// total returns the sum, which does not depend on the order of the items while it
// is an integer.
func (t *tally) total() float64 {
	if t.fraction {
		return t.sum
	}
	return float64(t.whole)
}

// result returns the value of an aggregate; absent if there was none to make it of.
func (t *tally) result(f query.Func) sortKey {
	float := func(x float64) sortKey {
		return sortKey{query.Value{Kind: query.Numeric, Number: query.Number{IsFloat: true, Float: x}}, t.numbers > 0}
	}
	switch f {
	case query.Count:
		return sortKey{query.Value{Kind: query.Numeric, Number: query.Number{Int: t.count}}, true}
	case query.Sum:
		return float(t.total())
	case query.Avg:
		return float(t.total() / float64(max(t.numbers, 1)))
	case query.Min:
		return t.least
	}
	return t.greatest
}

// A grouping is a grouped query while its groups are made.
type grouping struct {
	*query.Query
	aggregates []query.Aggregate
	groups     map[string]*group
}

func newGrouping(q *query.Query) *grouping {
	g := &grouping{Query: q, aggregates: q.Aggregates(), groups: map[string]*group{}}
	if len(q.GroupBy) == 0 {
		g.groups[""] = &group{tally: make([]tally, len(g.aggregates))} // all items, also if there are none
	}
	return g
}

func (g *grouping) indexOf(a query.Aggregate) int {
	return slices.IndexFunc(g.aggregates, func(b query.Aggregate) bool { return a.Name() == b.Name() })
}

// properties returns those that it needs values of: what is grouped by, then those
// of the aggregates.
func (g *grouping) properties() []query.Property {
	out := slices.Clone(g.GroupBy)
	for _, a := range g.aggregates {
		if len(a.Property.Steps) > 0 {
			out = append(out, a.Property)
		}
	}
	return out
}

// add adds matches to their groups. An item with several values of what is grouped
// by is in the group of each.
func (g *grouping) add(m store.Match) error {
	return g.each(m, nil, func(keys []sortKey) error {
		var name strings.Builder
		for _, k := range keys {
			s := k.spelled()
			name.WriteString(strconv.Itoa(len(s)) + ":" + s)
		}
		to := g.groups[name.String()]
		if to == nil {
			if len(g.groups) == maxGroups {
				return &Error{fmt.Sprintf("The query has more than %d groups. Group by fewer properties.", maxGroups)}
			}
			to = &group{slices.Clone(keys), make([]tally, len(g.aggregates))}
			g.groups[name.String()] = to
		}
		next := len(g.GroupBy)
		for i, a := range g.aggregates {
			if len(a.Property.Steps) == 0 {
				to.tally[i].count += m.Count
				continue
			}
			to.tally[i].add(m.Values[next], m.Count)
			next++
		}
		return nil
	})
}

// each calls f with every combination of values of what is grouped by.
func (g *grouping) each(m store.Match, keys []sortKey, f func([]sortKey) error) error {
	n := len(keys)
	if n == len(g.GroupBy) {
		return f(keys)
	}
	values := slices.Clone(m.Values[n])
	if len(values) == 0 {
		return g.each(m, append(keys, sortKey{}), f)
	}
	slices.SortFunc(values, query.Value.Compare)
	for _, v := range slices.CompactFunc(values, func(a, b query.Value) bool { return a.Compare(b) == 0 }) {
		if err := g.each(m, append(keys, sortKey{v, true}), f); err != nil {
			return err
		}
	}
	return nil
}

// compare orders groups as the query says, and then by what is grouped by.
func (g *grouping) compare(a, b *group) int {
	for _, o := range g.OrderBy {
		if c := compareKeys(g.key(a, o), g.key(b, o), o.Descending); c != 0 {
			return c
		}
	}
	for i := range a.keys {
		if c := compareKeys(a.keys[i], b.keys[i], false); c != 0 {
			return c
		}
	}
	return 0
}

func (g *grouping) key(of *group, o query.Order) sortKey {
	if o.Aggregate != nil {
		return of.tally[g.indexOf(*o.Aggregate)].result(o.Aggregate.Func)
	}
	return of.keys[slices.IndexFunc(g.GroupBy, func(p query.Property) bool { return p.Name == o.Property.Name })]
}

// answerGroups makes all groups and returns a page of them. Sorted by an aggregate
// there is one page: its order may be another one a moment later.
func answerGroups(ctx context.Context, tx *db.Tx, q *query.Query, places []config.Place, w Window) (Page, error) {
	g := newGrouping(q)
	after, err := g.after(w.After)
	if err != nil {
		return Page{}, err
	}
	s := store.Selection{Places: places, Joins: q.Joins, Where: q.Where, Properties: g.properties()}
	if err := selectMatches(ctx, tx, q, s, g.add); err != nil {
		return Page{}, err
	}
	var all []*group
	for _, of := range g.groups {
		if (after == nil || g.compare(after, of) < 0) && query.Holds(q.Having, g.valuesOf(of)) {
			all = append(all, of)
		}
	}
	slices.SortFunc(all, g.compare)
	page := Page{Rows: []string{}}
	for i, of := range all {
		if i == w.Limit {
			if !q.OrdersByAggregate() {
				page.Next = encodePosition(all[i-1].spelled())
			}
			break
		}
		row, err := json.Marshal(g.row(of))
		if err != nil {
			return Page{}, err
		}
		page.Rows = append(page.Rows, string(row))
	}
	return page, nil
}

// valuesOf returns what a condition on groups sees of one.
func (g *grouping) valuesOf(of *group) query.Values {
	return func(p query.Property, yield func(query.Value) bool) {
		o := query.Order{Property: p}
		if i := slices.IndexFunc(g.aggregates, func(a query.Aggregate) bool { return a.Name() == p.Name }); i >= 0 {
			o.Aggregate = &g.aggregates[i]
		}
		if k := g.key(of, o); k.present {
			yield(k.value)
		}
	}
}

func (of *group) spelled() []string {
	out := make([]string, len(of.keys))
	for i, k := range of.keys {
		out[i] = k.spelled()
	}
	return out
}

// after returns the last group of the page before.
func (g *grouping) after(position string) (*group, error) {
	if position == "" {
		return nil, nil
	}
	var keys []string
	if err := decodePosition(position, &keys); err != nil {
		return nil, err
	}
	if len(keys) != len(g.GroupBy) || g.OrdersByAggregate() {
		return nil, ErrWindow
	}
	of := &group{tally: make([]tally, len(g.aggregates))}
	for _, k := range keys {
		of.keys = append(of.keys, keySpelled(k))
	}
	return of, nil
}

func (g *grouping) row(of *group) map[string]any {
	row := map[string]any{}
	for _, i := range g.Items {
		if i.Aggregate == nil {
			n := slices.IndexFunc(g.GroupBy, func(p query.Property) bool { return p.Name == i.Property.Name })
			switch k := of.keys[n]; {
			case k.present && i.Alias != "":
				row[i.Alias] = i.Property.Show(k.value)
			case k.present:
				query.Nest(row, i.Property, i.Property.Show(k.value))
			}
			continue
		}
		name := cmp.Or(i.Alias, i.Aggregate.Name())
		switch k := of.tally[g.indexOf(*i.Aggregate)].result(i.Aggregate.Func); {
		case i.Aggregate.Func == query.Count:
			row[name] = k.value.Number.Int
		case k.present:
			row[name] = k.value.JSON()
		}
	}
	return row
}
