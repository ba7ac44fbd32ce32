package resource

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"plumb/internal/model"
)

// supplementary makes every entry that has a value: AWS Config leaves out what a resource does not have.
func (r *reader) supplementary(doc map[string]any) (map[string]any, error) {
	out := map[string]any{}
	for name, b := range r.form.Supplementary {
		v, err := r.body(b, doc)
		if err != nil {
			return nil, fmt.Errorf("supplementary %s: %w", name, err)
		}
		if v != nil {
			out[name] = v
		}
	}
	return out, nil
}

// body makes a configuration: its value, spelled, and changed by the named steps.
func (r *reader) body(b body, doc map[string]any) (any, error) {
	v := doc["element"]
	if b.Value != nil {
		var err error
		if v, err = b.Value.eval(doc); err != nil {
			return nil, err
		}
	}
	if v == nil {
		return nil, nil
	}
	v, err := r.spell(b, v)
	if err != nil {
		return nil, err
	}
	if err := b.add(v, doc); err != nil {
		return nil, err
	}
	for _, name := range b.Steps {
		if v, err = steps[name](v); err != nil {
			return nil, fmt.Errorf("step %s: %w", name, err)
		}
	}
	if b.Text {
		text, err := json.Marshal(v)
		return string(text), err
	}
	return v, nil
}

func (r *reader) spell(b body, v any) (any, error) {
	v = without(v, b.Drop)
	if m, ok := v.(map[string]any); ok {
		if err := whole(m, b.Integers); err != nil {
			return nil, err
		}
	}
	if b.Shape == "" {
		if b.Unset == "omit" {
			v = withoutNulls(v)
		}
		return v, nil
	}
	api, err := r.catalogue.models.API(r.Service)
	if err != nil {
		return nil, err
	}
	shape := api.Shapes[b.Shape]
	s := speller{spellings[b.Keys], b.Unset == "null", b.Blank, b.Respell}
	out := s.value(shape, v)
	if m, ok := out.(map[string]any); ok {
		s.forget(m, shape, b.Drop)
		s.rename(m, b.Rename)
	}
	return out, nil
}

// rename gives members the names that items have for them.
func (s speller) rename(m map[string]any, names map[string]string) {
	for from, to := range names {
		if v, ok := m[s.name(from)]; ok {
			delete(m, s.name(from))
			m[to] = v
		}
	}
}

// add puts members beside those of the value. One without a value is left out, or null where the others are.
func (b body) add(v any, doc map[string]any) error {
	m, ok := v.(map[string]any)
	if !ok && len(b.Add) > 0 {
		return fmt.Errorf("%T has no members to add to", v)
	}
	for name, e := range b.Add {
		added, err := e.eval(doc)
		if err != nil {
			return fmt.Errorf("add %s: %w", name, err)
		}
		if added != nil || b.Unset == "null" {
			m[name] = added
		}
	}
	return nil
}

// forget takes away what the speller wrote for members that are not to be there at all.
func (s speller) forget(m map[string]any, shape *model.Shape, names []string) {
	for _, name := range names {
		if shape.Lookup(name) != nil {
			delete(m, s.name(name))
		}
	}
}

// without copies the top of the value, less some members: what a service answered is shared and stays as it is.
func without(v any, names []string) any {
	m, ok := v.(map[string]any)
	if !ok {
		return v
	}
	out := make(map[string]any, len(m))
	for k, e := range m {
		if !slices.Contains(names, k) {
			out[k] = e
		}
	}
	return out
}

// withoutNulls copies the value, less the members of objects that have none, at any depth.
func withoutNulls(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			if e != nil {
				out[k] = withoutNulls(e)
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = withoutNulls(e)
		}
		return out
	}
	return v
}

// whole makes numbers of attributes that a service writes as text.
func whole(m map[string]any, names []string) error {
	for _, name := range names {
		s, ok := m[name].(string)
		if !ok {
			continue
		}
		i, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		m[name] = i
	}
	return nil
}
