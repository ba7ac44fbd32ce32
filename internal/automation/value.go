package automation

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Values are what {{ }} may name: parameters by name, outputs as step.Name, and
// what is known of the execution (global:REGION).
type Values map[string]any

var reference = regexp.MustCompile(`\{\{\s*([^{}]+?)\s*\}\}`)

// fill returns a value with its references replaced. A text that is one reference
// becomes the value itself; within other text it becomes text.
func (vs Values) fill(v any) (any, error) {
	switch v := v.(type) {
	case string:
		return vs.fillText(v)
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, inner := range v {
			filled, err := vs.fill(inner)
			if err != nil {
				return nil, err
			}
			key, err := vs.fillText(k)
			if err != nil {
				return nil, err
			}
			out[text(key)] = filled
		}
		return out, nil
	case []any:
		out := make([]any, 0, len(v))
		for _, inner := range v {
			filled, err := vs.fill(inner)
			if err != nil {
				return nil, err
			}
			out = append(out, filled)
		}
		return out, nil
	default:
		return v, nil
	}
}

func (vs Values) fillText(s string) (any, error) {
	if m := reference.FindStringSubmatchIndex(s); m != nil && m[0] == 0 && m[1] == len(s) {
		return vs.named(s[m[2]:m[3]])
	}
	var failed error
	out := reference.ReplaceAllStringFunc(s, func(ref string) string {
		v, err := vs.named(reference.FindStringSubmatch(ref)[1])
		if err != nil && failed == nil {
			failed = err
		}
		return text(v)
	})
	return out, failed
}

func (vs Values) named(name string) (any, error) {
	v, ok := vs[name]
	if !ok {
		return nil, fmt.Errorf("{{ %s }} names neither a parameter nor an output of a step that ran", name)
	}
	return v, nil
}

// Text returns a value as it stands within other text: JSON, but for a text itself.
func Text(v any) string { return text(v) }

func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case bool, int64, int, float64:
		return fmt.Sprint(v)
	}
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}

// pick returns what a selector finds: $.Buckets[0].Name, $['a'], $.Tags[*].Key. A
// path that leads nowhere finds nothing.
func pick(v any, selector string) (any, error) {
	rest, ok := strings.CutPrefix(selector, "$")
	if !ok {
		return nil, fmt.Errorf("the selector %q does not begin with $", selector)
	}
	parts, err := path(rest)
	if err != nil {
		return nil, fmt.Errorf("the selector %q: %w", selector, err)
	}
	return follow(v, parts), nil
}

// path splits .a[0]['b'][*] into its parts; * stands for all.
func path(s string) ([]string, error) {
	var parts []string
	for s != "" {
		switch {
		case strings.HasPrefix(s, "."):
			end := strings.IndexAny(s[1:], ".[")
			if end < 0 {
				end = len(s) - 1
			}
			if end == 0 {
				return nil, fmt.Errorf("a name is missing at %q", s)
			}
			parts, s = append(parts, s[1:1+end]), s[1+end:]
		case strings.HasPrefix(s, "["):
			end := strings.Index(s, "]")
			if end < 0 {
				return nil, fmt.Errorf("] is missing after %q", s)
			}
			parts, s = append(parts, strings.Trim(s[1:end], `'"`)), s[end+1:]
		default:
			return nil, fmt.Errorf(". or [ is expected at %q", s)
		}
	}
	return parts, nil
}

func follow(v any, parts []string) any {
	if len(parts) == 0 {
		return v
	}
	first, rest := parts[0], parts[1:]
	switch v := v.(type) {
	case map[string]any:
		if first == "*" {
			return nil
		}
		inner, ok := v[first]
		if !ok {
			return nil
		}
		return follow(inner, rest)
	case []any:
		if first == "*" || first == ":" {
			out := make([]any, 0, len(v))
			for _, inner := range v {
				if found := follow(inner, rest); found != nil {
					out = append(out, found)
				}
			}
			return out
		}
		n, err := strconv.Atoi(first)
		if n < 0 {
			n += len(v)
		}
		if err != nil || n < 0 || n >= len(v) {
			return nil
		}
		return follow(v[n], rest)
	}
	return nil
}

// as returns a value in an output's type.
func as(kind string, v any) (any, error) {
	if v == nil {
		return v, nil
	}
	switch kind {
	case "", "StringMap", "MapList":
		return v, nil
	case "String":
		return text(v), nil
	case "StringList":
		list, ok := v.([]any)
		if !ok {
			list = []any{v}
		}
		out := make([]any, len(list))
		for i, e := range list {
			out[i] = text(e)
		}
		return out, nil
	case "Integer":
		n, err := strconv.ParseInt(text(v), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%q is not an integer", text(v))
		}
		return n, nil
	case "Boolean":
		b, err := strconv.ParseBool(text(v))
		if err != nil {
			return nil, fmt.Errorf("%q is neither true nor false", text(v))
		}
		return b, nil
	}
	return nil, fmt.Errorf("the type %q of an output is not known", kind)
}
