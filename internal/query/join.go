package query

import (
	"maps"
	"slices"
	"strings"
)

// MaxJoins is how many joins a query may have.
const MaxJoins = 3

// A Join leads from an item, along each of its relationships, to the resource at
// the other end, in the same account and region. Where that is not recorded, the
// relationship leads nowhere and makes no row.
type Join struct {
	Name string // of the resource at the other end: what its properties begin with
	From string // the join whose relationships are followed; empty for the item that is selected
}

// A Path says which relationships led to the resources of a row: the place of each
// in the list of its item, from 0, in the order of the joins.
type Path [MaxJoins]int

// Compare orders paths.
func (p Path) Compare(q Path) int { return slices.Compare(p[:], q[:]) }

// RelationshipName is the property of a joined resource that says how the
// relationship is called that led to it.
const RelationshipName = "relationshipName"

// joins reads JOIN name ON [name.]relationships, any number of times.
func (p *parser) joins(q *Query) error {
	for p.extended {
		at := p.at
		ok, err := p.accept("JOIN")
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		switch {
		case q.History:
			return p.errorAt(at, "JOIN and FROM history cannot be had together")
		case len(q.Joins) == MaxJoins:
			return p.errorAt(at, "a query has at most %d joins", MaxJoins)
		}
		if err := p.join(q); err != nil {
			return err
		}
	}
	return p.checkJoined(q)
}

func (p *parser) join(q *Query) error {
	name := p.token
	if err := p.checkJoinName(q); err != nil {
		return err
	}
	if err := p.advance(); err != nil {
		return err
	}
	if err := p.expect("ON"); err != nil {
		return err
	}
	from, found := strings.CutSuffix(p.token.text, relationships)
	from, dotted := strings.CutSuffix(from, ".")
	if p.kind != word || !found || dotted != (from != "") || from != "" && !q.hasJoin(from) {
		return p.wrong("relationships, or those of a join before this one")
	}
	q.Joins = append(q.Joins, Join{Name: name.text, From: from})
	return p.advance()
}

// checkJoinName checks that the next token can name a join: nothing else that may
// begin a property, or that a row has, is called so.
func (p *parser) checkJoinName(q *Query) error {
	name := p.token.text
	_, isProperty := propertyOf(name)
	_, isItem := q.aliased(name)
	upper := strings.ToUpper(name)
	switch {
	case p.kind != word || strings.ContainsAny(name, ".:/"), slices.Contains(reserved, upper), slices.Contains(unsupported, upper), upper == "ON":
		return p.wrong("a name without dots")
	case isProperty || inForms[name]:
		return p.errorAt(p.at, "%s is a property and cannot name a join", name)
	case isItem || q.hasJoin(name):
		return p.errorAt(p.at, "two things are named %s", name)
	}
	return nil
}

func (q *Query) hasJoin(name string) bool {
	return slices.ContainsFunc(q.Joins, func(j Join) bool { return j.Name == name })
}

// A mention is a property that begins with the name of a join.
type mention struct {
	token
	join string
}

// joinedProperty returns the property of a joined resource. Joins come after what
// is selected, so whether there is such a join is seen later, by checkJoined.
func (p *parser) joinedProperty() (Property, bool) {
	join, name, dotted := strings.Cut(p.token.text, ".")
	if !p.extended || !dotted {
		return Property{}, false
	}
	prop, ok := propertyOf(name)
	if name == RelationshipName {
		prop, ok = Property{Steps: []string{RelationshipName}}, true
	}
	if ok {
		p.mentions = append(p.mentions, mention{p.token, join})
	}
	prop.Name, prop.Join = p.token.text, join
	return prop, ok
}

func (p *parser) checkJoined(q *Query) error {
	for _, m := range p.mentions {
		if !q.hasJoin(m.join) {
			return p.errorAt(m.at, "there is no property %s", m.token)
		}
	}
	return nil
}

// IsJoined reports whether a condition is about joined resources.
func IsJoined(c Condition) (joined bool) {
	Properties(c, func(p Property) { joined = joined || p.Join != "" })
	return joined
}

// A Find returns the item of a resource that lives, in its event form; nil if there
// is none. Without an id it is found by its name; of several the least id counts.
type Find func(resourceType, id, name string) (map[string]any, error)

// Tuples calls f with an item for each way along its relationships that the joins
// can take. The form that f is given has the joined items as members, called like
// the joins, and is not kept.
func (q *Query) Tuples(form map[string]any, find Find, f func(form map[string]any, path Path) error) error {
	return q.tuples(form, 0, Path{}, find, f)
}

func (q *Query) tuples(form map[string]any, n int, path Path, find Find, f func(map[string]any, Path) error) error {
	if n == len(q.Joins) {
		return f(form, path)
	}
	join := q.Joins[n]
	for i, r := range relationshipsOf(partOf(form, join.From)) {
		text := func(name string) string { s, _ := r[name].(string); return s }
		found, err := find(text("resourceType"), text("resourceId"), text("resourceName"))
		if err != nil {
			return err
		}
		if found == nil {
			continue
		}
		path[n] = i
		if err := q.tuples(Joined(form, join, i, found), n+1, path, find, f); err != nil {
			return err
		}
	}
	return nil
}

func relationshipsOf(form map[string]any) []map[string]any {
	list, _ := form[relationships].([]any)
	out := make([]map[string]any, len(list))
	for i, e := range list {
		out[i], _ = e.(map[string]any)
	}
	return out
}

// Joined returns an item with another one as a member, to which a join led by the
// n-th relationship.
func Joined(form map[string]any, join Join, n int, found map[string]any) map[string]any {
	found = maps.Clone(found)
	if all := relationshipsOf(partOf(form, join.From)); n < len(all) {
		found[RelationshipName] = all[n]["name"]
	}
	form = maps.Clone(form)
	form[join.Name] = found
	return form
}

// partOf returns the item itself or, with a name, the one that was joined.
func partOf(form map[string]any, join string) map[string]any {
	if join == "" {
		return form
	}
	joined, _ := form[join].(map[string]any)
	return joined
}
