package rule

import (
	"errors"
	"plumb/internal/config"
	"plumb/internal/rule/managed"
	"plumb/internal/rule/policy"
)

// ErrNoEvaluator says that a rule is known and that Plumb cannot evaluate it.
var ErrNoEvaluator = managed.ErrNoEvaluator

// Compiler returns how rules are evaluated in this process: managed ones by their
// files in rules/, custom policies by their text.
func Compiler(c *managed.Catalogue) func(config.Rule) (Compiled, error) {
	return func(r config.Rule) (Compiled, error) {
		if r.Source.Owner == config.OwnerPolicy {
			p, err := policy.Compile(r)
			return Compiled{Evaluator: p, OnChange: true, Initially: true, Proactive: p}, err
		}
		if info, _ := c.Known(r.Source.Identifier); info.Trigger == managed.None {
			return Compiled{}, nil // its verdicts are put
		}
		e, err := c.Evaluator(r.Source.Identifier, r.InputParameters)
		if err != nil {
			return Compiled{}, err
		}
		file, err := c.File(r.Source.Identifier)
		if err != nil {
			return Compiled{}, err
		}
		compiled := Compiled{
			Evaluator: e, Types: file.Resources, OnChange: file.Trigger.OnChange(), Initially: file.Trigger != managed.NewChange,
			Finds: file.Finds,
		}
		if file.Proactive != nil {
			if compiled.Proactive, err = c.ProactiveEvaluator(r.Source.Identifier, r.InputParameters); err != nil {
				return Compiled{}, err
			}
		}
		if file.Trigger.OnSchedule() {
			compiled.Period = config.Frequency(r.Frequency)
		}
		return compiled, nil
	}
}

// CompileFile returns how a rule is evaluated whose file is given as a text, with
// parameters as JSON.
func CompileFile(c *managed.Catalogue, text, parameters string) (Compiled, error) {
	file, err := c.ParseFile("rule.yaml", []byte(text))
	if err != nil {
		return Compiled{}, err
	}
	e, err := file.Evaluator(parameters)
	return Compiled{Evaluator: e, Types: file.Resources, Finds: file.Finds}, err
}

// Evaluates reports whether somebody decides about what a rule looks at: this
// process, a function, or whoever puts the verdicts of a process check.
func (e *Engine) Evaluates(r config.Rule) bool {
	if r.Source.Owner == config.OwnerLambda {
		return true
	}
	_, err := e.Compile(r)
	return !errors.Is(err, ErrNoEvaluator)
}
