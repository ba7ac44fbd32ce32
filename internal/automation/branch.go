package automation

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// branch returns the step that the first true choice names, or the default;
// empty if the document goes on with the following step.
func branch(in map[string]any) (string, error) {
	choices, ok := in["Choices"].([]any)
	if !ok || len(choices) == 0 {
		return "", errors.New("the input Choices is a list of conditions, each with NextStep")
	}
	for i, c := range choices {
		choice, _ := c.(map[string]any)
		next := text(choice["NextStep"])
		if next == "" {
			return "", fmt.Errorf("choice %d has no NextStep", i+1)
		}
		holds, err := condition(choice)
		if err != nil {
			return "", fmt.Errorf("choice %d: %w", i+1, err)
		}
		if holds {
			return next, nil
		}
	}
	return text(in["Default"]), nil
}

func condition(c map[string]any) (bool, error) {
	if all, ok := c["And"].([]any); ok {
		return every(all, true)
	}
	if any, ok := c["Or"].([]any); ok {
		none, err := every(any, false)
		return !none, err
	}
	if not, ok := c["Not"].(map[string]any); ok {
		holds, err := condition(not)
		return !holds, err
	}
	for operator, operand := range c {
		if operator == "NextStep" || operator == "Variable" {
			continue
		}
		return compare(operator, c["Variable"], operand)
	}
	return false, errors.New("it has no operator")
}

// every reports whether all conditions are as wanted.
func every(list []any, want bool) (bool, error) {
	for _, c := range list {
		m, ok := c.(map[string]any)
		if !ok {
			return false, errors.New("the operators And and Or take lists of conditions")
		}
		holds, err := condition(m)
		if err != nil || holds != want {
			return false, err
		}
	}
	return true, nil
}

func compare(operator string, variable, operand any) (bool, error) {
	a, b := text(variable), text(operand)
	switch operator {
	case "StringEquals":
		return a == b, nil
	case "EqualsIgnoreCase":
		return strings.EqualFold(a, b), nil
	case "StartsWith":
		return strings.HasPrefix(a, b), nil
	case "EndsWith":
		return strings.HasSuffix(a, b), nil
	case "Contains":
		return strings.Contains(a, b), nil
	case "BooleanEquals":
		return strings.EqualFold(a, b), nil
	}
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	switch operator {
	case "NumericEquals", "NumericGreater", "NumericLesser", "NumericGreaterOrEquals", "NumericLesserOrEquals":
		if errX != nil || errY != nil {
			return false, fmt.Errorf("%s compares numbers, and not %q with %q", operator, a, b)
		}
	}
	switch operator {
	case "NumericEquals":
		return x == y, nil
	case "NumericGreater":
		return x > y, nil
	case "NumericLesser":
		return x < y, nil
	case "NumericGreaterOrEquals":
		return x >= y, nil
	case "NumericLesserOrEquals":
		return x <= y, nil
	}
	return false, fmt.Errorf("the operator %q is not known", operator)
}
