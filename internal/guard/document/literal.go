package document

import (
	"fmt"
	"math"

	"plumb/internal/guard/pattern"
)

// NewNull makes a null.
func NewNull() *Value { return &Value{kind: Null} }

// NewString makes a string.
func NewString(s string) *Value { return &Value{kind: String, text: s} }

// NewRegex makes a regular expression.
func NewRegex(p *pattern.Pattern) *Value { return &Value{kind: Regex, text: p.String(), re: p} }

// NewBool makes a boolean.
func NewBool(b bool) *Value {
	v := &Value{kind: Bool}
	if b {
		v.num = 1
	}
	return v
}

// NewInt makes an integer.
func NewInt(i int64) *Value { return &Value{kind: Int, num: uint64(i)} }

// NewFloat makes a float.
func NewFloat(f float64) *Value { return &Value{kind: Float, num: math.Float64bits(f)} }

// NewChar makes a character.
func NewChar(c rune) *Value { return &Value{kind: Char, num: uint64(c)} }

// NewList makes a list. The elements become the list's and must not be used any more.
func NewList(elements []*Value) *Value {
	v := &Value{kind: List, items: make([]Value, len(elements))}
	for i, e := range elements {
		v.items[i] = *e
	}
	v.relink()
	return v
}

// NewMap makes a map. Of two equal keys the last one's value stands, in the place
// of the first. The values become the map's.
func NewMap(keys []Key, values []*Value) *Value {
	v := &Value{kind: Map, keys: make([]Key, 0, len(keys)), items: make([]Value, 0, len(keys))}
	seen := make(map[string]int, len(keys))
	for i, k := range keys {
		if j, ok := seen[k.Name]; ok {
			v.items[j] = *values[i]
			continue
		}
		seen[k.Name] = len(v.keys)
		v.keys = append(v.keys, k)
		v.items = append(v.items, *values[i])
	}
	v.relink()
	return v
}

// relink repairs the parents of a value that was just put together from copies.
func (v *Value) relink() {
	v.link()
	for i := range v.items {
		v.items[i].reparent()
	}
}

// reparent points grandchildren at a child that was moved.
func (v *Value) reparent() {
	for i := range v.items {
		v.items[i].parent = v
	}
}

// NewRange makes a range from two integers, two floats or two characters.
func NewRange(lower, upper *Value, low, high bool) (*Value, error) {
	ranges := map[Kind]Kind{Int: IntRange, Float: FloatRange, Char: CharRange}
	kind, ok := ranges[lower.kind]
	if !ok || lower.kind != upper.kind {
		return nil, fmt.Errorf("a range needs two bounds of one kind, not %s and %s", lower.kind, upper.kind)
	}
	return &Value{kind: kind, num: lower.num, upper: upper.num, low: low, high: high}, nil
}

// Contains tells whether a range holds a value of its kind.
func (v *Value) Contains(w *Value) bool {
	switch {
	case v.kind == IntRange && w.kind == Int, v.kind == CharRange && w.kind == Char:
		return within(int64(w.num), int64(v.num), int64(v.upper), v.low, v.high)
	case v.kind == FloatRange && w.kind == Float:
		return within(w.Float(), v.Float(), math.Float64frombits(v.upper), v.low, v.high)
	}
	return false
}

func within[T int64 | float64](x, lower, upper T, low, high bool) bool {
	return (x > lower || low && x == lower) && (x < upper || high && x == upper)
}

// Merge puts the elements of two lists, or the keys of two maps, into one value
// that stands where v does. A key that both maps have is an error.
func Merge(v, w *Value) (*Value, error) {
	if v.kind != w.kind || v.IsScalar() {
		return nil, fmt.Errorf("merging %s with %s: both must be maps, or both lists", v.kind, w.kind)
	}
	for _, k := range w.keys {
		if v.Get(k.Name) != nil {
			return nil, fmt.Errorf("merging maps: key %q is in both", k.Name)
		}
	}
	m := *v
	m.sorted, m.lookup = false, nil
	m.keys = append(append([]Key(nil), v.keys...), w.keys...)
	m.items = append(v.clone().items, w.clone().items...)
	m.relink()
	return &m, nil
}
