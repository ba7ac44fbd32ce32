package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// A Document is a policy.
type Document struct {
	Version    string
	ID         string
	Statements []Statement
}

// An Effect is what a statement does.
type Effect string

// The effects.
const (
	Allow Effect = "Allow"
	Deny  Effect = "Deny"
)

// An EffectError is an effect that is neither Allow nor Deny.
type EffectError string

func (e EffectError) Error() string {
	return fmt.Sprintf("the effect is %q, not Allow or Deny", string(e))
}

// A Statement is one statement of a policy. An element that is not there is nil.
type Statement struct {
	Sid           string
	Effect        Effect
	Principals    []Principal
	NotPrincipals []Principal
	Actions       []string
	NotActions    []string
	Resources     []string
	NotResources  []string
	Conditions    []Condition
}

// A Principal is somebody whom a statement names. Type is AWS, Service, Federated
// or CanonicalUser; "*" alone is {AWS, *}.
type Principal struct{ Type, ID string }

// Everyone reports whether it is the wildcard that stands for all principals.
func (p Principal) Everyone() bool { return p.ID == "*" }

// A Condition compares one key of the request's context.
type Condition struct {
	Operator string // as it was written, for example ForAnyValue:StringLikeIfExists
	Key      string // in lower case
	Values   []string
}

// Parse reads a policy: JSON text, percent-encoded JSON text as IAM answers it,
// decoded JSON, or a list of one of these. Null and empty text are a policy
// without statements.
func Parse(v any) (Document, error) {
	decoded, err := decode(v)
	if err != nil {
		return Document{}, fmt.Errorf("read the policy: %w", err)
	}
	if list, ok := decoded.([]any); ok && len(list) == 1 {
		if decoded, err = decode(list[0]); err != nil {
			return Document{}, fmt.Errorf("read the policy: %w", err)
		}
	}
	if decoded == nil {
		return Document{}, nil
	}
	object, ok := decoded.(map[string]any)
	if !ok {
		return Document{}, fmt.Errorf("read the policy: it is %s, not an object", kindOf(decoded))
	}
	d := Document{Version: scalar(object["Version"]), ID: scalar(object["Id"])}
	for i, raw := range list(object["Statement"]) {
		s, err := parseStatement(raw)
		if err != nil {
			return Document{}, fmt.Errorf("read the policy: statement %d: %w", i+1, err)
		}
		d.Statements = append(d.Statements, s)
	}
	return d, nil
}

// decode reads JSON that stands in text, also percent-encoded or encoded twice.
func decode(v any) (any, error) {
	for range 3 {
		s, ok := v.(string)
		if !ok {
			return v, nil
		}
		if s = strings.TrimSpace(s); s == "" {
			return nil, nil
		}
		if strings.HasPrefix(s, "%") {
			plain, err := url.PathUnescape(s)
			if err != nil {
				return nil, fmt.Errorf("the percent-encoding is broken: %w", err)
			}
			s = plain
		}
		var decoded any
		if err := json.Unmarshal([]byte(s), &decoded); err != nil {
			return nil, fmt.Errorf("it is not JSON: %w", err)
		}
		v = decoded
	}
	return v, nil
}

func parseStatement(raw any) (Statement, error) {
	m, ok := raw.(map[string]any)
	if !ok {
		return Statement{}, fmt.Errorf("it is %s, not an object", kindOf(raw))
	}
	s := Statement{
		Sid: scalar(m["Sid"]), Effect: Effect(scalar(m["Effect"])),
		Actions: scalars(m["Action"]), NotActions: scalars(m["NotAction"]),
		Resources: scalars(m["Resource"]), NotResources: scalars(m["NotResource"]),
		Principals: parsePrincipals(m["Principal"]), NotPrincipals: parsePrincipals(m["NotPrincipal"]),
	}
	if s.Effect != Allow && s.Effect != Deny {
		return s, EffectError(s.Effect)
	}
	var err error
	s.Conditions, err = parseConditions(m["Condition"])
	return s, err
}

// parsePrincipals reads "*", {"AWS": "*"} and {"Service": ["a", "b"]}.
func parsePrincipals(v any) []Principal {
	var out []Principal
	switch v := v.(type) {
	case nil:
		return nil
	case map[string]any:
		for _, kind := range keys(v) {
			for _, id := range scalars(v[kind]) {
				out = append(out, Principal{kind, id})
			}
		}
	default:
		for _, id := range scalars(v) {
			out = append(out, Principal{"AWS", id})
		}
	}
	return out
}

var errConditions = errors.New("Condition is not an object of operators, each an object of keys")

func parseConditions(v any) ([]Condition, error) {
	if v == nil {
		return nil, nil
	}
	operators, ok := v.(map[string]any)
	if !ok {
		return nil, errConditions
	}
	var out []Condition
	for _, operator := range keys(operators) {
		compared, ok := operators[operator].(map[string]any)
		if !ok {
			return nil, errConditions
		}
		for _, key := range keys(compared) {
			out = append(out, Condition{operator, strings.ToLower(key), scalars(compared[key])})
		}
	}
	return out, nil
}

func keys(m map[string]any) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// list returns a list as it is, nothing for null, and anything else as a list of
// one: AWS lets a single element stand alone.
func list(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	}
	return []any{v}
}

// scalars returns the texts of a list or of a single value; nil for null.
func scalars(v any) []string {
	if v == nil {
		return nil
	}
	if texts, ok := v.([]string); ok {
		return texts
	}
	elements := list(v)
	out := make([]string, len(elements))
	for i, e := range elements {
		out[i] = scalar(e)
	}
	return out
}

func scalar(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return fmt.Sprint(v)
}

func kindOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case []any:
		return "a list"
	case string:
		return "text"
	case bool:
		return "true or false"
	}
	return "a number"
}
