package guard

import (
	"fmt"

	"plumb/internal/guard/document"
	"plumb/internal/guard/syntax"
)

// A scopeKind is what opened a scope.
type scopeKind uint8

const (
	blockScope scopeKind = iota // a block, with variables
	valueScope                  // a value that clauses are decided on
	callScope                   // a call, with parameters
)

// A scope is where names and paths mean something: the value that paths begin at,
// and the variables.
type scope struct {
	kind   scopeKind
	value  *document.Value
	parent *scope
	lets   []syntax.Let
	bound  []binding // variables that were worked out, parameters, captured keys
}

// A binding is a name with what it stands for.
type binding struct {
	name     string
	findings []Finding
}

// openScope lends a scope that is valid until closeScope.
func (e *evaluation) openScope(s scope) *scope {
	if e.used == len(e.scopes) {
		e.scopes = append(e.scopes, new(scope))
	}
	lent := e.scopes[e.used]
	e.used++
	bound := lent.bound[:0]
	*lent = s
	if lent.bound == nil {
		lent.bound = bound
	}
	return lent
}

func (e *evaluation) closeScope() {
	e.used--
	if s := e.scopes[e.used]; s.kind == callScope {
		s.bound = nil
	}
}

// current is the value that paths begin at.
func (s *scope) current() *document.Value { return s.value }

// lookup finds what a name was bound to in this scope.
func (s *scope) lookup(name string) ([]Finding, bool) {
	for i := range s.bound {
		if s.bound[i].name == name {
			return s.bound[i].findings, true
		}
	}
	return nil, false
}

// bind keeps what a variable was worked out to.
func (s *scope) bind(name string, findings []Finding) {
	for i := range s.bound {
		if s.bound[i].name == name {
			s.bound[i].findings = findings
			return
		}
	}
	s.bound = append(s.bound, binding{name, findings})
}

// variable works out a variable, in the scope where it is assigned. The findings
// must not be changed.
func (e *evaluation) variable(name string, s *scope) ([]Finding, error) {
	if err := e.enter(); err != nil {
		return nil, err
	}
	defer e.leave()
	for ; s != nil; s = s.parent {
		let := s.assigned(name)
		if let != nil {
			if l, ok := let.Value.(*syntax.Literal); ok {
				return []Finding{{Value: l.Value, literal: true}}, nil
			}
		}
		if f, ok := s.lookup(name); ok {
			return f, nil
		}
		if let != nil {
			return e.assign(let, s)
		}
	}
	return nil, fmt.Errorf("there is no variable %%%s", name)
}

// assigned is the assignment that counts for a name: the last literal, else the
// last function, else the last query.
func (s *scope) assigned(name string) *syntax.Let {
	var found *syntax.Let
	rank := 0
	for i := range s.lets {
		if s.lets[i].Name != name {
			continue
		}
		r := 1
		switch s.lets[i].Value.(type) {
		case *syntax.Literal:
			r = 3
		case *syntax.Function:
			r = 2
		}
		if r >= rank {
			found, rank = &s.lets[i], r
		}
	}
	return found
}

// assign works out a variable and keeps the result for as long as its block is
// open. With "some", what led nowhere is left out.
func (e *evaluation) assign(let *syntax.Let, s *scope) ([]Finding, error) {
	var findings []Finding
	var err error
	switch v := let.Value.(type) {
	case *syntax.Function:
		findings, err = e.function(v, s)
	case *syntax.Query:
		findings, err = e.retrieve(step{parts: v.Parts, at: s.value, scope: s, spelling: -1}, nil)
		if v.Some {
			findings = foundOnly(findings)
		}
	}
	if err != nil {
		return nil, err
	}
	s.bind(let.Name, findings)
	return findings, nil
}

// foundOnly drops what is missing, and literals.
func foundOnly(findings []Finding) []Finding {
	kept := findings[:0]
	for _, f := range findings {
		if f.Missing == nil && !f.literal {
			kept = append(kept, f)
		}
	}
	return kept
}

// capture adds a key to the keys that a filter let through. They are kept for the
// whole evaluation.
func (e *evaluation) capture(name string, key *document.Value) {
	known, _ := e.root.lookup(name)
	e.root.bind(name, append(known[:len(known):len(known)], Finding{Value: key}))
}
