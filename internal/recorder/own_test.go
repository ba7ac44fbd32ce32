package recorder_test

import (
	"testing"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/store"
)

func TestResourceWithTwoNewVerdictsGetsOneComplianceItem(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		w.start()
		key := config.ResourceKey{Place: place, Type: instance, ID: "i-1"}
		w.write(func(tx *db.Tx) error {
			for _, name := range []string{"one", "two"} {
				r := config.Rule{Place: place, Name: name, ID: "config-rule-" + name, ARN: "arn:" + name, State: config.RuleActive}
				if err := store.PutRule(t.Context(), tx, r); err != nil {
					return err
				}
				v := config.Verdict{Rule: name, Recorded: w.clock.Now(), Invoked: w.clock.Now(), Evaluation: config.Evaluation{
					ResourceType: key.Type, ResourceID: key.ID, Compliance: config.Compliant, Ordering: w.clock.Now(),
				}}
				if err := store.PutVerdicts(t.Context(), tx, place, []store.NewVerdict{{RuleID: r.ID, Verdict: v}}); err != nil {
					return err
				}
			}
			return w.recorder.RecordCompliance(t.Context(), tx, place, []config.ResourceKey{key, key})
		})
		own := config.ResourceKey{Place: place, Type: config.TypeResourceCompliance, ID: instance + "/i-1"}
		w.write(func(tx *db.Tx) error {
			it, err := store.CurrentItem(t.Context(), tx, own)
			if err != nil {
				return err
			}
			if n := len(it.Configuration.(map[string]any)["configRuleList"].([]any)); n != 2 {
				t.Errorf("the item lists %d rules", n)
			}
			return nil
		})
	})
}
