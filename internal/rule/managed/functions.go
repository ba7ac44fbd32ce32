package managed

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"plumb/internal/config"
	"plumb/internal/policy"
)

// functions are what checks can call beside CEL's own. Each takes whatever the
// item holds, so none of them fails on a missing key.
func functions() []cel.EnvOption {
	return slices.Concat(listFunctions(), valueFunctions(), textFunctions(), networkFunctions(), policyFunctions(), versionFunctions())
}

func valueFunctions() []cel.EnvOption {
	return []cel.EnvOption{
		unary("each", cel.DynType, each),
		unary("list", cel.DynType, asList),
		unary("keys", cel.ListType(cel.StringType), func(v any) (any, error) { return keysOf(v), nil }),
		unary("values", cel.ListType(cel.DynType), func(v any) (any, error) { return values(v), nil }),
		unary("text", cel.StringType, func(v any) (any, error) { return text(v), nil }),
		unary("number", cel.DynType, func(v any) (any, error) { return number(v), nil }),
		unary("json", cel.DynType, decodeText),
		binary("default", cel.DynType, func(v, fallback any) (any, error) {
			if v == nil {
				return fallback, nil
			}
			return v, nil
		}),
		unary("cannotTell", cel.BoolType, func(reason any) (any, error) { return nil, errors.New(text(reason)) }),
	}
}

func textFunctions() []cel.EnvOption {
	return []cel.EnvOption{
		unary("csv", cel.ListType(cel.StringType), func(v any) (any, error) { return splitCSV(text(v)), nil }),
		binary("split", cel.ListType(cel.DynType), func(v, separator any) (any, error) {
			return strings.Split(text(v), text(separator)), nil
		}),
		binary("same", cel.BoolType, func(a, b any) (any, error) { return same(a, b), nil }),
		binary("glob", cel.BoolType, func(v, patterns any) (any, error) {
			return slices.ContainsFunc(texts(patterns), func(p string) bool { return policy.Matches(p, text(v)) }), nil
		}),
		ternary("tagged", cel.BoolType, func(tags, key, values any) (any, error) {
			return tagged(tags, text(key), texts(values)), nil
		}),
	}
}

func networkFunctions() []cel.EnvOption {
	return []cel.EnvOption{
		binary("anywhere", cel.BoolType, func(v, ipType any) (any, error) { return anywhere(v, text(ipType)) }),
		ternary("covers", cel.BoolType, func(v, protocol, port any) (any, error) {
			return covers(v, text(protocol), port)
		}),
		binary("within", cel.BoolType, func(v, ranges any) (any, error) { return within(v, text(ranges)) }),
		binary("inRanges", cel.BoolType, func(v, ranges any) (any, error) { return inRanges(text(v), texts(ranges)), nil }),
	}
}

func policyFunctions() []cel.EnvOption {
	return []cel.EnvOption{
		unary("statements", cel.ListType(cel.DynType), statements),
		binary("allows", cel.BoolType, func(v, actions any) (any, error) { return statementOf(v).Grants(texts(actions)), nil }),
		binary("limits", cel.BoolType, func(v, keys any) (any, error) { return statementOf(v).Limits(elements(keys)), nil }),
		binary("arns", cel.ListType(cel.StringType), func(service, resource any) (any, error) { return arns(text(service), text(resource)), nil }),
		unary("accountOf", cel.StringType, func(principal any) (any, error) { return accountOf(text(principal)), nil }),
		binary("coversAction", cel.BoolType, func(v, action any) (any, error) {
			return policy.Covers(strings.ToLower(text(v)), strings.ToLower(text(action))), nil
		}),
		nary("grantsAllOf", 4, cel.BoolType, func(a []any) (any, error) { return grantsAllOf(a[0], a[1], a[2], a[3]) }),
		nary("deniesEveryone", 4, cel.BoolType, func(a []any) (any, error) { return deniesEveryone(a[0], a[1], a[2], a[3]) }),
	}
}

func unary(name string, result *cel.Type, f func(any) (any, error)) cel.EnvOption {
	return cel.Function(name, cel.Overload(name, []*cel.Type{cel.DynType}, result,
		cel.UnaryBinding(func(x ref.Val) ref.Val { return answer(f(native(x))) })))
}

func binary(name string, result *cel.Type, f func(a, b any) (any, error)) cel.EnvOption {
	return cel.Function(name, cel.Overload(name, []*cel.Type{cel.DynType, cel.DynType}, result,
		cel.BinaryBinding(func(x, y ref.Val) ref.Val { return answer(f(native(x), native(y))) })))
}

func ternary(name string, result *cel.Type, f func(a, b, c any) (any, error)) cel.EnvOption {
	return nary(name, 3, result, func(a []any) (any, error) { return f(a[0], a[1], a[2]) })
}

