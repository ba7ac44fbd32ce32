package rule_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"plumb/internal/clock"
	"plumb/internal/compliance"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/job"
	"plumb/internal/model"
	"plumb/internal/recorder"
	"plumb/internal/repeat"
	"plumb/internal/rule"
	"plumb/internal/rule/function"
	"plumb/internal/rule/managed"
	"plumb/internal/rule/view"
	"plumb/internal/store"
)

var place = config.Place{Account: "123456789012", Region: "eu-west-1"}

const bucket = "AWS::S3::Bucket"

// versioned says that a bucket complies when its configuration says "on".
type versioned struct{}

func (versioned) Evaluate(it config.Item, _ view.View) (config.Compliance, string, error) {
	body, _ := it.Configuration.(map[string]any)
	switch body["state"] {
	case "on":
		return config.Compliant, "", nil
	case "broken":
		return config.InsufficientData, "", errors.New("cannot tell")
	default:
		return config.NonCompliant, "off", nil
	}
}

// court is an engine behind a recorder, with functions that only listen.
type court struct {
	t        *testing.T
	db       *db.DB
	clock    *clock.Clock
	jobs     *job.Queue
	engine   *rule.Engine
	recorder *recorder.Recorder
	received []received
	compiled rule.Compiled // of in-process rules
	log      bytes.Buffer  // what the engine warns about

	compilations atomic.Int64
}

// received is one event that a function received.
type received struct {
	Function  string
	Message   string
	ID        string
	LeftScope bool
	Diff      bool
	Token     string
	Origin    rule.Origin
}

func newCourt(t *testing.T, d *db.DB) *court {
	c := &court{t: t, db: d, clock: &clock.Clock{}}
	c.compiled = rule.Compiled{Evaluator: versioned{}, Types: []string{bucket}, OnChange: true, Initially: true}
	c.clock.Freeze(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	var err error
	if c.jobs, err = job.New(t.Context(), d, slog.New(slog.DiscardHandler), c.clock, "server"); err != nil {
		t.Fatal(err)
	}
	sealer, err := function.NewSealer(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	publish := func(ctx context.Context, tx *db.Tx, e any) error {
		if r, ok := e.(config.ItemsRecorded); ok {
			return c.engine.OnItemsRecorded(ctx, tx, r)
		}
		return nil
	}
	known, err := managed.Load()
	if err != nil {
		t.Fatal(err)
	}
	ledger := compliance.New(publish, c.clock.Now)
	c.engine = rule.New(slog.New(repeat.New(slog.NewTextHandler(&c.log, nil))), rule.Options{
		Managed: known, MayInvoke: func(context.Context, config.Place, string) error { return nil }, EvaluateEvery: time.Minute, MaxRules: 1000,
		DB: d, Jobs: c.jobs, Accept: ledger.Accept, Forget: ledger.Forget, Publish: publish, Sealer: sealer, Global: func(string) bool { return false }, KnownType: func(string) bool { return true }, Now: c.clock.Now,
		Compile: func(r config.Rule) (rule.Compiled, error) {
			if r.Source.Identifier == "ACM_CERTIFICATE_EXPIRATION_CHECK" {
				return rule.Compiled{}, fmt.Errorf("%w: nobody wrote one", rule.ErrNoEvaluator)
			}
			c.compilations.Add(1)
			return c.compiled, nil
		},
		Invoke: func(_ context.Context, _ *db.Tx, list []rule.Invocation) error {
			for _, i := range list {
				c.received = append(c.received, receive(t, i))
			}
			return nil
		},
	})
	c.recorder = recorder.New(slog.New(slog.DiscardHandler), recorder.Options{
		DB: d, Jobs: c.jobs, Judge: c.engine.Judge, Publish: publish, Poll: time.Hour, Now: c.clock.Now,
	})
	if err := c.jobs.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.jobs.Stop(context.Background()) })
	c.write(func(tx *db.Tx) error {
		rec := config.Recorder{Place: place, Name: "default", RoleARN: "arn:aws:iam::123456789012:role/r",
			Group: config.RecordingGroup{AllSupported: true, Strategy: config.RecordAll}}
		if err := c.recorder.Put(t.Context(), tx, rec); err != nil {
			return err
		}
		return c.recorder.Start(t.Context(), tx, rec)
	})
	return c
}

