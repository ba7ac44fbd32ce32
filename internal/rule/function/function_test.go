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

func TestATokenHasOneSpelling(t *testing.T) {
	s, err := function.NewSealer(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 { // one of three lengths ends without padding, the others with bits that mean nothing
		token, err := s.Seal(function.Token{RuleID: strings.Repeat("r", i)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Open(token); err != nil {
			t.Error(err)
		}
		end := strings.TrimRight(token, "=")
		last := strings.IndexByte(alphabet, end[len(end)-1])
		for _, other := range []string{token[:4] + "\n" + token[4:], token + "\r\n", end[:len(end)-1] + string(alphabet[last^1]) + token[len(end):]} {
			if _, err := s.Open(other); err == nil {
				t.Errorf("%q is taken for %q", other, token)
			}
		}
	}
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

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
