package template

import (
	"errors"
	"maps"
	"slices"
	"strconv"

	"plumb/internal/template/serverless"
)

// expand carries out the transforms that a template asks for, and returns what is
// left. Parts that stay keep their lines.
func (t *Template) expand(root *node) (*node, error) {
	asked := root.get("Transform")
	if asked == nil || !t.options.Stack {
		return root, nil
	}
	items := []*node{asked}
	if asked.kind == sequence {
		items = asked.items
	}
	for _, item := range items {
		name, _ := item.text()
		if name != serverless.Name {
			if t.options.Authored {
				continue
			}
			return nil, failure(item, "The transform %s is not supported.", item.describe())
		}
		t.transforms = append(t.transforms, name)
	}
	if len(items) == 0 {
		return nil, failure(asked, "The Transform must be the name of a transform, or a list of them.")
	}
	if len(t.transforms) == 0 {
		return root, nil
	}
	before, ok := root.plain().(map[string]any)
	if !ok {
		return root, nil
	}
	if resources := root.get("Resources"); resources != nil {
		for _, r := range resources.items {
			if text, ok := r.get("Type").text(); ok {
				t.types = append(t.types, text)
			}
		}
	}
	transform := serverless.Transform
	if t.options.Authored {
		transform = serverless.Authored
	}
	after, err := transform(before, t.options.Values)
	if named, ok := errors.AsType[*serverless.Error](err); ok {
		return nil, transformError(root, named)
	}
	if err != nil {
		return nil, err
	}
	out, err := fromPlain(after, root, "", 0)
	if err == nil {
		t.processed = out.json()
	}
	return out, err
}

// transformError names the lines of the resources that a transform refuses.
func transformError(root *node, e *serverless.Error) error {
	out := &Error{Transform: serverless.Name}
	resources := root.get("Resources")
	for _, p := range e.Problems[:min(len(e.Problems), maxProblems)] {
		at := root.get("Globals")
		message := p.Message
		if p.Resource != "" {
			at, message = resources.get(p.Resource), "Resource with id ["+p.Resource+"] is invalid. "+p.Message
		}
		out.Problems = append(out.Problems, problem(at, "%s", message))
	}
	return out
}

// fromPlain makes a node of a value. was is the node that stood there, or nil: its
// line is taken, and the order of its keys.
func fromPlain(v any, was *node, path string, depth int) (*node, error) {
	n := &node{path: path}
	if was == nil {
		was = &node{}
	}
	n.line = was.line
	if depth > maxDepth {
		return nil, failure(n, "The template is nested more than %d levels deep.", maxDepth)
	}
	switch v := v.(type) {
	case map[string]any:
		n.kind = mapping
		for _, k := range keysLike(v, was) {
			item, err := fromPlain(v[k], was.get(k), below(path, k), depth+1)
			if err != nil {
				return nil, err
			}
			if item.line == 0 {
				item.line = n.line
			}
			n.keys, n.items = append(n.keys, k), append(n.items, item)
		}
	case []any:
		n.kind = sequence
		for i, e := range v {
			var old *node
			if was.kind == sequence && i < len(was.items) {
				old = was.items[i]
			}
			item, err := fromPlain(e, old, below(path, strconv.Itoa(i)), depth+1)
			if err != nil {
				return nil, err
			}
			n.items = append(n.items, item)
		}
	default:
		n.value = v
	}
	return n, nil
}

// keysLike returns the keys of a mapping: those that were there in their order,
// then the others.
func keysLike(m map[string]any, was *node) (keys []string) {
	for _, k := range was.keys {
		if _, ok := m[k]; ok {
			keys = append(keys, k)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if !slices.Contains(was.keys, k) {
			keys = append(keys, k)
		}
	}
	return keys
}

// Transforms returns the names of the transforms that the template asked for.
func (t *Template) Transforms() []string { return t.transforms }

// Processed returns the text of the template after its transforms, empty if it has
// none.
func (t *Template) Processed() string { return t.processed }

// Types returns the types of the resources as they were written, in the order of
// the template.
func (t *Template) Types() []string {
	if t.transforms != nil {
		return t.types
	}
	out := make([]string, len(t.resources))
	for i, r := range t.resources {
		out[i] = r.kind
	}
	return out
}

// Plain returns what a text says, as JSON has it, with functions in their long
// form. It is not checked. The error is an *Error.
func Plain(text []byte) (any, error) {
	root, err := read(text)
	if err != nil {
		return nil, err
	}
	return root.plain(), nil
}
