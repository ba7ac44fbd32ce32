package rule_test

import (
	"strings"
	"testing"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/rule"
	"plumb/internal/store"
)

func TestEventOfAnOccasionIsWhatTheFunctionWouldGet(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		c := newCourt(t, d)
		c.record("a", "off", nil)
		r := c.put(lambdaRule("f", config.MessageChange))
		told := func(o rule.Occasion) received {
			t.Helper()
			o.Rule = r.Name
			event, function, err := c.engine.Event(t.Context(), place, o)
			if err != nil {
				t.Fatal(err)
			}
			return receive(t, rule.Invocation{FunctionARN: function, Payload: event})
		}
		item := config.Item{ResourceKey: config.ResourceKey{Place: place, Type: bucket, ID: "b"}, Status: config.StatusOK, CaptureTime: c.clock.Now()}
		gone := item
		gone.Status = config.StatusDeleted
		recorded := config.Item{ResourceKey: config.ResourceKey{Place: place, Type: bucket, ID: "a"}}
		for name, want := range map[string]struct {
			rule.Occasion
			received
		}{
			"a change":      {rule.Occasion{Item: &item}, received{Message: config.MessageChange, ID: "b", Diff: true}},
			"what is there": {rule.Occasion{Item: &recorded}, received{Message: config.MessageChange, ID: "a"}},
			"a deletion":    {rule.Occasion{Item: &gone}, received{Message: config.MessageChange, ID: "b", Diff: true, LeftScope: true}},
			"out of scope":  {rule.Occasion{Item: &item, LeftScope: true}, received{Message: config.MessageChange, ID: "b", Diff: true, LeftScope: true}},
			"oversized":     {rule.Occasion{Item: &item, Oversized: true}, received{Message: config.MessageOversized, ID: "b"}},
			"a schedule":    {rule.Occasion{}, received{Message: config.MessageScheduled}},
		} {
			got := told(want.Occasion)
			want.Function, want.Token = r.Source.Identifier, got.Token
			if got != want.received {
				t.Errorf("%s: received %+v, want %+v", name, got, want.received)
			}
		}
		reported := []config.Evaluation{{ResourceType: bucket, ResourceID: "b", Compliance: config.Compliant, Ordering: c.clock.Now()}}
		if err := c.engine.Report(t.Context(), place, told(rule.Occasion{Item: &item}).Token, reported); err != nil {
			t.Fatal(err)
		}
		c.expect(r, "b COMPLIANT")
	})
}

func TestEventIsRefusedWhereNoFunctionGetsOne(t *testing.T) {
	c := newCourt(t, dbtest.Open(t))
	m, f := c.put(managedRule("m")), c.put(lambdaRule("f", config.MessageChange))
	nowhere := config.Item{ResourceKey: config.ResourceKey{Place: place, Type: bucket, ID: "nowhere"}}
	for name, want := range map[string]struct{ rule, says string }{
		"a rule without a function": {m.Name, "evaluated in this program"}, "no such rule": {"other", "is invalid"}, "nothing recorded": {f.Name, "not found"},
	} {
		_, _, err := c.engine.Event(t.Context(), place, rule.Occasion{Rule: want.rule, Item: &nowhere})
		if err == nil || !strings.Contains(err.Error(), want.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestForgottenResourcesLeaveNothingAndNoCounts(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		c := newCourt(t, d)
		r := c.put(managedRule("m"))
		for _, id := range []string{"a", "b", "c"} {
			c.record(id, "off", nil)
			c.record(id, "on", nil)
		}
		c.expect(r, "a COMPLIANT", "b COMPLIANT", "c COMPLIANT")
		for _, want := range []int{2, 1, 0} {
			c.write(func(tx *db.Tx) error {
				n, err := store.ForgetResources(t.Context(), tx, place, 2)
				if n != want {
					t.Errorf("%d resources were forgotten, want %d", n, want)
				}
				return err
			})
		}
		c.expect(r)
		c.write(func(tx *db.Tx) error {
			wrong, err := store.Recount(t.Context(), tx)
			if len(wrong) > 0 {
				t.Errorf("counts are wrong: %v", wrong)
			}
			return err
		})
		c.clock.Advance(time.Hour)
		c.record("a", "off", nil)
		c.expect(r, "a NON_COMPLIANT")
	})
}
