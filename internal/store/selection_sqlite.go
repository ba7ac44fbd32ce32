package store

import (
	"context"
	"database/sql"
	"slices"
	"strings"

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
	if len(p.Joins) == 0 {
		return p.walkAll(ctx, tx, enough)
	}
	j := &joiner{selectionPlan: p, ctx: ctx, tx: tx, f: enough}
	if err := p.walkAll(ctx, tx, j.add); err != nil {
		return err
	}
	return j.flush()
}

// follows is how rows compare with the last one that was had: with joins it may
// have more rows.
func (p *selectionPlan) follows() string {
	if len(p.Joins) > 0 {
		return ">="
	}
	return ">"
}

func (p *selectionPlan) walkAll(ctx context.Context, tx *db.Tx, f func(Match) error) error {
	if p.hints.hasTags() || p.hints.arns != nil {
		from, args := p.fewRows()
		return p.walk(ctx, tx, f, from, args)
	}
	for _, t := range p.types {
		if t < p.After.Type {
			continue
		}
		if err := p.walkType(ctx, tx, t, f); err != nil {
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
		in := ` AND +r.place IN (SELECT value FROM json_each(?)) AND (r.place, r.external_id) ` + p.follows() + ` (?, ?)`
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
		err := p.walk(ctx, tx, f, `SELECT `+spotColumns+` FROM resource r WHERE r.type = ? AND r.place = ? AND r.external_id `+p.follows()+` ?`+columns+` ORDER BY r.external_id`, args)
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
		distinct := "DISTINCT "
		if p.hints.oneTag() { // which a resource has once
			distinct = ""
		}
		from = `SELECT ` + distinct + spotColumns + ` FROM resource_tag t CROSS JOIN resource r WHERE ` + tag + ` AND r.id = t.resource`
	}
	columns, values := p.hints.columns()
	from += columns + ` AND +r.type IN (SELECT value FROM json_each(?)) AND +r.place IN (SELECT value FROM json_each(?))`
	args = append(append(args, values...), jsonInts(p.types), jsonInts(p.places))
	if p.After != (Spot{}) {
		from += ` AND (+r.type, +r.place, +r.external_id) ` + p.follows() + ` (?, ?, ?)`
		args = append(args, p.After.Type, p.After.Place, p.After.ID)
	}
	return from + ` ORDER BY r.type, r.place, r.external_id`, args
}

// walk calls f with those rows whose body the rest of the condition holds for. The
// rows are found and sorted before their bodies are read: LIMIT keeps SQLite from
// making one of the two.
func (p *selectionPlan) walk(ctx context.Context, tx *db.Tx, f func(Match) error, from string, args []any) error {
	not, texts := otherTexts(p.check)
	text := `SELECT ` + spotColumns + `, b.body FROM (` + from + ` LIMIT -1) r CROSS JOIN resource_body b WHERE b.resource = r.id` + not
	args = append(slices.Clip(args), texts...)
	return db.Each(ctx, tx, func(scan func(...any) error) error {
		m := Match{Count: 1}
		var body sql.RawBytes
		if err := scan(&m.Resource, &m.Type, &m.Place, &m.ID, &body); err != nil {
			return err
		}
		values := valuesOf(jsonb.Open(body))
		if !query.Holds(p.check, values) {
			return nil
		}
		if len(p.Joins) == 0 { // else they are those of the joined row
			m.Values = p.valuesOf(values)
		}
		if len(p.Joins) == 0 && p.keeps(len(body)) {
			m.Form = p.formOf(body, "")
		}
		return f(m)
	}, text, args...)
}

// formOf returns what is wanted of a body: of the item itself, or of a joined one.
func (p *selectionPlan) formOf(body []byte, join string) map[string]any {
	form, ok := jsonb.Open(body).Part(p.wanted[join]).(map[string]any)
	if !ok { // it is damaged
		form = map[string]any{}
	}
	return form
}

// otherTexts returns a condition that only bodies fail which have another text than a
// predicate asks for. It keeps them from being handed over one by one; the others
// are looked at by query.Holds, those with lists on the path among them.
func otherTexts(c query.Condition) (sql string, args []any) {
	left := maxCompared
	for _, one := range query.Conjuncts(c) {
		p, ok := one.(*query.Predicate)
		if !ok || left == 0 || p.Op != query.Equal && p.Op != query.In || p.Property.IsTag() || len(p.Ranges()) > 0 || len(p.Values) > maxTexts {
			continue
		}
		if slices.ContainsFunc(p.Values, func(l query.Literal) bool { return !l.Quoted || strings.ContainsRune(l.Text, '\ufffd') }) {
			continue
		}
		sql += ` AND CASE json_type(b.body, ?) WHEN 'text' THEN json_extract(b.body, ?) IN (` + rows(len(p.Values), "?") + `) ELSE true END`
		left--
		args = append(args, path(p.Property), path(p.Property))
		for _, l := range p.Values {
			args = append(args, l.Text)
		}
	}
	return sql, args
}

// How many predicates a statement looks at, and texts of each.
const (
	maxCompared = 4
	maxTexts    = 20
)

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
		plain := query.IsPlain(steps[i:])
		switch {
		case n.IsArray():
			return n.Elements(func(e jsonb.Node) bool {
				if plain && !e.IsObject() {
					return leavesJSONB(e, 1, yield)
				}
				return walkJSONB(e.Member(step), steps[i+1:], yield)
			})
		case plain && !n.IsObject():
			return leavesJSONB(n, 0, yield)
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
