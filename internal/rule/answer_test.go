package rule_test

import (
	"strings"
	"testing"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/store"
)

// ended tells the engine how the n-th invocation ended.
func (c *court) ended(n int, code string) {
	c.t.Helper()
	c.write(func(tx *db.Tx) error {
		return c.engine.Invoked(c.t.Context(), tx, c.received[n].Origin, code, "KeyError: 'tags'")
	})
}

func (c *court) report(n int, id string) {
	c.t.Helper()
	reported := []config.Evaluation{{ResourceType: bucket, ResourceID: id, Compliance: config.NonCompliant, Ordering: c.clock.Now()}}
	if err := c.engine.Report(c.t.Context(), place, c.received[n].Token, reported); err != nil {
		c.t.Fatal(err)
	}
}

func (c *court) failures(r config.Rule) (n int, one string) {
	c.t.Helper()
	c.write(func(tx *db.Tx) error {
		count, key, err := store.RuleFailures(c.t.Context(), tx, r)
		n, one = count, key.ID
		return err
	})
	return n, one
}

func TestFunctionThatAnswersWithoutAVerdictIsTold(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		c := newCourt(t, d)
		r := c.put(lambdaRule("f", config.MessageChange))
		c.record("a", "off", nil)
		c.record("b", "off", nil)
		c.report(0, "a")
		c.ended(0, "")
		if n, _ := c.failures(r); n != 0 || c.status(r).LastErrorCode != "" {
			t.Fatalf("a verdict was given: %d failures, %+v", n, c.status(r))
		}
		c.report(1, "a") // not what it was asked
		c.ended(1, "")
		st := c.status(r)
		if n, one := c.failures(r); n != 1 || one != "b" || st.LastErrorCode != "NoVerdict" || st.LastFailedEvaluation.IsZero() {
			t.Fatalf("no verdict on b: %d failures, %s, %+v", n, one, st)
		}
		if st.LastSuccessfulInvocation.IsZero() {
			t.Error("the function ran, and the status does not say so")
		}
		c.record("b", "on", nil)
		c.report(2, "b")
		c.ended(2, "")
		if n, _ := c.failures(r); n != 0 || c.status(r).LastErrorCode != "" {
			t.Errorf("b has a verdict: %d failures, %+v", n, c.status(r))
		}
	})
}

func TestFailedFunctionIsLoggedOnceWithItsRuleAndAResource(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		c := newCourt(t, d)
		c.put(lambdaRule("f", config.MessageChange))
		c.record("a", "off", nil)
		c.record("b", "off", nil)
		c.ended(0, "InvocationFailed")
		c.ended(1, "InvocationFailed")
		c.ended(0, "InvocationFailed") // again
		got := c.log.String()
		if strings.Count(got, "\n") != 1 {
			t.Fatalf("the log says\n%s", got)
		}
		for _, want := range []string{
			"level=WARN", `msg="a rule's function failed"`, "account=" + place.Account, "region=" + place.Region, "rule=f", "function=",
			`example="` + bucket + ` a"`, `err="InvocationFailed: KeyError: 'tags'"`,
		} {
			if !strings.Contains(got, want) {
				t.Errorf("%s is missing in\n%s", want, got)
			}
		}
	})
}

func TestAFunctionWithoutVerdictsIsLoggedOnceForAllResources(t *testing.T) {
	c := newCourt(t, dbtest.Open(t))
	c.put(lambdaRule("f", config.MessageChange))
	for i, id := range []string{"a", "b", "c"} {
		c.record(id, "off", nil)
		c.ended(i, "")
	}
	got := c.log.String()
	if strings.Count(got, "without a verdict") != 1 || !strings.Contains(got, `example="`+bucket+` a"`) {
		t.Errorf("the log says\n%s", got)
	}
}

func TestVerdictOfAnEarlierTimeIsNoAnswer(t *testing.T) {
	c := newCourt(t, dbtest.Open(t))
	r := c.put(lambdaRule("f", config.MessageChange))
	c.record("a", "off", nil)
	c.report(0, "a")
	c.ended(0, "")
	c.record("a", "on", nil)
	c.ended(1, "")
	if n, one := c.failures(r); n != 1 || one != "a" {
		t.Errorf("%d failures, %s", n, one)
	}
}

func TestFailuresAreCountedByResource(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		c := newCourt(t, d)
		r := c.put(lambdaRule("f", config.MessageChange))
		for _, id := range []string{"a", "b", "c"} {
			c.record(id, "off", nil)
		}
		for n := range 3 {
			c.ended(n, "InvocationFailed")
			c.clock.Advance(1e9)
			c.ended(n, "InvocationFailed") // the next try
		}
		if n, one := c.failures(r); n != 3 || one != "c" {
			t.Fatalf("%d failures, the last on %s", n, one)
		}
		c.record("c", "gone", nil)
		c.ended(3, "")
		c.report(1, "b")
		c.ended(1, "")
		if n, one := c.failures(r); n != 1 || one != "a" {
			t.Fatalf("%d failures, the last on %s", n, one)
		}
		r.Description = "put again"
		c.put(r)
		if n, _ := c.failures(r); n != 0 {
			t.Errorf("a rule that is put again has %d failures", n)
		}
	})
}
