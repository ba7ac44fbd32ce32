package compliance_test

import (
	"testing"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/store"
)

// judge has in-process rules say something of the resource at a time.
func (k *desk) judge(at time.Time, says map[string]config.Compliance) {
	k.t.Helper()
	var batches []config.Batch
	for id, c := range says {
		r := rule
		r.ID, r.Name, r.Source.Owner = id, id, config.OwnerAWS
		batches = append(batches, config.Batch{Rule: r, Invoked: at, Terse: true, Evaluations: []config.Evaluation{
			{ResourceType: "AWS::S3::Bucket", ResourceID: "b", Compliance: c, Ordering: at},
		}})
	}
	k.write(func(tx *db.Tx) error { return k.ledger.Accept(k.t.Context(), tx, place, batches...) })
}

func (k *desk) putRules(ids ...string) {
	k.t.Helper()
	for _, id := range ids {
		r := rule
		r.ID, r.Name, r.Source.Owner = id, id, config.OwnerAWS
		k.write(func(tx *db.Tx) error { return store.PutRule(k.t.Context(), tx, r) })
	}
}

// verdicts returns what is kept of the resource, by rule.
func (k *desk) verdicts() map[string]config.Compliance {
	k.t.Helper()
	out := map[string]config.Compliance{}
	k.write(func(tx *db.Tx) error {
		key := config.ResourceKey{Place: place, Type: "AWS::S3::Bucket", ID: "b"}
		all, err := store.ResourceVerdicts(k.t.Context(), tx, place, []config.ResourceKey{key})
		for _, v := range all {
			out[v.Rule] = v.Compliance
		}
		return err
	})
	return out
}

func (k *desk) want(want map[string]config.Compliance) {
	k.t.Helper()
	got := k.verdicts()
	for id, c := range want {
		if got[id] != c {
			k.t.Fatalf("rule %s says %q, want %q; all: %v", id, got[id], c, got)
		}
	}
	if len(got) != len(want) {
		k.t.Fatalf("kept %v, want %v", got, want)
	}
}

type says = map[string]config.Compliance

func TestVerdictsFollowWhatRulesSayWhoeverElseSpeaks(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		k := newDesk(t, d)
		k.putRules("a", "b")
		at := noon.Add(-time.Hour)
		for _, s := range []says{
			{"a": config.Compliant, "b": config.NonCompliant},
			{"a": config.Compliant, "b": config.Compliant},
			{"a": config.NonCompliant, "b": config.Compliant},
		} {
			at = at.Add(time.Minute)
			k.judge(at, s)
			k.want(s)
		}
		k.judge(at.Add(time.Second), says{"b": config.NonCompliant}) // one rule alone, as when it was put
		k.want(says{"a": config.NonCompliant, "b": config.NonCompliant})
		k.judge(at.Add(time.Minute), says{"a": config.NonCompliant, "b": config.Compliant})
		k.want(says{"a": config.NonCompliant, "b": config.Compliant})
	})
}

func TestWhatWasForgottenIsSaidAgain(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		k := newDesk(t, d)
		k.putRules("a", "b")
		both := says{"a": config.Compliant, "b": config.Compliant}
		k.judge(noon.Add(-time.Minute), both)
		k.write(func(tx *db.Tx) error {
			r := rule
			r.ID, r.Name = "a", "a"
			_, err := k.ledger.Forget(t.Context(), tx, r, 10)
			return err
		})
		k.want(says{"b": config.Compliant})
		k.judge(noon, both)
		k.want(both)
	})
}

func TestRuleThatWasAFunctionForAWhileJudgesAnew(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		k := newDesk(t, d)
		k.putRules("a", "b")
		both := says{"a": config.Compliant, "b": config.Compliant}
		k.judge(noon.Add(-time.Hour), both)
		r := rule
		r.ID, r.Name, r.Source.Owner = "a", "a", config.OwnerLambda
		k.write(func(tx *db.Tx) error { return store.PutRule(t.Context(), tx, r) })
		k.write(func(tx *db.Tx) error {
			return k.ledger.Accept(t.Context(), tx, place, config.Batch{Rule: r, Invoked: noon, Evaluations: []config.Evaluation{
				{ResourceType: "AWS::S3::Bucket", ResourceID: "b", Compliance: config.NonCompliant, Ordering: noon.Add(-time.Minute)},
			}})
		})
		k.putRules("a")
		k.want(says{"a": config.NonCompliant, "b": config.Compliant})
		k.judge(noon, both)
		k.want(both)
	})
}

func TestOlderResultOfARuleIsNotKept(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		k := newDesk(t, d)
		k.putRules("a", "b")
		k.judge(noon, says{"a": config.NonCompliant, "b": config.Compliant})
		k.judge(noon.Add(-time.Minute), says{"a": config.Compliant, "b": config.Compliant})
		k.want(says{"a": config.NonCompliant, "b": config.Compliant})
		k.judge(noon.Add(time.Minute), says{"a": config.Compliant, "b": config.Compliant})
		k.want(says{"a": config.Compliant, "b": config.Compliant})
	})
}
