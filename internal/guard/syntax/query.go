package syntax

import (
	"slices"
	"strconv"
	"strings"

	"plumb/internal/guard/casing"
)

// Constructs that are remembered by the place where they were read.
const (
	queryConstruct byte = iota
	clauseConstruct
	checkConstruct
	whenConstruct
)

// query reads a path: Properties.Tags[ Key == 'owner' ].Value
func (p *parser) query() (*Query, bool) {
	return remember(p, queryConstruct, func() (*Query, bool) {
		return nested(p, p.freshQuery)
	})
}

// freshQuery reads steps for as long as they can be read.
func (p *parser) freshQuery() (*Query, bool) {
	some := p.some()
	first, ok := p.firstPart()
	if !ok {
		return nil, false
	}
	parts := []Part{first}
	for {
		part, ok := try(p, p.step)
		if p.failed {
			return nil, false
		}
		if !ok {
			return &Query{Parts: overAll(parts), Some: some}, true
		}
		parts = append(parts, part)
	}
}

// overAll makes a path that begins with a variable go over all of its values.
func overAll(parts []Part) []Part {
	if len(parts) > 1 && parts[0].Kind == Variable && parts[1].Kind != AllIndices {
		return slices.Insert(parts, 1, Part{Kind: AllIndices})
	}
	return parts
}

// some reads the word that makes one match enough.
func (p *parser) some() bool {
	_, ok := try(p, func() (bool, bool) {
		p.ws()
		return true, p.tag("SOME", "some") && p.ws1()
	})
	return ok
}

// firstPart reads what a path begins with.
func (p *parser) firstPart() (Part, bool) {
	if _, ok := try(p, func() (bool, bool) { p.ws(); return true, p.tag("this", "THIS") }); ok {
		return Part{Kind: This}, true
	}
	if name, ok := try(p, p.variable); ok {
		return Part{Kind: Variable, Name: name}, true
	}
	name, ok := p.property()
	return p.key(name), ok
}

// variable reads %name.
func (p *parser) variable() (string, bool) {
	if !p.tag("%") {
		return "", p.want("a variable")
	}
	return p.name()
}

// property reads a name, plain or in quotes.
func (p *parser) property() (string, bool) {
	if name, ok := try(p, p.name); ok {
		return name, true
	}
	return p.quoted()
}

// key makes the step that goes to a property. A name in quotes that begins with a
// percent sign is a variable all the same.
func (p *parser) key(name string) Part {
	if variable, ok := strings.CutPrefix(name, "%"); ok {
		return Part{Kind: Variable, Name: variable}
	}
	part := Part{Kind: Key, Name: name, Spellings: p.spell(name)}
	if n, err := strconv.ParseInt(name, 10, 32); err == nil {
		part.Numeric, part.Number = true, int32(n)
	}
	return part
}

// spell spells each name once for a file.
func (p *parser) spell(name string) [casing.Count]string {
	s, known := p.spelled[name]
	if !known {
		s = casing.Spell(name)
		p.spelled[name] = s
	}
	return s
}

// step reads what may follow in a path.
func (p *parser) step() (Part, bool) {
	for _, read := range []func() (Part, bool){
		p.dotted, p.allIndices, p.arrayIndex, p.keyLookup, p.keyFilter, p.filter,
	} {
		if part, ok := try(p, read); ok || p.failed {
			return part, ok
		}
	}
	return Part{}, false
}

// dotted reads .name, .%name, .3 and .*
func (p *parser) dotted() (Part, bool) {
	if !p.wsChar('.') {
		return Part{}, false
	}
	if i, ok := try(p, p.int64); ok {
		return Part{Kind: Index, Index: int32(i)}, true
	}
	if name, ok := try(p, p.property); ok || p.failed {
		return p.key(name), ok
	}
	if name, ok := try(p, p.variable); ok {
		return Part{Kind: Variable, Name: name}, true
	}
	return Part{Kind: AllValues}, p.tag("*") || p.want("'*'")
}

// allIndices reads [*] and [name].
func (p *parser) allIndices() (Part, bool) {
	if !p.wsChar('[') {
		return Part{}, false
	}
	part := Part{Kind: AllIndices}
	_, star := try(p, func() (bool, bool) { p.ws(); return true, p.tag("*") })
	if !star {
		name, ok := p.name()
		if !ok {
			return Part{}, false
		}
		part.Name = name
	}
	return part, p.wsChar(']')
}

// arrayIndex reads [3].
func (p *parser) arrayIndex() (Part, bool) {
	if !p.wsChar('[') {
		return Part{}, false
	}
	i, ok := p.int64()
	return Part{Kind: Index, Index: int32(i)}, ok && p.must(p.wsChar(']'))
}

// keyLookup reads ['name'] and [ name ].
func (p *parser) keyLookup() (Part, bool) {
	if !p.wsChar('[') {
		return Part{}, false
	}
	if name, ok := try(p, p.quoted); ok || p.failed {
		return p.key(name), ok && p.wsChar(']')
	}
	p.ws()
	name, ok := p.name()
	return Part{Kind: AllValues, Name: name}, ok && p.wsChar(']')
}

// capture reads the name that a filter gives to the keys that it lets through:
// [ name | ... ]
func (p *parser) capture() string {
	name, ok := try(p, func() (string, bool) {
		p.ws()
		name, ok := p.name()
		p.blanks()
		return name, ok && p.tag("|")
	})
	if !ok {
		return ""
	}
	return name
}

// keyFilter reads [ keys == /^prod/ ].
func (p *parser) keyFilter() (Part, bool) {
	if !p.wsChar('[') {
		return Part{}, false
	}
	part := Part{Kind: KeyFilter, Name: p.capture()}
	p.ws()
	if !p.tag("KEYS", "keys") {
		return Part{}, p.want("keys")
	}
	p.ws()
	var ok bool
	if part.Op, part.OpNot, ok = p.keyComparison(); !p.must(ok) {
		return Part{}, false
	}
	p.ws()
	if v, ok := try(p, p.value); ok {
		part.With = &Literal{v}
	} else if p.failed {
		return Part{}, false
	} else if q, ok := p.query(); p.must(ok) {
		part.With = q
	} else {
		return Part{}, false
	}
	return part, p.wsChar(']')
}

// keyComparison reads the few operators that compare keys.
func (p *parser) keyComparison() (op Op, not, ok bool) {
	switch {
	case p.tag("=="):
		return Equal, false, true
	case p.tag("!="):
		return Equal, true, true
	}
	not = p.not()
	if p.tag("in", "IN") {
		return In, not, true
	}
	return In, not, p.want("==, !=, in or not in")
}

// filter reads [ clauses ].
func (p *parser) filter() (Part, bool) {
	if !p.wsChar('[') {
		return Part{}, false
	}
	part := Part{Kind: Filter, Name: p.capture()}
	var ok bool
	part.Filter, ok = p.conjunction(p.clause)
	return part, ok && p.must(p.wsChar(']'))
}
