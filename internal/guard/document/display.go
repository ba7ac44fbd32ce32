package document

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Path is where the value stands in its document: /Resources/logs/Properties. The
// root's path is empty.
func (v *Value) Path() string {
	var b strings.Builder
	v.writePath(&b)
	return b.String()
}

// writePath writes the steps from the root down.
func (v *Value) writePath(b *strings.Builder) {
	if v.parent == nil {
		return
	}
	v.parent.writePath(b)
	b.WriteByte('/')
	if v.parent.kind == List {
		b.WriteString(strconv.Itoa(int(v.index)))
	} else {
		b.WriteString(v.name)
	}
}

// Parent is the list or map that the value stands in, or nil.
func (v *Value) Parent() *Value { return v.parent }

// Name is the last step of the value's path.
func (v *Value) Name() string {
	if v.parent != nil && v.parent.kind == List {
		return strconv.Itoa(int(v.index))
	}
	return v.name
}

// Place is the path with line and column counted from zero, as the original prints
// them: /Resources/logs[L:3,C:4].
func (v *Value) Place() string {
	line, column := v.at.ZeroBased()
	return fmt.Sprintf("%s[L:%d,C:%d]", v.Path(), line, column)
}

// ZeroBased counts line and column from zero; a value without a place is at 0, 0.
func (p Pos) ZeroBased() (line, column int) {
	return max(p.Line-1, 0), max(p.Column-1, 0)
}

// String is place and value, as messages show them.
func (v *Value) String() string { return "Path=" + v.Place() + " Value=" + v.Literal() }

// Literal is the value in one line, much like JSON.
func (v *Value) Literal() string {
	var b strings.Builder
	v.writeLiteral(&b)
	return b.String()
}

// writeLiteral does not escape anything: it is for people, in the original's form.
func (v *Value) writeLiteral(b *strings.Builder) {
	switch v.kind {
	case Null:
		b.WriteString(`"NULL"`)
	case String:
		b.WriteString(`"` + v.text + `"`)
	case Regex:
		b.WriteString(`"/` + v.text + `/"`)
	case Char:
		b.WriteString("'" + string(v.Char()) + "'")
	case List, Map:
		v.writeContainer(b)
	default:
		b.WriteString(v.Plain())
	}
}

func (v *Value) writeContainer(b *strings.Builder) {
	brackets := map[Kind]string{List: "[]", Map: "{}"}[v.kind]
	b.WriteByte(brackets[0])
	for i := range v.items {
		if i > 0 {
			b.WriteByte(',')
		}
		if v.kind == Map {
			b.WriteString(`"` + v.keys[i].Name + `":`)
		}
		v.items[i].writeLiteral(b)
	}
	b.WriteByte(brackets[1])
}

// Plain is a scalar's text without quotes: what parse_string makes of it.
func (v *Value) Plain() string {
	switch v.kind {
	case Bool:
		return strconv.FormatBool(v.Bool())
	case Int:
		return strconv.FormatInt(v.Int(), 10)
	case Float:
		return plainFloat(v.Float())
	case Char:
		return string(v.Char())
	case IntRange, FloatRange, CharRange:
		return v.bounds()
	}
	return v.text
}

// plainFloat writes a float without an exponent, and a whole one without a fraction.
func plainFloat(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// bounds is a range in the usual notation.
func (v *Value) bounds() string {
	kind := map[Kind]Kind{IntRange: Int, FloatRange: Float, CharRange: Char}[v.kind]
	lower, upper := &Value{kind: kind, num: v.num}, &Value{kind: kind, num: v.upper}
	open, closing := "(", ")"
	if v.low {
		open = "["
	}
	if v.high {
		closing = "]"
	}
	return open + lower.Plain() + "," + upper.Plain() + closing
}

// MarshalJSON writes the value alone. What JSON does not have becomes a string.
func (v *Value) MarshalJSON() ([]byte, error) {
	var b strings.Builder
	if err := v.writeJSON(&b); err != nil {
		return nil, err
	}
	return []byte(b.String()), nil
}

// writeJSON writes what can be read back. Floats that JSON does not have become strings.
func (v *Value) writeJSON(b *strings.Builder) error {
	switch v.kind {
	case Null:
		b.WriteString("null")
	case Bool, Int:
		b.WriteString(v.Plain())
	case Float:
		if math.IsNaN(v.Float()) || math.IsInf(v.Float(), 0) {
			b.WriteString(`"` + v.Plain() + `"`)
			return nil
		}
		b.WriteString(jsonFloat(v.Float()))
	case List, Map:
		return v.writeJSONContainer(b)
	case Regex:
		return writeJSONString(b, "/"+v.text+"/")
	default:
		return writeJSONString(b, v.Plain())
	}
	return nil
}

func (v *Value) writeJSONContainer(b *strings.Builder) error {
	brackets := map[Kind]string{List: "[]", Map: "{}"}[v.kind]
	b.WriteByte(brackets[0])
	for i := range v.items {
		if i > 0 {
			b.WriteByte(',')
		}
		if v.kind == Map {
			if err := writeJSONString(b, v.keys[i].Name); err != nil {
				return err
			}
			b.WriteByte(':')
		}
		if err := v.items[i].writeJSON(b); err != nil {
			return err
		}
	}
	b.WriteByte(brackets[1])
	return nil
}

// writeJSONString leaves <, > and & as they are, which are common in policies.
func writeJSONString(b *strings.Builder, s string) error {
	var quoted strings.Builder
	enc := json.NewEncoder(&quoted)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		return fmt.Errorf("writing JSON: %w", err)
	}
	b.WriteString(strings.TrimSuffix(quoted.String(), "\n"))
	return nil
}

// jsonFloat keeps a float recognizable as one: 1.0, not 1.
func jsonFloat(f float64) string {
	s := strconv.FormatFloat(f, 'g', -1, 64)
	if abs := math.Abs(f); abs >= 1e-5 && abs < 1e16 || f == 0 {
		s = strconv.FormatFloat(f, 'f', -1, 64)
	}
	if !strings.ContainsAny(s, ".e") {
		s += ".0"
	}
	return s
}

// JSONNumber is an integer or float as JSON writes it.
func (v *Value) JSONNumber() string {
	if v.kind == Float && !math.IsNaN(v.Float()) && !math.IsInf(v.Float(), 0) {
		return jsonFloat(v.Float())
	}
	return v.Plain()
}
