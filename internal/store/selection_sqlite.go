package store

import (
	"context"
	"database/sql"

	"plumb/internal/db"
	"plumb/internal/db/jsonb"
	"plumb/internal/query"
)

const spotColumns = `r.id, r.type, r.place, r.external_id`

// manyPlaces is from how many places on all of a type are walked instead of those
// of each place.
const manyPlaces = 16

// selectSQLite walks the rows that the index leads to, in the order of their
// spots.
func (p *selectionPlan) selectSQLite(ctx context.Context, tx *db.Tx, f func(Match) error) error {
	n := 0
	enough := func(m Match) error {
		if err := f(m); err != nil {
			return err
		}
		if n++; n == p.Limit {
			return errEnough
		}
		return nil
	}
	if p.hints.hasTags() || p.hints.arns != nil {
		from, args := p.fewRows()
		return p.walk(ctx, tx, enough, from, args)
	}
	for _, t := range p.types {
		if t < p.After.Type {
			continue
		}
		if err := p.walkType(ctx, tx, t, enough); err != nil {
			return err
		}
	}
	return nil
}

func (p *selectionPlan) walkType(ctx context.Context, tx *db.Tx, t int64, f func(Match) error) error {
	columns, values := p.hints.columns()
	after := p.After
	if after.Type != t {
		after = Spot{}
	}
	if len(p.places) > manyPlaces {
		in := ` AND +r.place IN (SELECT value FROM json_each(?)) AND (r.place, r.external_id) > (?, ?)`
		args := append([]any{t, jsonInts(p.places), after.Place, after.ID}, values...)
		return p.walk(ctx, tx, f, `SELECT `+spotColumns+` FROM resource r WHERE r.type = ?`+in+columns+` ORDER BY r.place, r.external_id`, args)
	}
	for _, place := range p.places {
		if place < after.Place {
			continue
		}
		id := ""
		if place == after.Place {
			id = after.ID
		}
		args := append([]any{t, place, id}, values...)
		err := p.walk(ctx, tx, f, `SELECT `+spotColumns+` FROM resource r WHERE r.type = ? AND r.place = ? AND r.external_id > ?`+columns+` ORDER BY r.external_id`, args)
		if err != nil {
			return err
		}
	}
	return nil
}

// fewRows selects the rows that tags or ARNs lead to.
func (p *selectionPlan) fewRows() (from string, args []any) {
	from = `SELECT ` + spotColumns + ` FROM resource r WHERE true`
	if p.hints.hasTags() {
		var tag string
		tag, args = p.hints.tagCondition()
		from = `SELECT DISTINCT ` + spotColumns + ` FROM resource_tag t CROSS JOIN resource r WHERE ` + tag + ` AND r.id = t.resource`
	}
	columns, values := p.hints.columns()
	from += columns + ` AND +r.type IN (SELECT value FROM json_each(?)) AND +r.place IN (SELECT value FROM json_each(?))
		AND (+r.type, +r.place, +r.external_id) > (?, ?, ?) ORDER BY r.type, r.place, r.external_id`
	args = append(append(args, values...), jsonInts(p.types), jsonInts(p.places), p.After.Type, p.After.Place, p.After.ID)
	return from, args
}

// walk calls f with those rows whose body the rest of the condition holds for. The
// rows are found and sorted before their bodies are read: LIMIT keeps SQLite from
// making one of the two.
func (p *selectionPlan) walk(ctx context.Context, tx *db.Tx, f func(Match) error, from string, args []any) error {
	text := `SELECT ` + spotColumns + `, b.body FROM (` + from + ` LIMIT -1) r CROSS JOIN resource_body b WHERE b.resource = r.id`
	return db.Each(ctx, tx, func(scan func(...any) error) error {
		m := Match{Count: 1}
		var body sql.RawBytes
		if err := scan(&m.Resource, &m.Type, &m.Place, &m.ID, &body); err != nil {
			return err
		}
		values := valuesOf(jsonb.Open(body))
		if !query.Holds(p.rest, values) {
			return nil
		}
		for _, q := range p.Properties {
			var all []query.Value
			values(q, func(v query.Value) bool { all = append(all, v); return true })
			m.Values = append(m.Values, all)
		}
		return f(m)
	}, text, args...)
}

// valuesOf returns the values of a body as query.ValuesOf would.
func valuesOf(body jsonb.Node) query.Values {
	return func(p query.Property, yield func(query.Value) bool) {
		if p.IsTag() {
			body.Member("tags").Members(func(key string, value jsonb.Node) bool {
				s, _ := value.Scalar().(string)
				return yield(query.Value{Kind: query.Text, Text: query.TagMember(p.Steps[1], key, s)})
			})
			return
		}
		walkJSONB(body, p.Steps, yield)
	}
}

func walkJSONB(n jsonb.Node, steps []string, yield func(query.Value) bool) bool {
	for i, step := range steps {
		if n.IsArray() {
			return n.Elements(func(e jsonb.Node) bool {
				return walkJSONB(e.Member(step), steps[i+1:], yield)
			})
		}
		n = n.Member(step)
	}
	return leavesJSONB(n, 2, yield)
}

func leavesJSONB(n jsonb.Node, lists int, yield func(query.Value) bool) bool {
	if n.IsArray() && lists > 0 {
		return n.Elements(func(e jsonb.Node) bool { return leavesJSONB(e, lists-1, yield) })
	}
	v, ok := query.ValueOf(n.Scalar())
	return !ok || yield(v)
}
