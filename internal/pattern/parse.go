package pattern

import (
	"fmt"
	"maps"
	"strings"
)

// What bounds a pattern, besides its length, which its caller bounds.
const (
	maxDepth        = 1000
	maxAlternatives = 1000    // EventBridge: the combinations of $or
	maxConditions   = 100_000 // names with conditions, over all alternatives
)

// A Pattern decides about events. The zero Pattern matches none.
type Pattern struct {
	alternatives []*node
}

// A node is a name of an alternative: what its value must satisfy, and what the
// values below it must.
type node struct {
	leaf *leaf
	next map[string]*node
}

// A leaf is the conditions at a name, of which one must hold.
type leaf struct {
	path   []string
	exact  map[string]bool // strings
	others []condition
	absent bool // {"exists": false} is among them
}

// Parse reads a pattern. Its error is the reason that EventBridge gives.
func Parse(text string) (*Pattern, error) {
	p := parser{scanner{src: text}}
	t, err := p.next()
	if err != nil {
		return nil, err
	}
	if t.kind != beginObject {
		return nil, p.fail("Filter is not an object")
	}
	rules, err := p.object(nil, nil, false)
	if err != nil {
		return nil, err
	}
	if p.skip(); p.pos < len(p.src) {
		return nil, p.unexpected("was expecting the end of the pattern")
	}
	out := &Pattern{}
	for _, r := range rules {
		out.alternatives = append(out.alternatives, r.tree())
	}
	return out, nil
}

// A rule is an alternative: conditions by the names that lead to them, joined with
// dots. Of two with the same names, the last one counts.
type rule map[string]*leaf

func (r rule) tree() *node {
	root := &node{}
	for _, l := range r {
		n := root
		for _, name := range l.path {
			child := n.next[name]
			if child == nil {
				child = &node{}
				if n.next == nil {
					n.next = map[string]*node{}
				}
				n.next[name] = child
			}
			n = child
		}
		n.leaf = l
	}
	return root
}

type parser struct{ scanner }

// object reads the members of an object, and what they say is true besides of all
// of rules. Inside $or, some names are reserved.
func (p *parser) object(rules []rule, path []string, inOr bool) ([]rule, error) {
	for empty := true; ; empty = false {
		t, err := p.next()
		if err != nil {
			return nil, err
		}
		if t.kind == endObject {
			if empty {
				return nil, p.fail("Empty objects are not allowed")
			}
			return rules, nil
		}
		if rules, err = p.member(rules, path, t.text, inOr); err != nil {
			return nil, err
		}
	}
}

func (p *parser) member(rules []rule, path []string, name string, inOr bool) ([]rule, error) {
	if name == "$or" {
		return p.either(rules, path)
	}
	if inOr && reserved[name] {
		return nil, p.fail(name + " is Ruler reserved fieldName which cannot be used inside $or.")
	}
	t, err := p.next()
	if err != nil {
		return nil, err
	}
	below := append(path[:len(path):len(path)], name)
	switch t.kind {
	case beginObject:
		return p.object(rules, below, inOr)
	case beginArray:
		l, err := p.leaf(below)
		if err != nil {
			return nil, err
		}
		return p.add(rules, l)
	}
	return nil, p.fail(fmt.Sprintf(`"%s" must be an object or an array`, name))
}

// reserved are the names that may not be used inside $or.
var reserved = func() map[string]bool {
	out := map[string]bool{}
	for name := range strings.FieldsSeq(`exactly equals-ignore-case prefix suffix anything-but exists wildcard numeric cidr
		= < <= > >= regex not-wildcard not-equals-ignore-case date-after date-on-or-after date-before date-on-or-before
		in-date-range ip-address-in-range ip-address-not-in-range`) {
		out[name] = true
	}
	return out
}()

// add says the conditions of l of all of rules.
func (p *parser) add(rules []rule, l *leaf) ([]rule, error) {
	if len(rules) == 0 {
		rules = []rule{{}}
	}
	key := strings.Join(l.path, ".")
	l.path = strings.Split(key, ".")
	n := 0
	for _, r := range rules {
		r[key] = l
		n += len(r)
	}
	if n > maxConditions {
		return nil, reasonError(tooComplex)
	}
	return rules, nil
}

const tooComplex = "Rule is too complex - at most 1000 combinations of $or are supported"

// either reads the alternatives of $or: each is combined with each of rules.
func (p *parser) either(rules []rule, path []string) ([]rule, error) {
	t, err := p.next()
	if err != nil {
		return nil, err
	}
	if t.kind != beginArray {
		return nil, p.fail("It must be an Array followed with $or.")
	}
	var all []rule
	for n := 0; ; n++ {
		t, err := p.next()
		if err != nil {
			return nil, err
		}
		if t.kind == endArray {
			if n < 2 {
				return nil, p.fail("There must have at least 2 Objects in $or relationship.")
			}
			return all, nil
		}
		if t.kind != beginObject {
			return nil, p.fail("Only JSON object is allowed in array of $or relationship.")
		}
		if len(all)+max(len(rules), 1) > maxAlternatives {
			return nil, reasonError(tooComplex)
		}
		branch := []rule{{}}
		if len(rules) > 0 {
			branch = make([]rule, len(rules))
			for i, r := range rules {
				branch[i] = maps.Clone(r)
			}
		}
		if branch, err = p.object(branch, path, true); err != nil {
			return nil, err
		}
		if all = append(all, branch...); len(all) > maxAlternatives {
			return nil, reasonError(tooComplex)
		}
	}
}

// leaf reads the conditions at a name.
func (p *parser) leaf(path []string) (*leaf, error) {
	l := &leaf{path: path, exact: map[string]bool{}}
	for empty := true; ; empty = false {
		t, err := p.next()
		if err != nil {
			return nil, err
		}
		switch t.kind {
		case endArray:
			if empty {
				return nil, p.fail("Empty arrays are not allowed")
			}
			return l, nil
		case beginObject:
			err = p.expression(l)
		case text:
			var s string
			if s, err = p.read(t); err == nil {
				l.equal(s)
			}
		case number:
			l.others = append(l.others, equalNumber(numberOf(t.text)))
		case literal:
			l.others = append(l.others, equalLiteral(t.text))
		default:
			err = p.fail("Match value must be String, number, true, false, or null")
		}
		if err != nil {
			return nil, err
		}
	}
}

func (l *leaf) equal(s string) {
	l.exact[s] = true
	if a, ok := address(s); ok {
		l.others = append(l.others, equalAddress(a))
	}
}