func receive(t *testing.T, i rule.Invocation) received {
	var e struct {
		InvokingEvent string `json:"invokingEvent"`
		ResultToken   string `json:"resultToken"`
		LeftScope     bool   `json:"eventLeftScope"`
		Parameters    string `json:"ruleParameters"`
	}
	var inner struct {
		MessageType string                      `json:"messageType"`
		Diff        json.RawMessage             `json:"configurationItemDiff"`
		Item        *config.Item                `json:"configurationItem"`
		Summary     struct{ ResourceID string } `json:"configurationItemSummary"`
	}
	if err := errors.Join(json.Unmarshal(i.Payload, &e), json.Unmarshal([]byte(e.InvokingEvent), &inner)); err != nil {
		t.Error(err)
	}
	h := received{Function: i.FunctionARN, Message: inner.MessageType, LeftScope: e.LeftScope, Token: e.ResultToken, ID: inner.Summary.ResourceID, Origin: i.Origin}
	h.Diff = len(inner.Diff) > 0 && string(inner.Diff) != "null"
	if inner.Item != nil {
		h.ID = inner.Item.ID
	}
	return h
}

func (c *court) write(f func(*db.Tx) error) {
	c.t.Helper()
	if err := c.db.Write(c.t.Context(), f); err != nil {
		c.t.Fatal(err)
	}
}

func (c *court) drain() {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 20*time.Second)
	defer cancel()
	if err := c.jobs.Drain(ctx); err != nil {
		c.t.Fatal(err)
	}
}

func (c *court) put(r config.Rule) config.Rule {
	c.t.Helper()
	r.Place = place
	p, err := c.engine.Prepare(c.t.Context(), rule.Definition{Rule: r})
	if err != nil {
		c.t.Fatal(err)
	}
	c.write(func(tx *db.Tx) (err error) { r, err = c.engine.Put(c.t.Context(), tx, p); return err })
	c.drain()
	return r
}

func (c *court) record(id, state string, tags map[string]string) {
	c.t.Helper()
	c.recordOnly(id, state, tags)
	c.drain()
}

// recordOnly leaves it to others to run what follows.
func (c *court) recordOnly(id, state string, tags map[string]string) {
	c.t.Helper()
	c.clock.Advance(time.Second)
	if err := c.recorder.Record(c.t.Context(), place, []recorder.Observation{seen(id, state, tags)}); err != nil {
		c.t.Fatal(err)
	}
}

func (c *court) recordAll(state string, ids ...string) {
	c.t.Helper()
	var all []recorder.Observation
	for _, id := range ids {
		all = append(all, seen(id, state, nil))
	}
	if err := c.recorder.Record(c.t.Context(), place, all); err != nil {
		c.t.Fatal(err)
	}
	c.drain()
}

func seen(id, state string, tags map[string]string) recorder.Observation {
	it := config.Item{ResourceKey: config.ResourceKey{Place: place, Type: bucket, ID: id}, Tags: tags, Configuration: map[string]any{"state": state}}
	return recorder.Observation{Item: it, Gone: state == "gone"}
}

func (c *court) expect(r config.Rule, want ...string) {
	c.t.Helper()
	var got []string
	c.write(func(tx *db.Tx) error {
		verdicts, err := store.VerdictsByRule(c.t.Context(), tx, r, store.VerdictPage{Limit: 100})
		for _, v := range verdicts {
			got = append(got, v.ResourceID+" "+string(v.Compliance))
		}
		return err
	})
	if fmt.Sprint(got) != fmt.Sprint(want) {
		c.t.Fatalf("verdicts of %s are %q, want %q", r.Name, got, want)
	}
}

func (c *court) status(r config.Rule) (st config.RuleStatus) {
	c.t.Helper()
	c.write(func(tx *db.Tx) (err error) { st, err = store.RuleStatus(c.t.Context(), tx, r.ID); return err })
	return st
}

func managedRule(name string) config.Rule {
	return config.Rule{Name: name, Source: config.Source{Owner: config.OwnerAWS, Identifier: "S3_BUCKET_VERSIONING_ENABLED"}}
}

func lambdaRule(name string, messages ...string) config.Rule {
	r := config.Rule{Name: name, Source: config.Source{Owner: config.OwnerLambda, Identifier: "arn:aws:lambda:eu-west-1:123456789012:function:" + name}}
	for _, m := range messages {
		r.Source.Details = append(r.Source.Details, config.SourceDetail{EventSource: "aws.config", MessageType: m})
	}
	return r
}

func TestInProcessRuleJudgesWhatIsThereAndWhatComes(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		c := newCourt(t, d)
		c.record("a", "off", nil)
		r := c.put(managedRule("m"))
		c.expect(r, "a NON_COMPLIANT")
		c.record("b", "on", nil)
		c.record("a", "on", nil)
		c.expect(r, "a COMPLIANT", "b COMPLIANT")
		c.record("a", "gone", nil)
		c.expect(r, "b COMPLIANT")
	})
}

