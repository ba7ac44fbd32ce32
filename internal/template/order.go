package template

import (
	"maps"
	"slices"
	"strings"
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// checkConditionCycles looks for conditions that lead back to themselves.
func (t *Template) checkConditionCycles(p *problems) {
	w := walk{next: func(name string) []string {
		if n := t.conditions[name]; n != nil {
			return conditionsIn(n, nil)
		}
		return nil
	}}
	for _, name := range sortedKeys(t.conditions) {
		if circle := w.visit(name); circle != nil {
			p.add(t.conditions[name], "Circular dependency between conditions: %s.", strings.Join(circle, " -> "))
			return
		}
	}
}

// conditionsIn returns the names of the conditions that a condition is made of.
func conditionsIn(n *node, found []string) []string {
	if n.kind == mapping && len(n.keys) == 1 && n.keys[0] == "Condition" {
		if s, ok := n.items[0].text(); ok {
			return append(found, s)
		}
	}
	for _, item := range n.items {
		found = conditionsIn(item, found)
	}
	return found
}

// checkResourceCycles looks for resources that would have to be made before
// themselves.
func (t *Template) checkResourceCycles(p *problems) {
	w := t.resourceWalk()
	for _, r := range t.resources {
		if circle := w.visit(r.id); circle != nil {
			p.add(r.at, "Circular dependency between resources: [%s].", strings.Join(circle, ", "))
			return
		}
	}
}

// resourceWalk visits a resource after those that it refers to.
func (t *Template) resourceWalk() *walk {
	return &walk{next: func(id string) []string {
		var out []string
		if r := t.byID[id]; r != nil {
			for _, u := range r.uses {
				out = append(out, u.name)
			}
		}
		return out
	}}
}

// A walk visits names depth first, each once and after those that it needs.
type walk struct {
	next  func(name string) []string
	state map[string]bool // false while the names it needs are visited
	order []string        // of those that were
}

// visit returns the names of a circle that it came to.
func (w *walk) visit(name string) []string {
	if w.state == nil {
		w.state = map[string]bool{}
	}
	done, seen := w.state[name]
	switch {
	case done:
		return nil
	case seen:
		return []string{name}
	}
	w.state[name] = false
	for _, n := range w.next(name) {
		if circle := w.visit(n); circle != nil {
			if len(circle) == 1 || circle[0] != circle[len(circle)-1] {
				circle = append([]string{name}, circle...)
			}
			return circle
		}
	}
	w.state[name] = true
	w.order = append(w.order, name)
	return nil
}
