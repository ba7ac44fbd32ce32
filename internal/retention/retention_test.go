package retention_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"plumb/internal/clock"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/job"
	"plumb/internal/retention"
	"plumb/internal/store"
)

var place = config.Place{Account: "123456789012", Region: "eu-west-1"}

// A world is a store with a retention, and a clock.
type world struct {
	t     *testing.T
	db    *db.DB
	clock *clock.Clock
	jobs  *job.Queue
	swept int
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) write(f func(ctx context.Context, tx *db.Tx) error) {
	w.t.Helper()
	w.must(w.db.Write(w.t.Context(), func(tx *db.Tx) error { return f(w.t.Context(), tx) }))
}

func (w *world) read(f func(ctx context.Context, tx *db.Tx) error) {
	w.t.Helper()
	w.must(w.db.Read(w.t.Context(), func(tx *db.Tx) error { return f(w.t.Context(), tx) }))
}

func run(t *testing.T, suite func(w *world)) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		w := &world{t: t, db: d, clock: &clock.Clock{}}
		w.clock.Freeze(time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC))
		var err error
		w.jobs, err = job.New(t.Context(), d, slog.New(slog.DiscardHandler), w.clock, "test")
		w.must(err)
		r := retention.New(slog.New(slog.DiscardHandler), w.jobs, w.clock.Now, retention.Sweep{Name: "count", Do: w.sweep})
		w.write(r.Ensure)
		w.write(r.Ensure) // another server
		w.must(w.jobs.Start(context.Background()))
		t.Cleanup(func() {
			if err := w.jobs.Stop(context.Background()); err != nil {
				t.Error(err)
			}
		})
		suite(w)
	})
}

// sweep has more to do once.
func (w *world) sweep(context.Context, *db.Tx, int) (more bool, err error) {
	w.swept++
	return w.swept == 1, nil
}

// pass moves the clock and runs what became due.
func (w *world) pass(d time.Duration) {
	w.t.Helper()
	w.clock.Freeze(w.clock.Now().Add(d))
	w.must(w.jobs.Drain(w.t.Context()))
}

func key(id string) config.ResourceKey {
	return config.ResourceKey{Place: place, Type: "AWS::SQS::Queue", ID: id}
}

func (w *world) record(id string, status config.ItemStatus) config.Item {
	w.t.Helper()
	at := w.clock.Now().Truncate(time.Millisecond)
	it := config.Item{ResourceKey: key(id), Status: status, CaptureTime: at, StateID: at.UnixMilli(), AWSRegion: place.Region}
	if !status.Gone() {
		it.Configuration = map[string]any{"at": at.String()}
	}
	body, err := json.Marshal(it)
	w.must(err)
	w.write(func(ctx context.Context, tx *db.Tx) error {
		return store.AppendItems(ctx, tx, []store.NewItem{{Item: it, Body: body, Digest: []byte{1}}})
	})
	return it
}

func (w *world) count(query string) (n int) {
	w.t.Helper()
	w.read(func(ctx context.Context, tx *db.Tx) error { return tx.QueryRow(ctx, query).Scan(&n) })
	return n
}

func (w *world) history(id string) (n int) {
	w.t.Helper()
	w.read(func(ctx context.Context, tx *db.Tx) error {
		items, err := store.History(ctx, tx, store.HistoryQuery{Key: key(id), To: w.clock.Now(), Limit: 100})
		n = len(items)
		return err
	})
	return n
}

const day = 24 * time.Hour

// judge has a rule find that resources do not comply.
func (w *world) judge(rule config.Rule, ids ...string) {
	w.t.Helper()
	w.write(func(ctx context.Context, tx *db.Tx) error {
		if err := store.PutRule(ctx, tx, rule); err != nil {
			return err
		}
		var keys []config.ResourceKey
		var all []store.NewVerdict
		for _, id := range ids {
			keys = append(keys, key(id))
			all = append(all, store.NewVerdict{RuleID: rule.ID, Verdict: config.Verdict{Rule: rule.Name, Evaluation: config.Evaluation{
				ResourceType: key(id).Type, ResourceID: id, Compliance: config.NonCompliant, Ordering: w.clock.Now()}}})
		}
		if err := store.HoldAll(ctx, tx, place, keys); err != nil {
			return err
		}
		return store.PutVerdicts(ctx, tx, place, all)
	})
}

