// Package document is the data that Guard's rules look at, and the literals in
// the rules themselves: values that know their kind, their path and, when they
// were read from text, their line and column.
//
// It reads YAML and JSON with CloudFormation's short forms (Parse), and takes
// values that are decoded already (FromGo). It knows nothing of rules and stores
// nothing. A value is not changed once it is built, so any number of evaluations
// may share it.
package document

import (
	"math"
	"sort"

	"plumb/internal/guard/pattern"
)

// A Kind is what a value is. An integer is never equal to a float.
type Kind uint8

// The kinds of values. Regex, Char and the ranges come from rules and functions
// only.
const (
	Null Kind = iota
	String
	Regex
	Bool
	Int
	Float
	Char
	List
	Map
	IntRange
	FloatRange
	CharRange
)

// String names the kind as Guard's messages do.
func (k Kind) String() string {
	return [...]string{
		"null", "String", "Regex", "bool", "int", "float", "char", "array", "map",
		"range(int, int)", "range(float, float)", "range(char, char)",
	}[k]
}

// A Pos is a place in a text, counted from one. The zero Pos means that the value
// was not read from text.
type Pos struct {
	Line, Column int
}

// A Value is one node of a document.
type Value struct {
	kind  Kind
	low   bool // a range includes its lower bound
	high  bool // a range includes its upper bound
	num   uint64
	upper uint64
	text  string
	re    *pattern.Pattern

	items  []Value // the elements of a list, the values of a map
	keys   []Key   // the keys of a map, beside items
	lookup map[string]int32
	sorted bool // keys are in order

	parent *Value
	name   string
	index  int32
	at     Pos
}

// A Key is the key of a map with the place where it stands.
type Key struct {
	Name string
	At   Pos
}

// Kind tells what the value is.
func (v *Value) Kind() Kind { return v.kind }

// At is the place in the text that the value was read from.
func (v *Value) At() Pos { return v.at }

// Text is the text of a string, or the source of a regular expression.
func (v *Value) Text() string { return v.text }

// Pattern is the compiled form of a regular expression.
func (v *Value) Pattern() *pattern.Pattern { return v.re }

// Bool is the value of a boolean.
func (v *Value) Bool() bool { return v.num != 0 }

// Int is the value of an integer.
func (v *Value) Int() int64 { return int64(v.num) }

// Float is the value of a float.
func (v *Value) Float() float64 { return math.Float64frombits(v.num) }

// Char is the value of a character.
func (v *Value) Char() rune { return rune(v.num) }

// IsScalar tells whether the value is neither list nor map.
func (v *Value) IsScalar() bool { return v.kind != List && v.kind != Map }

// Len is the number of elements of a list or map.
func (v *Value) Len() int { return len(v.items) }

// Item is the element of a list, or the value of a map, at position i.
func (v *Value) Item(i int) *Value { return &v.items[i] }

// Keys are a map's keys in the order of Item.
func (v *Value) Keys() []Key { return v.keys }

// Get finds the value under a map's key. It is nil if there is none.
func (v *Value) Get(key string) *Value {
	switch {
	case v.lookup != nil:
		if i, ok := v.lookup[key]; ok {
			return &v.items[i]
		}
	case v.sorted && len(v.keys) > fewKeys:
		i := sort.Search(len(v.keys), func(i int) bool { return v.keys[i].Name >= key })
		if i < len(v.keys) && v.keys[i].Name == key {
			return &v.items[i]
		}
	default:
		for i := range v.keys {
			if v.keys[i].Name == key {
				return &v.items[i]
			}
		}
	}
	return nil
}

// fewKeys is how many keys are compared one by one before an index pays.
const fewKeys = 8

// KeyValue makes the key at position i of a map into a string value, as filters
// over keys and captured keys need it. Its path is the map's if it was read from
// text, and the value's if not.
func (v *Value) KeyValue(i int) *Value {
	k := &Value{kind: String, text: v.keys[i].Name, at: v.keys[i].At}
	if v.at == (Pos{}) {
		k.parent, k.name = v, k.text
	} else {
		k.parent, k.name, k.index = v.parent, v.name, v.index
	}
	return k
}

// As makes a copy of w that stands at v's path and place: what a function makes of
// v is still found where v is.
func (v *Value) As(w *Value) *Value {
	c := w.clone()
	c.parent, c.name, c.index, c.at = v.parent, v.name, v.index, v.at
	return c
}

// Detached makes a copy of the value that is the root of a document of its own.
func (v *Value) Detached() *Value {
	c := v.clone()
	c.parent, c.name, c.index = nil, "", 0
	return c
}

// clone copies a value with everything in it, so that the copy can be put elsewhere.
func (v *Value) clone() *Value {
	c := *v
	c.adopt()
	return &c
}

// adopt gives a copied value children of its own.
func (v *Value) adopt() {
	if len(v.items) == 0 {
		return
	}
	v.items = append([]Value(nil), v.items...)
	for i := range v.items {
		v.items[i].parent = v
		v.items[i].adopt()
	}
}

// link sets the parent and the place in it of every child.
func (v *Value) link() {
	for i := range v.items {
		v.items[i].parent = v
		v.items[i].index = int32(i)
		if v.kind == Map {
			v.items[i].name = v.keys[i].Name
		}
	}
	if v.kind == Map && len(v.keys) > fewKeys && !v.sorted {
		v.lookup = make(map[string]int32, len(v.keys))
		for i, k := range v.keys {
			v.lookup[k.Name] = int32(i)
		}
	}
}
