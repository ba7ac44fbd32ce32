package ruletest

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"plumb/internal/config"
	"plumb/internal/rulebench"
)

// A Call is made before a test, so that a function which asks another service than
// AWS Config finds something there.
type Call struct {
	Line               int
	Service, Operation string
	Input              map[string]any
	As                 string // the name of the answer, for ${NAME.MEMBER}
}

var callKeys = []string{"call", "input", "as"}

// setup reads the calls of a test.
func (r *reader) setup(node *yaml.Node) (all []Call) {
	if node == nil {
		return nil
	}
	if node.Kind != yaml.SequenceNode {
		r.fail(node.Line, "setup is a list of calls, each with call: SERVICE OPERATION and input")
		return nil
	}
	for _, n := range node.Content {
		keys := r.mapping(n, callKeys)
		c := Call{Line: n.Line, As: text(keys["as"])}
		words := strings.Fields(text(keys["call"]))
		if len(words) != 2 {
			r.fail(n.Line, "a call of setup is SERVICE OPERATION, such as iam CreateUser")
			continue
		}
		c.Service, c.Operation = words[0], words[1]
		r.decode(keys["input"], &c.Input)
		all = append(all, c)
	}
	return all
}

// reference is a member of the answer to an earlier call.
var reference = regexp.MustCompile(`\$\{(\w+(?:\.\w+)*)\}`)

// SetUp makes the calls of a test, and puts what they answered into what the test
// expects.
func (t *Test) SetUp(ctx context.Context, b *rulebench.Bench) error {
	answers := map[string]any{}
	for _, c := range t.Setup {
		input, _ := filled(c.Input, answers).(map[string]any)
		out, err := b.Call(ctx, c.Service, c.Operation, input)
		if err != nil {
			return fmt.Errorf("setup in line %d: %w", c.Line, err)
		}
		if c.As != "" {
			answers[c.As] = out
		}
	}
	if len(t.Setup) == 0 || t.Verdicts == nil {
		return nil
	}
	verdicts := map[string]config.Compliance{}
	for k, v := range maps.All(t.Verdicts) {
		name, _ := filled(k, answers).(string)
		verdicts[name] = v
	}
	t.Verdicts = verdicts
	return nil
}

// filled has values in the place of references.
func filled(v any, answers map[string]any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, inner := range v {
			out[k] = filled(inner, answers)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, inner := range v {
			out[i] = filled(inner, answers)
		}
		return out
	case string:
		return reference.ReplaceAllStringFunc(v, func(s string) string {
			var at any = answers
			for _, member := range strings.Split(s[2:len(s)-1], ".") {
				m, _ := at.(map[string]any)
				at = m[member]
			}
			if at == nil {
				return s
			}
			return fmt.Sprint(at)
		})
	}
	return v
}