func TestWhatIsTooOldGoesAsTheMonthsPass(t *testing.T) {
	run(t, func(w *world) {
		w.write(func(ctx context.Context, tx *db.Tx) error {
			return store.PutRetention(ctx, tx, config.RetentionConfiguration{Place: place, Name: config.RetentionName, Days: 60})
		})
		w.record("stays", config.StatusDiscovered)
		w.record("goes", config.StatusDiscovered)
		w.pass(day)
		w.record("goes", config.StatusDeleted)
		rule := config.Rule{Place: place, Name: "r", ID: "config-rule-1", State: config.RuleActive}
		w.judge(rule, "stays", "goes")
		w.pass(30 * day)
		newest := w.record("stays", config.StatusOK)
		if n := w.history("stays"); n != 2 {
			w.t.Fatalf("%d items after a month, want 2", n)
		}
		w.pass(28 * day)
		if n := w.history("goes"); n != 2 {
			w.t.Fatalf("%d items of what is gone for 58 days, want 2", n)
		}
		w.pass(5 * day)
		if n, verdicts := w.history("goes"), w.count(`SELECT count(*) FROM verdict`); n != 0 || verdicts != 1 {
			w.t.Fatalf("%d items and %d verdicts after 63 days, want none of what is gone", n, verdicts)
		}
		w.read(func(ctx context.Context, tx *db.Tx) error {
			tally, err := store.TallyRules(ctx, tx, []string{rule.ID})
			if fmt.Sprint(tally) != "map[config-rule-1:{0 1}]" {
				w.t.Errorf("tally %v", tally)
			}
			return err
		})
		w.pass(300 * day) // nobody ran in all that time
		if months := w.count(`SELECT count(*) FROM item_month`); months > 2 {
			w.t.Fatalf("%d months are kept", months)
		}
		if n, bodies := w.history("stays"), w.count(`SELECT count(*) FROM body`); n != 1 || bodies != 1 {
			w.t.Fatalf("%d items and %d bodies of what lives, want the newest", n, bodies)
		}
		w.read(func(ctx context.Context, tx *db.Tx) error {
			if it, err := store.AsOfOne(ctx, tx, key("stays"), w.clock.Now()); err != nil || it.StateID != newest.StateID {
				w.t.Errorf("as of now: %v, %v", it, err)
			}
			if _, err := store.AsOfOne(ctx, tx, key("goes"), w.clock.Now()); !errors.Is(err, store.ErrNotFound) {
				w.t.Errorf("what is gone, as of now: %v", err)
			}
			return nil
		})
	})
}

func TestThereIsOneRunADay(t *testing.T) {
	run(t, func(w *world) {
		if w.pass(time.Hour); w.swept != 0 {
			w.t.Fatalf("%d sweeps before the first run", w.swept)
		}
		if w.pass(day); w.swept != 2 { // the first had more to do
			w.t.Fatalf("%d sweeps in the first run, want 2", w.swept)
		}
		for range 3 {
			w.pass(day)
		}
		if w.swept != 5 {
			w.t.Fatalf("%d sweeps after three more days, want 5", w.swept)
		}
		if w.pass(100 * day); w.swept != 6 {
			w.t.Fatalf("%d sweeps after a hundred days at once, want 6", w.swept)
		}
		if n := w.count(`SELECT count(*) FROM river_job WHERE kind = 'retention_run' AND state = 'scheduled'`); n != 1 {
			w.t.Fatalf("%d runs are due, want one", n)
		}
	})
}
