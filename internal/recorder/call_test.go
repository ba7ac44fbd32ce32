package recorder_test

import (
	"slices"
	"testing"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
)

// noticing makes the world's types those of EC2, for calls that CloudTrail tells of.
func (w *world) noticing() {
	w.recorder.Service = func(string) (string, bool) { return "ec2", false }
}

// tell says that a call was made a moment ago.
func (w *world) tell(c config.Call) {
	w.t.Helper()
	if c.Account == "" {
		c.Place = place
	}
	if c.At.IsZero() {
		c.At = w.clock.Now()
	}
	if c.Service == "" {
		c.Service = "ec2"
	}
	w.write(func(tx *db.Tx) error { return w.recorder.OnCalls(w.t.Context(), tx, []config.Call{c}) })
	w.drain()
}

func TestACallThatCloudTrailTellsOfBringsOneReadForward(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		w.pollEvery = time.Hour
		w.recorder.Poll = time.Hour
		w.noticing()
		sg := item(group, "sg-1", map[string]any{"rules": int64(0)})
		other := item(group, "sg-2", map[string]any{"rules": int64(0)})
		w.cloud.put(sg)
		w.cloud.put(other)
		w.start()
		lists := w.cloud.lists(group)
		w.clock.Advance(time.Minute)
		w.cloud.put(item(group, "sg-1", map[string]any{"rules": int64(1)}))
		w.cloud.put(item(group, "sg-2", map[string]any{"rules": int64(1)}))
		w.tell(config.Call{Event: "e-1", Operation: "AuthorizeSecurityGroupIngress", Names: []string{"sg-1", "sgr-7"}})
		if got := w.causes(sg.ResourceKey); !slices.Equal(got, []string{"e-1"}) {
			t.Errorf("the item that follows a call names %q", got)
		}
		w.expect(other.ResourceKey, config.StatusDiscovered) // it was not named
		if n := w.cloud.lists(group) - lists; n != 0 {
			t.Errorf("%d lists of groups for a group that is known", n)
		}
		w.clock.Advance(time.Minute)
		w.cloud.put(item(group, "sg-1", map[string]any{"rules": int64(2)}))
		w.tell(config.Call{Event: "e-2", Operation: "Whatever", Names: []string{sg.ARN}, Place: config.Place{Account: place.Account, Region: "us-east-1"}})
		w.tell(config.Call{Event: "e-3", Operation: "Whatever", Names: []string{sg.ARN}, Place: config.Place{Account: "210987654321", Region: place.Region}})
		w.tell(config.Call{Event: "e-4", Operation: "Whatever", Names: []string{"sg-1"}, Service: "rds"})
		w.tell(config.Call{Event: "e-5", Operation: "Whatever", Names: []string{"sg-1"}, At: w.clock.Now().Add(-2 * time.Hour)})
		w.expect(sg.ResourceKey, config.StatusDiscovered, config.StatusOK)
		w.tell(config.Call{Event: "e-6", Operation: "Whatever", Names: []string{sg.ARN}})
		if got := w.causes(sg.ResourceKey); !slices.Equal(got, []string{"e-6"}) {
			t.Errorf("the second item names %q", got)
		}
		w.cloud.remove(sg.ResourceKey)
		w.clock.Advance(time.Minute)
		w.tell(config.Call{Event: "e-7", Operation: "DeleteSecurityGroup", Names: []string{"sg-1"}})
		w.expect(sg.ResourceKey, config.StatusDiscovered, config.StatusOK, config.StatusOK, config.StatusDeleted)
		if got := w.causes(sg.ResourceKey); !slices.Equal(got, []string{"e-7"}) {
			t.Errorf("the end names %q", got)
		}
		w.poll()
		if got := w.causes(other.ResourceKey); len(got) != 0 {
			t.Errorf("a change by nobody that is known names %q", got)
		}
	})
}

func TestACallThatMakesAResourceHasTheTypeListedThatItSpeaksOf(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		w.recorder.Poll = time.Hour
		w.noticing()
		w.start()
		lists := w.cloud.lists(instance)
		made := item(group, "sg-9", map[string]any{"rules": int64(0)})
		w.cloud.put(made)
		w.tell(config.Call{Event: "e-1", Operation: "CreateSecurityGroup", Names: []string{"sg-9"}})
		w.expect(made.ResourceKey) // the type was read this very second
		w.clock.Advance(31 * time.Second)
		w.drain()
		w.expect(made.ResourceKey, config.StatusDiscovered)
		if got := w.causes(made.ResourceKey); !slices.Equal(got, []string{"e-1"}) {
			t.Errorf("the first item names %q", got)
		}
		groups := w.cloud.lists(group)
		for range 5 { // a second reading is not asked for by what it has read already
			w.clock.Advance(31 * time.Second)
			w.drain()
		}
		if w.cloud.lists(group) != groups || w.cloud.lists(instance) != lists {
			t.Errorf("types were listed that no call needs: %d groups, %d instances", w.cloud.lists(group)-groups, w.cloud.lists(instance)-lists)
		}
	})
}

func TestACallFromBeforeAnItemIsNoCauseOfTheNextOne(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		w.noticing()
		sg := item(group, "sg-1", map[string]any{"rules": int64(0)})
		w.cloud.put(sg)
		w.start()
		called := w.clock.Now().Add(time.Second)
		w.cloud.put(item(group, "sg-1", map[string]any{"rules": int64(1)}))
		w.poll() // sees the change before its record comes
		w.tell(config.Call{Event: "late", Operation: "ModifySecurityGroup", Names: []string{"sg-1"}, At: called})
		w.cloud.put(item(group, "sg-1", map[string]any{"rules": int64(2)}))
		w.poll()
		w.expect(sg.ResourceKey, config.StatusDiscovered, config.StatusOK, config.StatusOK)
		if got := w.causes(sg.ResourceKey); len(got) != 0 {
			t.Errorf("the item of a later change names %q", got)
		}
	})
}
