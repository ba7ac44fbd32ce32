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
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"plumb/internal/config"
	"plumb/internal/report"
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
	// Running is set where the bench is a server that was there before: what it has
	// recorded is evaluated, and nothing else, because verdicts stay there.
	Running bool
	// What the last round came to.
	Failed bool // a test failed
	Broken bool // a rule or a function could not be run

	elsewhere []string // files and folders of rules that are not below the folder
}

// A look is one thing that a rule looks at.
type look struct {
	name string // of a test; empty for others
	rulebench.Occasion
	parameters map[string]string // beside the rule's
	others     []config.Item
	item       *config.Item // in-process rules need it whole
	expect     func(rulebench.Answer) string
	setUp      func(context.Context, *rulebench.Bench) error // calls that a test wants made before; nil for none
}

// Round evaluates once and prints. The error is one that keeps the folder from
// being evaluated at all; what rules did wrong is printed.
func (s *Session) Round(ctx context.Context) error {
	began := time.Now()
	s.Failed, s.Broken = false, false
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
	if len(looks) == 0 && r.Kind == rulefile.Function { // which is not put on a server for nothing
		p.nothing(r, s.Running)
		return nil
	}
	answer, err := s.answerer(ctx, r)
	if err == nil {
		err = r.CheckTypes()
	}
	if err != nil {
		s.Broken = true
		p.broken(r, err)
		return nil
	}
	if len(looks) == 0 {
		p.nothing(r, s.Running)
		return nil
	}
	p.begin(r)
	first := time.Duration(0)
	for _, l := range looks {
		a, why, err := answer(ctx, l)
		if err != nil {
			return err
		}
		a = a.In(r.Path)
		if first == 0 {
			first = time.Since(began)
		}
		wrong := ""
		if l.expect != nil {
			wrong = l.expect(a)
		}
		s.Failed = s.Failed || wrong != ""
		s.Broken = s.Broken || a.Error != "" && (l.expect == nil || wrong != "")
		p.answer(l, a, wrong, why)
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
	if r, err = r.Pack(ctx); err != nil { // once for all that it looks at
		return nil, err
	}
	d := &deployed{bench: b, rule: r}
	if err := d.put(ctx, r); err != nil {
		return nil, err
	}
	return func(ctx context.Context, l look) (rulebench.Answer, []string, error) {
		a, err := d.ask(ctx, l)
		return a, nil, err
	}, nil
}

// A deployed function is one that the server has.
type deployed struct {
	bench      *rulebench.Bench
	rule       rulefile.Rule
	parameters map[string]string // that its rule has on the server
	gone       bool              // with all else, after a setup
}

// put puts the rule. A running server evaluates what it has recorded then: that is waited for, so that its
// verdicts are not taken for answers.
func (d *deployed) put(ctx context.Context, r rulefile.Rule) error {
	err := d.bench.Put(ctx, r)
	if err == nil && !d.bench.ThrowAway() {
		err = d.bench.Drain(ctx)
	}
	d.parameters, d.gone = r.Parameters, false
	return err
}

// ask has the function evaluate one thing. A throw-away server holds nothing else then.
func (d *deployed) ask(ctx context.Context, l look) (a rulebench.Answer, err error) {
	if want := d.rule.With(l.parameters); d.gone || !maps.Equal(want.Parameters, d.parameters) {
		if err := d.put(ctx, want); err != nil {
			return a, err
		}
	}
	if d.bench.ThrowAway() {
		if err := d.prepare(ctx, l); err != nil {
			return a, err
		}
	}
	if l.setUp != nil {
		if err := l.setUp(ctx, d.bench); err != nil {
			return rulebench.Answer{Error: err.Error()}, d.reset(ctx)
		}
		defer func() { err = errors.Join(err, d.reset(ctx)) }()
	}
	return d.bench.Ask(ctx, d.rule.Name, l.Occasion)
}

func (d *deployed) prepare(ctx context.Context, l look) error {
	if err := d.bench.Forget(ctx); err != nil {
		return err
	}
	recorded := l.others
	if l.Item != nil && l.Oversized {
		recorded = append(slices.Clone(recorded), *l.Item)
	}
	return d.bench.Push(ctx, recorded)
}

// reset leaves nothing of a setup for the next look.
func (d *deployed) reset(ctx context.Context) error {
	d.gone = true
	return d.bench.Reset(ctx)
}

// Shown is a path as it is written below the working folder.
func shown(path string) string { return filepath.ToSlash(report.Relative(path)) }
