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
//	anyone                       Allow: strangers may be meant; Deny: everybody is meant
//	actions, notActions          lists of text
//	resources, notResources      lists of text
//	conditions                   [{operator: "StringEquals", key: "aws:sourcearn", values: [...]}]
//	guarded                      a Deny statement keeps strangers from what it allows
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
	for _, s := range list {
		s.(map[string]any)["guarded"] = slices.ContainsFunc(list, func(d any) bool { return guards(d, s) })
	}
	return list, nil
}

func normalStatement(s map[string]any) map[string]any {
	effect, principals := text(s["Effect"]), principals(s["Principal"])
	_, excluded := s["NotPrincipal"]
	anyone := slices.ContainsFunc(principals, isAnyone) || excluded
	if effect != "Allow" { // what is said of all but some is not said of everybody
		anyone = slices.ContainsFunc(principals, isEveryone)
	}
	return map[string]any{
		"effect": effect, "sid": text(s["Sid"]), "principals": principals, "anyone": anyone,
		"actions": anys(s["Action"]), "notActions": anys(s["NotAction"]),
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

// isAnyone reports whether a principal is a wildcard, whole or in part: IAM
// refuses the latter, other services may not.
func isAnyone(p any) bool {
	m := p.(map[string]any)
	id := text(m["id"])
	return isEveryone(p) || id == "" || m["type"] == "AWS" && strings.Contains(id, "*")
}

func isEveryone(p any) bool { return p.(map[string]any)["id"] == "*" }

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