func TestFailedEvaluationIsNoVerdictAndIsReported(t *testing.T) {
	c := newCourt(t, dbtest.Open(t))
	r := c.put(managedRule("m"))
	c.record("a", "broken", nil)
	c.expect(r)
	if st := c.status(r); st.LastErrorCode == "" || st.LastErrorMessage != "cannot tell" {
		t.Fatalf("status is %+v", st)
	}
}

func TestRuleWithoutEvaluatorGivesNoVerdictAndSaysWhy(t *testing.T) {
	c := newCourt(t, dbtest.Open(t))
	c.record("a", "off", nil)
	r := managedRule("m")
	r.Source.Identifier = "ACM_CERTIFICATE_EXPIRATION_CHECK"
	r = c.put(r)
	c.expect(r)
	if st := c.status(r); st.LastErrorCode != "NoEvaluator" {
		t.Fatalf("status is %+v", st)
	}
}

func TestFunctionHearsWhatIsThereWithoutADifferenceAndChangesWithOne(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		c := newCourt(t, d)
		c.record("a", "off", nil)
		c.put(lambdaRule("f", config.MessageChange))
		c.record("a", "on", nil)
		c.record("a", "gone", nil)
		if len(c.received) != 3 || c.received[0].Diff || !c.received[1].Diff || !c.received[2].Diff ||
			c.received[0].LeftScope || c.received[1].LeftScope || !c.received[2].LeftScope {
			t.Fatalf("received %+v", c.received)
		}
	})
}

func TestResultsBelongToTheTokensRule(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		c := newCourt(t, d)
		c.record("a", "off", nil)
		r := c.put(lambdaRule("f", config.MessageChange))
		reported := []config.Evaluation{{ResourceType: bucket, ResourceID: "a", Compliance: config.NonCompliant, Ordering: c.clock.Now()}}
		if err := c.engine.Report(t.Context(), place, c.received[0].Token, reported); err != nil {
			t.Fatal(err)
		}
		c.expect(r, "a NON_COMPLIANT")
		if err := c.engine.Report(t.Context(), place, c.received[0].Token+"x", reported); !errors.Is(err, function.ErrToken) {
			t.Fatalf("a changed token gave %v", err)
		}
		elsewhere := config.Place{Account: "999999999999", Region: place.Region}
		if err := c.engine.Report(t.Context(), elsewhere, c.received[0].Token, reported); !errors.Is(err, function.ErrToken) {
			t.Fatalf("a token of another account gave %v", err)
		}
		c.write(func(tx *db.Tx) error { return c.engine.Delete(t.Context(), tx, place, r.Name, "") })
		c.drain()
		if err := c.engine.Report(t.Context(), place, c.received[0].Token, reported); !errors.Is(err, rule.ErrGone) {
			t.Fatalf("a token of a deleted rule gave %v", err)
		}
	})
}

func TestResourceThatLosesItsTagLeavesTheScope(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		c := newCourt(t, d)
		f := lambdaRule("f", config.MessageChange)
		f.Scope = &config.Scope{TagKey: new("team")}
		c.put(f)
		m := managedRule("m")
		m.Scope = f.Scope
		m = c.put(m)
		c.record("a", "off", map[string]string{"team": "x"})
		c.expect(m, "a NON_COMPLIANT")
		c.record("a", "off", map[string]string{})
		c.expect(m)
		if len(c.received) != 2 || c.received[0].LeftScope || !c.received[1].LeftScope {
			t.Fatalf("received %+v", c.received)
		}
	})
}

func TestPeriodicRuleRunsByTheClockOnce(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		c := newCourt(t, d)
		r := lambdaRule("f", config.MessageScheduled)
		r.Source.Details[0].Frequency = "One_Hour"
		r = c.put(r)
		c.put(r) // again: the first schedule must not go on beside the second
		c.received = nil
		c.clock.Advance(time.Hour)
		c.drain()
		if len(c.received) != 1 || c.received[0].Message != config.MessageScheduled {
			t.Fatalf("received %+v", c.received)
		}
		c.clock.Advance(10 * time.Hour) // runs that were missed are not made up for
		c.drain()
		if len(c.received) != 2 {
			t.Fatalf("received %+v", c.received)
		}
	})
}

