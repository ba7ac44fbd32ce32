package guard

import (
	"slices"
	"strings"

	"plumb/internal/guard/document"
	"plumb/internal/guard/syntax"
)

// Reads returns the paths of the values that an evaluation looked at, and of those
// that it looked for in vain, as lists of keys. The record must hold everything.
func (r *Record) Reads() [][]string {
	var all [][]string
	r.reads(func(path []string) {
		if !slices.ContainsFunc(all, func(p []string) bool { return slices.Equal(p, path) }) {
			all = append(all, path)
		}
	})
	return all
}

func (r *Record) reads(add func([]string)) {
	if r == nil {
		return
	}
	for _, f := range append([]Finding{r.From}, r.To...) {
		if f.Value != nil && !f.literal && f.Value.Path() != "" {
			add(append(keys(f.Value), f.rest()...))
		} else if f.Value != nil && !f.literal && f.Missing != nil {
			add(f.rest())
		}
	}
	for _, c := range r.Children {
		c.reads(add)
	}
}

// keys are the steps from the root to a value.
func keys(v *document.Value) []string {
	return strings.Split(strings.TrimPrefix(v.Path(), "/"), "/")
}

// rest are the keys that were looked for in vain.
func (f Finding) rest() (names []string) {
	if f.Missing == nil {
		return nil
	}
	for _, p := range f.Missing.Rest {
		if p.Kind != syntax.Key {
			break
		}
		names = append(names, p.Name)
	}
	return names
}
