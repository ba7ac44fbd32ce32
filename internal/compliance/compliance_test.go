package compliance_test

import (
	"context"
	"testing"
	"time"

	"plumb/internal/compliance"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/store"
)

var (
	place = config.Place{Account: "123456789012", Region: "eu-west-1"}
	rule  = config.Rule{Place: place, Name: "r", ID: "config-rule-abc123", State: config.RuleActive}
	noon  = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
)

// desk is a ledger with a clock that stands and a list of what was published.
type desk struct {
	t       *testing.T
	db      *db.DB
	ledger  *compliance.Ledger
	changes []config.VerdictChange
}

func newDesk(t *testing.T, d *db.DB) *desk {
	k := &desk{t: t, db: d}
	k.ledger = compliance.New(func(_ context.Context, _ *db.Tx, e any) error {
		if c, ok := e.(config.ComplianceChanged); ok {
			k.changes = append(k.changes, c.Changes...)
		}
		return nil
	}, func() time.Time { return noon })
	k.write(func(tx *db.Tx) error { return store.PutRule(t.Context(), tx, rule) })
	return k
}

func (k *desk) write(f func(*db.Tx) error) {
	k.t.Helper()
	if err := k.db.Write(k.t.Context(), f); err != nil {
		k.t.Fatal(err)
	}
}

func (k *desk) say(c config.Compliance, annotation string, at time.Time) {
	k.t.Helper()
	k.write(func(tx *db.Tx) error {
		return k.ledger.Accept(k.t.Context(), tx, place, config.Batch{Rule: rule, Invoked: noon, Evaluations: []config.Evaluation{
			{ResourceType: "AWS::S3::Bucket", ResourceID: "b", Compliance: c, Annotation: annotation, Ordering: at},
		}})
	})
}

func (k *desk) kept() []config.Verdict {
	k.t.Helper()
	var out []config.Verdict
	k.write(func(tx *db.Tx) (err error) {
		out, err = store.VerdictsByRule(k.t.Context(), tx, rule, store.VerdictPage{Limit: 10})
		return err
	})
	return out
}

func TestOlderEvaluationNeverReplacesANewerVerdict(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		k := newDesk(t, d)
		k.say(config.NonCompliant, "now", noon.Add(-time.Minute))
		k.say(config.Compliant, "before", noon.Add(-time.Hour))
		if v := k.kept(); len(v) != 1 || v[0].Compliance != config.NonCompliant || v[0].Annotation != "now" {
			t.Fatalf("kept %+v", v)
		}
	})
}

func TestEvaluationOfTheSameSecondReplacesWhateverItsFraction(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		k := newDesk(t, d)
		k.say(config.NonCompliant, "", noon.Add(-time.Minute+700*time.Millisecond))
		k.say(config.Compliant, "", noon.Add(-time.Minute)) // boto3 cut the fraction
		if v := k.kept(); len(v) != 1 || v[0].Compliance != config.Compliant {
			t.Fatalf("kept %+v", v)
		}
	})
}

func TestOlderItemOfTheSameSecondNeverReplacesTheVerdictOnANewerOne(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		k := newDesk(t, d)
		second := noon.Add(-time.Minute)
		// Two versions of a bucket were captured in one second; boto3 cut both times,
		// and the function that was told of the newer one ended first.
		for _, told := range []struct {
			captured time.Time
			says     config.Compliance
		}{{second.Add(700 * time.Millisecond), config.NonCompliant}, {second.Add(100 * time.Millisecond), config.Compliant}} {
			k.write(func(tx *db.Tx) error {
				return k.ledger.Accept(t.Context(), tx, place, config.Batch{Rule: rule, Captured: told.captured, Evaluations: []config.Evaluation{
					{ResourceType: "AWS::S3::Bucket", ResourceID: "b", Compliance: told.says, Ordering: second},
				}})
			})
		}
		if v := k.kept(); len(v) != 1 || v[0].Compliance != config.NonCompliant {
			t.Fatalf("kept %+v", v)
		}
	})
}

func TestFutureOrderingDoesNotBlockWhatComesLater(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		k := newDesk(t, d)
		k.say(config.NonCompliant, "", noon.AddDate(10, 0, 0))
		k.say(config.Compliant, "", noon)
		if v := k.kept(); len(v) != 1 || v[0].Compliance != config.Compliant {
			t.Fatalf("kept %+v", v)
		}
	})
}

func TestNotApplicableTakesTheResultAwayAndOlderOnesDoNotReturn(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		k := newDesk(t, d)
		k.say(config.NonCompliant, "", noon.Add(-time.Hour))
		k.say(config.NotApplicable, "", noon.Add(-time.Minute))
		k.say(config.NonCompliant, "", noon.Add(-30*time.Minute))
		if v := k.kept(); len(v) != 0 {
			t.Fatalf("kept %+v", v)
		}
	})
}

func TestOnlyChangesOfComplianceArePublished(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		k := newDesk(t, d)
		k.say(config.NotApplicable, "", noon)
		k.say(config.NonCompliant, "a", noon)
		k.say(config.NonCompliant, "b", noon)
		k.say(config.Compliant, "", noon)
		k.say(config.NotApplicable, "", noon)
		var got []config.Compliance
		for _, c := range k.changes {
			got = append(got, c.New.Compliance)
		}
		want := []config.Compliance{config.NonCompliant, config.Compliant, config.NotApplicable}
		if len(got) != 3 || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
			t.Fatalf("published %v, want %v", got, want)
		}
		if k.changes[0].Old != nil || k.changes[1].Old == nil || k.changes[1].Old.Annotation != "b" {
			t.Fatalf("old results are %+v and %+v", k.changes[0].Old, k.changes[1].Old)
		}
	})
}
