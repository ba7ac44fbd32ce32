package rule_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/rule"
	"plumb/internal/rule/view"
	"plumb/internal/store"
)

// reversed says the opposite of versioned.
type reversed struct{}

func (reversed) Evaluate(it config.Item, v view.View) (config.Compliance, string, error) {
	c, _, err := versioned{}.Evaluate(it, v)
	if c == config.Compliant {
		return config.NonCompliant, "on at " + v.Now().Format("15:04:05"), err
	}
	return config.Compliant, "", err
}

// stopped decides about some items until it is stopped.
type stopped struct {
	left int
	stop func()
}

func (s *stopped) Evaluate(config.Item, view.View) (config.Compliance, string, error) {
	if s.left == 0 {
		s.stop()
		return config.InsufficientData, "", context.Canceled
	}
	s.left--
	return config.Compliant, "", nil
}

// try returns the flips of a trial, a line each.
func (c *court) try(t rule.Trial) (flips []string, done rule.Tried) {
	c.t.Helper()
	t.Rule.Place = place
	done, err := c.engine.Try(c.t.Context(), t, func(f rule.Flip) error {
		flips = append(flips, fmt.Sprintf("%s %s %q %q %v", f.ID, f.At.Format("04:05"), f.Before, f.After, f.Now))
		return nil
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return flips, done
}

func (c *court) flips(t rule.Trial, want ...string) rule.Tried {
	c.t.Helper()
	got, done := c.try(t)
	if !slices.Equal(got, want) {
		c.t.Errorf("flips are %q, want %q", got, want)
	}
	if done.Flips != len(want) {
		c.t.Errorf("%d flips are counted", done.Flips)
	}
	return done
}

func TestTrialComparesWithRecordedVerdictsAndWithWhatTheRuleSaysOfOlderItems(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		c := newCourt(t, d)
		c.put(managedRule("m"))
		c.record("a", "off", nil) // 00:01
		c.record("b", "on", nil)
		c.record("a", "on", nil)
		c.record("a", "on", map[string]string{"tag": "new"}) // the same difference goes on
		c.record("gone", "off", nil)
		c.record("gone", "gone", nil)
		same := rule.Trial{Rule: config.Rule{Name: "m"}, Compiled: c.compiled, Since: c.clock.Now().Add(-time.Hour)}
		if done := c.flips(same); done.Resources != 3 || done.Items != 6 || done.Compared != "the rule m" {
			t.Errorf("the same rule: %+v", done)
		}
		other := same
		other.Compiled.Evaluator = reversed{}
		done := c.flips(other,
			`a 00:01 "NON_COMPLIANT" "COMPLIANT" false`, `a 00:03 "COMPLIANT" "NON_COMPLIANT" false`,
			`b 00:02 "COMPLIANT" "NON_COMPLIANT" true`,
			`gone 00:05 "NON_COMPLIANT" "COMPLIANT" false`)
		if done.Turned[config.NonCompliant] != 2 || len(done.Turned) != 1 {
			t.Errorf("resources that turn: %v", done.Turned)
		}
		other.Since = time.Time{} // what is there now
		c.flips(other, `a 00:04 "COMPLIANT" "NON_COMPLIANT" true`, `b 00:02 "COMPLIANT" "NON_COMPLIANT" true`)
		other.Since = c.clock.Now().Add(-3500 * time.Millisecond) // when a and b were there
		c.flips(other, `b 00:02 "COMPLIANT" "NON_COMPLIANT" true`,
			`a 00:01 "NON_COMPLIANT" "COMPLIANT" false`, `a 00:03 "COMPLIANT" "NON_COMPLIANT" false`,
			`gone 00:05 "NON_COMPLIANT" "COMPLIANT" false`)
	})
}

func TestTrialWithoutARuleToCompareWithTellsItsOwnTurns(t *testing.T) {
	c := newCourt(t, dbtest.Open(t))
	c.record("a", "off", nil)
	c.record("a", "off", map[string]string{"n": "2"})
	c.record("a", "on", nil)
	c.record("b", "broken", nil)
	done := c.flips(rule.Trial{Rule: config.Rule{Name: "new"}, Compiled: c.compiled, Since: c.clock.Now().Add(-time.Hour)},
		`a 00:01 "" "NON_COMPLIANT" false`, `a 00:03 "NON_COMPLIANT" "COMPLIANT" false`)
	if done.Compared != "" || done.Turned[config.Compliant] != 1 || done.Failed != 1 || done.Failure == "" {
		t.Errorf("it ended with %+v", done)
	}
}

func TestTrialWritesNothingAndCanBeStopped(t *testing.T) {
	c := newCourt(t, dbtest.Open(t))
	r := c.put(managedRule("m"))
	for i := range 450 {
		c.recordOnly(fmt.Sprintf("b-%03d", i), "on", nil)
	}
	c.drain()
	c.record("long", "on", nil)
	for i := range 250 { // more than are held at once
		c.recordOnly("long", "on", map[string]string{"n": fmt.Sprint(i)})
	}
	c.drain()
	other := rule.Trial{Rule: config.Rule{Name: "m", Place: place}, Compiled: c.compiled, Since: c.clock.Now().Add(-time.Hour)}
	other.Compiled.Evaluator = reversed{}
	if _, done := c.try(other); done.Resources != 451 || done.Items != 451+250 || done.Flips != 451 {
		t.Errorf("it ended with %+v", done)
	}
	if st := c.status(r); st.LastErrorCode != "" {
		t.Errorf("the rule's status is %+v", st)
	}
	c.write(func(tx *db.Tx) error {
		failing, err := store.VerdictsByRule(t.Context(), tx, r, store.VerdictPage{Limit: 10, Compliance: []config.Compliance{config.NonCompliant}})
		if len(failing) > 0 {
			t.Errorf("verdicts were written: %v", failing)
		}
		return err
	})
	ctx, cancel := context.WithCancel(t.Context())
	told := 0
	_, err := c.engine.Try(ctx, other, func(rule.Flip) error { told++; cancel(); return ctx.Err() })
	if !errors.Is(err, context.Canceled) || told != 1 {
		t.Errorf("stopped at the first flip it told %d and ended with %v", told, err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	other.Compiled.Evaluator = &stopped{left: 3, stop: cancel}
	done, err := c.engine.Try(ctx, other, func(rule.Flip) error { return nil })
	if !errors.Is(err, context.Canceled) || done.Items != 3 || done.Failed != 0 {
		t.Errorf("stopped at the fourth item it ended with %v and %+v", err, done)
	}
}
