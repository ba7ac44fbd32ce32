package store

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/query"
)

// selectPostgres has PostgreSQL evaluate the whole condition. A predicate becomes
// a JSON path in lax mode, which looks into lists as query.ValuesOf does, and which
// the GIN index serves where it asks for equality.
func (p *selectionPlan) selectPostgres(ctx context.Context, tx *db.Tx, f func(Match) error) error {
	if len(p.Joins) > 0 {
		// Relationships are counted as a thousand an item, which would have each join compiled.
		if _, err := tx.Exec(ctx, "SET LOCAL jit = off"); err != nil {
			return err
		}
	}
	w := &pathWriter{of: &p.Selection}
	w.text("SELECT " + spotColumns + p.joinedColumns())
	for _, q := range p.Properties {
		w.text(", ").values(q)
	}
	form := p.Wanted != nil && len(p.Joins) == 0 // those of joined rows are read by who makes a page
	if form {
		w.text(", b.body::text")
	}
	in, args := tupleIn(tx, p.types, p.places)
	w.text(" FROM resource r JOIN resource_body b ON b.resource = r.id"+p.postgresJoins()+" WHERE "+in, args...)
	columns, args := p.hints.columns()
	w.text(columns, args...)
	if p.hints.hasTags() {
		tag, args := p.hints.tagCondition()
		w.text(" AND r.id IN (SELECT t.resource FROM resource_tag t WHERE "+tag+")", args...)
	}
	for _, c := range []query.Condition{p.rest, p.joined} {
		if c != nil {
			w.text(" AND ").condition(c, false)
		}
	}
	if p.Limit > 0 {
		w.after(p.After)
		w.text(" ORDER BY "+p.spotOf()+" LIMIT ?", p.Limit)
	}
	return db.Each(ctx, tx, func(scan func(...any) error) error {
		m := Match{Count: 1}
		lists := make([]*string, len(p.Properties))
		dest := append([]any{&m.Resource, &m.Type, &m.Place, &m.ID}, m.scanJoined(len(p.Joins))...)
		for i := range lists {
			dest = append(dest, &lists[i])
		}
		var text []byte
		if form {
			dest = append(dest, &text)
		}
		if err := scan(dest...); err != nil {
			return err
		}
		if form && p.keeps(len(text)) {
			form, err := config.Decode(text)
			if err != nil {
				return err
			}
			m.Form, _ = form.(map[string]any)
		}
		for _, l := range lists {
			all, err := decodeValues(l)
			if err != nil {
				return err
			}
			m.Values = append(m.Values, all)
		}
		return f(m)
	}, w.b.String(), w.args...)
}

func decodeValues(list *string) (out []query.Value, err error) {
	if list == nil || *list == "[]" {
		return nil, nil
	}
	all, err := config.Decode([]byte(*list))
	if err != nil {
		return nil, err
	}
	elements, _ := all.([]any)
	for _, e := range elements {
		if v, ok := query.ValueOf(e); ok {
			out = append(out, v)
		}
	}
	return out, nil
}

// A pathWriter writes SQL of PostgreSQL with its arguments.
type pathWriter struct {
	of   *Selection
	b    strings.Builder
	args []any
}

// after writes that a row follows the last one that was had.
func (w *pathWriter) after(s Spot) {
	if len(w.of.Joins) == 0 {
		w.text(" AND (r.type, r.place, r.external_id) > (?, ?, ?)", s.Type, s.Place, s.ID)
		return
	}
	w.text(" AND (r.type, r.place, r.external_id) >= (?, ?, ?)", s.Type, s.Place, s.ID) // it has an index
	args := []any{s.Type, s.Place, s.ID}
	for i := range w.of.Joins {
		args = append(args, s.Path[i])
	}
	w.text(" AND ("+w.of.spotOf()+") > (?"+strings.Repeat(", ?", len(args)-1)+")", args...)
}

// document returns what a property is a path of: the body of an item, or the
// relationship that led to it.
func (w *pathWriter) document(p query.Property) string {
	n := w.of.number(p.Join)
	if n > 0 && p.Steps[0] == query.RelationshipName {
		return fmt.Sprintf("e%d.value", n)
	}
	return body(n) + ".body"
}

func (w *pathWriter) text(sql string, args ...any) *pathWriter {
	w.b.WriteString(sql)
	w.args = append(w.args, args...)
	return w
}

// condition writes a condition; coalesced, so that nothing in it is unknown.
func (w *pathWriter) condition(c query.Condition, coalesced bool) {
	switch c := c.(type) {
	case query.And:
		w.joined(c, " AND ", coalesced)
	case query.Or:
		w.joined(c, " OR ", coalesced)
	case query.Not:
		w.text("NOT ").condition(c.Condition, true)
	case *query.Predicate:
		if coalesced {
			w.text("coalesce(").predicate(c)
			w.text(", false)")
			return
		}
		w.predicate(c)
	}
}

func (w *pathWriter) joined(all []query.Condition, by string, coalesced bool) {
	w.text("(")
	for i, c := range all {
		if i > 0 {
			w.text(by)
		}
		w.condition(c, coalesced)
	}
	w.text(")")
}

func (w *pathWriter) predicate(c *query.Predicate) {
	ranges := c.Ranges()
	switch {
	case c.Property.IsTag():
		w.text("EXISTS (SELECT 1 FROM jsonb_each_text("+w.document(c.Property)+"->'tags') t WHERE to_jsonb("+tagColumn(c.Property)+") @@ ?::jsonpath)", exists("$", c))
	case len(ranges) > 0:
		w.text("EXISTS (SELECT 1 FROM jsonb_array_elements(").list(c.Property).text(`) v(x)
			CROSS JOIN LATERAL query_range(CASE WHEN jsonb_typeof(v.x) = 'string' THEN v.x #>> '{}' END) n
			WHERE CASE WHEN n.first IS NULL THEN jsonb_typeof(v.x) <> 'array' AND v.x @@ ?::jsonpath ELSE `, exists("$", c))
		w.ranges(c, ranges)
		w.text(" END)")
	default:
		holds := exists(path(c.Property), c)
		if plain, ok := c.Property.Plain(); ok {
			holds += " || " + exists(path(plain), c)
		}
		w.text(w.document(c.Property)+" @@ ?::jsonpath", holds)
	}
}

