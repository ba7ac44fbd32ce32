package guard

import (
	"fmt"

	"plumb/internal/guard/document"
	"plumb/internal/guard/syntax"
)

// A step is where a query stands: the rest of its path, and the value that it has
// come to.
type step struct {
	parts []syntax.Part
	i     int // the next part
	at    *document.Value
	scope *scope // decides filters, and knows the variables

	// spelling is the way in which a name had to be spelled to be found. From then on
	// no other is tried. -1 means that every name was found as it is written.
	spelling int
}

// on is the step from the next part on, at another value.
func (st step) on(v *document.Value) step {
	st.i++
	st.at = v
	return st
}

// previous is the part that led here.
func (st step) previous() syntax.PartKind { return st.parts[st.i-1].Kind }

// query follows a path from the scope's value and adds what it finds.
func (e *evaluation) query(q *syntax.Query, s *scope, out []Finding) ([]Finding, error) {
	for s.kind == callScope {
		s = s.parent
	}
	resolver := s
	if s.kind == valueScope {
		resolver = s.parent
	}
	return e.retrieve(step{parts: q.Parts, at: s.value, scope: resolver, spelling: -1}, out)
}

// retrieve follows the rest of a path and adds what it finds.
func (e *evaluation) retrieve(st step, out []Finding) ([]Finding, error) {
	if st.i >= len(st.parts) {
		return append(out, Finding{Value: st.at}), nil
	}
	if err := e.enter(); err != nil {
		return nil, err
	}
	defer e.leave()
	part := &st.parts[st.i]
	switch part.Kind {
	case syntax.This:
		return e.retrieve(st.on(st.at), out)
	case syntax.Key:
		return e.key(st, part, out)
	case syntax.Variable:
		if st.i == 0 {
			return e.fromVariable(st, part.Name, out)
		}
		return e.interpolate(st, part, out)
	case syntax.Index:
		return e.index(st, part.Index, out)
	case syntax.AllIndices, syntax.AllValues:
		return e.all(st, part, out)
	case syntax.Filter:
		return e.filter(st, part, out)
	default:
		return e.keyFilter(st, part, out)
	}
}

