// Package jsonb reads SQLite's JSONB, the binary form of JSON that jsonb()
// makes, without decoding all of it: to look up one member of a document costs a
// walk over the names beside it. The form is described at sqlite.org/jsonb.html.
//
// It writes nothing. What is damaged reads as absent.
package jsonb

import (
	"encoding/binary"
	"encoding/json"
	"slices"
	"strconv"
)

// A Node is a value in a document; the zero Node is absent.
type Node struct {
	kind    byte
	payload []byte
	present bool
}

// The types of elements, from the low half of their first byte.
const (
	null = iota
	truth
	falsehood
	integer
	integer5 // hexadecimal
	float
	float5
	text    // as it is
	textJ   // with the escapes of JSON
	text5   // with those of JSON5
	textRaw // with what JSON would escape
	array
	object
)

// Open returns the root of a document.
func Open(document []byte) Node {
	n, _ := cut(document)
	return n
}

// cut returns the first element and what follows it.
func cut(b []byte) (n Node, rest []byte) {
	if len(b) == 0 {
		return n, nil
	}
	kind, size, head := b[0]&15, uint64(b[0]>>4), 1
	if size > 11 {
		head = 1 + 1<<(size-12) // 12 to 15: the size is in the next 1, 2, 4 or 8 bytes
		if len(b) < head {
			return n, nil
		}
		var long [8]byte
		copy(long[8-(head-1):], b[1:head])
		size = binary.BigEndian.Uint64(long[:])
	}
	if size > uint64(len(b)-head) {
		return n, nil
	}
	end := head + int(size)
	return Node{kind, b[head:end], true}, b[end:]
}

// IsArray reports whether the node is an array.
func (n Node) IsArray() bool { return n.present && n.kind == array }

// IsObject reports whether the node is an object.
func (n Node) IsObject() bool { return n.present && n.kind == object }

// Member returns a member of an object; absent if it has none of that name, or is
// none.
func (n Node) Member(name string) Node {
	if !n.IsObject() {
		return Node{}
	}
	for b := n.payload; len(b) > 0; {
		key, rest := cut(b)
		value, after := cut(rest)
		if key.present && key.named(name) {
			return value
		}
		b = after
	}
	return Node{}
}

func (n Node) named(name string) bool {
	switch n.kind {
	case text, textRaw:
		return string(n.payload) == name
	case textJ, text5:
		return n.string() == name
	}
	return false
}

// Elements calls yield with the elements of an array until that returns false,
// which it returns then.
func (n Node) Elements(yield func(Node) bool) bool {
	if !n.IsArray() {
		return true
	}
	for b := n.payload; len(b) > 0; {
		var e Node
		if e, b = cut(b); !e.present {
			break
		}
		if !yield(e) {
			return false
		}
	}
	return true
}

// Members calls yield with the members of an object until that returns false.
func (n Node) Members(yield func(name string, value Node) bool) {
	if !n.IsObject() {
		return
	}
	for b := n.payload; len(b) > 0; {
		key, rest := cut(b)
		value, after := cut(rest)
		if !key.present || !value.present || !yield(key.string(), value) {
			return
		}
		b = after
	}
}

// Scalar returns a string, an int64, a float64 or a bool; nil for all else.
func (n Node) Scalar() any {
	if !n.present {
		return nil
	}
	switch n.kind {
	case truth, falsehood:
		return n.kind == truth
	case integer, integer5, float, float5:
		return n.number()
	case text, textJ, text5, textRaw:
		return n.string()
	}
	return nil
}

// Value returns the node as decoded JSON: maps, lists, and what Scalar returns.
func (n Node) Value() any {
	switch {
	case n.IsObject():
		out := map[string]any{}
		n.Members(func(name string, value Node) bool {
			out[name] = value.Value()
			return true
		})
		return out
	case n.IsArray():
		out := []any{}
		n.Elements(func(e Node) bool {
			out = append(out, e.Value())
			return true
		})
		return out
	}
	return n.Scalar()
}

// Paths are what is wanted of documents.
type Paths struct {
	whole bool
	names []string // of members
	inner []*Paths // what is wanted of each
}

// NewPaths returns what some paths lead to.
func NewPaths(paths [][]string) *Paths {
	p := &Paths{}
	for _, path := range paths {
		p.add(path)
	}
	return p
}

func (p *Paths) add(path []string) {
	if len(path) == 0 {
		p.whole = true
		return
	}
	i := slices.Index(p.names, path[0])
	if i < 0 {
		i = len(p.names)
		p.names, p.inner = append(p.names, path[0]), append(p.inner, &Paths{})
	}
	p.inner[i].add(path[1:])
}

// Part returns of the node as decoded JSON what paths lead to, through lists too,
// with the objects and lists on the way.
func (n Node) Part(p *Paths) any {
	switch {
	case p.whole:
		return n.Value()
	case n.IsObject():
		out := make(map[string]any, len(p.names))
		for i, name := range p.names {
			if v := n.Member(name).Part(p.inner[i]); v != nil {
				out[name] = v
			}
		}
		return out
	case n.IsArray():
		out := []any{}
		n.Elements(func(e Node) bool {
			out = append(out, e.Part(p))
			return true
		})
		return out
	}
	return n.Scalar()
}

func (n Node) number() any {
	if i, err := strconv.ParseInt(string(n.payload), 0, 64); err == nil && n.kind <= integer5 {
		return i
	}
	f, err := strconv.ParseFloat(string(n.payload), 64)
	if err != nil {
		return nil
	}
	return f
}

func (n Node) string() string {
	if n.kind == text || n.kind == textRaw {
		return string(n.payload)
	}
	quoted := make([]byte, 0, len(n.payload)+2)
	quoted = append(append(append(quoted, '"'), n.payload...), '"')
	var s string
	if json.Unmarshal(quoted, &s) != nil {
		return string(n.payload)
	}
	return s
}
