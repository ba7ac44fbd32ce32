package managed

import (
	"errors"
	"fmt"
	"slices"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"
	"cel.dev/cel-go/parser"

	"plumb/internal/config"
	"plumb/internal/rule/view"
)

// costLimit bounds one evaluation. The costliest check of the catalogue on an
// item of 256 KB stays below a tenth of it; a runaway expression stops in about
// a second.
const costLimit = 10_000_000

// newEnv returns the language that all checks share: the item's variables, the
// forgiving macros and the functions.
func newEnv() (*cel.Env, error) {
	options := []cel.EnvOption{
		cel.ClearMacros(), cel.Macros(forgivingMacros()...), cel.Macros(viewMacros()...),
		cel.CrossTypeNumericComparisons(true),
		cel.ExpressionNestingDepthLimit(64),
	}
	for _, name := range textVariables() {
		options = append(options, cel.Variable(name, cel.StringType))
	}
	for _, name := range []string{"configuration", "supplementaryConfiguration", "relationships"} {
		options = append(options, cel.Variable(name, cel.DynType))
	}
	options = append(options, cel.Variable("tags", cel.MapType(cel.StringType, cel.DynType)), cel.Variable(viewVariable, cel.DynType))
	env, err := cel.NewEnv(slices.Concat(options, functions(), viewFunctions())...)
	if err != nil {
		return nil, fmt.Errorf("make the language of checks: %w", err)
	}
	return env, nil
}

func textVariables() []string {
	return []string{
		"resourceId", "resourceName", "resourceType", "ARN", "awsRegion", "awsAccountId",
		"availabilityZone", "configurationItemStatus",
	}
}

// compile checks an expression against the environment and plans it. A type
// other than want (or dyn, which is looked at when it runs) is an error.
func compile(env *cel.Env, text string, want ...*cel.Type) (cel.Program, error) {
	checked, err := parse(env, text, want...)
	if err != nil {
		return nil, err
	}
	return plan(env, checked)
}

func parse(env *cel.Env, text string, want ...*cel.Type) (*cel.Ast, error) {
	checked, issues := env.Compile(text)
	if issues.Err() != nil {
		return nil, &expressionError{issues}
	}
	if !accepts(checked.OutputType(), want) {
		return nil, fmt.Errorf("the expression is a %s, where a %s is wanted", checked.OutputType(), want[0])
	}
	return checked, nil
}

func plan(env *cel.Env, checked *cel.Ast) (cel.Program, error) {
	options := []cel.ProgramOption{cel.EvalOptions(cel.OptOptimize), cel.CustomDecoratorV2(forgive)}
	if loops(checked) {
		options = append(options, cel.CostLimit(costLimit))
	}
	return env.Program(checked, options...)
}

// loops reports whether an expression visits lists. One that does not ends soon
// by itself, and is spared the counting, which costs a third of its time.
func loops(checked *cel.Ast) bool {
	found := false
	ast.PostOrderVisit(checked.NativeRep().Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		found = found || e.Kind() == ast.ComprehensionKind
	}))
	return found
}

func accepts(got *cel.Type, want []*cel.Type) bool {
	for _, t := range want {
		if got.IsExactType(t) {
			return true
		}
	}
	return got.IsExactType(cel.DynType)
}

// A forgivingPath reads a path of the item and is null where the path ends
// early. Everything else about it is the path it stands for.
type forgivingPath struct {
	interpreter.InterpretableAttribute
}

// forgive puts a forgivingPath in the place of every path while CEL plans.
func forgive(i interpreter.InterpretableV2) (interpreter.InterpretableV2, error) {
	path, ok := i.(interpreter.InterpretableAttribute)
	if _, done := i.(*forgivingPath); done || !ok {
		return i, nil
	}
	return &forgivingPath{path}, nil
}

// Exec resolves the path. An error that is a value (*types.Err) came out of an
// expression inside the path and is kept; any other says that a key or an index
// is not there.
func (p *forgivingPath) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	native, err := p.Resolve(frame)
	var val ref.Val
	var inner *types.Err
	switch {
	case err == nil:
		val = p.Adapter().NativeToValue(native)
	case errors.As(err, &inner):
		val = inner
	default:
		val = types.NullValue
	}
	if costs := frame.CostTracker(); costs != nil {
		costs.EvalAttribute(p.ID(), false, val)
	}
	return val
}

// Eval is Exec for callers without a frame.
func (p *forgivingPath) Eval(vars interpreter.Activation) ref.Val {
	return interpreter.EvalActivation(vars, p.Exec)
}

// forgivingMacros are CEL's own, with each() around what is visited, and has()
// for any expression.
func forgivingMacros() []cel.Macro {
	over := func(name string, args int, expand parser.MacroExpander) cel.Macro {
		return parser.NewReceiverMacro(name, args,
			func(eh parser.ExprHelper, target ast.Expr, args []ast.Expr) (ast.Expr, *common.Error) {
				return expand(eh, eh.NewCall("each", target), args)
			})
	}
	return []cel.Macro{
		over(operators.All, 2, parser.MakeAll),
		over(operators.Exists, 2, parser.MakeExists),
		over(operators.ExistsOne, 2, parser.MakeExistsOne),
		over(operators.Filter, 2, parser.MakeFilter),
		over(operators.Map, 2, parser.MakeMap),
		parser.NewGlobalMacro(operators.Has, 1,
			func(eh parser.ExprHelper, _ ast.Expr, args []ast.Expr) (ast.Expr, *common.Error) {
				return eh.NewCall(operators.NotEquals, args[0], eh.NewLiteral(types.NullValue)), nil
			}),
	}
}

// itemVars gives an expression the item, in the spelling of events. Nothing is
// copied: CEL reads the decoded configuration itself.
type itemVars struct {
	item       *config.Item
	parameters map[string]any // by "parameters.NAME"
	view       view.View
}

// Parent returns nothing: an item has no outer scope.
func (v *itemVars) Parent() interpreter.Activation { return nil }

// ResolveName returns the variable of that name.
func (v *itemVars) ResolveName(name string) (any, bool) {
	switch name {
	case "configuration":
		return v.item.Configuration, true
	case "supplementaryConfiguration":
		return v.item.Supplementary, true
	case "tags":
		return v.item.Tags, true
	case "relationships":
		return view.Relationships(v.item), true
	case viewVariable:
		return seen{v}, true
	}
	if text, ok := v.text(name); ok {
		return text, true
	}
	parameter, ok := v.parameters[name]
	return parameter, ok
}

func (v *itemVars) text(name string) (string, bool) {
	switch name {
	case "resourceId":
		return v.item.ID, true
	case "resourceName":
		return v.item.Name, true
	case "resourceType":
		return v.item.Type, true
	case "ARN":
		return v.item.ARN, true
	case "awsRegion":
		return v.item.Region, true
	case "awsAccountId":
		return v.item.Account, true
	case "availabilityZone":
		return v.item.AZ, true
	case "configurationItemStatus":
		return string(v.item.Status), true
	}
	return "", false
}
