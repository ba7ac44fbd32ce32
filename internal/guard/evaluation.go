package guard

import (
	"context"
	"fmt"
	"time"

	"plumb/internal/guard/document"
	"plumb/internal/guard/syntax"
)

const (
	defaultSteps = 10_000_000
	defaultDepth = 1000
)

// An evaluation is one run of a rule set over one document.
type evaluation struct {
	ctx      context.Context
	set      *RuleSet
	detail   Detail
	now      func() time.Time
	root     *scope
	statuses map[string]Status // of rules that were referred to

	steps, maxSteps int
	depth, maxDepth int

	open    []*Record
	scopes  []*scope    // used from the front, one for each block that is open
	used    int         // how many of them are
	buffers [][]Finding // that nobody uses
}

// evaluation begins a run, in the memory of an earlier one if there is any.
func (s *RuleSet) evaluation(ctx context.Context, doc *document.Value, o Options) *evaluation {
	e, ok := s.idle.Get().(*evaluation)
	if !ok {
		e = &evaluation{root: new(scope)}
	}
	e.ctx, e.set, e.detail, e.now = ctx, s, o.Detail, o.Now
	e.maxSteps, e.maxDepth = o.MaxSteps, o.MaxDepth
	if e.now == nil {
		e.now = time.Now
	}
	if e.maxSteps <= 0 {
		e.maxSteps = defaultSteps
	}
	if e.maxDepth <= 0 {
		e.maxDepth = defaultDepth
	}
	*e.root = scope{kind: blockScope, value: doc, lets: s.file.Lets}
	return e
}

// release keeps the memory for the next run, without what it was about.
func (e *evaluation) release() {
	*e.root = scope{}
	for _, s := range e.scopes {
		*s = scope{}
	}
	for _, b := range e.buffers {
		clear(b[:cap(b)])
	}
	kept := evaluation{root: e.root, scopes: e.scopes, buffers: e.buffers}
	set := e.set
	*e = kept
	set.idle.Put(e)
}

// step counts one unit of work.
func (e *evaluation) step() error {
	e.steps++
	if e.steps > e.maxSteps {
		return fmt.Errorf("%w: more than %d steps", ErrLimit, e.maxSteps)
	}
	if e.steps%128 == 0 {
		return e.ctx.Err()
	}
	return nil
}

// enter goes one level deeper; leave comes back.
func (e *evaluation) enter() error {
	e.depth++
	if e.depth > e.maxDepth {
		return fmt.Errorf("%w: more than %d levels deep (does a rule or variable lead back to itself?)",
			ErrLimit, e.maxDepth)
	}
	return e.step()
}

func (e *evaluation) leave() { e.depth-- }

// borrow lends an empty buffer for findings; giveBack takes it again.
func (e *evaluation) borrow() []Finding {
	if n := len(e.buffers); n > 0 {
		b := e.buffers[n-1]
		e.buffers = e.buffers[:n-1]
		return b
	}
	return make([]Finding, 0, 8)
}

func (e *evaluation) giveBack(b []Finding) { e.buffers = append(e.buffers, b[:0]) }

// rule decides one rule. The record is what is remembered of it, if anything.
func (e *evaluation) rule(r *syntax.Rule, s *scope) (Status, *Record, error) {
	record := e.begin(Record{Kind: RuleRecord, Rule: r})
	status, err := e.ruleStatus(r, s)
	if err != nil {
		return Skip, nil, err
	}
	e.end(record, status)
	if record != nil && status != Fail && e.detail != Everything {
		record = nil
	}
	return status, record, nil
}

// ruleStatus decides a rule's condition, and its body if that passes.
func (e *evaluation) ruleStatus(r *syntax.Rule, s *scope) (Status, error) {
	if len(r.When) > 0 {
		condition := e.begin(Record{Kind: RuleConditionRecord, Rule: r})
		status, err := e.conjunction(r.When, s, "condition")
		if err != nil {
			return Skip, err
		}
		e.end(condition, status)
		if status != Pass {
			return Skip, nil
		}
	}
	return e.block(&r.Body, s, "rule")
}

// block decides a block: its variables live for as long as it is open.
func (e *evaluation) block(b *syntax.Block, s *scope, in string) (Status, error) {
	inner := e.openScope(scope{kind: blockScope, value: s.current(), parent: s, lets: b.Lets})
	defer e.closeScope()
	return e.conjunction(b.Clauses, inner, in)
}

// conjunction decides lines of alternatives. A line passes with its first
// alternative that does, and fails if none passes and one fails.
func (e *evaluation) conjunction(lines syntax.Conjunction, s *scope, in string) (Status, error) {
	var whole Status
	for _, line := range lines {
		status, err := e.line(line, s, in)
		if err != nil {
			return Skip, err
		}
		whole = combine(whole, status)
	}
	return whole, nil
}

// line decides alternatives. Those after the first that passes are not looked at.
func (e *evaluation) line(alternatives []syntax.Clause, s *scope, in string) (Status, error) {
	if len(alternatives) == 1 {
		return e.clause(alternatives[0], s)
	}
	record := e.begin(Record{Kind: AlternativesRecord, In: in})
	var status Status
	for _, c := range alternatives {
		one, err := e.clause(c, s)
		if err != nil {
			return Skip, err
		}
		if one == Pass {
			e.end(record, Pass)
			return Pass, nil
		}
		status = combine(status, one)
	}
	e.end(record, status)
	return status, nil
}

// clause decides one clause. An error names the place of the innermost one.
func (e *evaluation) clause(c syntax.Clause, s *scope) (status Status, err error) {
	if err := e.enter(); err != nil {
		return Skip, err
	}
	defer e.leave()
	switch c := c.(type) {
	case *syntax.Check:
		status, err = e.check(c, s)
	case *syntax.Reference:
		status, err = e.reference(c)
	case *syntax.Call:
		status, err = e.call(c, s)
	case *syntax.Each:
		status, err = e.each(c, s)
	case *syntax.When:
		status, err = e.when(c, s)
	case *syntax.TypeBlock:
		status, err = e.typeBlock(c, s)
	}
	return status, e.located(c, err)
}
