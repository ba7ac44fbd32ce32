package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/db/jsonb"
	"plumb/internal/query"
)

// A Selection is what to look for among the newest items of the live, recorded
// resources of some places.
//
// Types and accounts become keys of the index, and so do equality on an id, a
// name, an ARN, a tag; PostgreSQL has an index for equality on any path. What is
// left of the condition PostgreSQL evaluates (selection_postgres.go), and on SQLite
// query.Holds does, on bodies as they are kept (selection_sqlite.go): its JSON
// functions cannot follow a path through lists. Joins lead from what was found by
// an item's own condition to the keys of others (selection_join.go).
type Selection struct {
	Places     []config.Place
	Joins      []query.Join
	Where      query.Condition
	Properties []query.Property      // whose values a match has
	Wanted     map[string][][]string // paths of what a match has of its form, and of those of the joins by their names; nil if it has none
	After      Spot                  // the last match that was had; for a selection in order
	Limit      int                   // matches in the order of their spots; 0 is all, in any order
}

// A Spot is where a resource stands in the order of selections, and with joins which
// of its rows. Its numbers never change.
type Spot struct {
	Type  int64      `json:"t"`
	Place int64      `json:"p"`
	ID    string     `json:"i"`
	Path  query.Path `json:"j,omitzero"`
}

// Compare orders spots.
func (s Spot) Compare(t Spot) int {
	return cmp.Or(cmp.Compare(s.Type, t.Type), cmp.Compare(s.Place, t.Place), strings.Compare(s.ID, t.ID), s.Path.Compare(t.Path))
}

// A Match is a resource that was found, or several that differ in nothing that was
// asked for: then it has no spot.
type Match struct {
	Spot
	Resource int64
	Joined   []int64 // the resources of the joins
	Count    int64
	Values   [][]query.Value // of each property of the selection
	Form     map[string]any  // what was wanted of its event form; nil where bodies are too large to be kept
}

// maxForms bounds the bodies of which a selection keeps what is wanted.
const maxForms = 4 << 20

// errEnough ends a selection early.
var errEnough = errors.New("enough")

// Select calls f with what matches a selection. It may look through all of the
// bodies: call it in db.ReadLong.
func Select(ctx context.Context, tx *db.Tx, s Selection, f func(Match) error) error {
	p, err := planSelection(ctx, tx, s)
	if err != nil || p.empty() {
		return err
	}
	switch {
	case p.countable():
		err = p.count(ctx, tx, f)
	case tx.Postgres() != nil:
		err = p.selectPostgres(ctx, tx, f)
	default:
		err = p.selectSQLite(ctx, tx, f)
	}
	if err != nil && !errors.Is(err, errEnough) {
		return fmt.Errorf("select resources: %w", err)
	}
	return nil
}

// A selectionPlan is how a selection is carried out.
type selectionPlan struct {
	Selection
	places []int64
	types  []int64
	rest   query.Condition // what the places and types do not say
	check  query.Condition // what the hints do not say either
	wanted map[string]*jsonb.Paths
	joined query.Condition // what is also about joined resources
	hints  hints
	forms  int // bytes of the bodies of which something was kept

	placeOf map[int64]config.Place
	typeOf  map[int64]string
}

func (p *selectionPlan) empty() bool { return len(p.places) == 0 || len(p.types) == 0 }

func planSelection(ctx context.Context, tx *db.Tx, s Selection) (*selectionPlan, error) {
	p := &selectionPlan{Selection: s, placeOf: map[int64]config.Place{}, typeOf: map[int64]string{}, wanted: map[string]*jsonb.Paths{}}
	var types, accounts, rest, joined query.And
	for _, c := range query.Conjuncts(s.Where) {
		switch name := onlyProperty(c); {
		case name == "resourceType":
			types = append(types, c)
		case name == "accountId":
			accounts = append(accounts, c)
		case query.IsJoined(c):
			joined = append(joined, c)
		default:
			rest = append(rest, c)
		}
	}
	if len(rest) > 0 {
		p.rest, p.hints = rest, hintsOf(rest)
	}
	if unsaid := slices.DeleteFunc(slices.Clone(rest), p.hints.say); len(unsaid) > 0 {
		p.check = unsaid
	}
	for join, paths := range s.Wanted {
		p.wanted[join] = jsonb.NewPaths(paths)
	}
	if len(joined) > 0 {
		p.joined = joined
	}
	if err := p.findPlaces(ctx, tx, accounts); err != nil || len(p.places) == 0 {
		return p, err
	}
	return p, p.findTypes(ctx, tx, types)
}

// onlyProperty returns the property that a condition is about, if it is one.
func onlyProperty(c query.Condition) (name string) {
	several := false
	query.Properties(c, func(p query.Property) {
		several = several || name != "" && name != p.Name
		name = p.Name
	})
	if several {
		return ""
	}
	return name
}

// holdsForText reports whether a condition holds whose properties all have that
// value.
func holdsForText(c query.Condition, text string) bool {
	return query.Holds(c, func(_ query.Property, yield func(query.Value) bool) {
		yield(query.Value{Kind: query.Text, Text: text})
	})
}