// fromVariable follows a path from each value of the variable that it begins with.
func (e *evaluation) fromVariable(st step, name string, out []Finding) ([]Finding, error) {
	values, err := e.variable(name, st.scope)
	if err != nil {
		return nil, err
	}
	next := 1
	if len(st.parts) > 1 && st.parts[1].Kind == syntax.AllIndices {
		next = 2
	}
	for _, f := range values {
		if f.Missing != nil || next >= len(st.parts) {
			out = append(out, f)
			continue
		}
		inner := e.openScope(scope{kind: valueScope, value: f.Value, parent: st.scope})
		out, err = e.retrieve(step{st.parts, next, f.Value, inner, st.spelling}, out)
		e.closeScope()
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// key goes to a property.
func (e *evaluation) key(st step, part *syntax.Part, out []Finding) ([]Finding, error) {
	switch {
	case part.Numeric && st.at.Kind() == document.List:
		return e.index(st, part.Number, out)
	case part.Numeric:
		return append(out, st.missing(notAList, st.parts)), nil
	case st.at.Kind() != document.Map:
		return append(out, st.missing(notAMap, st.rest())), nil
	}
	if v := st.at.Get(part.Name); v != nil {
		return e.retrieve(st.on(v), out)
	}
	for i, spelled := range part.Spellings {
		if st.spelling >= 0 && st.spelling != i || spelled == part.Name {
			continue
		}
		if v := st.at.Get(spelled); v != nil {
			st.spelling = i
			return e.retrieve(st.on(v), out)
		}
	}
	return append(out, st.missing(noKey, st.rest())), nil
}

// index goes to an element of a list. A negative index counts from the front all
// the same: the original takes it without its sign.
func (e *evaluation) index(st step, index int32, out []Finding) ([]Finding, error) {
	if st.at.Kind() != document.List {
		return append(out, st.missing(notAList, st.rest())), nil
	}
	i := int(index)
	if i < 0 {
		i = -i
	}
	if i >= st.at.Len() {
		return append(out, st.missing(outOfBounds, st.parts)), nil
	}
	return e.retrieve(st.on(st.at.Item(i)), out)
}

// all goes to every element. A single value stands for a list of it.
func (e *evaluation) all(st step, part *syntax.Part, out []Finding) ([]Finding, error) {
	kind := st.at.Kind()
	over := kind == document.List ||
		kind == document.Map && (part.Kind == syntax.AllValues || part.Name != "")
	switch {
	case !over:
		return e.retrieve(st.on(st.at), out)
	case st.at.Len() == 0:
		return append(out, st.missing(noEntries, st.rest())), nil
	case kind == document.List:
		return e.elements(st, out)
	}
	return e.entries(st, out, func(next step, i int, out []Finding) ([]Finding, error) {
		if part.Name != "" {
			e.capture(part.Name, st.at.KeyValue(i))
		}
		return e.retrieve(next, out)
	})
}

// elements goes on from every element. Filters that follow are decided in the scope that
// the query began in.
func (e *evaluation) elements(st step, out []Finding) ([]Finding, error) {
	var err error
	for i := range st.at.Len() {
		if out, err = e.retrieve(st.on(st.at.Item(i)), out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// entries goes on from every value of a map. Filters that follow are decided on
// that value.
func (e *evaluation) entries(
	st step, out []Finding, follow func(next step, i int, out []Finding) ([]Finding, error),
) ([]Finding, error) {
	var err error
	for i := range st.at.Len() {
		next := st.on(st.at.Item(i))
		next.scope = e.openScope(scope{kind: valueScope, value: next.at, parent: st.scope})
		out, err = follow(next, i, out)
		e.closeScope()
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// interpolate goes to the properties whose names a variable holds: .%name
func (e *evaluation) interpolate(st step, part *syntax.Part, out []Finding) ([]Finding, error) {
	if st.at.Kind() != document.Map {
		return append(out, st.missing(notAMap, st.rest())), nil
	}
	names, err := e.variable(part.Name, st.scope)
	if err != nil {
		return nil, err
	}
	if st.i+1 < len(st.parts) {
		switch next := st.parts[st.i+1]; next.Kind {
		case syntax.AllIndices, syntax.Key, syntax.Variable:
		case syntax.Index:
			i := max(int(next.Index), -int(next.Index))
			if i >= len(names) {
				return append(out, st.missing(noName, st.rest())), nil
			}
			names = names[i : i+1]
		default:
			return nil, fmt.Errorf("%s cannot follow %%%s in a path", next, part.Name)
		}
	}
	for _, n := range names {
		if out, err = e.byNames(st, n, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// byNames goes to the properties that one finding names: a string, or a list of
// them.
func (e *evaluation) byNames(st step, names Finding, out []Finding) ([]Finding, error) {
	if names.Missing != nil {
		return append(out, st.missing(noName, st.rest())), nil
	}
	v := names.Value
	if v.Kind() != document.List {
		return e.byName(st, v, out)
	}
	var err error
	for i := range v.Len() {
		if out, err = e.byName(st, v.Item(i), out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// byName goes to the property of one name. Other spellings are not tried.
func (e *evaluation) byName(st step, name *document.Value, out []Finding) ([]Finding, error) {
	if name.Kind() != document.String {
		return nil, fmt.Errorf("%s looks for a property by a name that is no string: %s",
			syntax.Path(st.parts), name.Literal())
	}
	if v := st.at.Get(name.Text()); v != nil {
		return e.retrieve(st.on(v), out)
	}
	f := st.missing(noSuchName, st.rest())
	f.Missing.word = name.Text()
	return append(out, f), nil
}
