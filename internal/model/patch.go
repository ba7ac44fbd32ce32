package model

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// A Patch is one correction of a description. Path names the place by keys and, in lists of members, by member name:
// shapes.Scope.members.ServicePrincipals. Op is set or remove.
type Patch struct {
	Service string `json:"service"`
	Path    string `json:"path"`
	Op      string `json:"op"`
	Value   any    `json:"value,omitempty"`
	Reason  string `json:"reason"`
}

// Patches reads patches.json; without the file there are none.
func Patches(fsys fs.FS) ([]Patch, error) {
	var all []Patch
	err := readJSON(fsys, "patches.json", &all)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, p := range all {
		if p.Reason == "" {
			return nil, fmt.Errorf("patches.json: %s %s has no reason", p.Service, p.Path)
		}
	}
	return all, nil
}

// patch corrects the entries that patches name, and leaves the text of all others alone.
func (t *parts) patch(service string, all []Patch) error {
	for _, p := range all {
		if p.Service != service {
			continue
		}
		if err := t.correct(p); err != nil {
			return fmt.Errorf("patches.json: %s %s: %w", service, p.Path, err)
		}
	}
	return nil
}

// correct decodes the one entry that the path leads to, changes it and encodes it again.
func (t *parts) correct(p Patch) error {
	steps := strings.Split(p.Path, ".")
	entries := map[string]map[string]json.RawMessage{"operations": t.Operations, "shapes": t.Shapes}[steps[0]]
	if steps[0] == "metadata" {
		steps = append([]string{""}, steps...)
		entries = map[string]json.RawMessage{"metadata": t.Metadata}
	}
	if entries == nil || len(steps) < 2 {
		return fmt.Errorf("the path leads to no entry")
	}
	name, doc := steps[1], map[string]any{}
	if text, ok := entries[name]; ok {
		var v any
		if err := json.Unmarshal(text, &v); err != nil {
			return err
		}
		doc[name] = v
	}
	if err := p.apply(doc, steps[1:]); err != nil {
		return err
	}
	delete(entries, name)
	if v, ok := doc[name]; ok {
		text, err := json.Marshal(v)
		if err != nil {
			return err
		}
		entries[name] = text
	}
	if name == "metadata" && steps[0] == "" {
		t.Metadata = entries[name]
	}
	return nil
}

// apply rebuilds the path from its end: every step returns its container with the change in it, because a list that
// grows is another list.
func (p Patch) apply(doc map[string]any, steps []string) error {
	if p.Op != "set" && p.Op != "remove" {
		return fmt.Errorf("op %q is neither set nor remove", p.Op)
	}
	_, err := p.change(doc, steps)
	return err
}

func (p Patch) change(at any, steps []string) (any, error) {
	step, rest := steps[0], steps[1:]
	switch c := at.(type) {
	case map[string]any:
		return p.changeObject(c, step, rest)
	case []any:
		return p.changeList(c, step, rest)
	}
	return nil, fmt.Errorf("%q is below a value that is neither object nor list", step)
}

func (p Patch) changeObject(c map[string]any, step string, rest []string) (any, error) {
	old, had := c[step]
	switch {
	case len(rest) == 0 && p.Op == "set":
		c[step] = p.Value
	case !had && (p.Op == "remove" || step != "error"):
		return nil, fmt.Errorf("there is no %q", step)
	case len(rest) == 0:
		delete(c, step)
	default:
		if !had {
			old = map[string]any{} // the error trait is often absent, and is the one thing patches add to
		}
		next, err := p.change(old, rest)
		if err != nil {
			return nil, err
		}
		c[step] = next
	}
	return c, nil
}

// changeList treats a list as an object keyed by the "name" of its elements.
func (p Patch) changeList(c []any, step string, rest []string) (any, error) {
	i := slices.IndexFunc(c, func(e any) bool {
		m, ok := e.(map[string]any)
		return ok && m["name"] == step
	})
	switch {
	case i < 0 && len(rest) == 0 && p.Op == "set":
		m, ok := p.Value.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("a new %q must be an object", step)
		}
		m["name"] = step
		return append(c, m), nil
	case i < 0:
		return nil, fmt.Errorf("there is no %q", step)
	case len(rest) == 0 && p.Op == "remove":
		return slices.Delete(c, i, i+1), nil
	case len(rest) == 0:
		return nil, fmt.Errorf("%q is there already: change what is in it", step)
	}
	next, err := p.change(c[i], rest)
	if err != nil {
		return nil, err
	}
	c[i] = next
	return c, nil
}
