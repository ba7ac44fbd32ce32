package model

import (
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

func patch(fsys fs.FS, service string, doc map[string]any) error {
	all, err := Patches(fsys)
	if err != nil {
		return err
	}
	for _, p := range all {
		if p.Service != service {
			continue
		}
		if err := p.apply(doc); err != nil {
			return fmt.Errorf("patches.json: %s %s: %w", service, p.Path, err)
		}
	}
	return nil
}

// apply rebuilds the path from its end: every step returns its container with the change in it, because a list that
// grows is another list.
func (p Patch) apply(doc map[string]any) error {
	if p.Op != "set" && p.Op != "remove" {
		return fmt.Errorf("op %q is neither set nor remove", p.Op)
	}
	_, err := p.change(doc, strings.Split(p.Path, "."))
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
