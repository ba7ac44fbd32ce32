package guard

import (
	"fmt"

	"plumb/internal/guard/document"
)

// An outcome is what looking one value up in another gave.
type outcome struct {
	ok         bool
	comparable bool
	set        bool              // a single value was looked up in a list
	list       bool              // a list was looked up in a list
	diff       []*document.Value // its elements that were not found
	from, to   *document.Value
	reason     string
}

// in decides IN and NOT IN.
func (t *tally) in(left, right []Finding) error {
	l, r := literal(left), literal(right)
	switch {
	case l != nil && r != nil:
		if r.Kind() == document.String && contains(r, l) {
			return t.settle(outcome{ok: true, comparable: true, from: l, to: r})
		}
		return t.lookUp(l, r)
	case l != nil:
		return t.literalIn(l, right)
	case r != nil:
		return t.inLiteral(left, r)
	}
	return t.setIn(left, right)
}

// literalIn looks a literal up in what a query found.
func (t *tally) literalIn(l *document.Value, right []Finding) error {
	values := t.rightValues(right, l)
	lists := false
	for _, r := range values {
		lists = lists || r.Kind() == document.List
	}
	if l.Kind() == document.List && !lists {
		elements := make([]*document.Value, l.Len())
		for i := range elements {
			elements[i] = l.Item(i)
		}
		diff, err := t.notAmong(elements, values)
		if err != nil {
			return err
		}
		return t.sets(diff, []*document.Value{l}, values, []*document.Value{l})
	}
	for _, r := range values {
		if err := t.lookUp(l, r); err != nil {
			return err
		}
	}
	return nil
}

// inLiteral looks what a query found up in a literal.
func (t *tally) inLiteral(left []Finding, r *document.Value) error {
	for _, l := range t.leftValues(left) {
		var err error
		switch {
		case r.Kind() != document.String:
			err = t.lookUp(l, r)
		case l.Kind() == document.List:
			for i := range l.Len() {
				if err = t.settle(partOf(l.Item(i), r)); err != nil {
					return err
				}
			}
		default:
			err = t.settle(partOf(l, r))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// setIn looks every value that one query found up in those that another found.
func (t *tally) setIn(left, right []Finding) error {
	l := t.leftValues(left)
	r := t.rightValues(right, l...)
	var diff []*document.Value
	for _, a := range l {
		found := false
		for _, b := range r {
			if err := t.e.step(); err != nil {
				return err
			}
			o, err := lookUp(a, b)
			if err != nil {
				return err
			}
			if found = o.ok && o.comparable; found {
				break
			}
		}
		if !found {
			diff = append(diff, a)
		}
	}
	return t.sets(diff, l, r, l)
}

// lookUp looks a value up in another and counts the result.
func (t *tally) lookUp(l, r *document.Value) error {
	if err := t.e.step(); err != nil {
		return err
	}
	o, err := lookUp(l, r)
	if err != nil {
		return err
	}
	return t.settle(o)
}

// partOf looks a string up in a string.
func partOf(l, r *document.Value) outcome {
	o := outcome{from: l, to: r, comparable: l.Kind() == document.String}
	if !o.comparable {
		o.reason = fmt.Sprintf("Type not comparable, %s, %s", l, r)
	}
	o.ok = contains(r, l)
	return o
}

// lookUp looks a value up in another: a value among a list's elements, every
// element of a list among a list's, a list among lists, and anything else by
// equality.
func lookUp(l, r *document.Value) (outcome, error) {
	o := outcome{from: l, to: r, comparable: true}
	var err error
	switch {
	case l.Kind() == document.List && r.Kind() != document.List:
		o.comparable = false
		o.reason = fmt.Sprintf("Can not compare type %s, %s", l, r)
	case l.Kind() == document.List:
		o.list = true
		o.diff, err = notElements(l, r)
		o.ok = len(o.diff) == 0
	case r.Kind() == document.List:
		o.set = true
		o.ok, err = isElement(r, l)
	default:
		if o.ok, o.comparable, err = equalTo(l, r); !o.comparable {
			o.reason = notComparable(l, r)
		}
	}
	return o, err
}

// notElements are the elements of l that r does not have. Where r is a list of
// lists, l is looked up as a whole.
func notElements(l, r *document.Value) ([]*document.Value, error) {
	if r.Len() > 0 && r.Item(0).Kind() == document.List {
		if ok, err := isElement(r, l); ok || err != nil {
			return nil, err
		}
		return []*document.Value{l}, nil
	}
	var diff []*document.Value
	for i := range l.Len() {
		ok, err := isElement(r, l.Item(i))
		if err != nil {
			return nil, err
		}
		if !ok {
			diff = append(diff, l.Item(i))
		}
	}
	return diff, nil
}

// settle counts an outcome. A list is not in another only if none of its elements
// is.
func (t *tally) settle(o outcome) error {
	from, to := Finding{Value: o.from}, Finding{Value: o.to}
	switch {
	case !o.comparable:
		t.because(o.reason, from, to)
	case o.list && t.check.OpNot:
		status := Fail
		if !o.ok {
			shared, err := sharedElements(o.from, o.diff)
			if err != nil {
				return err
			}
			if !shared {
				status = Pass
			}
		}
		t.addSet(status, from, to)
	case o.list || o.set:
		t.addSet(t.verdict(o.ok), from, to)
	default:
		t.add(t.verdict(o.ok), from, to)
	}
	return nil
}

// sharedElements tells whether a list has elements besides those in diff. A range is
// not even the same as itself.
func sharedElements(list *document.Value, diff []*document.Value) (bool, error) {
	for i := range list.Len() {
		found := false
		for _, d := range diff {
			var err error
			if found, err = same(d, list.Item(i)); err != nil {
				return false, err
			}
			if found {
				break
			}
		}
		if !found {
			return true, nil
		}
	}
	return false, nil
}
