package conformance

import (
	"errors"
	"fmt"

	"plumb/internal/config"
	"plumb/internal/rule"
	"plumb/internal/rule/managed"
	"plumb/internal/template"
)

// Parameters returns what a template asks for. The error is a *template.Error.
func Parameters(text []byte) ([]template.Parameter, error) {
	t, err := template.Parse(text, options())
	if err != nil {
		return nil, err
	}
	return t.Parameters(), nil
}

// An Evaluator says who decides about what a rule looks at.
type Evaluator string

// The evaluators.
const (
	ByCatalogue Evaluator = "managed"  // a file of the catalogue of managed rules
	ByPolicy    Evaluator = "policy"   // the Guard policy in the template
	ByFunction  Evaluator = "function" // the function that the template names
	ByPerson    Evaluator = "put"      // whoever calls PutExternalEvaluation
	ByNobody    Evaluator = "none"
)

// EvaluatorOf returns who decides by a rule, without a server. The error is why
// PutConfigRule would not take the rule.
func EvaluatorOf(c *managed.Catalogue, r config.Rule) (Evaluator, error) {
	switch r.Source.Owner {
	case config.OwnerLambda:
		return ByFunction, nil
	case config.OwnerAWS:
		if err := c.CheckParameters(r.Source.Identifier, r.InputParameters); err != nil {
			return ByNobody, fmt.Errorf("rule %s: %w", r.Name, err)
		}
	case config.OwnerPolicy:
		if r.Source.Policy == nil {
			return ByNobody, fmt.Errorf("rule %s: CustomPolicyDetails should be provided if the owner is CUSTOM_POLICY", r.Name)
		}
	}
	_, err := rule.Compiler(c)(r)
	if errors.Is(err, rule.ErrNoEvaluator) {
		return ByNobody, nil
	}
	if err != nil {
		return ByNobody, fmt.Errorf("rule %s: %w", r.Name, err)
	}
	info, _ := c.Known(r.Source.Identifier)
	switch {
	case r.Source.Owner == config.OwnerPolicy:
		return ByPolicy, nil
	case info.Trigger == managed.None:
		return ByPerson, nil
	default:
		return ByCatalogue, nil
	}
}
