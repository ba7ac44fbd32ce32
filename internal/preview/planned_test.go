package preview

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"plumb/planned"
)

func catalogue(t *testing.T) *Catalogue {
	t.Helper()
	c, err := Load(planned.FS, func(resourceType string) bool { return resourceType == "AWS::Written::Thing" })
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// resources makes the planned resources of an example.
func (e example) resources(of string) []Resource {
	var all []Resource
	for _, one := range e.Resources {
		r := Resource{Address: one.Address, Kind: one.Planned, Attributes: map[string]any{}, New: true, References: map[string][]string{}}
		if r.Kind == "" {
			r.Kind = of
		}
		for k, v := range one.Attributes {
			r.Attributes[k] = inside(v)
		}
		for k, from := range one.Unknown {
			s, _ := from.(string)
			r.Attributes[k] = unknown + s
			if s != "" {
				r.References[k] = []string{s}
			}
		}
		all = append(all, r)
	}
	return all
}

// inside puts what is not known into the place of (unknown), at any depth.
func inside(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, inner := range v {
			v[k] = inside(inner)
		}
	case []any:
		for i, inner := range v {
			v[i] = inside(inner)
		}
	case string:
		if v == notKnown {
			return unknown
		}
	}
	return v
}

func TestEveryFileMakesTheItemsOfItsExamples(t *testing.T) {
	c := catalogue(t)
	shown := map[string]bool{}
	for _, of := range c.Types() {
		f := c.forms[of]
		for _, e := range f.Examples {
			t.Run(of+"/"+e.Name, func(t *testing.T) {
				for _, r := range e.Resources {
					shown[r.Planned] = true
				}
				items, _, err := c.Items(e.resources(of))
				if err != nil || len(items) != len(e.Items) {
					t.Fatalf("%d items, want %d: %v", len(items), len(e.Items), err)
				}
				for i, want := range e.Items {
					contains(t, asJSON(t, items[i]), want, "item")
				}
				var got []string
				for _, u := range items[0].unknown {
					got = append(got, strings.Join(u, "."))
				}
				slices.Sort(got)
				if slices.Sort(e.Unknown); !slices.Equal(got, e.Unknown) {
					t.Errorf("not known are %q, want %q", got, e.Unknown)
				}
			})
		}
		if f.PartOf == nil && len(f.Examples) == 0 {
			t.Errorf("%s has no example", f.file)
		}
	}
}

func asJSON(t *testing.T, p *Planned) map[string]any {
	t.Helper()
	text, err := json.Marshal(p.Item)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// contains fails unless got has all that is wanted; lists are compared whole.
func contains(t *testing.T, got, want any, path string) {
	t.Helper()
	if m, ok := want.(map[string]any); ok {
		have, ok := got.(map[string]any)
		if !ok {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
		for k, v := range m {
			contains(t, have[k], v, path+"."+k)
		}
		return
	}
	a, _ := json.Marshal(got)
	b, _ := json.Marshal(want)
	if !reflect.DeepEqual(a, b) {
		t.Errorf("%s is\n%s, want\n%s", path, a, b)
	}
}
