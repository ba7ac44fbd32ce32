package eventbus_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"plumb/internal/caller"
	"plumb/internal/clock"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/eventbus"
	"plumb/internal/job"
	"plumb/internal/model"
)

var here = config.Place{Account: "123456789012", Region: "eu-west-1"}

const queueARN, deadARN = "arn:aws:sqs:eu-west-1:123456789012:q", "arn:aws:sqs:eu-west-1:123456789012:dead"

// A bench is buses whose targets are a list here.
type bench struct {
	*testing.T
	db    *db.DB
	clock *clock.Clock
	jobs  *job.Queue
	bus   *eventbus.Bus

	fail    error       // what targets answer
	away    bool        // targets are outside
	tried   []time.Time // when
	letters []string
}

func newBench(t *testing.T, d *db.DB) *bench {
	b := &bench{T: t, db: d, clock: &clock.Clock{}}
	b.clock.Freeze(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	log := slog.New(slog.DiscardHandler)
	var err error
	if b.jobs, err = job.New(t.Context(), d, log, b.clock, "test"); err != nil {
		t.Fatal(err)
	}
	hand := func(context.Context) error {
		b.tried = append(b.tried, b.clock.Now())
		return b.fail
	}
	b.bus = eventbus.New(log, d, b.jobs, b.clock.Now, eventbus.Options{
		Hand:     func(ctx context.Context, _ *db.Tx, _ caller.Sender, _ eventbus.Recipient) error { return hand(ctx) },
		Away:     func(config.Place, string) bool { return b.away },
		HandAway: func(ctx context.Context, _ caller.Sender, _ eventbus.Recipient) error { return hand(ctx) },
		Letter: func(_ context.Context, _ *db.Tx, from caller.Sender, queue, body string, a map[string]string) error {
			b.letters = append(b.letters, fmt.Sprint(queue, " ", from.ARN, " ", a["ERROR_CODE"], " ", a["EXHAUSTED_RETRY_CONDITION"], " ", a["RETRY_ATTEMPTS"]))
			return nil
		},
	})
	if err := b.jobs.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.jobs.Stop(context.Background()) })
	return b
}

func (b *bench) write(f func(ctx context.Context, tx *db.Tx) error) {
	b.Helper()
	if err := b.db.Write(b.Context(), func(tx *db.Tx) error { return f(b.Context(), tx) }); err != nil {
		b.Fatal(err)
	}
}

func (b *bench) advance(d time.Duration) {
	b.Helper()
	b.clock.Advance(d)
	if err := b.jobs.Drain(b.Context()); err != nil {
		b.Fatal(err)
	}
}

func (b *bench) rule(t eventbus.Target) {
	b.write(func(ctx context.Context, tx *db.Tx) error {
		_, err := b.bus.PutRule(ctx, tx, eventbus.Rule{Place: here, Bus: eventbus.Default, Name: "r", Pattern: `{"source": ["s"]}`, State: "ENABLED"})
		if err != nil {
			return err
		}
		t.ID, t.ARN = "t", queueARN
		return b.bus.PutTargets(ctx, tx, here, eventbus.Default, "r", []eventbus.Target{t})
	})
}

func (b *bench) put() {
	b.write(func(ctx context.Context, tx *db.Tx) error {
		return b.bus.Put(ctx, tx, here, eventbus.Default, []eventbus.Event{{Source: "s", DetailType: "t", Detail: []byte(`{}`)}})
	})
	b.advance(0)
}

var busy = &model.Error{Code: "ThrottlingException", Message: "slow down", Status: http.StatusBadRequest}

func TestTargetThatIsBusyIsTriedAgainByItsPolicy(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d)
		b.fail = busy
		b.rule(eventbus.Target{GivenRetries: new(int32(2)), DeadLetters: deadARN})
		b.put()
		b.advance(time.Second)
		b.advance(time.Second) // the wait has doubled
		if len(b.tried) != 2 || b.letters != nil {
			t.Fatalf("tried %d times, dead letters %q", len(b.tried), b.letters)
		}
		b.advance(time.Second)
		want := []string{deadARN + " arn:aws:events:eu-west-1:123456789012:rule/r THROTTLING MaximumRetryAttempts 2"}
		if len(b.tried) != 3 || !slices.Equal(b.letters, want) {
			t.Errorf("tried %d times, dead letters %q, want 3 and %q", len(b.tried), b.letters, want)
		}
		b.advance(24 * time.Hour)
		if len(b.tried) != 3 {
			t.Errorf("tried %d times in the end", len(b.tried))
		}
	})
}

