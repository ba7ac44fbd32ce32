package ruletest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"plumb/internal/config"
	"plumb/internal/fixture"
	"plumb/internal/resource/typename"
	"plumb/internal/rulefile"
	"plumb/internal/textfile"
)

// FileName is what a file of tests is called.
const FileName = "plumb-test.yaml"

// A File is a plumb-test.yaml: a rule, and what it must say of items.
type File struct {
	Path  string
	Rule  rulefile.Rule
	Tests []Test
}

// An Event is what happened to a test's item.
type Event string

// The events of tests.
const (
	Change    Event = "change"
	Scheduled Event = "scheduled"
	Deleted   Event = "deleted"
	Oversized Event = "oversized"
	LeftScope Event = "out-of-scope"
)

// None is expected of a rule that must say nothing.
const None config.Compliance = "NONE"

// A Test is an item and the expected verdict.
type Test struct {
	Name       string
	Line       int
	Event      Event
	Item       *config.Item
	Before     *config.Item
	Others     []config.Item
	Parameters map[string]string
	Setup      []Call

	Compliance config.Compliance
	Verdicts   map[string]config.Compliance // by "TYPE ID"
	Annotation *string
	Error      string // part of the function's error
}

// A reader reads one file and collects what is wrong with it.
type reader struct {
	path string
	root string // what the rule's path is relative to
	errs []error
}

func (r *reader) fail(line int, format string, args ...any) {
	r.errs = append(r.errs, fmt.Errorf("%s:%d: %s", r.path, line, fmt.Sprintf(format, args...)))
}

// failAll notes the errors that one holds, each of which may begin with its own place.
func (r *reader) failAll(line int, err error) {
	for text := range strings.Lines(err.Error()) {
		text = strings.TrimRight(text, "\n")
		if place.MatchString(text) {
			r.errs = append(r.errs, errors.New(text))
			continue
		}
		r.fail(line, "%s", text)
	}
}

var (
	fileKeys = []string{"rule", "handler", "runtime", "types", "schedule", "parameters", "timeout", "memory", "environment", "tests"}
	testKeys = []string{"name", "event", "item", "before", "others", "setup", "parameters", "compliance", "verdicts", "annotation", "error"}
)