// ranges writes the condition of a value that is a range of IP addresses.
func (w *pathWriter) ranges(c *query.Predicate, all []query.Range) {
	first, last := all[0].First.String(), all[0].Last.String()
	switch c.Op {
	case query.Less:
		w.text("family(n.first) = family(?::inet) AND n.first < ?::inet", first, first)
	case query.LessEqual:
		w.text("family(n.first) = family(?::inet) AND n.first <= ?::inet", last, last)
	case query.Greater:
		w.text("family(n.last) = family(?::inet) AND n.last > ?::inet", last, last)
	case query.GreaterEqual:
		w.text("family(n.last) = family(?::inet) AND n.last >= ?::inet", first, first)
	case query.Between:
		w.text("n.first <= ?::inet AND n.last >= ?::inet", all[1].Last.String(), first)
	default:
		for i, r := range all {
			if i > 0 {
				w.text(" OR ")
			}
			w.text("n.first <= ?::inet AND n.last >= ?::inet", r.Last.String(), r.First.String())
		}
	}
}

// values writes the list of the values of a property.
func (w *pathWriter) values(p query.Property) {
	if p.IsTag() {
		w.text("(SELECT jsonb_agg(" + tagColumn(p) + ") FROM jsonb_each_text(" + w.document(p) + "->'tags') t)::text")
		return
	}
	w.text("(").list(p).text(")::text")
}

// list writes the list of the values of a property in a configuration. What is none,
// an object for example, may be among them.
func (w *pathWriter) list(p query.Property) *pathWriter {
	w.text("jsonb_path_query_array("+w.document(p)+", ?::jsonpath)", elements(p))
	if plain, ok := p.Plain(); ok {
		w.text(" || jsonb_path_query_array("+w.document(p)+", ?::jsonpath)", elements(plain))
	}
	return w
}

func tagColumn(p query.Property) string {
	switch p.Steps[1] {
	case "key":
		return "t.key"
	case "value":
		return "t.value"
	}
	return "(t.key || '=' || t.value)"
}

// path returns a property as a JSON path.
func path(p query.Property) string {
	var b strings.Builder
	b.WriteString("$")
	steps := p.Steps
	if p.Join != "" && steps[0] == query.RelationshipName {
		steps = []string{"name"}
	}
	for _, s := range steps {
		b.WriteString("." + jsonText(s))
	}
	return b.String()
}

// elements returns the path of the values of a property: of a list, and of a list
// in that, its elements.
func elements(p query.Property) string { return path(p) + "[*][*]" }

// jsonText returns a text as a JSON path spells it.
func jsonText(s string) string {
	b, _ := json.Marshal(s) // a text cannot fail
	return string(b)
}

// exists returns the JSON path predicate that some value of a path passes the
// filter.
func exists(path string, c *query.Predicate) string {
	if c.Op == query.Between {
		// Both comparisons look into a list in the list: of its elements one each would do.
		return "exists(" + path + `[*] ? (@.type() != "array" && (` + filter(c) + ")))"
	}
	return "exists(" + path + " ? (" + filter(c) + "))"
}

var operators = map[query.Op]string{
	query.Equal: "==", query.In: "==", query.Less: "<", query.LessEqual: "<=", query.Greater: ">", query.GreaterEqual: ">=",
}

// filter returns the filter of a JSON path that is true for a value that the
// predicate holds for.
func filter(c *query.Predicate) string {
	var any []string
	switch c.Op {
	case query.Like:
		return like(c.Pattern)
	case query.Between:
		low, high := c.Values[0], c.Values[1]
		if low.Quoted && high.Quoted {
			any = append(any, "@ >= "+jsonText(low.Text)+" && @ <= "+jsonText(high.Text))
		}
		if low.Number != nil && high.Number != nil {
			any = append(any, "@ >= "+low.Number.String()+" && @ <= "+high.Number.String())
		}
	case query.Equal, query.In:
		for _, l := range c.Values {
			any = append(any, "@ == "+jsonText(l.Text))
			if l.Number != nil {
				any = append(any, "@ == "+l.Number.String())
			}
			if l.Bool != nil {
				any = append(any, "@ == "+jsonBool(*l.Bool))
			}
		}
	default:
		l := c.Values[0]
		if l.Quoted {
			any = append(any, "@ "+operators[c.Op]+" "+jsonText(l.Text))
		}
		if l.Number != nil {
			any = append(any, "@ "+operators[c.Op]+" "+l.Number.String())
		}
	}
	if len(any) == 0 {
		return "1 == 0"
	}
	return strings.Join(any, " || ")
}

func jsonBool(b bool) string {
	if b {
		return "true"
	}
	return "false"
}

func like(p query.Pattern) string {
	switch parts := strings.Split(p.Text, "_"); {
	case len(parts) > 1:
		for i := range parts {
			parts[i] = regexp.QuoteMeta(parts[i])
		}
		end := "$"
		if p.Open {
			end = ""
		}
		return "@ like_regex " + jsonText("^"+strings.Join(parts, ".")+end) + ` flag "s"`
	case p.Open:
		return "@ starts with " + jsonText(p.Text)
	}
	return "@ == " + jsonText(p.Text)
}
