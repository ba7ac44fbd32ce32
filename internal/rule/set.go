package rule

import (
	"context"
	"fmt"
	"slices"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/store"
)

// A set is the rules of a place at one version of them, found by the type of
// what they look at: the cost of an item follows the rules that apply to it, not
// those that there are.
type set struct {
	version   int64
	size      int                // how many rules there are
	onChange  index[*inProcess]  // evaluated in this process by each item
	inProcess int                // how many of those there are
	functions index[config.Rule] // invoked with each item
	snapshots []config.Rule      // functions that a snapshot triggers
	proactive []config.Rule      // that evaluate what is not there yet
}

// An inProcess is a rule that is evaluated here.
type inProcess struct {
	config.Rule
	Compiled
	number int // in the set
}

// An index finds rules by a resource type.
type index[R any] struct {
	byType map[string][]R
	any    []R // that look at every type
}

func (x *index[R]) add(r R, types []string) {
	if len(types) == 0 {
		x.any = append(x.any, r)
		return
	}
	if x.byType == nil {
		x.byType = map[string][]R{}
	}
	for i, t := range types {
		if !slices.Contains(types[:i], t) {
			x.byType[t] = append(x.byType[t], r)
		}
	}
}

// of returns the rules that may look at a type, in two parts.
func (x *index[R]) of(resourceType string) [2][]R { return [2][]R{x.byType[resourceType], x.any} }

// load returns the rules of a place as they are now. It compiles those that this
// server has not met, outside of any transaction.
func (e *Engine) load(ctx context.Context, p config.Place) (*set, error) {
	s, known := e.sets.get(p)
	var version int64
	var rules []config.Rule
	err := e.DB.Read(ctx, func(tx *db.Tx) (err error) {
		if version, err = store.RuleSetVersion(ctx, tx, p); err != nil || known && s.version == version {
			return err
		}
		known = false
		rules, err = store.Rules(ctx, tx, p, "", 0)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the rules of %s: %w", p, err)
	}
	if known {
		return s, nil
	}
	s = e.compile(rules, version)
	e.sets.put(p, s)
	return s, nil
}

// Warm compiles the rules that there are, so that the first items after a start
// do not wait for it. It ends when as many are compiled as are remembered.
func (e *Engine) Warm(ctx context.Context) error {
	var places []config.Place
	err := e.DB.Read(ctx, func(tx *db.Tx) (err error) {
		places, err = store.RulePlaces(ctx, tx)
		return err
	})
	size := 0
	for _, p := range places {
		if err != nil || ctx.Err() != nil || size >= maxCompiled {
			break
		}
		var s *set
		if s, err = e.load(ctx, p); err == nil {
			size += s.size
		}
	}
	return err
}

// loaded returns the set of a place if this server has it as it is in tx.
func (e *Engine) loaded(ctx context.Context, tx *db.Tx, p config.Place) (*set, bool, error) {
	version, err := store.RuleSetVersion(ctx, tx, p)
	if err != nil {
		return nil, false, fmt.Errorf("read the rule set's version: %w", err)
	}
	s, ok := e.sets.get(p)
	return s, ok && s.version == version, nil
}

func (e *Engine) compile(rules []config.Rule, version int64) *set {
	s := &set{version: version, size: len(rules)}
	for _, r := range rules {
		if r.State != config.RuleDeleting && r.InMode(config.ModeProactive) {
			s.proactive = append(s.proactive, r)
		}
		switch {
		case r.State == config.RuleDeleting, !r.InMode(config.ModeDetective):
		case r.Source.Owner == config.OwnerLambda:
			s.addFunction(r)
		default:
			if c, err := e.Compile(r); err == nil && c.OnChange { // its status says why not since it was put
				s.addInProcess(r, c)
			}
		}
	}
	return s
}

func (s *set) addFunction(r config.Rule) {
	if r.Triggered(config.MessageSnapshot) {
		s.snapshots = append(s.snapshots, r)
	}
	if onChange(r) {
		s.functions.add(r, scopeTypes(r))
	}
}

func (s *set) addInProcess(r config.Rule, c Compiled) {
	types := scopeTypes(r)
	if len(types) == 0 {
		types = c.Types
	}
	s.onChange.add(&inProcess{r, c, s.inProcess}, types)
	s.inProcess++
}

// onChange reports whether a function asked for items.
func onChange(r config.Rule) bool {
	return r.Triggered(config.MessageChange) || r.Triggered(config.MessageOversized)
}

func scopeTypes(r config.Rule) []string {
	if r.Scope == nil {
		return nil
	}
	return r.Scope.Types
}