func (p *selectionPlan) findPlaces(ctx context.Context, tx *db.Tx, accounts query.And) error {
	for _, place := range p.Places {
		if !holdsForText(accounts, place.Account) {
			continue
		}
		id, err := placeID(ctx, tx, place)
		if err != nil {
			return err
		}
		if id != 0 && p.placeOf[id] == (config.Place{}) {
			p.placeOf[id] = place
			p.places = append(p.places, id)
		}
	}
	slices.Sort(p.places)
	return nil
}

func (p *selectionPlan) findTypes(ctx context.Context, tx *db.Tx, types query.And) error {
	kinds, err := p.kinds(ctx, tx, types)
	for _, k := range kinds {
		if holdsForText(types, k.name) {
			p.typeOf[k.id] = k.name
			p.types = append(p.types, k.id)
		}
	}
	slices.Sort(p.types)
	return err
}

// kinds returns the types that resources of the places may have, among them all that
// the conditions hold for.
func (p *selectionPlan) kinds(ctx context.Context, tx *db.Tx, types query.And) (out []kind, err error) {
	for _, c := range types {
		if named, ok := c.(*query.Predicate); ok && (named.Op == query.Equal || named.Op == query.In) {
			return kindsNamed(ctx, tx, named.Values)
		}
	}
	if len(p.places) == 1 {
		return typesIn(ctx, tx, p.placeOf[p.places[0]])
	}
	return out, db.Each(ctx, tx, func(scan func(...any) error) error {
		var k kind
		err := scan(&k.id, &k.name)
		out = append(out, k)
		return err
	}, `SELECT id, name FROM resource_type`)
}

// kindsNamed returns the types of those names that there are.
func kindsNamed(ctx context.Context, tx *db.Tx, names []query.Literal) (out []kind, err error) {
	texts := make([]string, len(names))
	for i, l := range names {
		texts[i] = l.Text
	}
	ids, err := typeIDs(ctx, tx, texts)
	for name, id := range ids {
		out = append(out, kind{id, name})
	}
	return out, err
}

// countable reports whether the keys of the index say all that is asked for.
func (p *selectionPlan) countable() bool {
	return p.Limit == 0 && p.Wanted == nil && p.rest == nil && len(p.Joins) == 0 && !slices.ContainsFunc(p.Properties, func(q query.Property) bool {
		return q.Name != "resourceType" && q.Name != "accountId"
	})
}

func (p *selectionPlan) count(ctx context.Context, tx *db.Tx, f func(Match) error) error {
	var found []Match
	in, args := tupleIn(tx, p.types, p.places)
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var m Match
		err := scan(&m.Type, &m.Place, &m.Count)
		found = append(found, m)
		return err
	}, `SELECT r.type, r.place, count(*) FROM resource r CROSS JOIN resource_body b WHERE `+in+` AND b.resource = r.id GROUP BY r.type, r.place`, args...)
	if err != nil {
		return err
	}
	for _, m := range found {
		for _, q := range p.Properties {
			text := p.typeOf[m.Type]
			if q.Name == "accountId" {
				text = p.placeOf[m.Place].Account
			}
			m.Values = append(m.Values, []query.Value{{Kind: query.Text, Text: text}})
		}
		if err := f(m); err != nil {
			return err
		}
	}
	return nil
}

// tupleIn returns the condition that r is of one of the types and places.
func tupleIn(tx *db.Tx, types, places []int64) (string, []any) {
	if tx.Postgres() != nil {
		return `r.type = ANY(?) AND r.place = ANY(?)`, []any{types, places}
	}
	return `r.type IN (SELECT value FROM json_each(?)) AND r.place IN (SELECT value FROM json_each(?))`, []any{jsonInts(types), jsonInts(places)}
}

// jsonInts returns integers as a JSON list, which a statement of SQLite unpacks.
func jsonInts(all []int64) string { return strings.ReplaceAll(fmt.Sprint(all), " ", ",") }

// keeps reports whether something is to be kept of a body of that size.
func (p *selectionPlan) keeps(size int) bool {
	if p.Wanted == nil || p.forms+size > maxForms {
		return false
	}
	p.forms += size
	return true
}

// Bodies returns the event forms of resources as text, in their order; nil for one
// that has none any more.
func Bodies(ctx context.Context, tx *db.Tx, resources []int64) ([][]byte, error) {
	text := "json(b.body)"
	if tx.Postgres() != nil {
		text = "b.body::text"
	}
	out := make([][]byte, len(resources))
	for n, chunk := range slices.Collect(slices.Chunk(resources, maxRows)) {
		with, args := list{ints("n", counted(len(chunk))), ints("id", chunk)}.with(tx)
		err := db.Each(ctx, tx, func(scan func(...any) error) error {
			var i int
			var body []byte
			err := scan(&i, &body)
			out[n*maxRows+i] = body
			return err
		}, with+`SELECT w.n, `+text+` FROM w CROSS JOIN resource_body b WHERE b.resource = w.id`, args...)
		if err != nil {
			return nil, fmt.Errorf("read bodies: %w", err)
		}
	}
	return out, nil
}
