package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"plumb/internal/db"
	"plumb/internal/db/jsonb"
	"plumb/internal/query"
)

// A joined row has, beside the resource r and its body b, for each join n the
// relationship e<n> and the body b<n> of the resource that it leads to.

// ends returns the expression of the resource at the other end of a relationship
// of r's place: of that id, or without one the first of that name that lives.
func ends(n int) string {
	const of = `(SELECT x.id FROM resource x %s WHERE x.type = (SELECT t.id FROM resource_type t WHERE t.name = %[2]s ->> 'resourceType') AND x.place = r.place AND `
	e := fmt.Sprintf("e%d.value", n)
	return `CASE WHEN coalesce(` + e + ` ->> 'resourceId', '') <> '' THEN ` +
		fmt.Sprintf(of, "", e) + `x.external_id = ` + e + ` ->> 'resourceId') ELSE ` +
		fmt.Sprintf(of, "CROSS JOIN resource_body y", e) + `x.name <> '' AND x.name = ` + e + ` ->> 'resourceName' AND y.resource = x.id
		ORDER BY x.external_id LIMIT 1) END`
}

// body names the body of a join, which is 0 for the resource itself.
func body(n int) string {
	if n == 0 {
		return "b"
	}
	return fmt.Sprintf("b%d", n)
}

// number returns which join has a name, from 1; 0 for the resource itself.
func (s *Selection) number(name string) int {
	return slices.IndexFunc(s.Joins, func(j query.Join) bool { return j.Name == name }) + 1
}

// postgresJoins returns what follows FROM resource r JOIN resource_body b. The
// bodies are found one by one, by their keys.
func (s *Selection) postgresJoins() string {
	var b strings.Builder
	for i, j := range s.Joins {
		n := i + 1
		fmt.Fprintf(&b, ` CROSS JOIN LATERAL jsonb_path_query(%s.body, '$.relationships[*]') WITH ORDINALITY e%d(value, n)
			CROSS JOIN LATERAL (SELECT y.resource, y.body FROM resource_body y WHERE y.resource = %s OFFSET 0) b%[2]d`,
			body(s.number(j.From)), n, ends(n))
	}
	return b.String()
}

// spotOf returns the columns of the order of rows; e<n>.n counts from 1.
func (s *Selection) spotOf() string {
	text := "r.type, r.place, r.external_id"
	for i := range s.Joins {
		text += fmt.Sprintf(", e%d.n - 1", i+1)
	}
	return text
}

// joinedColumns are those of a joined row that say what was joined.
func (s *Selection) joinedColumns() (text string) {
	for i := range s.Joins {
		text += fmt.Sprintf(", e%d.n - 1, b%[1]d.resource", i+1)
	}
	return text
}

// scanJoined returns where joinedColumns are scanned to.
func (m *Match) scanJoined(joins int) (dest []any) {
	m.Joined = make([]int64, joins)
	for i := range joins {
		dest = append(dest, &m.Path[i], &m.Joined[i])
	}
	return dest
}

// joinedAtOnce is how many rows are joined to others in one statement of SQLite.
const joinedAtOnce = 50

// A joiner joins the rows that are found on SQLite to others, some at a time.
type joiner struct {
	*selectionPlan
	ctx   context.Context
	tx    *db.Tx
	f     func(Match) error
	found []int64 // resources
	last  Spot    // of the rows that were joined
}

func (j *joiner) add(m Match) error {
	if j.found = append(j.found, m.Resource); len(j.found) < joinedAtOnce {
		return nil
	}
	return j.flush()
}

// flush calls f with the joined rows of what was found, in order: each table is
// walked within the one before it. Sorting would have all of them made first.
func (j *joiner) flush() error {
	if len(j.found) == 0 {
		return nil
	}
	with, args := list{ints("n", counted(len(j.found))), ints("id", j.found)}.with(j.tx)
	j.found = j.found[:0]
	columns, from, where := "", "", ""
	for i, join := range j.Joins {
		n := i + 1
		columns += fmt.Sprintf(", e%d.key, b%[1]d.resource, e%[1]d.value ->> 'name', b%[1]d.body", n)
		from += fmt.Sprintf(" CROSS JOIN json_each(%s.body, '$.relationships') e%d CROSS JOIN resource_body b%[2]d", body(j.number(join.From)), n)
		where += fmt.Sprintf(" AND b%d.resource = ", n) + ends(n)
	}
	return db.Each(j.ctx, j.tx, j.row, with+`SELECT `+spotColumns+`, b.body`+columns+`
		FROM w CROSS JOIN resource r CROSS JOIN resource_body b`+from+` WHERE r.id = w.id AND b.resource = r.id`+where, args...)
}

// row passes on a row that follows the last one that was had, and that the
// condition on all of it holds for.
func (j *joiner) row(scan func(...any) error) error {
	m := Match{Count: 1, Joined: make([]int64, len(j.Joins))}
	bodies := make([]sql.RawBytes, len(j.Joins)+1)
	names := make([]sql.NullString, len(j.Joins))
	dest := []any{&m.Resource, &m.Type, &m.Place, &m.ID, &bodies[0]}
	for i := range j.Joins {
		dest = append(dest, &m.Path[i], &m.Joined[i], &names[i], &bodies[i+1])
	}
	if err := scan(dest...); err != nil {
		return err
	}
	if j.Limit > 0 && m.Compare(j.last) <= 0 && j.last != (Spot{}) {
		return fmt.Errorf("the row %v comes after %v", m.Spot, j.last)
	}
	if j.last = m.Spot; m.Compare(j.After) <= 0 && j.After != (Spot{}) {
		return nil
	}
	values := func(p query.Property, yield func(query.Value) bool) {
		n := j.number(p.Join)
		if n > 0 && p.Steps[0] == query.RelationshipName {
			if names[n-1].Valid {
				yield(query.Value{Kind: query.Text, Text: names[n-1].String})
			}
			return
		}
		valuesOf(jsonb.Open(bodies[n]))(p, yield)
	}
	if !query.Holds(j.joined, values) {
		return nil
	}
	m.Values = j.valuesOf(values)
	if j.keeps(total(bodies)) {
		m.Form = j.joinedForm(bodies, names)
	}
	return j.f(m)
}

func total(bodies []sql.RawBytes) (size int) {
	for _, b := range bodies {
		size += len(b)
	}
	return size
}

// joinedForm returns what is wanted of a row, as query.Joined makes it of whole forms.
func (j *joiner) joinedForm(bodies []sql.RawBytes, names []sql.NullString) map[string]any {
	form := j.formOf(bodies[0], "")
	for i, join := range j.Joins {
		found := j.formOf(bodies[i+1], join.Name)
		if names[i].Valid {
			found[query.RelationshipName] = names[i].String
		}
		form[join.Name] = found
	}
	return form
}

func (p *selectionPlan) valuesOf(values query.Values) (out [][]query.Value) {
	for _, q := range p.Properties {
		var all []query.Value
		values(q, func(v query.Value) bool { all = append(all, v); return true })
		out = append(out, all)
	}
	return out
}
