package managed

import (
	"fmt"
	"slices"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"

	"plumb/internal/config"
	"plumb/internal/rule/view"
)

// An Evaluator judges items by one rule with its parameters. It is safe for
// concurrent use.
type Evaluator struct {
	file       *File
	parameters map[string]any // by "parameters.NAME"
}

// Evaluator returns the rule with these InputParameters.
func (f *File) Evaluator(inputParameters string) (*Evaluator, error) {
	given, err := readParameters(f.Parameters, inputParameters)
	if err != nil {
		return nil, err
	}
	values := make(map[string]any, len(f.Parameters))
	for _, p := range f.Parameters {
		s, ok := given[p.Name]
		if !ok {
			s = p.Default
		}
		value := p.absent()
		if s != "" {
			if value, err = p.value(s); err != nil {
				return nil, err
			}
		}
		values["parameters."+p.Name] = value
	}
	return &Evaluator{file: f, parameters: values}, nil
}

// Evaluate judges an item. Items of other types, of resources that are gone and
// of types that are not recorded are NOT_APPLICABLE. An error comes with
// INSUFFICIENT_DATA: it is not a verdict. What the rule looks at beside the item
// it finds in v.
func (e *Evaluator) Evaluate(item config.Item, v view.View) (config.Compliance, string, error) {
	if !e.judges(item) {
		return config.NotApplicable, "", nil
	}
	vars := &itemVars{item: &item, parameters: e.parameters, view: v}
	if e.file.applicable != nil {
		applies, err := truth(e.file.applicable, vars)
		if err != nil {
			return config.InsufficientData, "", e.failed("applicable", item, err)
		}
		if !applies {
			return config.NotApplicable, "", nil
		}
	}
	complies, err := truth(e.file.check, vars)
	if err != nil {
		return config.InsufficientData, "", e.failed("check", item, err)
	}
	if complies {
		return config.Compliant, "", nil
	}
	return config.NonCompliant, shorten(e.file.annotation.render(vars)), nil
}

func (e *Evaluator) judges(item config.Item) bool {
	return !item.Status.Gone() && item.Status != config.StatusNotRecorded &&
		slices.Contains(e.file.Resources, item.Type)
}

func (e *Evaluator) failed(part string, item config.Item, err error) error {
	return fmt.Errorf("%s: the %s of %s cannot be told on %s: %w", e.file.Name, part, e.file.Identifier, item.Key(), err)
}

// truth runs an expression. Null, which is what a missing flag is, is false.
func truth(program cel.Program, vars *itemVars) (bool, error) {
	v, _, err := program.Eval(vars)
	if err != nil {
		return false, err
	}
	if v == types.NullValue {
		return false, nil
	}
	b, ok := v.Value().(bool)
	if !ok {
		return false, fmt.Errorf("the expression gave a %s, not true or false", v.Type().TypeName())
	}
	return b, nil
}

// shorten cuts an annotation to what AWS Config takes.
func shorten(s string) string {
	runes := []rune(s)
	if len(runes) <= config.MaxAnnotation {
		return s
	}
	return string(runes[:config.MaxAnnotation-3]) + "..."
}
