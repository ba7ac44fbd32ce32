package velocity

import (
	"regexp"
	"strconv"
	"strings"
)

// call calls a method of a value. One that there is not means nothing.
func (x *execution) call(v any, name string, args []any) (any, error) {
	if o, ok := v.(Object); ok {
		out, _, err := o.Call(name, args)
		if s, isText := out.(string); isText && len(s) > x.limits.Output {
			return nil, ErrOutput
		}
		return out, err
	}
	if name == "toString" && len(args) == 0 {
		return x.text(v)
	}
	if name == "equals" && len(args) == 1 {
		return x.equal(v, args[0])
	}
	switch v := v.(type) {
	case string:
		return x.textMethod(v, name, args)
	case *List:
		return x.listMethod(v, name, args)
	case *Map:
		return x.mapMethod(v, name, args)
	}
	if name == "intValue" || name == "longValue" {
		if n, ok := whole(v); ok {
			return n, nil
		}
	}
	return nil, nil
}

// argument returns an argument as text, and as a whole number.
func argument(args []any, i int) (string, int64) {
	if i >= len(args) {
		return "", 0
	}
	n, _ := whole(args[i])
	return plain(args[i]), n
}

func (x *execution) textMethod(s, name string, args []any) (any, error) {
	a, n := argument(args, 0)
	b, m := argument(args, 1)
	switch name {
	case "length":
		return int64(len([]rune(s))), nil
	case "isEmpty":
		return s == "", nil
	case "toUpperCase":
		return strings.ToUpper(s), nil
	case "toLowerCase":
		return strings.ToLower(s), nil
	case "trim":
		return strings.TrimSpace(s), nil
	case "contains":
		return strings.Contains(s, a), nil
	case "startsWith":
		return strings.HasPrefix(s, a), nil
	case "endsWith":
		return strings.HasSuffix(s, a), nil
	case "equalsIgnoreCase":
		return strings.EqualFold(s, a), nil
	case "indexOf":
		return int64(strings.Index(s, a)), nil
	case "lastIndexOf":
		return int64(strings.LastIndex(s, a)), nil
	case "concat":
		return x.joined(s, a)
	case "substring":
		return substring(s, n, m, len(args)), nil
	case "replace":
		if a == "" || len(s)*(1+len(b)) > x.limits.Output {
			return s, nil
		}
		return strings.ReplaceAll(s, a, b), nil
	case "replaceAll", "split", "matches":
		return x.patternMethod(s, name, a, b)
	case "intValue":
		if v, err := strconv.ParseInt(s, 10, 64); err == nil {
			return v, nil
		}
	}
	return nil, nil
}

func substring(s string, from, to int64, args int) any {
	runes := []rune(s)
	if args < 2 {
		to = int64(len(runes))
	}
	if from < 0 || from > to || to > int64(len(runes)) {
		return nil
	}
	return string(runes[from:to])
}

func (x *execution) patternMethod(s, name, pattern, with string) (any, error) {
	if name == "matches" {
		pattern = "^(?:" + pattern + ")$"
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, nil
	}
	switch name {
	case "matches":
		return re.MatchString(s), nil
	case "split":
		out := &List{}
		for _, part := range re.Split(s, -1) {
			if err := x.step(); err != nil {
				return nil, err
			}
			out.Items = append(out.Items, part)
		}
		return out, nil
	}
	if (len(s)+1)*(1+len(with)) > x.limits.Output {
		return nil, ErrOutput
	}
	return re.ReplaceAllString(s, strings.ReplaceAll(with, `\$`, "$$")), nil
}

func (x *execution) listMethod(l *List, name string, args []any) (any, error) {
	a, n := argument(args, 0)
	switch name {
	case "size":
		return int64(len(l.Items)), nil
	case "isEmpty":
		return len(l.Items) == 0, nil
	case "get":
		return at(l, n), nil
	case "add":
		if len(args) == 1 {
			l.Items = append(l.Items, args[0])
		}
		return true, x.step()
	case "contains":
		for _, item := range l.Items {
			if same, err := x.equal(item, at(&List{args}, int64(0))); same || err != nil {
				return same, err
			}
		}
		return false, nil
	case "join":
		var parts []string
		size := 0
		for _, item := range l.Items {
			s, err := x.text(item)
			if err != nil {
				return nil, err
			}
			if size += len(s) + len(a); size > x.limits.Output {
				return nil, ErrOutput
			}
			parts = append(parts, s)
		}
		return strings.Join(parts, a), nil
	}
	return nil, nil
}

func (x *execution) mapMethod(m *Map, name string, args []any) (any, error) {
	key, _ := argument(args, 0)
	switch name {
	case "size":
		return int64(len(m.keys)), nil
	case "isEmpty":
		return len(m.keys) == 0, nil
	case "get":
		return m.values[key], nil
	case "containsKey":
		_, ok := m.values[key]
		return ok, nil
	case "put":
		if len(args) == 2 {
			before := m.values[key]
			m.Set(key, args[1])
			return before, x.step()
		}
	case "remove":
		before := m.values[key]
		m.remove(key)
		return before, nil
	case "keySet":
		out := &List{}
		for _, k := range m.keys {
			out.Items = append(out.Items, k)
		}
		return out, x.step()
	case "values":
		return &List{elements(m)}, x.step()
	case "entrySet":
		out := &List{}
		for _, k := range m.keys {
			entry := NewMap()
			entry.Set("key", k)
			entry.Set("value", m.values[k])
			out.Items = append(out.Items, entry)
			if err := x.step(); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return nil, nil
}
