package managed

import (
	"fmt"
	"math"
	"reflect"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/parser"
)

// viewVariable is what find, related and days read. A check cannot write it: the
// macros put it there as their first argument.
const viewVariable = "@view"

// viewFunctions look beyond the item.
func viewFunctions() []cel.EnvOption {
	return []cel.EnvOption{
		beyond("find", cel.ListType(cel.DynType), func(s seen, resourceType any) (any, error) { return s.view.All(text(resourceType)) }),
		beyond("related", cel.ListType(cel.DynType), func(s seen, resourceType any) (any, error) { return s.related(text(resourceType)) }),
		beyond("days", cel.DynType, func(s seen, at any) (any, error) { return days(s.view.Now(), at) }),
	}
}

func viewMacros() []cel.Macro {
	var out []cel.Macro
	for _, name := range []string{"find", "related", "days"} {
		out = append(out, parser.NewGlobalMacro(name, 1, func(eh parser.ExprHelper, _ ast.Expr, args []ast.Expr) (ast.Expr, *common.Error) {
			return eh.NewCall(name, eh.NewIdent(viewVariable), args[0]), nil
		}))
	}
	return out
}

func beyond(name string, result *cel.Type, f func(s seen, v any) (any, error)) cel.EnvOption {
	return cel.Function(name, cel.Overload(name, []*cel.Type{cel.DynType, cel.DynType}, result,
		cel.BinaryBinding(func(x, y ref.Val) ref.Val {
			s, ok := x.(seen)
			if !ok {
				return types.NewErr("%s takes one argument", name)
			}
			return answer(f(s, native(y)))
		})))
}

// related returns the resources of a type that the item's relationships name.
func (s seen) related(resourceType string) (any, error) {
	var names []string
	for _, r := range s.item.Relationships {
		switch {
		case r.Type != resourceType:
		case r.ID != "":
			names = append(names, r.ID)
		case r.ResourceName != "":
			names = append(names, r.ResourceName)
		}
	}
	return s.view.Some(resourceType, names)
}

// days returns how many days ago a time was: negative in the future, null for
// null. A time is text as AWS writes it, or seconds or milliseconds since 1970.
func days(now time.Time, v any) (any, error) {
	at, err := timeOf(v)
	if err != nil || at.IsZero() {
		return nil, err
	}
	return now.Sub(at).Hours() / 24, nil
}

// manySeconds is more seconds than there are until the year 5138, and fewer
// milliseconds than there were in 1973.
const manySeconds = 1e11

func timeOf(v any) (time.Time, error) {
	switch v := v.(type) {
	case nil:
		return time.Time{}, nil
	case int64:
		return timeOf(float64(v))
	case float64:
		if math.Abs(v) < manySeconds {
			v *= 1000
		}
		return time.UnixMilli(int64(v)), nil
	case string:
		for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04:05-0700", "2006-01-02 15:04:05", time.DateOnly} {
			if at, err := time.Parse(layout, v); err == nil {
				return at, nil
			}
		}
	}
	return time.Time{}, fmt.Errorf("%v is not a time", v)
}

// finds returns the types that an expression looks for beside the item.
func finds(checked *cel.Ast) (list []string) {
	ast.PostOrderVisit(checked.NativeRep().Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() != ast.CallKind {
			return
		}
		call := e.AsCall()
		if name := call.FunctionName(); (name == "find" || name == "related") && len(call.Args()) == 2 && call.Args()[1].Kind() == ast.LiteralKind {
			list = append(list, text(call.Args()[1].AsLiteral().Value()))
		}
	}))
	return list
}

// A seen is the view with the item that is evaluated, as a value of the language
// that nothing but find, related and days can use.
type seen struct{ *itemVars }

var seenType = types.NewOpaqueType("view")

// ConvertToNative refuses: nothing else is made of a view.
func (s seen) ConvertToNative(t reflect.Type) (any, error) {
	return nil, fmt.Errorf("a view is not a %s", t)
}

// ConvertToType refuses likewise.
func (s seen) ConvertToType(t ref.Type) ref.Val {
	return types.NewErr("a view is not a %s", t.TypeName())
}

// Equal is false: there is nothing to compare.
func (s seen) Equal(ref.Val) ref.Val { return types.False }

// Type is the view's own.
func (s seen) Type() ref.Type { return seenType }

// Value is the view.
func (s seen) Value() any { return s.view }