func TestTargetThatIsBackGetsItsEvent(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d)
		b.away, b.fail = true, fmt.Errorf("connection refused")
		b.rule(eventbus.Target{DeadLetters: deadARN})
		b.put()
		b.advance(time.Minute)
		b.fail = nil
		b.advance(time.Hour)
		b.advance(time.Hour)
		if len(b.tried) != 3 || b.letters != nil {
			t.Errorf("tried %d times, want 3; dead letters %q", len(b.tried), b.letters)
		}
	})
}

func TestEventThatIsTooOldIsGivenUp(t *testing.T) {
	b := newBench(t, dbtest.Open(t))
	b.fail = &model.Error{Code: "InternalFailure", Status: http.StatusInternalServerError}
	b.rule(eventbus.Target{GivenAge: new(int32(60)), DeadLetters: deadARN})
	b.put()
	for range 100 {
		b.advance(time.Second)
	}
	// after 0, 1, 3, 7, 15, 31 seconds; the next one would be after 63
	if len(b.tried) != 6 || len(b.letters) != 1 || !strings.HasSuffix(b.letters[0], "ERROR_FROM_TARGET MaximumEventAgeInSeconds 5") {
		t.Errorf("tried %d times, dead letters %q", len(b.tried), b.letters)
	}
}

func TestDefaultPolicyLastsADay(t *testing.T) {
	b := newBench(t, dbtest.Open(t))
	b.fail = busy
	b.rule(eventbus.Target{DeadLetters: deadARN})
	b.put()
	for range 300 {
		b.advance(8 * time.Minute)
	}
	last := b.tried[len(b.tried)-1].Sub(b.tried[0])
	if n := len(b.tried) - 1; n < 150 || n > 185 || last < 23*time.Hour || last > 24*time.Hour || len(b.letters) != 1 {
		t.Errorf("%d retries in %s, dead letters %q", n, last, b.letters)
	}
}

func TestTargetThatRefusesIsNotTriedAgain(t *testing.T) {
	b := newBench(t, dbtest.Open(t))
	b.fail = &model.Error{Code: "AccessDenied", Message: "no", Status: http.StatusForbidden}
	b.rule(eventbus.Target{})
	b.put()
	b.advance(24 * time.Hour)
	if len(b.tried) != 1 || b.letters != nil {
		t.Errorf("tried %d times, dead letters %q", len(b.tried), b.letters)
	}
}

func TestEventsThatNoRuleCouldTakeLeaveNoJob(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d)
		wanted := func(source, detailType string) (yes bool) {
			err := d.Read(t.Context(), func(tx *db.Tx) (err error) {
				yes, err = b.bus.Wanted(t.Context(), tx, here, source, detailType)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return yes
		}
		count := func() (n int) {
			err := d.Read(t.Context(), func(tx *db.Tx) error {
				return tx.QueryRow(t.Context(), `SELECT count(*) FROM river_job WHERE kind = 'eventbus.route'`).Scan(&n)
			})
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		b.put()
		if wanted("s", "t") || count() != 0 {
			t.Error("without a rule an event was wanted or left a job")
		}
		b.rule(eventbus.Target{})
		if !wanted("s", "t") || wanted("aws.config", "t") {
			t.Error("what the rule could take is not what is wanted")
		}
		if b.put(); count() != 1 {
			t.Errorf("with a rule an event left %d jobs", count())
		}
		b.write(func(ctx context.Context, tx *db.Tx) error {
			return b.bus.SetState(ctx, tx, here, eventbus.Default, "r", eventbus.Disabled)
		})
		if b.put(); wanted("s", "t") || count() != 1 {
			t.Error("a disabled rule takes events")
		}
	})
}
