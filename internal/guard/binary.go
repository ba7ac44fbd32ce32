package guard

import (
	"plumb/internal/guard/document"
	"plumb/internal/guard/syntax"
)

// literal is the one literal that a side consists of, or nil.
func literal(side []Finding) *document.Value {
	if len(side) == 1 && side[0].literal {
		return side[0].Value
	}
	return nil
}

// leftValues are the values of the left side. What is missing fails.
func (t *tally) leftValues(left []Finding) []*document.Value {
	values := make([]*document.Value, 0, len(left))
	for _, f := range left {
		if f.Missing != nil {
			t.add(Fail, f)
			continue
		}
		values = append(values, f.Value)
	}
	return values
}

// rightValues are the values of the right side. What is missing fails every value
// of the left.
func (t *tally) rightValues(right []Finding, left ...*document.Value) []*document.Value {
	values := make([]*document.Value, 0, len(right))
	for _, f := range right {
		if f.Missing == nil {
			values = append(values, f.Value)
			continue
		}
		for _, l := range left {
			t.add(Fail, Finding{Value: l}, f)
		}
	}
	return values
}

// verdict turns what a comparison gave into a status, under the operator's
// negation.
func (t *tally) verdict(ok bool) Status {
	if ok != t.check.OpNot {
		return Pass
	}
	return Fail
}

// pair compares two values for equality.
func (t *tally) pair(a, b *document.Value) error {
	if err := t.e.step(); err != nil {
		return err
	}
	ok, comparable, err := equalTo(a, b)
	switch {
	case err != nil:
		return err
	case comparable:
		t.add(t.verdict(ok), Finding{Value: a}, Finding{Value: b})
	default:
		t.because(notComparable(a, b), Finding{Value: a}, Finding{Value: b})
	}
	return nil
}

// pairs compares a value with each element if one of the two is a list and the
// other is not.
func (t *tally) pairs(a, b *document.Value) error {
	switch {
	case a.Kind() == document.List && b.Kind() != document.List:
		for i := range a.Len() {
			if err := t.pair(a.Item(i), b); err != nil {
				return err
			}
		}
		return nil
	case b.Kind() == document.List && a.Kind() != document.List:
		for i := range b.Len() {
			if err := t.pair(a, b.Item(i)); err != nil {
				return err
			}
		}
		return nil
	}
	return t.pair(a, b)
}

// equal decides == and !=.
func (t *tally) equal(left, right []Finding) error {
	l, r := literal(left), literal(right)
	switch {
	case l != nil && r != nil:
		return t.pair(l, r)
	case l != nil:
		return t.literalEquals(l, right)
	case r != nil:
		return t.equalsLiteral(left, r)
	}
	return t.setsEqual(left, right)
}

// literalEquals compares a literal on the left with what a query on the right found. A list
// is compared as a whole, a single value with the elements of lists.
func (t *tally) literalEquals(l *document.Value, right []Finding) error {
	for _, r := range t.rightValues(right, l) {
		compare := t.pairs
		if l.Kind() == document.List {
			compare = t.pair
		}
		if err := compare(l, r); err != nil {
			return err
		}
	}
	return nil
}

// equalsLiteral compares each value with a literal. A list of one is as good as its
// element for a single value.
func (t *tally) equalsLiteral(left []Finding, r *document.Value) error {
	for _, f := range left {
		if f.Missing != nil {
			t.add(Fail, f)
		}
	}
	for _, f := range left {
		if f.Missing != nil {
			continue
		}
		var err error
		switch {
		case r.Kind() != document.List:
			err = t.pairs(f.Value, r)
		case f.Value.IsScalar() && r.Len() == 1:
			err = t.pair(f.Value, r.Item(0))
		default:
			err = t.pair(f.Value, r)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// setsEqual compares what two queries found as sets: every value of the larger side
// must be on the other.
func (t *tally) setsEqual(left, right []Finding) error {
	l := t.leftValues(left)
	r := t.rightValues(right, l...)
	larger, other := r, l
	if len(l) > len(r) {
		larger, other = l, r
	}
	diff, err := t.notAmong(larger, other)
	if err != nil {
		return err
	}
	negated := l
	if len(right) >= len(left) {
		negated = r
	}
	return t.sets(diff, l, r, negated)
}

// notAmong are the values that are not among others.
func (t *tally) notAmong(values, others []*document.Value) ([]*document.Value, error) {
	var diff []*document.Value
	for _, v := range values {
		found, err := t.among(others, v)
		if err != nil {
			return nil, err
		}
		if !found {
			diff = append(diff, v)
		}
	}
	return diff, nil
}

// among tells whether a value is one of others. A value is always the same as itself,
// even if it cannot be compared, such as a range.
func (t *tally) among(values []*document.Value, v *document.Value) (bool, error) {
	for _, other := range values {
		if err := t.e.step(); err != nil {
			return false, err
		}
		if other == v {
			return true, nil
		}
		if ok, err := same(other, v); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

// sets gives the verdict on a comparison of sets. diff is what one side has over
// the other. Negated, what the sides share is what fails: of the values in
// negated, those that are not in diff; everything if there is no difference.
func (t *tally) sets(diff, left, right, negated []*document.Value) error {
	failing := diff
	if t.check.OpNot {
		failing = left
		if len(diff) > 0 {
			var err error
			if failing, err = t.notAmong(negated, diff); err != nil {
				return err
			}
		}
		if len(diff) == 0 || len(failing) > 0 {
			t.all(Fail, failing, right)
			return nil
		}
	}
	if len(failing) == 0 {
		t.all(Pass, left, nil)
	} else {
		t.all(Fail, failing, right)
	}
	return nil
}

// all gives several values the same verdict. What they were compared with is worth
// keeping only for those that fail.
func (t *tally) all(status Status, values, to []*document.Value) {
	var findings []Finding
	if t.e.recording() && status == Fail {
		for _, v := range to {
			findings = append(findings, Finding{Value: v})
		}
	}
	for _, v := range values {
		t.addSet(status, Finding{Value: v}, findings...)
	}
}

// ordered decides <, <=, > and >=: every value on the left with every one on the
// right, lists by their elements.
func (t *tally) ordered(left, right []Finding) error {
	l := flattened(t.leftValues(left))
	r := flattened(t.rightValues(right, l...))
	for _, a := range l {
		for _, b := range r {
			if err := t.e.step(); err != nil {
				return err
			}
			order, comparable := compare(a, b)
			from, to := Finding{Value: a}, Finding{Value: b}
			if comparable {
				t.add(t.verdict(orderHolds(t.check.Op, order)), from, to)
			} else {
				t.because(notComparable(a, b), from, to)
			}
		}
	}
	return nil
}

// orderHolds reads the sign of an order under an operator.
func orderHolds(op syntax.Op, order int) bool {
	switch op {
	case syntax.Less:
		return order < 0
	case syntax.LessEqual:
		return order <= 0
	case syntax.Greater:
		return order > 0
	}
	return order >= 0
}

// flattened replaces lists by their elements.
func flattened(values []*document.Value) []*document.Value {
	flat := values[:0:0]
	for _, v := range values {
		if v.Kind() != document.List {
			flat = append(flat, v)
			continue
		}
		for i := range v.Len() {
			flat = append(flat, v.Item(i))
		}
	}
	return flat
}
