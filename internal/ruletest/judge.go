package ruletest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"plumb/internal/config"
	"plumb/internal/guard/syntax"
	"plumb/internal/report"
	"plumb/internal/rule"
	"plumb/internal/rule/managed"
	"plumb/internal/rule/view"
	"plumb/internal/rulebench"
	"plumb/internal/rulefile"
)

// fileSuite is the tests of a plumb-test.yaml.
func fileSuite(path, shown string, o Options) Suite {
	return Suite{shown, path, func(ctx context.Context, w *worker) []report.Case {
		f, err := ReadFile(path, o.Root)
		if err != nil {
			return problems(path, err)
		}
		var cases []report.Case
		cannot := "" // be asked: why no other test of the file is worth a try
		for _, t := range f.Tests {
			if cannot != "" {
				cases = append(cases, report.Case{Name: t.Name, Path: path, Line: t.Line, Status: report.Broken, Message: cannot + ", as above", Follows: true})
				continue
			}
			began := time.Now()
			c := report.Case{Name: t.Name, Path: path, Line: t.Line, Status: report.Passed}
			if len(cases) == 0 && f.Rule.Kind == rulefile.Function {
				if f.Rule, err = f.Rule.Pack(ctx); err != nil {
					cannot = "the function's code cannot be packed"
					c.Status, c.Message, c.Causes, c.Took = report.Broken, err.Error(), mistakes(err), time.Since(began)
					cases = append(cases, c)
					continue
				}
			}
			answer, err := w.judge(ctx, f, &t)
			answer = answer.In(f.Rule.Path)
			switch {
			case err != nil:
				c.Status, c.Message, c.Causes = report.Broken, err.Error(), mistakes(err)
				if len(c.Causes) > 0 {
					cannot = "the rule cannot be read"
				}
			case CannotStart(answer) && t.Error == "":
				cannot = "the function cannot start"
				c.Status, c.Message, c.Detail = report.Broken, cannot+": "+answer.Error, detail(answer)
			default:
				if c.Message = t.Compare(answer); c.Message != "" {
					c.Status, c.Detail = report.Failed, detail(answer)
				}
			}
			if c.Status != report.Passed && c.Causes == nil { // a failure that a test expects is nobody's to mend
				c.Causes = causes(answer)
			}
			c.Took = time.Since(began)
			cases = append(cases, c)
		}
		return cases
	}}
}

// CannotStart reports whether the function ended before it was asked: so it does
// with every other item.
func CannotStart(a rulebench.Answer) bool {
	return strings.HasPrefix(a.Error, "Runtime.") && !strings.HasPrefix(a.Error, "Runtime.ExitError")
}

// judge has the rule of a file evaluate what a test describes.
func (w *worker) judge(ctx context.Context, f *File, t *Test) (rulebench.Answer, error) {
	r := f.Rule.With(t.Parameters)
	if r.Kind == rulefile.Function {
		return w.ask(ctx, r, t)
	}
	var catalogue *managed.Catalogue // which a policy does not need, and which takes a while to read
	if r.Kind != rulefile.Policy {
		var err error
		if catalogue, err = w.catalogue(); err != nil {
			return rulebench.Answer{}, err
		}
	}
	e, err := r.Evaluator(catalogue)
	if err != nil {
		return rulebench.Answer{}, err
	}
	return inProcess(e, *t)
}

// ask has a function evaluate, on a server that holds nothing else.
func (w *worker) ask(ctx context.Context, r rulefile.Rule, t *Test) (_ rulebench.Answer, err error) {
	b, err := w.bench()
	if err != nil {
		return rulebench.Answer{}, err
	}
	if len(t.Setup) > 0 {
		defer func() { err = errors.Join(err, b.Reset(ctx)) }() // nothing is left of it for the next test
	}
	if err := b.Forget(ctx); err != nil {
		return rulebench.Answer{}, err
	}
	if err := t.SetUp(ctx, b); err != nil {
		return rulebench.Answer{}, err
	}
	recorded := t.Others
	if t.Item != nil && t.Event == Oversized {
		recorded = append(slices.Clone(recorded), *t.Item) // the function asks AWS Config for it
	}
	if err := b.Push(ctx, recorded); err != nil {
		return rulebench.Answer{}, err
	}
	if err := b.Put(ctx, r); err != nil {
		return rulebench.Answer{}, err
	}
	answer, err := b.Ask(ctx, r.Name, rulebench.Occasion{
		Item: t.Item, Before: t.Before, LeftScope: t.Event == LeftScope, Oversized: t.Event == Oversized,
	})
	if err == nil {
		err = b.Note(r)
	}
	return answer, err
}

func inProcess(e rule.Evaluator, t Test) (rulebench.Answer, error) {
	if t.Item == nil {
		return rulebench.Answer{}, errors.New("a scheduled event is for functions: this rule evaluates items")
	}
	beside := managed.Beside()
	v := view.Fixed{At: beside.At, Items: append(slices.Clone(t.Others), *t.Item)}
	if t.Event == LeftScope {
		return rulebench.Answer{Verdicts: []rulebench.Verdict{{Type: t.Item.Type, ID: t.Item.ID, Compliance: config.NotApplicable}}}, nil
	}
	compliance, annotation, err := e.Evaluate(*t.Item, v)
	if err != nil {
		return rulebench.Answer{Error: err.Error()}, nil
	}
	if t.Item.Status.Gone() {
		compliance, annotation = config.NotApplicable, ""
	}
	a := rulebench.Answer{Verdicts: []rulebench.Verdict{{Type: t.Item.Type, ID: t.Item.ID, Compliance: compliance, Annotation: annotation}}}
	if w, ok := e.(reasoner); ok && compliance == config.NonCompliant {
		why, err := w.Why(*t.Item, v)
		if err != nil {
			return a, err
		}
		a.Log = strings.Join(why, "\n")
	}
	return a, nil
}

// A reasoner says why it decided as it did.
type reasoner interface {
	Why(config.Item, view.View) ([]string, error)
}

func detail(a rulebench.Answer) string { return strings.Join(a.Explained(), "\n") }

// causes is where in its code a function failed.
func causes(a rulebench.Answer) []report.Cause {
	if a.Cause.Line == 0 {
		return nil
	}
	return []report.Cause{{Path: a.Cause.Path, Line: a.Cause.Line, Message: a.Error}}
}

// mistakes are those that a compiler found, or that keep a policy from being read.
func mistakes(err error) (all []report.Cause) {
	if e, ok := errors.AsType[*rulefile.BuildError](err); ok {
		for _, m := range e.Mistakes {
			all = append(all, report.Cause(m))
		}
	}
	if e, ok := errors.AsType[*syntax.Error](err); ok && e.File != "" {
		all = append(all, report.Cause{Path: e.File, Line: e.At.Line, Message: e.Message()})
	}
	return all
}

func describe(all []rulebench.Verdict) string {
	if len(all) == 0 {
		return "it reported nothing"
	}
	texts := make([]string, len(all))
	for i, v := range all {
		texts[i] = fmt.Sprintf("%s %s %s", v.Type, v.ID, v.Compliance)
	}
	return "it reported " + strings.Join(texts, ", ")
}