func TestOversizedChangeReachesOnlyWhoAskedForIt(t *testing.T) {
	c := newCourt(t, dbtest.Open(t))
	c.put(lambdaRule("small", config.MessageChange))
	c.put(lambdaRule("both", config.MessageChange, config.MessageOversized))
	c.record("a", string(make([]byte, config.MaxMessage)), nil)
	if len(c.received) != 1 || c.received[0].Message != config.MessageOversized || c.received[0].ID != "a" {
		t.Fatalf("received %+v", c.received)
	}
}

func TestDeletedRuleTakesItsResultsAlong(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		c := newCourt(t, d)
		c.record("a", "off", nil)
		r := c.put(managedRule("m"))
		c.write(func(tx *db.Tx) error { return c.engine.Delete(t.Context(), tx, place, r.Name, "") })
		c.drain()
		c.write(func(tx *db.Tx) error {
			if _, err := store.RuleByID(t.Context(), tx, r.ID); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("the rule is still there: %v", err)
			}
			return nil
		})
		again := c.put(managedRule("m"))
		c.expect(again, "a NON_COMPLIANT")
	})
}

func TestSnapshotTriggersTheRulesThatAskedForIt(t *testing.T) {
	c := newCourt(t, dbtest.Open(t))
	c.put(lambdaRule("f", config.MessageSnapshot))
	c.put(lambdaRule("g", config.MessageChange))
	c.write(func(tx *db.Tx) error {
		return c.engine.OnSnapshotDelivered(t.Context(), tx, config.SnapshotDelivered{Place: place, SnapshotID: "s", Bucket: "b", Key: "k"})
	})
	c.drain()
	if len(c.received) != 1 || c.received[0].Message != config.MessageSnapshot {
		t.Fatalf("received %+v", c.received)
	}
}

func TestServicesRulesAreChangedByTheServiceAlone(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		c := newCourt(t, d)
		const packs = "config-conforms.amazonaws.com"
		of := managedRule("m")
		of.CreatedBy = packs
		r := c.put(of)
		if want := "arn:aws:config:eu-west-1:123456789012:config-rule/aws-service-rule/" + packs + "/" + r.ID; r.ARN != want {
			t.Errorf("the ARN is %s, want %s", r.ARN, want)
		}
		c.put(of) // again, by the same service
		change := func(by string) error {
			return d.Write(t.Context(), func(tx *db.Tx) error { return c.engine.Delete(t.Context(), tx, place, "m", by) })
		}
		for _, by := range []string{"", "other.amazonaws.com"} {
			if err := change(by); !model.IsCode(err, "AccessDeniedException") {
				t.Errorf("%q may delete it: %v", by, err)
			}
		}
		if err := change(packs); err != nil {
			t.Fatal(err)
		}
	})
}

func TestAnotherSourceDoesNotKeepTheResultsOfTheFormerOne(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		c := newCourt(t, d)
		c.record("a", "off", nil)
		r := c.put(managedRule("m"))
		c.expect(r, "a NON_COMPLIANT")
		f := lambdaRule("m", config.MessageChange)
		c.received = nil
		r = c.put(f)
		c.expect(r)
		if len(c.received) != 1 || c.status(r).FirstEvaluationStarted {
			t.Fatalf("received %+v, status %+v", c.received, c.status(r))
		}
		answer := []config.Evaluation{{ResourceType: bucket, ResourceID: "a", Compliance: config.Compliant, Ordering: c.clock.Now()}}
		if err := c.engine.Report(t.Context(), place, c.received[0].Token, answer); err != nil {
			t.Fatal(err)
		}
		c.expect(r, "a COMPLIANT")
		again := lambdaRule("m", config.MessageChange)
		again.Source.Identifier += "2"
		late := c.received[0].Token
		r = c.put(again)
		if err := c.engine.Report(t.Context(), place, late, answer); !errors.Is(err, rule.ErrGone) {
			t.Errorf("a token of the former function gave %v", err)
		}
		c.expect(r)
	})
}

func TestEvaluationCanBeAskedForOnceAMinute(t *testing.T) {
	c := newCourt(t, dbtest.Open(t))
	c.put(managedRule("m"))
	ask := func() error {
		err := c.db.Write(t.Context(), func(tx *db.Tx) error { return c.engine.Evaluate(t.Context(), tx, place, []string{"m"}) })
		c.drain()
		return err
	}
	if err := ask(); err != nil {
		t.Fatal(err)
	}
	if err := ask(); !model.IsCode(err, "LimitExceededException") {
		t.Fatalf("the second one at once gave %v", err)
	}
	c.clock.Advance(time.Minute)
	if err := ask(); err != nil {
		t.Fatal(err)
	}
}
