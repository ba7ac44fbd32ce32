package ruledev

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"plumb/internal/config"
	"plumb/internal/fixture"
	"plumb/internal/resource/typename"
	"plumb/internal/rule/managed"
	"plumb/internal/rule/view"
	"plumb/internal/rulebench"
	"plumb/internal/rulefile"
	"plumb/internal/ruletest"
	"plumb/internal/textfile"
)

// looks returns what a rule looks at, with the rule as its tests have it: they
// name its types and parameters.
func (s *Session) looks(ctx context.Context, r rulefile.Rule) ([]look, rulefile.Rule, error) {
	f, err := s.tests(r)
	if err != nil {
		return nil, r, err
	}
	if f != nil {
		r = f.Rule
	}
	if s.Running {
		looks, err := s.recorded(ctx, r)
		return looks, r, err
	}
	items, err := s.fixtures(r)
	switch {
	case err != nil:
		return nil, r, err
	case f != nil:
		return append(testLooks(f), itemLooks(items)...), r, nil
	case len(items) > 0:
		return itemLooks(items), r, nil
	}
	return s.examples(r)
}

// tests returns the tests of a rule, with the rule as they declare it; nil if there are none.
func (s *Session) tests(r rulefile.Rule) (*ruletest.File, error) {
	path := filepath.Join(s.base(), ruletest.FileName)
	if _, err := os.Stat(path); err != nil {
		return nil, nil
	}
	f, err := ruletest.ReadFile(path, "")
	if err != nil || !f.Declares(r) {
		return nil, err
	}
	return f, nil
}

// base is the folder: that of the file, if the session is on one.
func (s *Session) base() string {
	if info, err := os.Stat(s.Folder); err == nil && !info.IsDir() {
		return filepath.Dir(s.Folder)
	}
	return s.Folder
}

func testLooks(f *ruletest.File) (all []look) {
	for _, t := range f.Tests {
		// What a test expects may name what its setup answered.
		l := look{name: t.Name, parameters: t.Parameters, others: t.Others, item: t.Item, expect: func(a rulebench.Answer) string { return t.Compare(a) }}
		if len(t.Setup) > 0 {
			l.setUp = t.SetUp
		}
		l.Occasion = rulebench.Occasion{Item: t.Item, Before: t.Before, LeftScope: t.Event == ruletest.LeftScope, Oversized: t.Event == ruletest.Oversized}
		all = append(all, l)
	}
	return all
}

func itemLooks(items []config.Item) (all []look) {
	for i := range items {
		all = append(all, look{Occasion: rulebench.Occasion{Item: &items[i]}, item: &items[i], others: slices.Delete(slices.Clone(items), i, i+1)})
	}
	return all
}

// fixtures reads the items in the folder fixtures.
func (s *Session) fixtures(r rulefile.Rule) ([]config.Item, error) {
	dir := filepath.Join(s.base(), "fixtures")
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	d := fixture.Defaults{}
	if len(r.Types) > 0 {
		d.Type = r.Types[0]
	}
	var items []config.Item
	for _, e := range entries {
		if !slices.Contains([]string{".json", ".yaml", ".yml"}, filepath.Ext(e.Name())) {
			continue
		}
		path := filepath.Join(dir, e.Name())
		text, err := textfile.Read(path)
		if err != nil {
			return nil, err
		}
		it, err := fixture.Read(text, d)
		if err == nil {
			err = typename.Check(it.Type)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		items = append(items, it)
	}
	return items, nil
}

// recorded are the resources of a running server.
func (s *Session) recorded(ctx context.Context, r rulefile.Rule) ([]look, error) {
	b, err := s.Bench(ctx)
	if err != nil {
		return nil, err
	}
	if r.Kind == rulefile.Function && !r.OnChange() {
		return []look{{name: "the schedule"}}, nil
	}
	types, err := s.typesOf(r)
	if err != nil {
		return nil, err
	}
	keys, err := b.Recorded(ctx, types, s.Limit)
	if err != nil {
		return nil, err
	}
	var all []look
	for _, k := range keys {
		l := look{Occasion: rulebench.Occasion{Type: k.Type, ID: k.ID}}
		if r.Kind != rulefile.Function {
			it, err := b.Item(ctx, k.Type, k.ID)
			if err != nil {
				return nil, err
			}
			l.item = &it
		}
		all = append(all, l)
	}
	return all, nil
}

// typesOf are the types that a rule looks at; those of its file for a rule file.
func (s *Session) typesOf(r rulefile.Rule) ([]string, error) {
	if r.Kind != rulefile.Catalogue {
		return r.Types, nil
	}
	file, err := s.catalogueFile(r)
	if err != nil {
		return nil, err
	}
	return file.Resources, nil
}

func (s *Session) catalogueFile(r rulefile.Rule) (*managed.File, error) {
	text, err := r.Content()
	if err != nil {
		return nil, err
	}
	c, err := s.Managed()
	if err != nil {
		return nil, err
	}
	return c.ParseFile(r.Path, text)
}

// examples are those of a rule file.
func (s *Session) examples(r rulefile.Rule) ([]look, rulefile.Rule, error) {
	if r.Kind != rulefile.Catalogue {
		return nil, r, nil
	}
	file, err := s.catalogueFile(r)
	if err != nil {
		return []look{{}}, r, nil // and the answerer says what is wrong
	}
	var all []look
	for _, e := range file.Examples {
		var parameters map[string]string
		if err := json.Unmarshal([]byte(e.Parameters), &parameters); err != nil {
			return nil, r, err
		}
		all = append(all, look{name: e.Name, parameters: parameters, item: &e.Item, others: e.Beside.Items, Occasion: rulebench.Occasion{Item: &e.Item}, expect: func(a rulebench.Answer) string {
			return ruletest.Test{Item: &e.Item, Compliance: e.Compliance, Annotation: e.Annotation}.Compare(a)
		}})
	}
	return all, r, nil
}

// A reasoner says why it decided as it did.
type reasoner interface {
	Why(config.Item, view.View) ([]string, error)
}

// inProcess evaluates in this program.
func (s *Session) inProcess(r rulefile.Rule) (answerer, error) {
	var c *managed.Catalogue
	var err error
	if r.Kind == rulefile.Catalogue {
		if c, err = s.Managed(); err == nil {
			_, err = s.catalogueFile(r) // whose parameters may come with each example
		}
	} else {
		_, err = r.Evaluator(nil) // a policy needs no catalogue
	}
	if err != nil {
		return nil, err
	}
	return func(_ context.Context, l look) (rulebench.Answer, []string, error) {
		e, err := r.With(l.parameters).Evaluator(c)
		if err != nil {
			return rulebench.Answer{Error: err.Error()}, nil, nil
		}
		if l.item == nil {
			return rulebench.Answer{Error: "a scheduled event is for functions: this rule evaluates items"}, nil, nil
		}
		it := *l.item
		v := view.Fixed{At: managed.Beside().At, Items: append(slices.Clone(l.others), it)}
		compliance, annotation, err := e.Evaluate(it, v)
		if err != nil {
			return rulebench.Answer{Error: err.Error()}, nil, nil
		}
		if it.Status.Gone() || l.LeftScope {
			compliance, annotation = config.NotApplicable, ""
		}
		var why []string
		if w, ok := e.(reasoner); ok && compliance == config.NonCompliant {
			if why, err = w.Why(it, v); err != nil {
				why = []string{err.Error()}
			}
		}
		return rulebench.Answer{Verdicts: []rulebench.Verdict{{Type: it.Type, ID: it.ID, Compliance: compliance, Annotation: annotation}}}, why, nil
	}, nil
}
