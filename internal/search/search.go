// Package search is the verb of querying: it answers a query.Query over the newest
// items of some places, a page at a time.
//
//	page, err := search.Select(ctx, database, q, places, search.Window{Limit: 25})
//
// The places are whatever the caller may look at: the one of a request, or those
// that an aggregator collects. What matches is found by store.Select; this package
// sorts, groups and pages, in memory that is bounded: it holds a page, or the
// groups of a result. It keeps nothing and writes nothing.
package search

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/query"
	"plumb/internal/store"
)

// What a query may take. Its time is db.LongTimeout.
const (
	maxGroups    = 100_000
	maxPageBytes = 4 << 20
)

// An Error says that an answer would take more than a query may. Its text is for
// the client.
type Error struct{ text string }

// Error returns the text.
func (e *Error) Error() string { return e.text }

// A Window is the part of a result that is asked for: what follows After, which
// was a page's Next.
type Window struct {
	After string
	Limit int
}

// A Page is some rows of a result, as JSON, and where to go on: empty when there
// are no more.
type Page struct {
	Rows []string
	Next string
}

// ErrWindow is what a window's After is answered with that no page had as Next.
var ErrWindow = errors.New("no page ends there")

// Select answers a query over the newest items of places.
func Select(ctx context.Context, d *db.DB, q *query.Query, places []config.Place, w Window) (page Page, err error) {
	answer := answerPlain
	switch {
	case q.Grouped():
		answer = answerGroups
	case q.Past():
		answer = answerThen
	case len(q.OrderBy) > 0:
		answer = answerSorted
	}
	err = d.ReadLong(ctx, func(tx *db.Tx) (err error) {
		page, err = answer(ctx, tx, q, places, w)
		return err
	})
	switch {
	case errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil:
		return Page{}, &Error{fmt.Sprintf("The query took longer than %s. Narrow it, for example by resourceType.", db.LongTimeout)}
	case err != nil:
		return Page{}, fmt.Errorf("answer a query: %w", err)
	}
	return page, nil
}

// answerPlain answers in the order of spots, so a page costs what it takes to find
// its rows.
func answerPlain(ctx context.Context, tx *db.Tx, q *query.Query, places []config.Place, w Window) (Page, error) {
	s := store.Selection{Places: places, Joins: q.Joins, Where: q.Where, Wanted: q.Wanted(), Limit: w.Limit + 1}
	if err := decodePosition(w.After, &s.After); err != nil {
		return Page{}, err
	}
	var found []store.Match
	err := store.Select(ctx, tx, s, func(m store.Match) error {
		found = append(found, m)
		return nil
	})
	if err != nil {
		return Page{}, err
	}
	return rowsOf(ctx, tx, q, found, w.Limit, func(m store.Match) any { return m.Spot })
}

// rowsOf returns the rows of up to limit of the matches. A page that grows too
// large ends early.
func rowsOf(ctx context.Context, tx *db.Tx, q *query.Query, found []store.Match, limit int, position func(store.Match) any) (Page, error) {
	more := len(found) > limit
	if more {
		found = found[:limit]
	}
	page, size := Page{Rows: []string{}}, 0
	for chunk := range slices.Chunk(found, bodiesAtOnce) {
		rows, err := project(ctx, tx, q, chunk)
		if err != nil {
			return Page{}, err
		}
		for _, row := range rows {
			if size += len(row); len(page.Rows) > 0 && size > maxPageBytes {
				page.Next = encodePosition(position(found[len(page.Rows)-1]))
				return page, nil
			}
			page.Rows = append(page.Rows, row)
		}
	}
	if more {
		page.Next = encodePosition(position(found[len(found)-1]))
	}
	return page, nil
}

// bodiesAtOnce is how many bodies are in memory while a page is made.
const bodiesAtOnce = 25

func project(ctx context.Context, tx *db.Tx, q *query.Query, found []store.Match) ([]string, error) {
	var ids []int64
	for _, m := range found {
		if m.Form == nil {
			ids = append(append(ids, m.Resource), m.Joined...)
		}
	}
	bodies, err := store.Bodies(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	rows, selected := make([]string, len(found)), q.Projection()
	for i, m := range found {
		form := m.Form
		if form == nil {
			if form, err = joinedForm(q, bodies, m.Path); err != nil {
				return nil, err
			}
			bodies = bodies[1+len(m.Joined):]
		}
		row, err := json.Marshal(selected(form))
		if err != nil {
			return nil, err
		}
		rows[i] = string(row)
	}
	return rows, nil
}

// joinedForm returns the first of the bodies, and the next ones as what the joins led
// to along a path.
func joinedForm(q *query.Query, bodies [][]byte, path query.Path) (map[string]any, error) {
	form, err := decodeForm(bodies[0])
	for n, j := range q.Joins {
		if err != nil {
			return nil, err
		}
		var found map[string]any
		found, err = decodeForm(bodies[n+1])
		form = query.Joined(form, j, path[n], found)
	}
	return form, err
}

func decodeForm(body []byte) (map[string]any, error) {
	form, err := config.Decode(body)
	object, _ := form.(map[string]any)
	return object, err
}

// Positions are JSON. They come back as they were given: tokens that carry them are
// sealed.
func encodePosition(v any) string {
	b, _ := json.Marshal(v) // numbers and texts cannot fail
	return string(b)
}

func decodePosition(text string, v any) error {
	if text == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(text), v); err != nil {
		return fmt.Errorf("%w: %w", ErrWindow, err)
	}
	return nil
}
