package search

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/query"
	"plumb/internal/store"
)

// Queries about the past read its items one by one: no index knows them.

const (
	maxThen     = 10_000 // rows
	maxThenRoom = 64 << 20
	thenPage    = 500 // items that are in memory at once
)

// selectMatches calls f with what matches a selection, now or at the query's time.
// Matches of the past have values and no spots.
func selectMatches(ctx context.Context, tx *db.Tx, q *query.Query, s store.Selection, f func(store.Match) error) error {
	if !q.Past() {
		return store.Select(ctx, tx, s, f)
	}
	return eachThen(ctx, tx, q, s.Places, func(_ config.ResourceKey, _ query.Path, form map[string]any) error {
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

// eachThen calls f with the items of the past that a query's condition held for, each
// with what was joined to it.
func eachThen(
	ctx context.Context, tx *db.Tx, q *query.Query, places []config.Place, f func(config.ResourceKey, query.Path, map[string]any) error,
) error {
	each := eachAsOf
	if q.History {
		each = eachVersion
	}
	for _, p := range distinctPlaces(places) {
		err := each(ctx, tx, q, p, func(it config.Item) error {
			form, err := formOf(it)
			if err != nil || !query.Holds(ownOf(q.Where), query.ValuesOf(form)) {
				return err
			}
			return q.Tuples(form, findThen(ctx, tx, p, q.AsOf), func(form map[string]any, path query.Path) error {
				if !query.Holds(q.Where, query.ValuesOf(form)) {
					return nil
				}
				return f(it.ResourceKey, path, form)
			})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// ownOf returns what of a condition is about the item alone.
func ownOf(c query.Condition) query.And {
	return slices.DeleteFunc(query.And(query.Conjuncts(c)), query.IsJoined)
}

// findThen finds the resources of a place as they were at a time. A name is the one
// that a resource has now, or had last.
func findThen(ctx context.Context, tx *db.Tx, p config.Place, at time.Time) query.Find {
	return func(resourceType, id, name string) (map[string]any, error) {
		of := store.ResourceQuery{Place: p, Type: resourceType, Name: name, IncludeDeleted: true, Limit: thenPage}
		if id != "" {
			of.Name, of.IDs = "", []string{id}
		} else if name == "" {
			return nil, nil
		}
		all, err := store.Resources(ctx, tx, of)
		for _, r := range all {
			it, err := store.AsOfOne(ctx, tx, r.ResourceKey, at)
			switch {
			case errors.Is(err, store.ErrNotFound):
				continue
			case err != nil:
				return nil, err
			}
			return formOf(it)
		}
		return nil, err
	}
}

// eachAsOf calls f with the items of a place that were the newest.
func eachAsOf(ctx context.Context, tx *db.Tx, q *query.Query, p config.Place, f func(config.Item) error) error {
	for after, more := (config.ResourceKey{}), true; more; {
		items, next, err := store.AsOf(ctx, tx, p, q.AsOf, query.Types(q.Where), after, thenPage)
		if err != nil {
			return err
		}
		for _, it := range items {
			if err := f(it); err != nil {
				return err
			}
		}
		after, more = next, next != (config.ResourceKey{})
	}
	return nil
}

// eachVersion calls f with all items of those resources of a place that the query
// may be about.
func eachVersion(ctx context.Context, tx *db.Tx, q *query.Query, p config.Place, f func(config.Item) error) error {
	for after := (config.ResourceKey{}); ; {
		keys, err := store.ResourcesEver(ctx, tx, p, after, thenPage)
		if err != nil || len(keys) == 0 {
			return err
		}
		for _, key := range keys {
			known := map[string]string{"accountId": p.Account, "resourceType": key.Type, "resourceId": key.ID}
			if !query.MayHold(q.Where, known) {
				continue
			}
			if err := versions(ctx, tx, q, key, f); err != nil {
				return err
			}
		}
		after = keys[len(keys)-1]
	}
}

// endOfTime is later than any item.
var endOfTime = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

func versions(ctx context.Context, tx *db.Tx, q *query.Query, key config.ResourceKey, f func(config.Item) error) error {
	of := store.HistoryQuery{Key: key, To: endOfTime, Forward: true, Limit: thenPage}
	if !q.AsOf.IsZero() {
		of.To = q.AsOf
	}
	for {
		items, err := store.History(ctx, tx, of)
		if err != nil {
			return err
		}
		for _, it := range items {
			if err := f(it); err != nil {
				return err
			}
		}
		if len(items) < thenPage {
			return nil
		}
		of.After = items[len(items)-1].StateID
	}
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

// A rowThen is a row of the past, with what it is sorted by. Nothing comes between
// two rows later, so a page goes on after the last one's place.
type rowThen struct {
	keys  []sortKey
	key   config.ResourceKey
	state string // of the item
	path  query.Path
	text  string
}

// A positionThen is the place of a row.
type positionThen struct {
	Keys  []string           `json:"k,omitempty"`
	Key   config.ResourceKey `json:"r"`
	State string             `json:"s"`
	Path  query.Path         `json:"j,omitzero"`
}

func (r rowThen) position() positionThen {
	p := positionThen{Key: r.key, State: r.state, Path: r.path}
	for _, k := range r.keys {
		p.Keys = append(p.Keys, k.spelled())
	}
	return p
}

// compareThen orders rows of the past.
func compareThen(orders []query.Order, a, b rowThen) int {
	for i, o := range orders {
		if c := compareKeys(a.keys[i], b.keys[i], o.Descending); c != 0 {
			return c
		}
	}
	return cmp.Or(
		cmp.Compare(a.key.Type, b.key.Type), a.key.Place.Compare(b.key.Place), cmp.Compare(a.key.ID, b.key.ID),
		cmp.Compare(len(a.state), len(b.state)), cmp.Compare(a.state, b.state), // they are numbers
		a.path.Compare(b.path),
	)
}

// answerThen answers a query about the past that groups nothing.
func answerThen(ctx context.Context, tx *db.Tx, q *query.Query, places []config.Place, w Window) (Page, error) {
	var after *rowThen
	if w.After != "" {
		var p positionThen
		if err := decodePosition(w.After, &p); err != nil {
			return Page{}, err
		}
		if len(p.Keys) != len(q.OrderBy) {
			return Page{}, ErrWindow
		}
		after = &rowThen{key: p.Key, state: p.State, path: p.Path}
		for _, k := range p.Keys {
			after.keys = append(after.keys, keySpelled(k))
		}
	}
	rows, err := rowsThen(ctx, tx, q, places)
	if err != nil {
		return Page{}, err
	}
	rows = slices.DeleteFunc(rows, func(r rowThen) bool { return after != nil && compareThen(q.OrderBy, r, *after) <= 0 })
	slices.SortFunc(rows, func(a, b rowThen) int { return compareThen(q.OrderBy, a, b) })
	page := Page{Rows: []string{}}
	for i, r := range rows {
		if i == w.Limit {
			page.Next = encodePosition(rows[i-1].position())
			break
		}
		page.Rows = append(page.Rows, r.text)
	}
	return page, nil
}

func rowsThen(ctx context.Context, tx *db.Tx, q *query.Query, places []config.Place) (rows []rowThen, err error) {
	room := maxThenRoom
	err = eachThen(ctx, tx, q, places, func(key config.ResourceKey, path query.Path, form map[string]any) error {
		text, err := json.Marshal(q.Project(form))
		if err != nil {
			return err
		}
		if room -= len(text); room < 0 || len(rows) == maxThen {
			return &Error{fmt.Sprintf("The query about the past has more than %d rows, or than %d MiB. Narrow it, or group them.", maxThen, maxThenRoom>>20)}
		}
		r := rowThen{key: key, path: path, state: fmt.Sprint(form["configurationStateId"]), text: string(text)}
		for _, o := range q.OrderBy {
			r.keys = append(r.keys, keyOf(valuesIn(form, o.Property), o.Descending))
		}
		rows = append(rows, r)
		return nil
	})
	return rows, err
}
