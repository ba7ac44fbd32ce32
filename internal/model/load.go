package model

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
)

// A Listing is one service in services.json: whether Plumb serves it or only calls it, and which operations are kept beside
// those that resource types call.
type Listing struct {
	Serve      bool     `json:"serve"`
	Operations []string `json:"operations"` // sorted; nil: all of them
}

// With returns the listing with one more operation.
func (l Listing) With(operation string) Listing {
	at, found := slices.BinarySearch(l.Operations, operation)
	if !found && (l.Operations != nil || !l.Serve) {
		l.Operations = slices.Insert(slices.Clone(l.Operations), at, operation)
	}
	return l
}

// Wants says whether an operation of the service is kept.
func (l Listing) Wants(operation string) bool {
	return l.Operations == nil || slices.Contains(l.Operations, operation)
}

// Listings reads services.json.
func Listings(fsys fs.FS) (map[string]Listing, error) {
	var all map[string]Listing
	if err := readJSON(fsys, "services.json", &all); err != nil {
		return nil, err
	}
	return all, nil
}

// A Folder is a folder of descriptions. The corrections are read once for all of them.
type Folder struct {
	fsys    fs.FS
	patches func() ([]Patch, error)
}

// NewFolder returns the descriptions in a folder. It reads nothing.
func NewFolder(fsys fs.FS) *Folder {
	return &Folder{fsys, sync.OnceValues(func() ([]Patch, error) { return Patches(fsys) })}
}

// Load reads the description of one service from a folder that is used once.
func Load(fsys fs.FS, name string) (*API, error) { return NewFolder(fsys).Load(name) }

// Load reads the description of one service: NAME.json, what NAME.more.json adds, corrected by patches.json, with every
// shape reference resolved. A reference to a shape that is not there is an error.
func (f *Folder) Load(name string) (*API, error) {
	text := parts{Operations: map[string]json.RawMessage{}, Shapes: map[string]json.RawMessage{}}
	if err := readJSON(f.fsys, name+".json", &text); err != nil {
		return nil, err
	}
	if err := text.add(f.fsys, name); err != nil {
		return nil, err
	}
	all, err := f.patches()
	if err != nil {
		return nil, err
	}
	if err := text.patch(name, all); err != nil {
		return nil, err
	}
	api, err := text.decode()
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", name, err)
	}
	api.Name = name
	if err := api.resolve(); err != nil {
		return nil, fmt.Errorf("model %s: %w", name, err)
	}
	return api, nil
}

// parts are a description before its entries are decoded, so that a correction touches the text of one entry.
type parts struct {
	Metadata   json.RawMessage            `json:"metadata"`
	Operations map[string]json.RawMessage `json:"operations"`
	Shapes     map[string]json.RawMessage `json:"shapes"`
}

// add merges the operations and shapes of NAME.more.json, which may not replace what is there: the day the source has
// them too, the file must go.
func (t *parts) add(fsys fs.FS, name string) error {
	var more parts
	err := readJSON(fsys, name+".more.json", &more)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for part, maps := range map[string][2]map[string]json.RawMessage{
		"operations": {t.Operations, more.Operations}, "shapes": {t.Shapes, more.Shapes},
	} {
		for k, v := range maps[1] {
			if _, dup := maps[0][k]; dup {
				return fmt.Errorf("%s.more.json: %s.%s is in %s.json as well", name, part, k, name)
			}
			maps[0][k] = v
		}
	}
	return nil
}

func (t *parts) decode() (*API, error) {
	api := &API{Operations: map[string]*Operation{}, Shapes: map[string]*Shape{}}
	if err := json.Unmarshal(t.Metadata, &api.Metadata); err != nil && len(t.Metadata) > 0 {
		return nil, err
	}
	if err := decodeAll(t.Operations, api.Operations); err != nil {
		return nil, err
	}
	return api, decodeAll(t.Shapes, api.Shapes)
}

func decodeAll[T any](from map[string]json.RawMessage, into map[string]*T) error {
	for k, text := range from {
		v := new(T)
		if err := json.Unmarshal(text, v); err != nil {
			return fmt.Errorf("%s: %w", k, err)
		}
		into[k] = v
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
