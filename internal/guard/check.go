package guard

import (
	"fmt"

	"plumb/internal/guard/document"
	"plumb/internal/guard/syntax"
)

// A tally counts how the values of one check fared.
type tally struct {
	e             *evaluation
	check         *syntax.Check
	passes, fails int
}

// add counts one comparison of single values and keeps a record of it.
func (t *tally) add(status Status, from Finding, to ...Finding) {
	if t.count(status) {
		t.record(status, Record{From: from}, to)
	}
}

// addSet counts one comparison with a list or a set as a whole.
func (t *tally) addSet(status Status, from Finding, to ...Finding) {
	if t.count(status) {
		t.record(status, Record{From: from, InSet: true}, to)
	}
}

// because counts a comparison that is not possible.
func (t *tally) because(reason string, from Finding, to ...Finding) {
	if t.count(Fail) {
		t.record(Fail, Record{From: from, Reason: reason}, to)
	}
}

// count tells whether a record is wanted as well.
func (t *tally) count(status Status) bool {
	if status == Pass {
		t.passes++
	} else {
		t.fails++
	}
	return t.e.recording()
}

func (t *tally) record(status Status, r Record, to []Finding) {
	r.Kind, r.Clause, r.Message = ValueRecord, t.check, t.check.Message
	r.Op, r.OpNot = t.check.Op, t.check.OpNot
	r.To = append([]Finding(nil), to...)
	t.e.end(t.e.begin(r), status)
}

// status is the verdict over all values, or over some.
func (t *tally) status() Status {
	if t.check.Query.Some && t.passes > 0 || !t.check.Query.Some && t.fails == 0 {
		return Pass
	}
	return Fail
}

// check decides one comparison.
func (e *evaluation) check(c *syntax.Check, s *scope) (Status, error) {
	record := e.begin(Record{Kind: CheckRecord, Clause: c})
	var status Status
	var err error
	if c.Op.Unary() {
		status, err = e.unary(c, s)
	} else {
		status, err = e.binary(c, s)
	}
	if err != nil {
		return Skip, err
	}
	e.end(record, status)
	return status, nil
}

// operand works out what stands on the right of a comparison or in an argument.
func (e *evaluation) operand(o syntax.Operand, s *scope, out []Finding) ([]Finding, error) {
	switch o := o.(type) {
	case *syntax.Literal:
		return append(out, Finding{Value: o.Value, literal: true}), nil
	case *syntax.Query:
		return e.query(o, s, out)
	case *syntax.Function:
		found, err := e.function(o, s)
		return append(out, found...), err
	}
	return out, fmt.Errorf("nothing to compare with")
}

// binary decides a comparison of two sides.
func (e *evaluation) binary(c *syntax.Check, s *scope) (Status, error) {
	right, err := e.operand(c.With, s, e.borrow())
	if err != nil {
		return Skip, err
	}
	defer e.giveBack(right)
	left, err := e.query(&c.Query, s, e.borrow())
	if err != nil {
		return Skip, err
	}
	defer e.giveBack(left)
	if len(left) == 0 || len(right) == 0 {
		return Skip, nil
	}
	t := &tally{e: e, check: c}
	switch c.Op {
	case syntax.Equal:
		err = t.equal(left, right)
	case syntax.In:
		err = t.in(left, right)
	default:
		err = t.ordered(left, right)
	}
	return t.status(), err
}

// unary decides a comparison that looks at the left side only.
func (e *evaluation) unary(c *syntax.Check, s *scope) (Status, error) {
	values, err := e.query(&c.Query, s, e.borrow())
	if err != nil {
		return Skip, err
	}
	defer e.giveBack(values)
	whole := c.Op == syntax.Empty && asksForResults(c.Query.Parts)
	if len(values) == 0 {
		if whole {
			return e.nothing(c), nil
		}
		return Skip, nil
	}
	t := &tally{e: e, check: c}
	for _, f := range values {
		if err := e.step(); err != nil {
			return Skip, err
		}
		if whole {
			f.literal = false
		}
		holds, err := holds(c.Op, f, whole)
		if err != nil {
			return Skip, err
		}
		if holds != (c.OpNot != c.Not) {
			t.add(Pass, f)
		} else {
			t.add(Fail, f)
		}
	}
	return t.status(), nil
}

// asksForResults tells whether "empty" asks if a query found anything, instead of
// whether what it found is empty: after a filter, and for a variable alone.
func asksForResults(parts []syntax.Part) bool {
	last := parts[len(parts)-1].Kind
	return last == syntax.Filter || last == syntax.KeyFilter || last == syntax.Variable && len(parts) == 1
}

// nothing decides "empty" where a query found nothing.
func (e *evaluation) nothing(c *syntax.Check) Status {
	status := Fail
	if c.OpNot == c.Not {
		status = Pass
	}
	kind := NothingRecord
	if status == Pass {
		kind = ValueRecord
	}
	e.end(e.begin(Record{Kind: kind, Clause: c, Op: c.Op, OpNot: c.OpNot, Message: c.Message}), status)
	return status
}

// holds decides a comparison on one finding. What is missing is empty, and nothing
// else.
func holds(op syntax.Op, f Finding, whole bool) (bool, error) {
	if f.Missing != nil {
		return op == syntax.Empty, nil
	}
	kind := f.Value.Kind()
	switch op {
	case syntax.Exists:
		return true, nil
	case syntax.Empty:
		if whole {
			return kind == document.Null, nil
		}
		return isEmpty(f.Value)
	case syntax.IsString:
		return kind == document.String, nil
	case syntax.IsList:
		return kind == document.List, nil
	case syntax.IsStruct:
		return kind == document.Map, nil
	case syntax.IsBool:
		return kind == document.Bool, nil
	case syntax.IsInt:
		return kind == document.Int, nil
	case syntax.IsFloat:
		return kind == document.Float, nil
	default:
		return kind == document.Null, nil
	}
}

// isEmpty tells whether there is nothing in a value. To ask it of a number or of null is
// a mistake in the rule: the original ends the evaluation, and so do we.
func isEmpty(v *document.Value) (bool, error) {
	switch v.Kind() {
	case document.List, document.Map:
		return v.Len() == 0, nil
	case document.String:
		return v.Text() == "", nil
	case document.Bool:
		return false, nil
	}
	return false, fmt.Errorf("empty cannot be asked of a value of kind %s at %s", v.Kind(), v.Place())
}
