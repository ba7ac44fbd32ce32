package velocity

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// A List is a list that can grow.
type List struct{ Items []any }

// A Map is a map that remembers the order of its keys.
type Map struct {
	keys   []string
	values map[string]any
}

// NewMap returns an empty map.
func NewMap() *Map { return &Map{values: map[string]any{}} }

// Keys are the map's keys in their order.
func (m *Map) Keys() []string { return m.keys }

// Value returns what a key has; nil if it has nothing.
func (m *Map) Value(key string) any { return m.values[key] }

// Set gives a key a value.
func (m *Map) Set(key string, value any) {
	if _, ok := m.values[key]; !ok {
		m.keys = append(m.keys, key)
	}
	m.values[key] = value
}

func (m *Map) remove(key string) {
	delete(m.values, key)
	m.keys = slices.DeleteFunc(m.keys, func(k string) bool { return k == key })
}

// Of returns texts as a map, in the order of their keys.
func Of(values map[string]string) *Map {
	m := NewMap()
	keys := make([]string, 0, len(values))
	for k := range values {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		m.Set(k, values[k])
	}
	return m
}

// ParseJSON reads JSON as values.
func ParseJSON(source string) (any, error) {
	d := json.NewDecoder(strings.NewReader(source))
	d.UseNumber()
	v, err := readJSON(d, 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("text follows the JSON")
	}
	return v, nil
}

func readJSON(d *json.Decoder, depth int) (any, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("JSON is nested more than %d deep", maxDepth)
	}
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case json.Number:
		if n, err := t.Int64(); err == nil {
			return n, nil
		}
		return t.Float64()
	case json.Delim:
		if t == '[' {
			out := &List{Items: []any{}}
			for d.More() {
				v, err := readJSON(d, depth+1)
				if err != nil {
					return nil, err
				}
				out.Items = append(out.Items, v)
			}
			_, err := d.Token()
			return out, err
		}
		out := NewMap()
		for d.More() {
			key, err := d.Token()
			if err != nil {
				return nil, err
			}
			v, err := readJSON(d, depth+1)
			if err != nil {
				return nil, err
			}
			out.Set(key.(string), v)
		}
		_, err := d.Token()
		return out, err
	}
	return t, nil // text, a boolean, null
}

// JSON writes a value as JSON.
func JSON(v any) (string, error) {
	var b bytes.Buffer
	err := writeJSON(&b, v, 0)
	return b.String(), err
}

func writeJSON(b *bytes.Buffer, v any, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("a value is nested more than %d deep", maxDepth)
	}
	switch v := v.(type) {
	case *List:
		b.WriteByte('[')
		for i, item := range v.Items {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := writeJSON(b, item, depth+1); err != nil {
				return err
			}
		}
		b.WriteByte(']')
	case *Map:
		b.WriteByte('{')
		for i, k := range v.keys {
			if i > 0 {
				b.WriteByte(',')
			}
			writeText(b, k)
			b.WriteByte(':')
			if err := writeJSON(b, v.values[k], depth+1); err != nil {
				return err
			}
		}
		b.WriteByte('}')
	case string:
		writeText(b, v)
	case nil:
		b.WriteString("null")
	default:
		b.WriteString(plain(v))
	}
	return nil
}

func writeText(b *bytes.Buffer, s string) {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // text always can
	b.Truncate(b.Len() - 1)
}

// plain writes a scalar.
func plain(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		s := strconv.FormatFloat(v, 'f', -1, 64)
		if !strings.Contains(s, ".") {
			s += ".0"
		}
		return s
	}
	return ""
}

func truth(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case string:
		return v != ""
	case int64:
		return v != 0
	case float64:
		return v != 0
	case *List:
		return len(v.Items) > 0
	case *Map:
		return len(v.keys) > 0
	}
	return true
}

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

func whole(v any) (int64, bool) {
	switch v := v.(type) {
	case int64:
		return v, true
	case float64:
		return int64(v), true
	case string:
		n, err := strconv.ParseInt(v, 10, 64)
		return n, err == nil
	}
	return 0, false
}

func ordered(op string, a, b any) bool {
	l, ok := number(a)
	r, ok2 := number(b)
	c := 0
	switch {
	case ok && ok2 && l < r:
		c = -1
	case ok && ok2 && l > r:
		c = 1
	case ok && ok2:
	default:
		s, isText := a.(string)
		t, isText2 := b.(string)
		if !isText || !isText2 {
			return false
		}
		c = strings.Compare(s, t)
	}
	switch op {
	case "<":
		return c < 0
	case ">":
		return c > 0
	case "<=":
		return c <= 0
	}
	return c >= 0
}

// arithmetic has no result where a side is no number, and for a division by zero.
func arithmetic(op string, a, b any) any {
	l, isInt := a.(int64)
	r, isInt2 := b.(int64)
	if isInt && isInt2 {
		switch op {
		case "+":
			return l + r
		case "-":
			return l - r
		case "*":
			return l * r
		}
		switch {
		case r == 0:
			return nil
		case r == -1: // the least number has no opposite
			if op == "%" {
				return int64(0)
			}
			return -l
		case op == "/":
			return l / r
		}
		return l % r
	}
	x, ok := number(a)
	y, ok2 := number(b)
	if !ok || !ok2 {
		return nil
	}
	switch op {
	case "+":
		return x + y
	case "-":
		return x - y
	case "*":
		return x * y
	case "/":
		if y != 0 {
			return x / y
		}
	}
	return nil
}

// elements are what a loop goes over: a list's, a map's values.
func elements(v any) []any {
	switch v := v.(type) {
	case *List:
		return slices.Clone(v.Items)
	case *Map:
		out := make([]any, 0, len(v.keys))
		for _, k := range v.keys {
			out = append(out, v.values[k])
		}
		return out
	}
	return nil
}

// at is what stands in a list or a map.
func at(v, index any) any {
	switch v := v.(type) {
	case *List:
		if i, ok := whole(index); ok {
			if i < 0 {
				i += int64(len(v.Items))
			}
			if i >= 0 && i < int64(len(v.Items)) {
				return v.Items[i]
			}
		}
	case *Map:
		return v.values[plain(index)]
	case Object:
		return v.Get(plain(index))
	}
	return nil
}

func property(v any, name string) any {
	switch v := v.(type) {
	case *Map:
		if got, ok := v.values[name]; ok {
			return got
		}
		if name == "empty" {
			return len(v.keys) == 0
		}
	case *List:
		if name == "empty" {
			return len(v.Items) == 0
		}
	case Object:
		return v.Get(name)
	}
	return nil
}
