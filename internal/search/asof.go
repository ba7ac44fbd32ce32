package search

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/query"
	"plumb/internal/store"
)

// Queries about a time in the past read the items that were the newest then, one by
// one: no index knows them. The past does not change, so a position is a number
// of rows.

const (
	maxThen     = 10_000 // rows
	maxThenRoom = 64 << 20
	thenPage    = 500 // items that are in memory at once
)

// selectMatches calls f with what matches a selection, now or at the query's time.
// Matches of the past have values and no spots.
func selectMatches(ctx context.Context, tx *db.Tx, q *query.Query, s store.Selection, f func(store.Match) error) error {
	if q.AsOf.IsZero() {
		return store.Select(ctx, tx, s, f)
	}
	return eachThen(ctx, tx, q, s.Places, func(_ config.ResourceKey, form map[string]any) error {
		m := store.Match{Count: 1}
		for _, p := range s.Properties {
			m.Values = append(m.Values, valuesIn(form, p))
		}
		return f(m)
	})
}

func valuesIn(form map[string]any, p query.Property) (all []query.Value) {
	query.ValuesOf(form)(p, func(v query.Value) bool { all = append(all, v); return true })
	return all
}

// eachThen calls f with the items that a query's condition held for at its time.
func eachThen(ctx context.Context, tx *db.Tx, q *query.Query, places []config.Place, f func(config.ResourceKey, map[string]any) error) error {
	for _, p := range distinctPlaces(places) {
		for after, more := (config.ResourceKey{}), true; more; {
			items, next, err := store.AsOf(ctx, tx, p, q.AsOf, nil, after, thenPage)
			if err != nil {
				return err
			}
			for _, it := range items {
				form, err := formOf(it)
				if err != nil {
					return err
				}
				if !query.Holds(q.Where, query.ValuesOf(form)) {
					continue
				}
				if err := f(it.ResourceKey, form); err != nil {
					return err
				}
			}
			after, more = next, next != (config.ResourceKey{})
		}
	}
	return nil
}

func distinctPlaces(places []config.Place) []config.Place {
	return slices.Compact(slices.SortedFunc(slices.Values(places), config.Place.Compare))
}

// formOf returns an item in its event form, as decoded JSON.
func formOf(it config.Item) (map[string]any, error) {
	text, err := json.Marshal(it)
	if err != nil {
		return nil, err
	}
	form, err := config.Decode(text)
	if err != nil {
		return nil, err
	}
	object, _ := form.(map[string]any)
	return object, nil
}

// A rowThen is a row of the past, with what it is sorted by.
type rowThen struct {
	keys []sortKey
	key  config.ResourceKey
	text string
}

// answerThen answers a query about the past that groups nothing.
func answerThen(ctx context.Context, tx *db.Tx, q *query.Query, places []config.Place, w Window) (Page, error) {
	skip := 0
	if w.After != "" {
		var err error
		if skip, err = strconv.Atoi(w.After); err != nil || skip <= 0 {
			return Page{}, ErrWindow
		}
	}
	rows, err := rowsThen(ctx, tx, q, places)
	if err != nil {
		return Page{}, err
	}
	slices.SortStableFunc(rows, func(a, b rowThen) int {
		for i, o := range q.OrderBy {
			if c := compareKeys(a.keys[i], b.keys[i], o.Descending); c != 0 {
				return c
			}
		}
		return cmp.Or(cmp.Compare(a.key.Type, b.key.Type), a.key.Place.Compare(b.key.Place), cmp.Compare(a.key.ID, b.key.ID))
	})
	page := Page{Rows: []string{}}
	for i := min(skip, len(rows)); i < len(rows); i++ {
		if len(page.Rows) == w.Limit {
			page.Next = strconv.Itoa(i)
			break
		}
		page.Rows = append(page.Rows, rows[i].text)
	}
	return page, nil
}

func rowsThen(ctx context.Context, tx *db.Tx, q *query.Query, places []config.Place) (rows []rowThen, err error) {
	room := maxThenRoom
	err = eachThen(ctx, tx, q, places, func(key config.ResourceKey, form map[string]any) error {
		text, err := json.Marshal(q.Project(form))
		if err != nil {
			return err
		}
		if room -= len(text); room < 0 || len(rows) == maxThen {
			return &Error{fmt.Sprintf("The query about the past has more than %d rows, or than %d MiB. Narrow it, or group them.", maxThen, maxThenRoom>>20)}
		}
		r := rowThen{key: key, text: string(text)}
		for _, o := range q.OrderBy {
			r.keys = append(r.keys, keyOf(valuesIn(form, o.Property), o.Descending))
		}
		rows = append(rows, r)
		return nil
	})
	return rows, err
}
