package delivery_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/delivery"
)

// aBus records the events that it was given, and fails when it was told to.
type aBus struct {
	mu     sync.Mutex
	source string
	fail   func(config.BusEvent) error
	calls  [][]config.BusEvent
}

func (o *aBus) Source(config.Place) string { return o.source }

func (o *aBus) Put(_ context.Context, _ config.Place, events []config.BusEvent) []error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.calls = append(o.calls, events)
	went := make([]error, len(events))
	for i, e := range events {
		if o.fail != nil {
			went[i] = o.fail(e)
		}
	}
	return went
}

// failing sets which events fail, by a part of their detail.
func (o *aBus) failing(err error, parts ...string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.fail = func(e config.BusEvent) error {
		for _, p := range parts {
			if strings.Contains(string(e.Detail), p) {
				return err
			}
		}
		return nil
	}
}

// taken returns the events that were taken.
func (o *aBus) taken() (out []config.BusEvent) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, call := range o.calls {
		for _, e := range call {
			if o.fail == nil || o.fail(e) == nil {
				out = append(out, e)
			}
		}
	}
	return out
}

// orders returns the numbers that were told of each group, in their order.
func (o *aBus) orders() map[string][]int {
	out := map[string][]int{}
	for _, e := range o.taken() {
		var d struct {
			Item struct {
				ID            string         `json:"resourceId"`
				Configuration map[string]int `json:"configuration"`
			} `json:"configurationItem"`
		}
		if json.Unmarshal(e.Detail, &d) == nil {
			out[d.Item.ID] = append(out[d.Item.ID], d.Item.Configuration["n"])
		}
	}
	return out
}

func withBus(o *aBus) func(*bench, *delivery.Options) {
	return func(_ *bench, options *delivery.Options) { options.Bus = o }
}

