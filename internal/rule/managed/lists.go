package managed

import (
	"fmt"
	"reflect"
	"slices"

	"cel.dev/cel-go/cel"
)

// listFunctions ask for lists as a whole, which CEL's macros do not.
func listFunctions() []cel.EnvOption {
	return []cel.EnvOption{
		unary("distinct", cel.ListType(cel.DynType), distinct),
		unary("indices", cel.ListType(cel.DynType), indices),
		unary("sum", cel.DynType, sum),
	}
}

// distinct returns what a list holds, each value once and in its order.
func distinct(v any) (any, error) {
	out := []any{}
	for _, e := range members(v) {
		if !slices.ContainsFunc(out, func(had any) bool { return reflect.DeepEqual(had, e) }) {
			out = append(out, e)
		}
	}
	return out, nil
}

// indices returns 0, 1 and so on, one for each value of a list.
func indices(v any) (any, error) {
	out := []any{}
	for i := range members(v) {
		out = append(out, int64(i))
	}
	return out, nil
}

// sum adds the numbers of a list up; the sum of none is 0.
func sum(v any) (any, error) {
	total := int64(0)
	for _, e := range members(v) {
		n, ok := number(e).(int64)
		if !ok {
			return nil, fmt.Errorf("sum: %v is no whole number", e)
		}
		total += n
	}
	return total, nil
}

// members returns a list as it is, nothing for null, and a list of one for anything else.
func members(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	case []string:
		out := make([]any, len(v))
		for i, s := range v {
			out[i] = s
		}
		return out
	}
	return []any{v}
}
