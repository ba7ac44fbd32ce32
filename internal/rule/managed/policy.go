package managed

import (
	"fmt"
	"slices"
	"strings"
)

// statements reads an IAM or resource policy (JSON text, percent-encoded text or
// an object) into its statements, in one form however they were written:
//
//	effect                       "Allow" or "Deny"
//	sid                          text
//	principals                   [{type: "AWS", id: "*"}]
//	anyone                       a principal is *, or NotPrincipal is used
//	actions, notActions          lists of text
//	resources, notResources      lists of text
//	conditions                   [{operator: "StringEquals", key: "aws:sourcearn", values: [...]}]
//
// Null, and text without a policy, have no statements. Text that cannot be read
// is an error: what nobody understood has no verdict.
func statements(v any) (any, error) {
	decoded, err := decodeText(v)
	if err != nil {
		return nil, fmt.Errorf("read the policy: %w", err)
	}
	list := []any{}
	if decoded == nil {
		return list, nil
	}
	document, ok := decoded.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("read the policy: it is %T, not an object", decoded)
	}
	raw, err := asList(document["Statement"])
	if err != nil {
		return nil, err
	}
	for _, s := range raw.([]any) {
		statement, ok := s.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("read the policy: a statement is %T, not an object", s)
		}
		list = append(list, normalStatement(statement))
	}
	return list, nil
}

func normalStatement(s map[string]any) map[string]any {
	principals := principals(s["Principal"])
	_, excluded := s["NotPrincipal"]
	return map[string]any{
		"effect": text(s["Effect"]), "sid": text(s["Sid"]),
		"principals": principals,
		"anyone":     excluded || slices.ContainsFunc(principals, isAnyone),
		"actions":    anys(s["Action"]), "notActions": anys(s["NotAction"]),
		"resources": anys(s["Resource"]), "notResources": anys(s["NotResource"]),
		"conditions": conditions(s["Condition"]),
	}
}

// principals reads "*", {"AWS": "*"} and {"Service": ["a", "b"]}. An empty text
// is a wildcard to Lambda, so it counts as one.
func principals(v any) []any {
	list := []any{}
	add := func(kind string, ids any) {
		for _, id := range texts(ids) {
			list = append(list, map[string]any{"type": kind, "id": id})
		}
	}
	switch v := v.(type) {
	case string:
		add("AWS", v)
	case map[string]any:
		for _, kind := range sortedKeys(v) {
			add(kind, v[kind])
		}
	}
	return list
}

func isAnyone(p any) bool {
	id := p.(map[string]any)["id"]
	return id == "*" || id == ""
}

func conditions(v any) []any {
	list := []any{}
	operators, _ := v.(map[string]any)
	for _, operator := range sortedKeys(operators) {
		keys, _ := operators[operator].(map[string]any)
		for _, key := range sortedKeys(keys) {
			list = append(list, map[string]any{
				"operator": operator, "key": strings.ToLower(key), "values": anys(keys[key]),
			})
		}
	}
	return list
}

// allows reports whether an Allow statement grants some action that one of the
// patterns names. Conditions and resources are not looked at.
func allows(statement any, patterns []string) bool {
	s, _ := statement.(map[string]any)
	if text(s["effect"]) != "Allow" {
		return false
	}
	for _, p := range patterns {
		if slices.ContainsFunc(texts(s["actions"]), func(a string) bool { return overlap(a, p) }) {
			return true
		}
		// NotAction grants everything that it does not name: p is granted unless
		// all of it is named.
		not := texts(s["notActions"])
		if len(not) > 0 && !globAny(p, not) {
			return true
		}
	}
	return false
}

func anys(v any) []any {
	list := []any{}
	for _, s := range texts(v) {
		list = append(list, s)
	}
	return list
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