// nary declares a function of n arguments.
func nary(name string, n int, result *cel.Type, f func([]any) (any, error)) cel.EnvOption {
	return cel.Function(name, cel.Overload(name, slices.Repeat([]*cel.Type{cel.DynType}, n), result,
		cel.FunctionBinding(func(x ...ref.Val) ref.Val {
			args := make([]any, len(x))
			for i, v := range x {
				args[i] = native(v)
			}
			return answer(f(args))
		})))
}

func answer(v any, err error) ref.Val {
	if err != nil {
		return types.WrapErr(err)
	}
	return types.DefaultTypeAdapter.NativeToValue(v)
}

// native returns the Go value behind a CEL value: what was read from the item is
// returned as it is, what the expression made (a list literal) is converted.
func native(v ref.Val) any {
	switch x := v.Value().(type) {
	case map[string]any, []any, []string, map[string]string, string, bool, int64, float64:
		return x
	}
	if m, ok := v.(traits.Mapper); ok {
		object := map[string]any{}
		for it := m.Iterator(); it.HasNext() == types.True; {
			key := it.Next()
			object[text(native(key))] = native(m.Get(key))
		}
		return object
	}
	if list, ok := v.(traits.Lister); ok {
		items := []any{}
		for it := list.Iterator(); it.HasNext() == types.True; {
			items = append(items, native(it.Next()))
		}
		return items
	}
	if v == types.NullValue {
		return nil
	}
	return v
}

// each is what a macro visits: the keys of tags, nothing of null, the elements of
// a list, and anything else as the only element.
func each(v any) (any, error) {
	if tags, ok := v.(map[string]string); ok {
		return tags, nil
	}
	return asList(v)
}

// asList returns a list as it is and anything else, but null, as a list of one:
// AWS writes a single element either way.
func asList(v any) (any, error) {
	switch v := v.(type) {
	case nil:
		return []any{}, nil
	case []any, []string:
		return v, nil
	}
	return []any{v}, nil
}

// values returns what an object or a list holds: Config writes S3's replication
// rules and notifications as objects by id, other services as lists.
func values(v any) any {
	switch v := v.(type) {
	case nil:
		return []any{}
	case map[string]any:
		list := make([]any, 0, len(v))
		for _, k := range sortedKeys(v) {
			list = append(list, v[k])
		}
		return list
	case []any, []string:
		return v
	}
	return []any{v}
}

// same reports whether two texts are equal whatever the case, or a text and one of
// a list.
func same(a, b any) bool {
	return slices.ContainsFunc(texts(b), func(t string) bool { return strings.EqualFold(text(a), t) })
}

// keysOf returns the keys of an object, sorted; none of anything else.
func keysOf(v any) []string {
	m, _ := v.(map[string]any)
	return sortedKeys(m)
}

// tagged reports whether a tag is there with one of the values; without values,
// any will do, and without a key nothing is asked for.
func tagged(tags any, key string, allowed []string) bool {
	if key == "" {
		return true
	}
	m, _ := tags.(map[string]string)
	value, ok := m[key]
	return ok && (len(allowed) == 0 || slices.Contains(allowed, value))
}

func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case []any, []string:
		return strings.Join(texts(v), ", ")
	}
	return fmt.Sprint(v)
}

func texts(v any) []string {
	switch v := v.(type) {
	case nil:
		return nil
	case []string:
		return v
	case []any:
		list := make([]string, len(v))
		for i, e := range v {
			list[i] = text(e)
		}
		return list
	}
	return []string{text(v)}
}

// number reads a number, also from text (SQS and SNS attributes are text), and
// returns null for what is none.
func number(v any) any {
	switch v := v.(type) {
	case int64, float64:
		return v
	case string:
		if i, err := strconv.ParseInt(v, 10, 64); err == nil {
			return i
		}
		if f, err := strconv.ParseFloat(v, 64); err == nil {
			return f
		}
	}
	return nil
}

// decodeText reads JSON inside text, also percent-encoded (IAM) or encoded twice
// (S3 access control lists). Anything but text is returned as it is.
func decodeText(v any) (any, error) {
	for range 3 {
		s, ok := v.(string)
		if !ok {
			return v, nil
		}
		if s = strings.TrimSpace(s); s == "" {
			return nil, nil
		}
		if strings.HasPrefix(s, "%") {
			plain, err := url.PathUnescape(s)
			if err != nil {
				return nil, fmt.Errorf("read percent-encoded text: %w", err)
			}
			s = plain
		}
		decoded, err := config.Decode([]byte(s))
		if err != nil {
			return nil, fmt.Errorf("read JSON in text: %w", err)
		}
		v = decoded
	}
	return v, nil
}
