package serverless

import (
	"crypto/sha1" // AWS makes logical ids with it
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
)

// a problem of a resource, in the words that a person reads.
type problem string

func (p problem) Error() string { return string(p) }

func problemf(format string, args ...any) error { return problem(fmt.Sprintf(format, args...)) }

// reference is a name in a text of Fn::Sub.
var reference = regexp.MustCompile(`\$\{[A-Za-z0-9_.:]+\}`)

func textOf(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		return strconv.FormatBool(v), true
	}
	return "", false
}

func textOrEmpty(v any) string {
	s, _ := v.(string)
	return s
}

func ref(id string) object { return object{"Ref": id} }

func attribute(id, name string) object { return object{"Fn::GetAtt": []any{id, name}} }

// isFunction reports whether a mapping is a call of CloudFormation's.
func isFunction(m object) bool {
	if len(m) != 1 {
		return false
	}
	for k := range m {
		return k == "Ref" || k == "Condition" || strings.HasPrefix(k, "Fn::")
	}
	return false
}

// isNoValue reports whether a value stands for its absence.
func isNoValue(v any) bool {
	m, ok := v.(object)
	return ok && isFunction(m) && m["Ref"] == "AWS::NoValue"
}

// resourceOf returns the resource that a reference leads to.
func resourceOf(v any) string {
	m, _ := v.(object)
	if id, ok := m["Ref"].(string); ok && len(m) == 1 {
		return id
	}
	if list, ok := m["Fn::GetAtt"].([]any); ok && len(list) > 0 {
		return textOrEmpty(list[0])
	}
	return ""
}

func clone(v any) any {
	switch v := v.(type) {
	case object:
		out := make(object, len(v))
		for k, item := range v {
			out[k] = clone(item)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = clone(item)
		}
		return out
	}
	return v
}

// weight is about how many bytes a value takes.
func weight(v any) int {
	n := 8
	switch v := v.(type) {
	case object:
		for k, item := range v {
			n += len(k) + weight(item)
		}
	case []any:
		for _, item := range v {
			n += weight(item)
		}
	case string:
		n += len(v)
	}
	return n
}

// resolve returns a value with references to parameters replaced.
func (t *transform) resolve(v any) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = t.resolve(item)
		}
		return out
	case object:
		if name, ok := v["Ref"].(string); ok && len(v) == 1 {
			if value, ok := t.values[name]; ok && t.spend(len(value)) {
				return value
			}
			return v
		}
		out := make(object, len(v))
		for k, item := range v {
			if text, ok := item.(string); ok && k == "Fn::Sub" {
				out[k] = reference.ReplaceAllStringFunc(text, func(s string) string {
					if value, ok := t.values[s[2:len(s)-1]]; ok && t.spend(len(value)) {
						return value
					}
					return s
				})
				continue
			}
			out[k] = t.resolve(item)
		}
		return out
	}
	return v
}

// hash is the end of a logical id that changes with what it is of.
func hash(v any) string {
	sum := digest(v)
	return sum[:min(len(sum), 10)]
}

// digest is a sum over a value; empty for an empty text.
func digest(v any) string {
	var b strings.Builder
	if s, ok := v.(string); ok {
		b.WriteString(s)
	} else {
		write(&b, v)
	}
	if b.Len() == 0 {
		return ""
	}
	sum := sha1.Sum([]byte(b.String()))
	return hex.EncodeToString(sum[:])
}

// write writes the JSON that AWS hashes: no spaces, keys in order, all in ASCII.
func write(b *strings.Builder, v any) {
	switch v := v.(type) {
	case nil:
		b.WriteString("null")
	case string:
		quote(b, v)
	case object:
		b.WriteByte('{')
		for i, k := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				b.WriteByte(',')
			}
			quote(b, k)
			b.WriteByte(':')
			write(b, v[k])
		}
		b.WriteByte('}')
	case []any:
		b.WriteByte('[')
		for i, item := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			write(b, item)
		}
		b.WriteByte(']')
	default:
		text, _ := textOf(v)
		b.WriteString(text)
	}
}

func quote(b *strings.Builder, s string) {
	short := map[rune]string{'"': `\"`, '\\': `\\`, '\n': `\n`, '\r': `\r`, '\t': `\t`, '\b': `\b`, '\f': `\f`}
	b.WriteByte('"')
	for _, r := range s {
		switch text, ok := short[r]; {
		case ok:
			b.WriteString(text)
		case r >= ' ' && r <= '~':
			b.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(b, `\u%04x`, r)
		}
	}
	b.WriteByte('"')
}
