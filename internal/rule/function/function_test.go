package function_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"plumb/internal/config"
	"plumb/internal/rule/function"
)

func TestOnlyEventsOfItemsHaveAnEvaluationMode(t *testing.T) {
	s, err := function.NewSealer(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	members := func(trigger function.Trigger) string {
		b, err := s.Event(config.Rule{Name: "r"}, trigger)
		if err != nil {
			t.Fatal(err)
		}
		var v map[string]any
		if err := json.Unmarshal(b, &v); err != nil {
			t.Fatal(err)
		}
		if mode, ok := v["evaluationMode"]; ok && mode != "DETECTIVE" {
			t.Errorf("the mode is %v", mode)
		}
		return strings.Join(slices.Sorted(maps.Keys(v)), " ")
	}
	const ten = "accountId configRuleArn configRuleId configRuleName %eventLeftScope executionRoleArn invokingEvent resultToken ruleParameters version"
	now := time.Now()
	if got, want := members(function.Trigger{Now: now}), strings.ReplaceAll(ten, "%", ""); got != want {
		t.Errorf("scheduled: got %s\nwant %s", got, want)
	}
	if got, want := members(function.Trigger{Now: now, Captured: now}), strings.ReplaceAll(ten, "%", "evaluationMode "); got != want {
		t.Errorf("of an item: got %s\nwant %s", got, want)
	}
}
