package rulebench

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"plumb/internal/config"
)

// Find returns the recorded resource that a text names: TYPE/ID, or an id or a name
// that only one resource has.
func (b *Bench) Find(ctx context.Context, text string) (config.ResourceKey, error) {
	if resourceType, id, ok := strings.Cut(text, "/"); ok && strings.Count(resourceType, "::") == 2 {
		return config.ResourceKey{Place: b.Place, Type: resourceType, ID: id}, nil
	}
	quoted := "'" + strings.ReplaceAll(text, "'", "''") + "'"
	out, err := b.client.Call(ctx, "config", "SelectResourceConfig", shape{
		"Expression": "SELECT resourceType, resourceId WHERE resourceId = " + quoted + " OR resourceName = " + quoted, "Limit": 10,
	})
	if err != nil {
		return config.ResourceKey{}, err
	}
	results, _ := out["Results"].([]any)
	var names []string
	key := config.ResourceKey{Place: b.Place}
	for _, r := range results {
		var found struct{ ResourceType, ResourceID string }
		line, _ := r.(string)
		if err := json.Unmarshal([]byte(line), &found); err != nil {
			return key, err
		}
		key.Type, key.ID = found.ResourceType, found.ResourceID
		names = append(names, found.ResourceType+"/"+found.ResourceID)
	}
	switch len(names) {
	case 0:
		return key, fmt.Errorf("no recorded resource has the id or name %s; TYPE/ID names one whatever is recorded", text)
	case 1:
		return key, nil
	}
	return key, fmt.Errorf("several resources have the id or name %s: name one of %s", text, strings.Join(names, ", "))
}

// Drain has a server in development mode run all that is due.
func (b *Bench) Drain(ctx context.Context) error { return b.Control(ctx, "drain", shape{}, nil) }

// A Status is how a rule fares.
type Status struct {
	Rule, Owner, Identifier string
	Parameters, Policy      string
	Error, Message          string // of the last failure; empty if the last evaluation was well
}

// Describe returns how a rule fares.
func (b *Bench) Describe(ctx context.Context, rule string) (Status, error) {
	s := Status{Rule: rule}
	out, err := b.client.Call(ctx, "config", "DescribeConfigRules", shape{"ConfigRuleNames": []any{rule}})
	if err != nil {
		return s, err
	}
	for _, r := range list(out, "ConfigRules") {
		source, _ := r["Source"].(shape)
		s.Owner, _ = source["Owner"].(string)
		s.Identifier, _ = source["SourceIdentifier"].(string)
		s.Parameters, _ = r["InputParameters"].(string)
	}
	if s.Owner == config.OwnerPolicy {
		out, err := b.client.Call(ctx, "config", "GetCustomRulePolicy", shape{"ConfigRuleName": rule})
		if err != nil {
			return s, err
		}
		s.Policy, _ = out["PolicyText"].(string)
	}
	out, err = b.client.Call(ctx, "config", "DescribeConfigRuleEvaluationStatus", shape{"ConfigRuleNames": []any{rule}})
	if err != nil {
		return s, err
	}
	for _, st := range list(out, "ConfigRulesEvaluationStatus") {
		s.Error, _ = st["LastErrorCode"].(string)
		s.Message, _ = st["LastErrorMessage"].(string)
	}
	return s, nil
}

// Evaluate has a rule evaluate all that is recorded.
func (b *Bench) Evaluate(ctx context.Context, rule string) error {
	_, err := b.client.Call(ctx, "config", "StartConfigRulesEvaluation", shape{"ConfigRuleNames": []any{rule}})
	return err
}
