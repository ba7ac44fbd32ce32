package search

import (
	"cmp"
	"container/heap"
	"context"
	"slices"
	"strconv"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/query"
	"plumb/internal/store"
)

// A sortKey is a value to sort by; absent ones come last, whatever the direction.
type sortKey struct {
	value   query.Value
	present bool
}

func compareKeys(a, b sortKey, descending bool) int {
	switch {
	case !a.present || !b.present:
		return cmp.Compare(rank(b.present), rank(a.present))
	case descending:
		return b.value.Compare(a.value)
	}
	return a.value.Compare(b.value)
}

func rank(b bool) int {
	if b {
		return 1
	}
	return 0
}

// keyOf returns what a property with those values is sorted by: the least of them,
// or the greatest where the greatest comes first.
func keyOf(values []query.Value, descending bool) sortKey {
	if len(values) == 0 {
		return sortKey{}
	}
	if descending {
		return sortKey{slices.MaxFunc(values, query.Value.Compare), true}
	}
	return sortKey{slices.MinFunc(values, query.Value.Compare), true}
}

// spelled returns a key as positions have it: a letter and the value.
func (k sortKey) spelled() string {
	switch v := k.value; {
	case !k.present:
		return ""
	case v.Kind == query.Text:
		return "t" + v.Text
	case v.Kind == query.Bool:
		return "b" + strconv.FormatBool(v.Bool)
	case v.Number.IsFloat:
		return "f" + v.Number.String()
	default:
		return "i" + v.Number.String()
	}
}

func keySpelled(s string) sortKey {
	if s == "" {
		return sortKey{}
	}
	k, text := sortKey{present: true}, s[1:]
	switch s[0] {
	case 't':
		k.value = query.Value{Kind: query.Text, Text: text}
	case 'b':
		k.value = query.Value{Kind: query.Bool, Bool: text == "true"}
	case 'f':
		k.value.Kind, k.value.Number.IsFloat = query.Numeric, true
		k.value.Number.Float, _ = strconv.ParseFloat(text, 64) // it is ours
	default:
		k.value.Kind = query.Numeric
		k.value.Number.Int, _ = strconv.ParseInt(text, 10, 64) // it is ours
	}
	return k
}

// A candidate is a match with what it is sorted by.
type candidate struct {
	store.Match
	keys []sortKey
}

// A sortPosition is where a page of a sorted result ended.
type sortPosition struct {
	Keys []string   `json:"k"`
	Spot store.Spot `json:"s"`
}

// A top keeps the first candidates after a position, with the last of them on top
// of the heap.
type top struct {
	orders []query.Order
	size   int
	kept   []candidate
}

func (t *top) compare(a, b candidate) int {
	for i, o := range t.orders {
		if c := compareKeys(a.keys[i], b.keys[i], o.Descending); c != 0 {
			return c
		}
	}
	return a.Spot.Compare(b.Spot)
}

// Len, Less, Swap, Push and Pop are the heap's.
func (t *top) Len() int           { return len(t.kept) }
func (t *top) Less(i, j int) bool { return t.compare(t.kept[i], t.kept[j]) > 0 }
func (t *top) Swap(i, j int)      { t.kept[i], t.kept[j] = t.kept[j], t.kept[i] }
func (t *top) Push(x any)         { t.kept = append(t.kept, x.(candidate)) }
func (t *top) Pop() any {
	last := t.kept[len(t.kept)-1]
	t.kept = t.kept[:len(t.kept)-1]
	return last
}

func (t *top) add(c candidate) {
	switch {
	case len(t.kept) < t.size:
		heap.Push(t, c)
	case t.compare(c, t.kept[0]) < 0:
		t.kept[0] = c
		heap.Fix(t, 0)
	}
}

// answerSorted looks at all that matches and keeps the page.
func answerSorted(ctx context.Context, tx *db.Tx, q *query.Query, places []config.Place, w Window) (Page, error) {
	var after *candidate
	if w.After != "" {
		var p sortPosition
		if err := decodePosition(w.After, &p); err != nil {
			return Page{}, err
		}
		if len(p.Keys) != len(q.OrderBy) {
			return Page{}, ErrWindow
		}
		after = &candidate{Match: store.Match{Spot: p.Spot}}
		for _, k := range p.Keys {
			after.keys = append(after.keys, keySpelled(k))
		}
	}
	t := &top{orders: q.OrderBy, size: w.Limit + 1}
	s := store.Selection{Places: places, Joins: q.Joins, Where: q.Where}
	for _, o := range q.OrderBy {
		s.Properties = append(s.Properties, o.Property)
	}
	// With a property of the item itself, matches are found and not merely counted.
	s.Properties = append(s.Properties, query.ResourceID)
	err := store.Select(ctx, tx, s, func(m store.Match) error {
		c := candidate{Match: m}
		for i, o := range q.OrderBy {
			c.keys = append(c.keys, keyOf(m.Values[i], o.Descending))
		}
		c.Values = nil
		if after == nil || t.compare(*after, c) < 0 {
			t.add(c)
		}
		return nil
	})
	if err != nil {
		return Page{}, err
	}
	return t.page(ctx, tx, q, w.Limit)
}

func (t *top) page(ctx context.Context, tx *db.Tx, q *query.Query, limit int) (Page, error) {
	slices.SortFunc(t.kept, t.compare)
	found := make([]store.Match, len(t.kept))
	bySpot := make(map[store.Spot]candidate, len(t.kept))
	for i, c := range t.kept {
		found[i] = c.Match
		bySpot[c.Spot] = c
	}
	return rowsOf(ctx, tx, q, found, limit, func(m store.Match) any {
		p := sortPosition{Spot: m.Spot}
		for _, k := range bySpot[m.Spot].keys {
			p.Keys = append(p.Keys, k.spelled())
		}
		return p
	})
}
