package core

import (
	"errors"
	"fmt"
	"time"

	"plumb/internal/config"
	"plumb/internal/rule"
	"plumb/internal/rule/managed"
	"plumb/internal/rule/policy"
)

// compiler says how a rule is evaluated in this process: a managed one by its
// file in rules/, a custom policy by its text.
func compiler(c *managed.Catalogue, now func() time.Time) func(config.Rule) (rule.Compiled, error) {
	return func(r config.Rule) (rule.Compiled, error) {
		if r.Source.Owner == config.OwnerPolicy {
			p, err := policy.Compile(r, now)
			return rule.Compiled{Evaluator: p, OnChange: true, Initially: true}, err
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