func TestAnOutsideBusIsToldWhatAWSConfigTellsEventBridge(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		bus := &aBus{source: "plumb.config"}
		b := newBench(t, d, withBus(bus))
		b.record(b.group("sg-0", config.StatusDiscovered, map[string]any{"groupName": "a"})) // needs no delivery channel
		b.drain()
		b.channel(aChannel())
		verdict := config.Verdict{Rule: "r", Invoked: began, Recorded: began,
			Evaluation: config.Evaluation{ResourceType: "AWS::EC2::SecurityGroup", ResourceID: "sg-0", Compliance: config.Compliant, Ordering: began}}
		b.write(func(ctx context.Context, tx *db.Tx) error {
			return errors.Join(
				b.delivery.OnComplianceChanged(ctx, tx, config.ComplianceChanged{Place: here, Changes: []config.VerdictChange{{RuleARN: "arn", New: verdict}}}),
				b.delivery.OnRulesEvaluationStarted(ctx, tx, config.RulesEvaluationStarted{Place: here, Rules: []string{"r"}}))
		})
		b.snapshot()
		b.drain()
		b.advance(6 * time.Hour)
		var got []string
		for _, e := range bus.taken() {
			var m struct {
				Type string `json:"messageType"`
			}
			if err := json.Unmarshal(e.Detail, &m); err != nil {
				t.Fatal(err)
			}
			got = append(got, fmt.Sprintf("%s, %s: %s %s %q", e.Source, e.Time.Format(time.RFC3339), e.DetailType, m.Type, e.Resources))
			if strings.Contains(string(e.Detail), "null") {
				t.Errorf("an event has a null: %s", e.Detail)
			}
		}
		slices.Sort(got)
		want := []string{
			`plumb.config, 2016-09-07T18:39:39Z: Config Configuration Item Change ConfigurationItemChangeNotification ["arn:aws:ec2:us-east-2:123456789012:security-group/sg-0"]`,
			`plumb.config, 2016-09-07T18:39:39Z: Config Configuration Snapshot Delivery Status ConfigurationSnapshotDeliveryCompleted []`,
			`plumb.config, 2016-09-07T18:39:39Z: Config Configuration Snapshot Delivery Status ConfigurationSnapshotDeliveryStarted []`,
			`plumb.config, 2016-09-07T18:39:39Z: Config Rules Compliance Change ComplianceChangeNotification []`,
			`plumb.config, 2016-09-07T18:39:39Z: Config Rules Re-evaluation Status ConfigRulesEvaluationStarted []`,
			`plumb.config, 2016-09-08T00:39:39Z: Config Configuration History Delivery Status ConfigurationHistoryDeliveryCompleted []`,
		}
		if !slices.Equal(got, want) {
			t.Errorf("told:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}

func TestWithoutAnOutsideBusNothingIsKeptForIt(t *testing.T) {
	bus := &aBus{}
	b := newBench(t, dbtest.Open(t), withBus(bus))
	b.change("sg-0", 0)
	if waiting, held, undelivered := b.counts(); waiting+held+undelivered != 0 {
		t.Errorf("kept: %d, %d, %d", waiting, held, undelivered)
	}
}

// A bus answers of each entry by itself how it went.
func TestAnEventThatIsNotTakenHoldsUpOnlyItsResource(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		bus := &aBus{source: "aws.config"}
		b := newBench(t, d, withBus(bus))
		for _, failure := range []error{errors.New("PutEvents: InternalFailure"), fmt.Errorf("%w: too large", delivery.ErrInvalid)} {
			bus.calls = nil
			bus.failing(failure, `"resourceId":"sg-0"`)
			for n := range 3 {
				b.clock.Advance(time.Second)
				var items []config.Item
				for g := range 3 {
					items = append(items, b.group(fmt.Sprintf("sg-%d", g), config.StatusOK, map[string]any{"n": n}))
				}
				b.record(items...)
			}
			b.drain()
			want := []int{0, 1, 2}
			if got := bus.orders(); got["sg-0"] != nil || !slices.Equal(got["sg-1"], want) || !slices.Equal(got["sg-2"], want) {
				t.Errorf("%v: told %v", failure, got)
			}
			bus.calls = nil
			bus.failing(nil)
			b.advance(6 * time.Minute)
			if got := bus.orders(); !slices.Equal(got["sg-0"], want) || len(got) != 1 {
				t.Errorf("%v: afterwards told %v", failure, got)
			}
		}
		if waiting, held, undelivered := b.counts(); waiting+held+undelivered != 0 {
			t.Errorf("left: %d, %d, %d", waiting, held, undelivered)
		}
	})
}

func TestABusThatIsAwayGetsEventsInOrderOnceItIsBackOrTheyAreUndelivered(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		bus := &aBus{source: "aws.config"}
		b := newBench(t, d, withBus(bus))
		bus.failing(fmt.Errorf("%w: gone", delivery.ErrNoSuchBus), "sg-")
		for n := range 30 {
			b.change("sg-0", n)
			b.change("sg-1", n)
		}
		b.drain()
		if len(bus.calls) > 10 { // a minute went by
			t.Errorf("%d calls while it was away", len(bus.calls))
		}
		bus.calls = nil
		bus.failing(nil)
		b.advance(6 * time.Minute)
		for id, got := range bus.orders() {
			if len(got) != 30 || !slices.IsSorted(got) {
				t.Errorf("%s: %v", id, got)
			}
		}
		bus.failing(errAway, "sg-")
		b.change("sg-0", 30)
		b.drain()
		b.advance(80 * time.Hour)
		all, err := b.delivery.Undelivered(t.Context(), delivery.Selection{})
		if err != nil || len(all) != 1 || all[0].Sink != "bus" || all[0].Of[0] != "AWS::EC2::SecurityGroup sg-0" {
			t.Fatalf("undelivered: %+v, %v", all, err)
		}
		shown, err := b.delivery.Write(t.Context(), all[0].ID)
		if err != nil || len(shown) != 1 || shown[0].Subject != "Config Configuration Item Change" || !strings.HasPrefix(shown[0].Body, `{"source":"aws.config","detail-type":"Config `) {
			t.Errorf("shown: %+v, %v", shown, err)
		}
		bus.source = "" // taken out of the settings
		if _, err := b.delivery.Write(t.Context(), all[0].ID); err == nil {
			t.Error("an event was written for a bus that the settings do not have")
		}
		if n, err := b.delivery.Retry(t.Context(), delivery.Selection{}); n != 1 || err != nil {
			t.Errorf("%d are tried again, %v", n, err)
		}
		b.drain()
		if waiting, _, _ := b.counts(); waiting != 1 {
			t.Errorf("%d wait for the bus to come back into the settings", waiting)
		}
		bus.source = "aws.config"
		bus.failing(nil)
		b.advance(10 * time.Minute)
		if got := bus.orders()["sg-0"]; got[len(got)-1] != 30 {
			t.Errorf("told: %v", got)
		}
	})
}

// One call takes ten events and 256 KB, of each resource one.
func TestEventsGoTogetherAsOneCallTakesThem(t *testing.T) {
	bus := &aBus{source: "aws.config"}
	b := newBench(t, dbtest.Open(t), withBus(bus))
	bus.failing(errAway, "sg-")
	for g := range 25 {
		b.change(fmt.Sprintf("sg-%d", g), 0)
	}
	b.clock.Advance(time.Second)
	b.record(b.group("sg-large", config.StatusOK, map[string]any{"text": strings.Repeat("x", 200<<10)}))
	b.clock.Advance(time.Second)
	b.record(b.group("sg-larger", config.StatusOK, map[string]any{"text": strings.Repeat("x", 250<<10)}))
	b.change("sg-0", 1)
	b.drain()
	bus.calls = nil
	bus.failing(nil)
	b.advance(6 * time.Minute)
	n := 0
	for _, call := range bus.calls {
		size, of := 0, map[string]bool{}
		for _, e := range call {
			size, n = size+e.Size(), n+1
			if of[e.Resources[0]] {
				t.Errorf("a call has two events of %s", e.Resources[0])
			}
			of[e.Resources[0]] = true
		}
		if len(call) > 10 || size > 256<<10 {
			t.Errorf("a call has %d events of %d bytes", len(call), size)
		}
	}
	if n != 28 || len(bus.calls) > 5 {
		t.Errorf("%d events with %d calls", n, len(bus.calls))
	}
	if got := bus.orders()["sg-0"]; !slices.Equal(got, []int{0, 1}) {
		t.Errorf("told of sg-0: %v", got)
	}
}
