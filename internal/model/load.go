package model

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
)

// A Listing is one service in services.json: whether Plumb serves it or only calls it, and which operations are kept.
type Listing struct {
	Role       string `json:"role"`       // serve or collect
	Operations any    `json:"operations"` // "all" or a list of names
}

// Wants says whether an operation of the service is kept.
func (l Listing) Wants(operation string) bool {
	list, ok := l.Operations.([]any)
	return !ok || slices.ContainsFunc(list, func(v any) bool { return v == operation })
}

// Listings reads services.json.
func Listings(fsys fs.FS) (map[string]Listing, error) {
	var all map[string]Listing
	if err := readJSON(fsys, "services.json", &all); err != nil {
		return nil, err
	}
	return all, nil
}

// Load reads the description of one service: NAME.json, what NAME.more.json adds, corrected by patches.json, with every
// shape reference resolved. A reference to a shape that is not there is an error.
func Load(fsys fs.FS, name string) (*API, error) {
	var doc map[string]any
	if err := readJSON(fsys, name+".json", &doc); err != nil {
		return nil, err
	}
	if err := addMore(fsys, name, doc); err != nil {
		return nil, err
	}
	if err := patch(fsys, name, doc); err != nil {
		return nil, err
	}
	text, err := json.Marshal(doc)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", name, err)
	}
	api := &API{Name: name}
	if err := json.Unmarshal(text, api); err != nil {
		return nil, fmt.Errorf("model %s: %w", name, err)
	}
	if err := api.resolve(); err != nil {
		return nil, fmt.Errorf("model %s: %w", name, err)
	}
	return api, nil
}

// addMore merges the operations and shapes of NAME.more.json, which may not replace what is there: the day the source
// has them too, the file must go.
func addMore(fsys fs.FS, name string, doc map[string]any) error {
	var more map[string]any
	err := readJSON(fsys, name+".more.json", &more)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, part := range []string{"operations", "shapes"} {
		into, _ := doc[part].(map[string]any)
		from, _ := more[part].(map[string]any)
		for k, v := range from {
			if _, dup := into[k]; dup {
				return fmt.Errorf("%s.more.json: %s.%s is in %s.json as well", name, part, k, name)
			}
			into[k] = v
		}
	}
	return nil
}

func readJSON(fsys fs.FS, file string, into any) error {
	text, err := fs.ReadFile(fsys, file)
	if err != nil {
		return fmt.Errorf("read model: %w", err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("read model %s: %w", file, err)
	}
	return nil
}

// resolve gives names to operations and shapes and turns every shape name into the shape.
func (a *API) resolve() error {
	for name, s := range a.Shapes {
		s.Name = name
		refs := []*Ref{s.Member, s.Key, s.Value}
		for _, m := range s.Members {
			refs = append(refs, &m.Ref)
		}
		if err := a.resolveAll("shape "+name, refs); err != nil {
			return err
		}
	}
	for name, op := range a.Operations {
		op.Name = name
		if op.Status == 0 {
			op.Status = 200
		}
		if err := a.resolveAll("operation "+name, []*Ref{op.Input, op.Output}); err != nil {
			return err
		}
	}
	return nil
}

func (a *API) resolveAll(where string, refs []*Ref) error {
	for _, r := range refs {
		if r == nil {
			continue
		}
		if r.Shape = a.Shapes[r.ShapeName]; r.Shape == nil {
			return fmt.Errorf("%s refers to shape %q, which is not there", where, r.ShapeName)
		}
	}
	return nil
}
