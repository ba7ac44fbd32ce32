package pattern

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// An Event is a JSON object, decoded once for all the patterns that it is compared
// with.
type Event struct {
	root map[string]any
}

// ParseEvent reads an event.
func ParseEvent(b []byte) (Event, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return Event{}, fmt.Errorf("decode event: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return Event{}, errors.New("decode event: data after the value")
	}
	root, ok := v.(map[string]any)
	if !ok {
		return Event{}, errors.New("decode event: not an object")
	}
	return Event{split(root).(map[string]any)}, nil
}

// maxDots bounds how deep a name with dots makes an event. Other names are left
// whole.
const maxDots = 100

// split turns the member "a.b" into b of a, everywhere in v.
func split(v any) any {
	switch v := v.(type) {
	case []any:
		for i, e := range v {
			v[i] = split(e)
		}
	case map[string]any:
		var dotted []string
		for name, e := range v {
			v[name] = split(e)
			if n := strings.Count(name, "."); n > 0 && n < maxDots {
				dotted = append(dotted, name)
			}
		}
		slices.Sort(dotted)
		for _, name := range dotted {
			e := v[name]
			delete(v, name)
			put(v, strings.Split(name, "."), e)
		}
	}
	return v
}

// put sets what path leads to, beside what is there.
func put(m map[string]any, path []string, v any) {
	for i := len(path) - 1; i > 0; i-- {
		v = map[string]any{path[i]: v}
	}
	if was, ok := m[path[0]]; ok {
		v = both(was, v)
	}
	m[path[0]] = v
}

func both(a, b any) any {
	x, ok := a.(map[string]any)
	y, ok2 := b.(map[string]any)
	if !ok || !ok2 {
		return []any{a, b}
	}
	for name, v := range y {
		put(x, []string{name}, v)
	}
	return x
}

// Matches reports whether the event is one that the pattern describes.
func (p *Pattern) Matches(e Event) bool {
	m := matcher{root: e.root}
	return slices.ContainsFunc(p.alternatives, func(n *node) bool { return m.below(n, e.root) })
}

// Fields are members of an event that are texts and known before the event is
// written.
type Fields map[string]string

// MayMatch reports whether an event that has these members could be one that the
// pattern describes, whatever else it has.
func (p *Pattern) MayMatch(known Fields) bool {
	return slices.ContainsFunc(p.alternatives, func(n *node) bool {
		for name, text := range known {
			if child := n.next[name]; child != nil && (child.leaf == nil || !child.leaf.holds(text)) {
				return false
			}
		}
		return true
	})
}

// A matcher compares one event with one pattern.
type matcher struct {
	root   map[string]any
	absent map[*leaf]bool // what is known about {"exists": false}
}

// below reports whether v satisfies all that stands below a node. What is no
// object has no members.
func (m *matcher) below(n *node, v any) bool {
	if list, ok := v.([]any); ok && len(list) > 0 {
		return slices.ContainsFunc(list, func(e any) bool { return m.below(n, e) })
	}
	members, _ := v.(map[string]any)
	for name, child := range n.next {
		member, ok := members[name]
		if child.leaf != nil && !(ok && child.leaf.holds(member)) && !m.isAbsent(child.leaf) {
			return false
		}
		if child.next != nil && !m.below(child, member) {
			return false
		}
	}
	return true
}

// holds reports whether one of the conditions holds for v, or for a value in the
// array that v is.
func (l *leaf) holds(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		return false
	case []any:
		return slices.ContainsFunc(v, l.holds)
	case string:
		if l.exact[v] {
			return true
		}
	}
	return slices.ContainsFunc(l.others, func(c condition) bool { return c.holds(v) })
}

// isAbsent reports whether {"exists": false} is a condition of the leaf and holds:
// the event has no value at its names, in no element of an array.
func (m *matcher) isAbsent(l *leaf) bool {
	if !l.absent {
		return false
	}
	known, ok := m.absent[l]
	if !ok {
		known = !has(m.root, l.path)
		if m.absent == nil {
			m.absent = map[*leaf]bool{}
		}
		m.absent[l] = known
	}
	return known
}

func has(v any, path []string) bool {
	switch v := v.(type) {
	case []any:
		return slices.ContainsFunc(v, func(e any) bool { return has(e, path) })
	case map[string]any:
		if len(path) == 0 {
			return false
		}
		member, ok := v[path[0]]
		return ok && has(member, path[1:])
	}
	return len(path) == 0
}
