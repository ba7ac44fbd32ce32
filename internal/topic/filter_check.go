package topic

import (
	"encoding/json"
	"net/netip"
	"strings"
)

// checkFilter checks the filter policy among attributes.
func checkFilter(attributes map[string]string) error {
	f, err := filterOf(attributes)
	if err != nil || f.policy == nil {
		return err
	}
	if len(attributes["FilterPolicy"]) > maxPolicy {
		return invalid("FilterPolicy: Policy is too large")
	}
	if err := checkPolicy(f.policy, f.body, 0); err != nil {
		return err
	}
	keys, combinations := complexity(f.policy, 1)
	switch {
	case keys > maxKeys:
		return invalid("FilterPolicy: Filter policy can not have more than %d keys", maxKeys)
	case combinations > maxCombinations:
		return invalid("FilterPolicy: Filter policy is too complex")
	}
	return nil
}

// SNS's limits of a filter policy. They bound what a message costs.
const (
	maxPolicy       = 256 << 10 // bytes
	maxKeys         = 5         // with values
	maxCombinations = 150
)

// complexity counts the keys of a policy that have values, and multiplies the
// numbers of their values, each with the level that it is nested at. The
// alternatives of an $or are added up.
func complexity(policy map[string]any, level int) (keys, combinations int) {
	combinations = 1
	for key, want := range policy {
		n := 0
		switch want := want.(type) {
		case map[string]any:
			var inner int
			inner, n = complexity(want, level+1)
			keys += inner
		case []any:
			if key != "$or" {
				keys++
				n = values(want) * level
				break
			}
			for _, alternative := range want {
				if p, ok := alternative.(map[string]any); ok {
					inner, c := complexity(p, level)
					keys, n = keys+inner, n+c
				}
			}
		}
		combinations = min(combinations*max(n, 1), maxCombinations+1)
	}
	return keys, combinations
}

// values counts what a list of conditions compares with; of anything-but, every
// text or pattern.
func values(conditions []any) (n int) {
	for _, c := range conditions {
		m, _ := c.(map[string]any)
		switch but := m["anything-but"].(type) {
		case []any:
			n += len(but)
		case map[string]any:
			for _, patterns := range but {
				list, ok := patterns.([]any)
				if !ok {
					list = []any{patterns}
				}
				n += len(list)
			}
		default:
			n++
		}
	}
	return n
}

func checkPolicy(policy map[string]any, nested bool, depth int) error {
	if depth > 10 {
		return invalid("FilterPolicy: nested too deeply")
	}
	for key, want := range policy {
		switch want := want.(type) {
		case []any:
			if err := checkConditions(key, want, nested, depth); err != nil {
				return err
			}
		case map[string]any:
			if !nested {
				return invalid("Filter policy scope MessageAttributes does not support nested filter policy")
			}
			if err := checkPolicy(want, nested, depth+1); err != nil {
				return err
			}
		default:
			return invalid(`FilterPolicy: "%s" must be an object or an array`, key)
		}
	}
	return nil
}

func checkConditions(key string, list []any, nested bool, depth int) error {
	if len(list) == 0 {
		return invalid("FilterPolicy: Empty arrays are not allowed")
	}
	for _, c := range list {
		m, ok := c.(map[string]any)
		if _, isList := c.([]any); isList {
			return invalid("FilterPolicy: Match value must be String, number, true, false, or null")
		}
		if !ok {
			continue
		}
		if key == "$or" {
			if err := checkPolicy(m, nested, depth+1); err != nil {
				return err
			}
			continue
		}
		if len(m) != 1 {
			return invalid("FilterPolicy: Only one key allowed in match expression")
		}
		for operator, arg := range m {
			if err := checkOperator(operator, arg); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkOperator(operator string, arg any) error {
	ok := true
	switch operator {
	case "prefix", "suffix", "equals-ignore-case", "wildcard":
		_, ok = arg.(string)
	case "cidr":
		text, _ := arg.(string)
		_, err := netip.ParsePrefix(text)
		ok = err == nil
	case "exists":
		_, ok = arg.(bool)
	case "numeric":
		list, _ := arg.([]any)
		ok = len(list) == 2 || len(list) == 4
		for i := 0; ok && i < len(list); i += 2 {
			sign, _ := list[i].(string)
			_, isNumber := number(list[i+1])
			ok = isNumber && strings.Contains(" = < <= > >= ", " "+sign+" ")
		}
	case "anything-but":
		ok = arg != nil
	default:
		return invalid("FilterPolicy: Unrecognized match type %s", operator)
	}
	if !ok {
		b, _ := json.Marshal(arg) // decoded JSON
		return invalid("FilterPolicy: Value of %s is not valid: %s", operator, b)
	}
	return nil
}