// ReadFile reads a plumb-test.yaml. The rule's path is relative to root; to the
// file's folder if root is empty. The error holds all that is wrong.
func ReadFile(path, root string) (*File, error) {
	text, err := textfile.Read(path)
	if err != nil {
		return nil, err
	}
	if root == "" {
		root = filepath.Dir(path)
	}
	r := &reader{path: path, root: root}
	var document yaml.Node
	if err := yaml.NewDecoder(bytes.NewReader(text)).Decode(&document); errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s:1: the file is empty; it needs tests", path)
	} else if err != nil {
		return nil, fmt.Errorf("%s: %s", path, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	f := r.file(document.Content[0])
	return f, errors.Join(r.errs...)
}

func (r *reader) file(node *yaml.Node) *File {
	f := &File{Path: r.path}
	keys := r.mapping(node, fileKeys)
	if len(r.errs) > 0 {
		return f
	}
	r.rule(f, keys)
	tests := keys["tests"]
	if tests == nil || tests.Kind != yaml.SequenceNode || len(tests.Content) == 0 {
		r.fail(node.Line, "tests is a list of name, item, compliance and so on")
		return f
	}
	for _, n := range tests.Content {
		f.Tests = append(f.Tests, r.test(f, n))
	}
	return f
}

// rule finds the rule that is tested and adds what the file says of it.
func (r *reader) rule(f *File, keys map[string]*yaml.Node) {
	path, line := "", 1
	if n := keys["rule"]; n != nil {
		path, line = n.Value, n.Line
	}
	if path = filepath.FromSlash(path); !filepath.IsAbs(path) {
		path = filepath.Join(r.root, path)
	}
	rule, err := findOne(path, text(keys["handler"]))
	if err != nil {
		r.fail(line, "%v", err)
		return
	}
	r.decode(keys["types"], &rule.Types)
	r.decode(keys["parameters"], &rule.Parameters)
	r.decode(keys["timeout"], &rule.Timeout)
	r.decode(keys["memory"], &rule.Memory)
	r.decode(keys["environment"], &rule.Variables)
	if n := keys["schedule"]; n != nil {
		rule.Frequency = n.Value
		if err := rulefile.CheckFrequency(n.Value); err != nil {
			r.fail(n.Line, "%v", err)
		}
	}
	if n := keys["runtime"]; n != nil {
		rule.Runtime = n.Value
	}
	if n := keys["types"]; n != nil {
		line = n.Line
	}
	if err := rule.CheckTypes(); err != nil {
		r.failAll(line, err)
	}
	f.Rule = rule
}

// findOne finds the one rule at a path.
func findOne(path, handler string) (rulefile.Rule, error) {
	if handler != "" {
		return rulefile.WithHandler(path, handler)
	}
	all, err := rulefile.Find(path)
	if err != nil {
		return rulefile.Rule{}, err
	}
	if len(all) > 1 {
		return rulefile.Rule{}, fmt.Errorf("%s holds %d rules: name one file, as rule: FILE", path, len(all))
	}
	return all[0], nil
}

func (r *reader) test(f *File, node *yaml.Node) Test {
	keys := r.mapping(node, testKeys)
	t := Test{Name: text(keys["name"]), Line: node.Line, Event: Event(text(keys["event"])), Error: text(keys["error"])}
	if t.Name == "" {
		r.fail(node.Line, "a test needs a name")
	}
	if t.Event == "" {
		t.Event = Change
		if f.Rule.Frequency != "" && keys["item"] == nil {
			t.Event = Scheduled
		}
	}
	if all := []Event{Change, Scheduled, Deleted, Oversized, LeftScope}; !slices.Contains(all, t.Event) {
		r.fail(keys["event"].Line, "event %q is none of %v", t.Event, all)
	}
	r.items(f, &t, node, keys)
	r.decode(keys["parameters"], &t.Parameters)
	if t.Setup = r.setup(keys["setup"]); len(t.Setup) > 0 && f.Rule.Kind != "" && f.Rule.Kind != rulefile.Function {
		r.fail(keys["setup"].Line, "setup is for functions: this rule asks no service")
	}
	r.expected(&t, node, keys)
	return t
}

// items reads the item of a test and what is there beside it.
func (r *reader) items(f *File, t *Test, node *yaml.Node, keys map[string]*yaml.Node) {
	d := fixture.Defaults{}
	switch {
	case len(f.Rule.Types) > 0:
		d.Type = f.Rule.Types[0]
	case len(r.errs) > 0:
		d.Type = "unknown" // what is wrong with the rule has been told
	}
	t.Item, t.Before = r.item(keys["item"], d), r.item(keys["before"], d)
	switch {
	case t.Item == nil && t.Event != Scheduled && len(r.errs) == 0:
		r.fail(node.Line, "a test with the event %s needs an item", t.Event)
	case t.Item != nil && t.Event == Scheduled:
		r.fail(keys["item"].Line, "a scheduled event has no item: what is recorded stands under others")
	case t.Item != nil && t.Event == Deleted && !t.Item.Status.Gone():
		t.Item.Status, t.Item.Configuration, t.Item.Supplementary = config.StatusDeleted, nil, map[string]any{}
	}
	if n := keys["others"]; n != nil {
		if n.Kind != yaml.SequenceNode {
			r.fail(n.Line, "others is a list of items, each with its resourceType")
			return
		}
		for _, one := range n.Content {
			if it := r.item(one, fixture.Defaults{}); it != nil {
				t.Others = append(t.Others, *it)
			}
		}
	}
}

// item reads an item, or a file with one; nil for an absent node.
func (r *reader) item(node *yaml.Node, d fixture.Defaults) *config.Item {
	if node == nil {
		return nil
	}
	if node.Kind == yaml.ScalarNode {
		path := filepath.Join(filepath.Dir(r.path), filepath.FromSlash(node.Value))
		content, err := textfile.Read(path)
		if err != nil {
			r.fail(node.Line, "%v", err)
			return nil
		}
		it, err := fixture.Read(content, d)
		if err == nil {
			err = r.checkType(it, d)
		}
		if err != nil {
			r.fail(node.Line, "%s: %v", path, err)
		}
		return &it
	}
	var v any
	if err := node.Decode(&v); err != nil {
		r.fail(node.Line, "%v", err)
		return nil
	}
	it, err := fixture.From(v, d)
	if err == nil {
		err = r.checkType(it, d)
	}
	if err != nil {
		r.fail(node.Line, "%v", err)
	}
	return &it
}

// checkType refuses an item of a type that is not there; that of the rule is checked
// with it.
func (r *reader) checkType(it config.Item, d fixture.Defaults) error {
	if it.Type == d.Type {
		return nil
	}
	return typename.Check(it.Type)
}

// expected reads what a test expects. One that expects nothing would always pass.
func (r *reader) expected(t *Test, node *yaml.Node, keys map[string]*yaml.Node) {
	all := []config.Compliance{config.Compliant, config.NonCompliant, config.NotApplicable, config.InsufficientData, None}
	check := func(line int, c config.Compliance) {
		if !slices.Contains(all, c) {
			r.fail(line, "compliance %q is none of %v", c, all)
		}
	}
	if n := keys["compliance"]; n != nil {
		t.Compliance = config.Compliance(n.Value)
		check(n.Line, t.Compliance)
	}
	if n := keys["verdicts"]; n != nil {
		r.decode(n, &t.Verdicts)
		for resource, c := range t.Verdicts {
			check(n.Line, c)
			name, _, ok := strings.Cut(resource, " ")
			if !ok {
				r.fail(n.Line, "verdicts are by \"TYPE ID\", and %q is not", resource)
			} else if err := typename.Check(name); err != nil {
				r.fail(n.Line, "%v", err)
			}
		}
	}
	if n := keys["annotation"]; n != nil {
		t.Annotation = new(n.Value)
	}
	if t.Compliance == "" && t.Verdicts == nil && t.Error == "" {
		r.fail(node.Line, "the test %s expects nothing: give compliance, verdicts or error", t.Name)
	}
}

// mapping returns a node's values by key and refuses keys that are not allowed.
func (r *reader) mapping(node *yaml.Node, allowed []string) map[string]*yaml.Node {
	values := map[string]*yaml.Node{}
	if node.Kind != yaml.MappingNode {
		r.fail(node.Line, "a mapping is wanted, with the keys %s", strings.Join(allowed, ", "))
		return values
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := node.Content[i]
		if !slices.Contains(allowed, key.Value) {
			r.fail(key.Line, "unknown key %q; the keys are %s", key.Value, strings.Join(allowed, ", "))
			continue
		}
		values[key.Value] = node.Content[i+1]
	}
	return values
}

func (r *reader) decode(node *yaml.Node, into any) {
	if node == nil {
		return
	}
	if err := node.Decode(into); err != nil {
		r.fail(node.Line, "%s", strings.TrimPrefix(err.Error(), "yaml: unmarshal errors:\n  "))
	}
}

func text(node *yaml.Node) string {
	if node == nil {
		return ""
	}
	return node.Value
}

// Rules returns the rules at a path, a file or a folder, with the types, parameters
// and schedule that the test file beside them names.
func Rules(path string) ([]rulefile.Rule, error) {
	rules, err := rulefile.Find(path)
	if err != nil {
		return nil, err
	}
	folder := path
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		folder = filepath.Dir(path)
	}
	tests := filepath.Join(folder, FileName)
	if _, err := os.Stat(tests); err != nil {
		return rules, nil
	}
	f, err := ReadFile(tests, "")
	if err != nil {
		return nil, err
	}
	for i, r := range rules {
		if f.Declares(r) {
			rules[i] = f.Rule
		}
	}
	return rules, nil
}

// Declares reports whether the file's tests are those of a rule.
func (f *File) Declares(r rulefile.Rule) bool { return f.Rule.Path == r.Path || f.Rule.Name == r.Name }
