package app

import (
	"errors"
	"fmt"

	"plumb/internal/config"
	"plumb/internal/rule"
	"plumb/internal/rule/managed"
)

// compiler says how a rule is evaluated in this process: a managed one by its
// file in rules/.
func compiler(c *managed.Catalogue) func(config.Rule) (rule.Compiled, error) {
	return func(r config.Rule) (rule.Compiled, error) {
		if r.Source.Owner != config.OwnerAWS {
			return rule.Compiled{}, fmt.Errorf("%w: Plumb does not evaluate rules of the owner %s", rule.ErrNoEvaluator, r.Source.Owner)
		}
		e, err := c.Evaluator(r.Source.Identifier, r.InputParameters)
		if errors.Is(err, managed.ErrNoEvaluator) {
			return rule.Compiled{}, fmt.Errorf("%w: %w", rule.ErrNoEvaluator, err)
		}
		if err != nil {
			return rule.Compiled{}, err
		}
		file, err := c.File(r.Source.Identifier)
		if err != nil {
			return rule.Compiled{}, err
		}
		compiled := rule.Compiled{
			Evaluator: e, Types: file.Resources, OnChange: file.Trigger.OnChange(), Initially: file.Trigger != managed.NewChange,
		}
		if file.Trigger.OnSchedule() {
			compiled.Period = config.Frequency(r.Frequency)
		}
		return compiled, nil
	}
}
