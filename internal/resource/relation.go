package resource

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"plumb/internal/config"
)

// An Edge is a kind of relationship between two types. Items of From list it as Name; items of To list it as Inverse,
// unless that is empty. Inverse ones are not in what Discover returns: whoever keeps items finds them by those of From.
type Edge struct {
	From, Name  string
	To, Inverse string
}

// Edges returns the relationships that lead to a type. When a resource of the type changes, the items that lead to it
// are to be captured again: a security group's rules are part of what its instances are.
func (c *Catalogue) Edges(to string) []Edge {
	return c.edges()[to]
}

func (c *Catalogue) allEdges() map[string][]Edge {
	out := map[string][]Edge{}
	for _, typ := range slices.Sorted(maps.Keys(c.files)) {
		if !c.files[typ].Relates {
			continue
		}
		for _, r := range c.form(typ).relations() {
			out[r.Type] = append(out[r.Type], Edge{typ, r.Name, r.Type, r.Inverse})
		}
	}
	for _, edges := range out {
		slices.SortFunc(edges, func(a, b Edge) int { return strings.Compare(a.From+a.Name, b.From+b.Name) })
	}
	return out
}

// relations are the relationships of a form, which may be nil.
func (f *form) relations() []relation {
	if f == nil {
		return nil
	}
	return f.Relationships
}

// Related returns the resources that the item leads to and whose own items list it in turn. They are to be captured
// again when the item is new or gone, or leads elsewhere now: a group gets an item when an interface attaches. What merely
// contains the resource is left out: a VPC gets no item for every instance in it. So are relationships that the item lists
// only because of the other side.
func (c *Catalogue) Related(it config.Item) []config.ResourceKey {
	var out []config.ResourceKey
	for _, r := range it.Relationships {
		if r.ID == "" || strings.HasPrefix(r.Name, "Is contained in") || !c.answers(it.Type, r) {
			continue
		}
		key := config.ResourceKey{Place: it.Place, Type: r.Type, ID: r.ID}
		if !slices.Contains(out, key) {
			out = append(out, key)
		}
	}
	return out
}

// answers says whether the target of a relationship lists its origin: by what it answers itself, or as the inverse.
func (c *Catalogue) answers(from string, r config.Relationship) bool {
	if !c.declares(from, r) {
		return false
	}
	for _, own := range c.form(from).relations() {
		if own.Type == r.Type && own.Name == r.Name && own.Inverse != "" {
			return true
		}
	}
	return slices.ContainsFunc(c.form(r.Type).relations(), func(own relation) bool { return own.Type == from })
}

// declares says whether items of a type list a relationship by themselves.
func (c *Catalogue) declares(from string, r config.Relationship) bool {
	return slices.ContainsFunc(c.form(from).relations(), func(own relation) bool { return own.Type == r.Type && own.Name == r.Name })
}

// Inverse returns how items of a type list the items of others that lead to them: the phrase by the other's type. What the
// type merely contains is left out, as AWS leaves it out: a VPC does not list its instances.
func (c *Catalogue) Inverse(to string) map[string]string {
	var out map[string]string
	for _, e := range c.Edges(to) {
		if e.Inverse == "" || strings.HasPrefix(e.Name, "Is contained in") {
			continue
		}
		if out == nil {
			out = map[string]string{}
		}
		out[e.From] = e.Inverse
	}
	return out
}

// Needs returns the types that must be read as well, so that items of a type have all their relationships: those of others
// that lead to it and that it lists. A VPC needs none.
func (c *Catalogue) Needs(typ string) []string { return slices.Sorted(maps.Keys(c.Inverse(typ))) }

// relationships evaluates what the form says the resource leads to. The same one is listed once.
func (r *reader) relationships(doc map[string]any) ([]config.Relationship, error) {
	var out []config.Relationship
	for _, kind := range r.form.Relationships {
		v, err := kind.To.eval(doc)
		if err != nil {
			return nil, fmt.Errorf("relationship to %s: %w", kind.Type, err)
		}
		for _, target := range asList(v) {
			if target == "" {
				continue // how some services write that there is none
			}
			rel, ok := leadTo(kind, target)
			if !ok {
				return nil, fmt.Errorf("relationship to %s: %v is neither an id nor has one", kind.Type, target)
			}
			if !slices.Contains(out, rel) {
				out = append(out, rel)
			}
		}
	}
	return out, nil
}

// asList takes one target for a list of one, and an expression without a value for none.
func asList(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	}
	return []any{v}
}

func leadTo(kind relation, target any) (config.Relationship, bool) {
	rel := config.Relationship{Type: kind.Type, Name: kind.Name}
	switch t := target.(type) {
	case string:
		rel.ID = t
	case map[string]any:
		rel.ID, _ = t["id"].(string)
		rel.ResourceName, _ = t["name"].(string)
	}
	return rel, rel.ID != "" || rel.ResourceName != ""
}
