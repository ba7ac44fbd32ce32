package restapi

import (
	"strconv"
	"strings"

	"plumb/internal/velocity"
)

// lookUp follows a path into a value: $.a.b, $['a'], $.list[0] and $.list[*].a. What is not
// there is nil; ok is false for a path that says something else.
func lookUp(v any, path string) (any, bool) {
	rest, ok := strings.CutPrefix(path, "$")
	if !ok {
		return nil, false
	}
	for rest != "" {
		var key string
		if key, rest, ok = cutKey(rest); !ok {
			return nil, false
		}
		if key == "*" {
			return all(v, rest)
		}
		switch at := v.(type) {
		case *velocity.Map:
			v = at.Value(key)
		case *velocity.List:
			i, err := strconv.Atoi(key)
			if i < 0 {
				i += len(at.Items)
			}
			if err != nil || i < 0 || i >= len(at.Items) {
				return nil, true
			}
			v = at.Items[i]
		default:
			return nil, true
		}
	}
	return v, true
}

// cutKey takes the first step of a path off: .name, [0], ['name'].
func cutKey(path string) (key, rest string, ok bool) {
	if path[0] == '[' {
		i := strings.IndexByte(path, ']')
		if i < 0 {
			return "", "", false
		}
		key = path[1:i]
		for _, quote := range []string{"'", `"`} {
			if len(key) > 1 && strings.HasPrefix(key, quote) && strings.HasSuffix(key, quote) {
				key = key[1 : len(key)-1]
			}
		}
		return key, path[i+1:], key != ""
	}
	if path[0] != '.' {
		return "", "", false
	}
	path = path[1:]
	i := strings.IndexAny(path, ".[")
	if i < 0 {
		i = len(path)
	}
	return path[:i], path[i:], i > 0 // .. is not known
}

// all follows the rest of a path from each element.
func all(v any, rest string) (any, bool) {
	var items []any
	switch at := v.(type) {
	case *velocity.List:
		items = at.Items
	case *velocity.Map:
		for _, k := range at.Keys() {
			items = append(items, at.Value(k))
		}
	}
	out := &velocity.List{Items: []any{}}
	for _, item := range items {
		got, ok := lookUp(item, "$"+rest)
		if !ok {
			return nil, false
		}
		if got != nil {
			out.Items = append(out.Items, got)
		}
	}
	return out, true
}
