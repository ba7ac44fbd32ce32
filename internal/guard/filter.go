package guard

import (
	"plumb/internal/guard/document"
	"plumb/internal/guard/syntax"
)

// filter goes on from the values on which the clauses pass.
func (e *evaluation) filter(st step, part *syntax.Part, out []Finding) ([]Finding, error) {
	switch st.at.Kind() {
	case document.Map:
		return e.filterMap(st, part, out)
	case document.List:
		for i := range st.at.Len() {
			v := st.at.Item(i)
			pass, err := e.passes(st, part, v, "List")
			if err != nil {
				return nil, err
			}
			if !pass {
				continue
			}
			if out, err = e.retrieve(st.on(v), out); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	if st.previous() == syntax.AllIndices {
		pass, err := e.passes(st, part, st.at, "")
		if err != nil || !pass {
			return out, err
		}
		return e.retrieve(st.on(st.at), out)
	}
	return append(out, st.missing(noFilter, st.rest())), nil
}

// filterMap filters a map's values if the path names the map, and the map itself if
// the path has come to it by going over all of something. In the second case the
// original decides the clauses on what the query's scope is about, which is the map
// only where the path went over a map; so do we.
func (e *evaluation) filterMap(st step, part *syntax.Part, out []Finding) ([]Finding, error) {
	switch st.previous() {
	case syntax.AllValues, syntax.AllIndices:
		pass, err := e.decide(part, st.scope, "Map")
		if err != nil || !pass {
			return out, err
		}
		return e.retrieve(st.on(st.at), out)
	case syntax.Key, syntax.Variable:
		return e.entries(st, out, func(next step, i int, out []Finding) ([]Finding, error) {
			pass, err := e.decide(part, next.scope, "Map")
			if err != nil || !pass {
				return out, err
			}
			if part.Name != "" {
				e.capture(part.Name, st.at.KeyValue(i))
			}
			return e.retrieve(next, out)
		})
	}
	pass, err := e.passes(st, part, st.at, "Map")
	if err != nil || !pass {
		return out, err
	}
	return e.retrieve(st.on(st.at), out)
}

// passes decides a filter on a value.
func (e *evaluation) passes(st step, part *syntax.Part, v *document.Value, over string) (bool, error) {
	inner := e.openScope(scope{kind: valueScope, value: v, parent: st.scope})
	defer e.closeScope()
	return e.decide(part, inner, over)
}

// decide decides a filter in a scope. Filters over single values leave no record.
func (e *evaluation) decide(part *syntax.Part, s *scope, over string) (bool, error) {
	var record *Record
	if over != "" {
		record = e.begin(Record{Kind: FilterRecord, In: over, Number: len(part.Filter)})
	}
	status, err := e.conjunction(part.Filter, s, "block")
	if err != nil {
		return false, err
	}
	if over != "" {
		e.end(record, status)
	}
	return status == Pass, nil
}

// keyFilter goes on from the values of a map whose keys compare.
func (e *evaluation) keyFilter(st step, part *syntax.Part, out []Finding) ([]Finding, error) {
	if st.at.Kind() != document.Map {
		return append(out, st.missing(noKeys, st.rest())), nil
	}
	with := e.borrow()
	defer func() { e.giveBack(with) }()
	var err error
	switch w := part.With.(type) {
	case *syntax.Literal:
		with = append(with, Finding{Value: w.Value, literal: true})
	case *syntax.Query:
		with, err = e.retrieve(step{w.Parts, 0, st.at, st.scope, st.spelling}, with)
	}
	if err != nil {
		return nil, err
	}
	var selected []*document.Value
	for i := range st.at.Len() {
		passes, err := e.keyPasses(part, st.at.KeyValue(i), with)
		if err != nil {
			return nil, err
		}
		for range passes {
			selected = append(selected, st.at.Item(i))
		}
	}
	for _, v := range selected {
		if out, err = e.retrieve(st.on(v), out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// keyPasses counts how often a key compares with what it is compared with. With
// several values to be equal to, one is enough.
func (e *evaluation) keyPasses(part *syntax.Part, key *document.Value, with []Finding) (int, error) {
	op := part.Op
	if op == syntax.Equal && len(with) > 1 {
		op = syntax.In
	}
	from := Finding{Value: key}
	passes := 0
	for _, w := range with {
		ok, err := keyCompares(op, part.OpNot, key, w)
		if err != nil {
			return 0, err
		}
		if ok {
			passes++
		}
		if op == syntax.Equal {
			e.recordKey(op, part.OpNot, from, []Finding{w}, ok)
		}
	}
	if op == syntax.In && len(with) > 0 {
		e.recordKey(op, part.OpNot, from, with, passes > 0)
		passes = min(passes, 1)
	}
	return passes, nil
}

// recordKey keeps how a key compared. It has no clause of its own.
func (e *evaluation) recordKey(op syntax.Op, not bool, from Finding, to []Finding, ok bool) {
	if !e.recording() {
		return
	}
	to = append([]Finding(nil), to...)
	for i := range to {
		to[i].literal = false
	}
	r := e.begin(Record{Kind: ValueRecord, Op: op, OpNot: not, From: from, To: to, InSet: op == syntax.In})
	status := Fail
	if ok {
		status = Pass
	}
	e.end(r, status)
}

// keyCompares compares a key with one finding. What cannot be compared does not
// compare, negated or not.
func keyCompares(op syntax.Op, not bool, key *document.Value, with Finding) (bool, error) {
	if with.Missing != nil {
		return false, nil
	}
	compare := equalTo
	if op == syntax.In {
		compare = keyIn
	}
	ok, comparable, err := compare(key, with.Value)
	if !comparable && err == nil && with.literal && with.Value.Kind() == document.List && with.Value.Len() == 1 {
		ok, comparable, err = compare(key, with.Value.Item(0))
	}
	return comparable && ok != not, err
}

// keyIn tells whether a key is part of a string, or equal to an element of a list,
// all of which must be comparable with it.
func keyIn(key, with *document.Value) (ok, comparable bool, err error) {
	if with.Kind() == document.String {
		return contains(with, key), true, nil
	}
	if with.Kind() != document.List {
		return equalTo(key, with)
	}
	for i := range with.Len() {
		one, comparable, err := equalTo(key, with.Item(i))
		if err != nil || !comparable {
			return false, false, err
		}
		ok = ok || one
	}
	return ok, true, nil
}
