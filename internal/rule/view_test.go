package rule_test

import (
	"strings"
	"testing"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/rule"
	"plumb/internal/rule/view"
	"plumb/internal/store"
)

// lookingForBuckets says that what it evaluates complies when there is a bucket.
type lookingForBuckets struct{}

func (lookingForBuckets) Evaluate(_ config.Item, v view.View) (config.Compliance, string, error) {
	all, err := v.All(bucket)
	switch {
	case err != nil:
		return config.InsufficientData, "", err
	case len(all) == 0:
		return config.NonCompliant, "no bucket", nil
	}
	return config.Compliant, "", nil
}

func TestARuleOnTheAccountLooksThroughWhatIsRecorded(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		c := newCourt(t, d)
		c.compiled = rule.Compiled{Evaluator: lookingForBuckets{}, Types: []string{config.TypeAccount}, Finds: []string{bucket}, Initially: true}
		r := c.put(managedRule("looks-around"))
		c.expect(r) // nobody has read the type: there may be some
		if st := c.status(r); st.LastErrorCode != "EvaluationFailed" {
			t.Errorf("status is %+v", st)
		}
		c.write(func(tx *db.Tx) error {
			return store.PutReading(t.Context(), tx, place, store.Reading{Type: bucket, Failing: c.clock.Now(), Code: "AccessDenied", Message: "no rights"})
		})
		c.write(func(tx *db.Tx) error { return c.engine.Evaluate(t.Context(), tx, place, []string{r.Name}) })
		c.drain()
		if st := c.status(r); !strings.Contains(st.LastErrorMessage, "cannot be read") || !strings.Contains(st.LastErrorMessage, "no rights") {
			t.Errorf("status is %+v", st)
		}
		c.write(func(tx *db.Tx) error {
			if err := store.PutReading(t.Context(), tx, place, store.Reading{Type: bucket, Completed: c.clock.Now()}); err != nil {
				return err
			}
			return c.engine.OnTypeRead(t.Context(), tx, config.TypeRead{Place: place, Type: bucket})
		})
		c.drain()
		c.expect(r, place.Account+" NON_COMPLIANT")
		c.record("b", "on", nil)
		c.clock.Advance(time.Hour)
		c.write(func(tx *db.Tx) error { return c.engine.Evaluate(t.Context(), tx, place, []string{r.Name}) })
		c.drain()
		c.expect(r, place.Account+" COMPLIANT")
	})
}
