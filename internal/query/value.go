package query

import (
	"cmp"
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// A Kind is what a value is.
type Kind int

// The kinds of values, in the order in which they are sorted.
const (
	Bool Kind = iota
	Numeric
	Text
)

// A Value is a text, a number or a boolean that an item has.
type Value struct {
	Kind   Kind
	Text   string
	Number Number
	Bool   bool
}

// A Number is an integer that fits, or else a float.
type Number struct {
	IsFloat bool
	Int     int64
	Float   float64
}

// ValueOf returns the value of decoded JSON; ok is false for what is none: null,
// lists, objects.
func ValueOf(v any) (value Value, ok bool) {
	switch v := v.(type) {
	case string:
		return Value{Kind: Text, Text: v}, true
	case bool:
		return Value{Kind: Bool, Bool: v}, true
	case int64:
		return Value{Kind: Numeric, Number: Number{Int: v}}, true
	case float64:
		return Value{Kind: Numeric, Number: Number{IsFloat: true, Float: v}}, true
	case json.Number:
		n, ok := parseNumber(v.String())
		return Value{Kind: Numeric, Number: n}, ok
	}
	return value, false
}

// JSON returns the value as decoded JSON.
func (v Value) JSON() any {
	switch v.Kind {
	case Text:
		return v.Text
	case Bool:
		return v.Bool
	}
	return v.Number.JSON()
}

// JSON returns the number as results print it: with a fraction, also where it is
// zero, unless that would not be the number any more.
func (n Number) JSON() any {
	f := n.AsFloat()
	if !n.IsFloat && (n.Int > maxExact || n.Int < -maxExact) {
		return n.Int
	}
	if f == math.Trunc(f) && math.Abs(f) <= maxExact {
		return json.Number(strconv.FormatFloat(f, 'f', 1, 64))
	}
	return f
}

// maxExact is the integer up to which floats are exact.
const maxExact = 1 << 53

// AsFloat returns the number as a float.
func (n Number) AsFloat() float64 {
	if n.IsFloat {
		return n.Float
	}
	return float64(n.Int)
}

// Compare orders numbers, integers and floats exactly.
func (n Number) Compare(m Number) int {
	switch {
	case !n.IsFloat && !m.IsFloat:
		return cmp.Compare(n.Int, m.Int)
	case n.IsFloat && m.IsFloat:
		return cmp.Compare(n.Float, m.Float)
	case n.IsFloat:
		return -compareIntFloat(m.Int, n.Float)
	}
	return compareIntFloat(n.Int, m.Float)
}

func compareIntFloat(i int64, f float64) int {
	switch {
	case f >= 1<<63:
		return -1
	case f < -(1 << 63):
		return 1
	}
	whole := math.Trunc(f)
	return cmp.Or(cmp.Compare(i, int64(whole)), cmp.Compare(0, f-whole))
}

// String returns the number as JSON has it.
func (n Number) String() string {
	if n.IsFloat {
		return strconv.FormatFloat(n.Float, 'g', -1, 64)
	}
	return strconv.FormatInt(n.Int, 10)
}

// Compare orders values: booleans, then numbers, then texts.
func (v Value) Compare(w Value) int {
	if v.Kind != w.Kind {
		return cmp.Compare(v.Kind, w.Kind)
	}
	switch v.Kind {
	case Text:
		return strings.Compare(v.Text, w.Text)
	case Numeric:
		return v.Number.Compare(w.Number)
	}
	return cmp.Compare(boolRank(v.Bool), boolRank(w.Bool))
}

func boolRank(b bool) int {
	if b {
		return 1
	}
	return 0
}

// parseNumber reads a number in the spelling of JSON; zeros may lead it.
func parseNumber(s string) (Number, bool) {
	for _, c := range []byte(s) {
		if !isDigit(c) && strings.IndexByte("+-.eE", c) < 0 {
			return Number{}, false // no hexadecimals, no infinities
		}
	}
	if strings.HasPrefix(s, "+") || strings.HasPrefix(s, ".") || strings.HasPrefix(s, "-.") || strings.HasSuffix(s, ".") {
		return Number{}, false
	}
	if i, err := strconv.ParseInt(s, 10, 64); err == nil {
		return Number{Int: i}, true
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(f, 0) {
		return Number{}, false
	}
	return Number{IsFloat: true, Float: f}, true
}
