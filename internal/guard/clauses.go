package guard

import (
	"errors"
	"fmt"

	"plumb/internal/guard/document"
	"plumb/internal/guard/syntax"
)

// An EvalError is a mistake in a rule that only an evaluation shows.
type EvalError struct {
	File string
	At   document.Pos
	Err  error
}

// Error says where the clause stands and what is wrong with it.
func (e *EvalError) Error() string {
	place := fmt.Sprintf("line %d, column %d", e.At.Line, e.At.Column)
	if e.File != "" {
		place = e.File + " " + place
	}
	return place + ": " + e.Err.Error()
}

// Unwrap gives the reason.
func (e *EvalError) Unwrap() error { return e.Err }

// located adds the clause's place to an error that has none yet.
func (e *evaluation) located(c syntax.Clause, err error) error {
	if err == nil {
		return nil
	}
	if _, known := errors.AsType[*EvalError](err); known {
		return err
	}
	return &EvalError{File: e.set.file.Name, At: c.Place(), Err: err}
}

// reference decides by another rule's verdict: anything but a pass is a failure.
func (e *evaluation) reference(c *syntax.Reference) (Status, error) {
	record := e.begin(Record{Kind: RefersRecord, Clause: c, Message: c.Message})
	found, err := e.named(c.Rule)
	if err != nil {
		return Skip, err
	}
	status := Fail
	if (found == Pass) != c.Not {
		status = Pass
	}
	e.end(record, status)
	return status, nil
}

// named is the verdict of the rules of a name: of the first that is not skipped. It
// is decided once for each evaluation.
func (e *evaluation) named(name string) (Status, error) {
	if s, ok := e.statuses[name]; ok {
		return s, nil
	}
	rules, ok := e.set.rules[name]
	if !ok {
		return Skip, fmt.Errorf("there is no rule %q", name)
	}
	status := Skip
	for _, r := range rules {
		s, _, err := e.rule(r, e.root)
		if err != nil {
			return Skip, err
		}
		if s != Skip {
			status = s
			break
		}
	}
	if e.statuses == nil {
		e.statuses = map[string]Status{}
	}
	e.statuses[name] = status
	return status, nil
}

// call decides a rule with parameters. The rule sees the variables of its caller.
func (e *evaluation) call(c *syntax.Call, s *scope) (Status, error) {
	r, ok := e.set.calls[c.Rule]
	if !ok {
		return Skip, fmt.Errorf("there is no rule %q with parameters", c.Rule)
	}
	if len(r.Parameters) != len(c.Arguments) {
		return Skip, fmt.Errorf("rule %q takes %d arguments, found %d", c.Rule, len(r.Parameters), len(c.Arguments))
	}
	bound := make([]binding, len(c.Arguments))
	for i, a := range c.Arguments {
		findings, err := e.operand(a, s, nil)
		if err != nil {
			return Skip, err
		}
		for j := range findings {
			if _, ok := a.(*syntax.Literal); ok {
				findings[j].literal = false
			}
		}
		bound[i] = binding{r.Parameters[i], findings}
	}
	inner := e.openScope(scope{kind: callScope, value: s.current(), parent: s, bound: bound})
	defer e.closeScope()
	status, record, err := e.rule(r, inner)
	if record != nil {
		record.Message = c.Message
	}
	return status, err
}

// when decides a block if its condition passes.
func (e *evaluation) when(c *syntax.When, s *scope) (Status, error) {
	record := e.begin(Record{Kind: WhenRecord, Clause: c})
	condition := e.begin(Record{Kind: ConditionRecord, Clause: c})
	status, err := e.conjunction(c.Condition, s, "condition")
	if err != nil {
		return Skip, err
	}
	e.end(condition, status)
	if status != Pass {
		e.end(record, Skip)
		return Skip, nil
	}
	if status, err = e.block(&c.Body, s, "block"); err != nil {
		return Skip, err
	}
	e.end(record, status)
	return status, nil
}

// each decides a block on every value that a query finds.
func (e *evaluation) each(c *syntax.Each, s *scope) (Status, error) {
	record := e.begin(Record{Kind: EachRecord, Clause: c})
	values, err := e.query(&c.Query, s, e.borrow())
	if err != nil {
		return Skip, err
	}
	defer e.giveBack(values)
	var passes, fails int
	for _, f := range values {
		status, err := e.eachOne(c, f, s)
		if err != nil {
			return Skip, err
		}
		switch status {
		case Pass:
			passes++
		case Fail:
			fails++
		}
	}
	status := Skip
	switch {
	case len(values) == 0 && c.NotEmpty:
		status = Fail
	case c.Query.Some && passes > 0, !c.Query.Some && fails == 0 && passes > 0:
		status = Pass
	case fails > 0:
		status = Fail
	}
	e.end(record, status)
	return status, nil
}

// eachOne decides the block on one value. A query that led nowhere is a failure: the
// block was meant for something.
func (e *evaluation) eachOne(c *syntax.Each, f Finding, s *scope) (Status, error) {
	if f.Missing != nil {
		e.end(e.begin(Record{Kind: MissingRecord, Clause: c, From: f}), Fail)
		return Fail, nil
	}
	inner := e.openScope(scope{kind: valueScope, value: f.Value, parent: s})
	defer e.closeScope()
	return e.block(&c.Body, inner, "block")
}

// typeBlock decides a block on every resource of a type.
func (e *evaluation) typeBlock(c *syntax.TypeBlock, s *scope) (Status, error) {
	record := e.begin(Record{Kind: TypeRecord, Clause: c})
	if len(c.Condition) > 0 {
		condition := e.begin(Record{Kind: TypeConditionRecord, Clause: c})
		status, err := e.conjunction(c.Condition, s, "condition")
		if err != nil {
			return Skip, err
		}
		e.end(condition, status)
		if status != Pass {
			e.end(record, Skip)
			return Skip, nil
		}
	}
	status, err := e.resources(c, s)
	if err != nil {
		return Skip, err
	}
	e.end(record, status)
	return status, nil
}

// resources decides the block on each resource. A document without resources is a
// mistake, and not a skip: the rule was written for another kind of document.
func (e *evaluation) resources(c *syntax.TypeBlock, s *scope) (Status, error) {
	values, err := e.query(&c.Query, s, e.borrow())
	if err != nil {
		return Skip, err
	}
	defer e.giveBack(values)
	var whole Status
	for i, f := range values {
		if f.Missing != nil {
			return Skip, fmt.Errorf("%w to look for %s in: %s", ErrNoResources, c.Type, f.Reason())
		}
		record := e.begin(Record{Kind: TypeBlockRecord, Clause: c, Number: i})
		inner := e.openScope(scope{kind: valueScope, value: f.Value, parent: s})
		status, err := e.block(&c.Body, inner, "block")
		e.closeScope()
		if err != nil {
			return Skip, err
		}
		e.end(record, status)
		whole = combine(whole, status)
	}
	return whole, nil
}
