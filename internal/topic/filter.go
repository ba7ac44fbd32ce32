package topic

import (
	"net/netip"
	"strconv"
	"strings"

	"plumb/internal/config"
	"plumb/internal/model/snsapi"
)

// What a filter policy is compared with.
const (
	scopeAttributes = "MessageAttributes"
	scopeBody       = "MessageBody"
)

// A filter decides which messages a subscription gets. The zero filter lets all
// through.
type filter struct {
	policy map[string]any
	body   bool
}

// filterOf reads the filter of a subscription, which was checked when it was
// set.
func filterOf(attributes map[string]string) (filter, error) {
	text := attributes["FilterPolicy"]
	if text == "" {
		return filter{}, nil
	}
	v, err := config.Decode([]byte(text))
	policy, ok := v.(map[string]any)
	if err != nil || !ok {
		return filter{}, invalid("FilterPolicy: failed to parse JSON.")
	}
	return filter{policy, attributes["FilterPolicyScope"] == scopeBody}, nil
}

func (f filter) matches(m message) bool {
	if f.policy == nil {
		return true
	}
	if !f.body {
		return matchObject(f.policy, attributeValues(m.Attributes))
	}
	v, err := config.Decode([]byte(m.Body))
	doc, ok := v.(map[string]any)
	return err == nil && ok && matchObject(f.policy, doc)
}

// attributeValues are message attributes as values to compare; binary ones have
// none.
func attributeValues(a map[string]snsapi.MessageAttributeValue) map[string]any {
	out := map[string]any{}
	for name, v := range a {
		text := deref(v.StringValue)
		switch base, _, _ := strings.Cut(deref(v.DataType), "."); {
		case deref(v.DataType) == "String.Array":
			if list, err := config.Decode([]byte(text)); err == nil {
				out[name] = list
			}
		case base == "Number":
			if n, err := strconv.ParseFloat(text, 64); err == nil {
				out[name] = n
			}
		case base == "String":
			out[name] = text
		}
	}
	return out
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// matchObject wants every key of the policy to match; $or wants one of its
// alternatives.
func matchObject(policy, doc map[string]any) bool {
	for key, want := range policy {
		if key == "$or" {
			if list, ok := want.([]any); ok && !matchAny(list, doc) {
				return false
			} else if ok {
				continue
			}
		}
		got, present := doc[key]
		if !matchKey(want, got, present) {
			return false
		}
	}
	return true
}

func matchAny(alternatives []any, doc map[string]any) bool {
	for _, a := range alternatives {
		if p, ok := a.(map[string]any); ok && matchObject(p, doc) {
			return true
		}
	}
	return false
}

func matchKey(want, got any, present bool) bool {
	if nested, ok := want.(map[string]any); ok {
		return matchNested(nested, got)
	}
	conditions, _ := want.([]any)
	values := []any{got}
	if list, ok := got.([]any); ok {
		values = list
	}
	for _, c := range conditions {
		if m, ok := c.(map[string]any); ok {
			if exists, ok := m["exists"].(bool); ok {
				if exists == present {
					return true
				}
				continue
			}
		}
		for _, v := range values {
			if present && matchValue(c, v) {
				return true
			}
		}
	}
	return false
}

func matchNested(policy map[string]any, got any) bool {
	switch got := got.(type) {
	case map[string]any:
		return matchObject(policy, got)
	case []any:
		for _, e := range got {
			if matchNested(policy, e) {
				return true
			}
		}
		return false
	}
	return matchObject(policy, map[string]any{}) // {"a": {"b": [{"exists": false}]}}
}

func matchValue(condition, v any) bool {
	m, ok := condition.(map[string]any)
	if !ok {
		return equal(condition, v)
	}
	for operator, arg := range m {
		return matchOperator(operator, arg, v)
	}
	return false
}

func matchOperator(operator string, arg, v any) bool {
	text, isText := v.(string)
	want, _ := arg.(string)
	switch operator {
	case "prefix":
		return isText && strings.HasPrefix(text, want)
	case "suffix":
		return isText && strings.HasSuffix(text, want)
	case "equals-ignore-case":
		return isText && strings.EqualFold(text, want)
	case "wildcard":
		return isText && wildcard(want, text)
	case "cidr":
		return isText && inCIDR(want, text)
	case "numeric":
		n, ok := number(v)
		list, _ := arg.([]any)
		return ok && inRange(list, n)
	case "anything-but":
		return !matchExcept(arg, v)
	}
	return false
}

// matchExcept reports whether v is one of those that anything-but excludes.
func matchExcept(arg, v any) bool {
	switch arg := arg.(type) {
	case []any:
		for _, a := range arg {
			if matchValue(a, v) {
				return true
			}
		}
		return false
	case map[string]any:
		for operator, a := range arg {
			list, ok := a.([]any)
			if !ok {
				list = []any{a}
			}
			for _, one := range list {
				if matchOperator(operator, one, v) {
					return true
				}
			}
		}
		return false
	}
	return equal(arg, v)
}

func equal(a, b any) bool {
	if x, ok := number(a); ok {
		y, ok := number(b)
		return ok && x == y
	}
	switch a.(type) {
	case string, bool, nil:
		return a == b
	}
	return false
}

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

// inRange reads ["=", 5] and [">", 0, "<=", 10].
func inRange(list []any, n float64) bool {
	for i := 0; i+1 < len(list); i += 2 {
		limit, ok := number(list[i+1])
		if !ok {
			return false
		}
		switch list[i] {
		case "=":
			ok = n == limit
		case "<":
			ok = n < limit
		case "<=":
			ok = n <= limit
		case ">":
			ok = n > limit
		case ">=":
			ok = n >= limit
		default:
			ok = false
		}
		if !ok {
			return false
		}
	}
	return len(list) > 0
}

func inCIDR(cidr, addr string) bool {
	p, err := netip.ParsePrefix(cidr)
	a, errA := netip.ParseAddr(addr)
	return err == nil && errA == nil && p.Contains(a)
}

// wildcard matches * against any text. Each part between two stars is looked for
// after the one before, so that the time is that of reading the text once.
func wildcard(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == text
	}
	text, begins := strings.CutPrefix(text, parts[0])
	if !begins {
		return false
	}
	last := len(parts) - 1
	for _, part := range parts[1:last] {
		i := strings.Index(text, part)
		if i < 0 {
			return false
		}
		text = text[i+len(part):]
	}
	return strings.HasSuffix(text, parts[last])
}
