// Package ruledev is the loop of somebody who writes a rule: it finds the rules of
// a folder, has them evaluate what there is to look at, and prints each verdict
// with what helps to find out why; after each save, again.
//
//	s := ruledev.Session{Bench: bench, Folder: "my-rule", Out: os.Stdout}
//	err := s.Watch(ctx)
//
// What there is to look at: the tests of plumb-test.yaml, the items in the folder
// fixtures, or what a running server has recorded. The package stores nothing.
package ruledev

import (
	"context"

	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"plumb/internal/config"
	"plumb/internal/rule/managed"
	"plumb/internal/rulebench"
	"plumb/internal/rulefile"
	"plumb/internal/ruletest"
)

// A Session is a folder under work. One caller at a time uses it.
type Session struct {
	Folder  string
	Out     io.Writer
	Color   bool
	Limit   int                                // recorded resources that are evaluated
	Managed func() (*managed.Catalogue, error) // asked for by rules that this program evaluates
	// Bench runs functions. It is started when the first of them needs it.
	Bench func(context.Context) (*rulebench.Bench, error)
	// Running is set where the bench is a server that was there before, with
	// recorded resources.
	Running bool
}

// A look is one thing that a rule looks at.
type look struct {
	name string // of a test; empty for others
	rulebench.Occasion
	parameters map[string]string // beside the rule's
	others     []config.Item
	item       *config.Item // in-process rules need it whole
	expect     func(rulebench.Answer) string
}

// Round evaluates once and prints. The error is one that keeps the folder from
// being evaluated at all; what rules did wrong is printed.
func (s *Session) Round(ctx context.Context) error {
	began := time.Now()
	rules, err := rulefile.Find(s.Folder)
	if err != nil {
		return err
	}
	for _, r := range rules {
		if r.Kind == rulefile.Managed {
			continue // AWS's own
		}
		if err := s.rule(ctx, r, began); err != nil {
			return fmt.Errorf("%s: %w", r.Name, err)
		}
		began = time.Now()
	}
	return nil
}

func (s *Session) rule(ctx context.Context, r rulefile.Rule, began time.Time) error {
	looks, r, err := s.looks(ctx, r)
	if err != nil {
		return err
	}
	p := &page{s.Out, s.Color}
	if len(looks) == 0 {
		p.nothing(r)
		return nil
	}
	answer, err := s.answerer(ctx, r)
	if err != nil {
		p.broken(r, err)
		return nil
	}
	p.begin(r)
	first := time.Duration(0)
	for _, l := range looks {
		a, why, err := answer(ctx, l)
		if err != nil {
			return err
		}
		if first == 0 {
			first = time.Since(began)
		}
		p.answer(r, l, a, why)
		if ruletest.CannotStart(a) {
			break // and so it is with every other item
		}
	}
	p.end(len(looks), first, time.Since(began))
	return nil
}

// An answerer has a rule evaluate, and says why if it can.
type answerer func(context.Context, look) (rulebench.Answer, []string, error)

func (s *Session) answerer(ctx context.Context, r rulefile.Rule) (answerer, error) {
	if r.Kind == rulefile.Function {
		return s.function(ctx, r)
	}
	return s.inProcess(r)
}

// function puts the function on the server and asks it there.
func (s *Session) function(ctx context.Context, r rulefile.Rule) (answerer, error) {
	b, err := s.Bench(ctx)
	if err != nil {
		return nil, err
	}
	if err := b.Put(ctx, r); err != nil {
		return nil, err
	}
	asked := r // what the server has now
	return func(ctx context.Context, l look) (rulebench.Answer, []string, error) {
		if want := r.With(l.parameters); !maps.Equal(want.Parameters, asked.Parameters) {
			if err := b.Put(ctx, want); err != nil {
				return rulebench.Answer{}, nil, err
			}
			asked = want
		}
		if b.ThrowAway() {
			if err := b.Forget(ctx); err != nil {
				return rulebench.Answer{}, nil, err
			}
			recorded := l.others
			if l.Item != nil && l.Oversized {
				recorded = append(slices.Clone(recorded), *l.Item)
			}
			if err := b.Push(ctx, recorded); err != nil {
				return rulebench.Answer{}, nil, err
			}
		}
		a, err := b.Ask(ctx, r.Name, l.Occasion)
		return a, nil, err
	}, nil
}

// Shown is a path as it is written below the working folder.
func shown(path string) string { return filepath.ToSlash(filepath.Clean(path)) }
