package rule_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/rule"
	"plumb/internal/rule/view"
	"plumb/internal/store"
)

// watched is an evaluator that counts, and does something first.
type watched struct {
	versioned
	n     *atomic.Int64
	first func()
}

func (w watched) Evaluate(it config.Item, v view.View) (config.Compliance, string, error) {
	w.n.Add(1)
	w.first()
	return w.versioned.Evaluate(it, v)
}

// unlocked fails the test if a write waits for what runs now.
func (c *court) unlocked() {
	ctx, cancel := context.WithTimeout(c.t.Context(), 10*time.Second)
	defer cancel()
	err := c.db.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM rule_set WHERE version < 0`)
		return err
	})
	if err != nil {
		c.t.Errorf("a write waits for an evaluation: %v", err)
	}
}

func TestWritesDoNotWaitForEvaluations(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		c := newCourt(t, d)
		c.record("a", "off", nil)
		var n atomic.Int64
		c.compiled = rule.Compiled{Evaluator: watched{n: &n, first: c.unlocked}, Types: []string{bucket}, OnChange: true, Initially: true}
		r := c.put(managedRule("m"))
		c.record("b", "on", nil)
		c.expect(r, "a NON_COMPLIANT", "b COMPLIANT")
		if n.Load() != 2 {
			t.Errorf("%d evaluations, want one of each bucket", n.Load())
		}
	})
}

// What an evaluation from scratch read may be old when it writes.
func TestEvaluationFromScratchDoesNotBringBackWhatIsGone(t *testing.T) {
	for _, onChange := range []bool{true, false} {
		dbtest.Run(t, func(t *testing.T, d *db.DB) {
			c := newCourt(t, d)
			c.record("a", "off", nil)
			once := false
			c.compiled = rule.Compiled{Types: []string{bucket}, OnChange: onChange, Initially: true, Evaluator: watched{n: new(atomic.Int64), first: func() {
				if !once {
					once = true
					c.recordOnly("a", "gone", nil)
				}
			}}}
			r := c.put(managedRule("m"))
			c.expect(r)
		})
	}
}

func TestRuleThatIsDeletedWhileItEvaluatesLeavesNothing(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		c := newCourt(t, d)
		c.record("a", "off", nil)
		c.compiled = rule.Compiled{Types: []string{bucket}, Initially: true, Evaluator: watched{n: new(atomic.Int64), first: func() {
			c.write(func(tx *db.Tx) error {
				r, err := store.Rule(t.Context(), tx, place, "m")
				if err != nil {
					return err
				}
				return store.DeleteRule(t.Context(), tx, r)
			})
		}}}
		c.expect(c.put(managedRule("m")))
	})
}

// A rule that is put while items are evaluated is not missed.
func TestRuleSetThatChangesWhileItemsAreEvaluatedIsEvaluatedAgain(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		c := newCourt(t, d)
		late := managedRule("late")
		late.Place, late.ID, late.State = place, "config-rule-late", config.RuleActive
		once := false
		c.compiled = rule.Compiled{Types: []string{bucket}, OnChange: true, Evaluator: watched{n: new(atomic.Int64), first: func() {
			if !once {
				once = true
				c.write(func(tx *db.Tx) error { return store.PutRule(t.Context(), tx, late) })
			}
		}}}
		c.put(managedRule("m"))
		c.record("a", "on", nil)
		c.expect(late, "a COMPLIANT")
	})
}

// The chain of pages is one chain, whatever happens between.
func TestEvaluationFromScratchLooksAtEachResourceOnce(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		c := newCourt(t, d)
		const resources = 450 // three pages
		var batch []string
		for i := range resources {
			batch = append(batch, fmt.Sprintf("b%03d", i))
		}
		c.recordAll("on", batch...)
		var n atomic.Int64
		c.compiled = rule.Compiled{Evaluator: watched{n: &n, first: func() {}}, Types: []string{bucket}, OnChange: true, Initially: true}
		r := c.put(managedRule("m"))
		if n.Load() != resources {
			t.Errorf("%d evaluations of %d resources", n.Load(), resources)
		}
		c.write(func(tx *db.Tx) error {
			tally, err := store.TallyRules(t.Context(), tx, []string{r.ID})
			if got := tally[r.ID]; got.Compliant+got.NonCompliant < 100 {
				t.Errorf("tally is %+v", got)
			}
			return err
		})
	})
}

func TestRulesAreCompiledAheadAndOnce(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		c := newCourt(t, d)
		c.put(managedRule("m"))
		c.compilations.Store(0) // by putting and evaluating it
		if err := c.engine.Warm(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.record("a", "off", nil)
		c.record("b", "off", nil)
		if n := c.compilations.Load(); n != 1 {
			t.Fatalf("%d compilations, want one when it was warmed up", n)
		}
	})
}
