package aggregation_test

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"testing"
	"time"

	"plumb/internal/aggregation"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/store"
)

var (
	noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	hub  = config.Place{Account: "999999999999", Region: "eu-west-1"}
)

const (
	accounts  = 1000
	resources = 3 // of each account
	kind      = "AWS::SQS::Queue"
	maxBytes  = 16 << 20 // that one read may allocate
)

func source(i int) config.Place {
	return config.Place{Account: fmt.Sprintf("%012d", i+1), Region: "eu-west-1"}
}

// populate keeps some resources, a rule and its verdicts of an account, and its
// authorization.
func populate(ctx context.Context, tx *db.Tx, p config.Place) error {
	rule := config.Rule{Place: p, Name: "rule", ID: "config-rule-" + p.Account, State: config.RuleActive}
	if err := store.PutRule(ctx, tx, rule); err != nil {
		return err
	}
	var items []store.NewItem
	var verdicts []store.NewVerdict
	for j := range resources {
		it := config.Item{ResourceKey: config.ResourceKey{Place: p, Type: kind, ID: fmt.Sprint("q", j)}, Status: config.StatusDiscovered,
			CaptureTime: noon, StateID: noon.UnixMilli(), Configuration: map[string]any{"n": int64(j)}}
		body, err := json.Marshal(it)
		if err != nil {
			return err
		}
		items = append(items, store.NewItem{Item: it, Body: body, Digest: []byte{1}})
		verdicts = append(verdicts, store.NewVerdict{RuleID: rule.ID, Verdict: config.Verdict{Rule: rule.Name, Evaluation: config.Evaluation{
			ResourceType: kind, ResourceID: it.ID, Compliance: config.NonCompliant, Ordering: noon}}})
	}
	if err := store.AppendItems(ctx, tx, items); err != nil {
		return err
	}
	if err := store.PutVerdicts(ctx, tx, p, verdicts); err != nil {
		return err
	}
	_, err := store.PutAuthorization(ctx, tx, config.AggregationAuthorization{Place: p, Authorized: hub, ARN: "arn:" + p.Account, Created: noon})
	return err
}

func TestAThousandAccountsAreReadInBoundedMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("a thousand accounts take some seconds")
	}
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		ctx, g := t.Context(), aggregation.New(nil, 1, func() time.Time { return noon })
		agg := config.Aggregator{Place: hub, Name: "all", Accounts: &config.AccountSource{Regions: config.Regions{All: true}}}
		write := func(f func(tx *db.Tx) error) {
			t.Helper()
			if err := d.Write(ctx, f); err != nil {
				t.Fatal(err)
			}
		}
		for from := 0; from < accounts; from += 50 {
			write(func(tx *db.Tx) error {
				for i := from; i < from+50; i++ {
					if err := populate(ctx, tx, source(i)); err != nil {
						return err
					}
				}
				return nil
			})
		}
		for i := range accounts {
			agg.Accounts.IDs = append(agg.Accounts.IDs, source(i).Account)
		}
		write(func(tx *db.Tx) (err error) { agg, err = g.Put(ctx, tx, agg, nil); return err })
		read := func(f func(tx *db.Tx) error) {
			t.Helper()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			if err := d.Read(ctx, f); err != nil {
				t.Fatal(err)
			}
			runtime.ReadMemStats(&after)
			if n := after.TotalAlloc - before.TotalAlloc; n > maxBytes {
				t.Errorf("a read allocates %d bytes", n)
			}
		}
		read(func(tx *db.Tx) error {
			groups, total, err := g.Counts(ctx, tx, agg, aggregation.Within{}, "", aggregation.ByAccount)
			if total != accounts*resources || len(groups) != accounts {
				t.Errorf("%d resources in %d accounts", total, len(groups))
			}
			return err
		})
		read(func(tx *db.Tx) error {
			groups, err := g.RuleTallies(ctx, tx, agg, aggregation.Within{}, aggregation.ByRegion)
			if fmt.Sprint(groups) != fmt.Sprint("map[eu-west-1:{0 ", accounts, "}]") {
				t.Errorf("rules: %v", groups)
			}
			return err
		})
		seen, q := map[config.ResourceKey]bool{}, store.ResourceQuery{Type: kind, Limit: 100}
		for more := true; more; {
			read(func(tx *db.Tx) error {
				page, err := g.Resources(ctx, tx, agg, aggregation.Within{}, q)
				for _, r := range page {
					seen[r.ResourceKey] = true
					q.Place, q.After = r.Place, r.ID
				}
				more = len(page) == q.Limit
				return err
			})
		}
		if len(seen) != accounts*resources {
			t.Errorf("%d resources in pages", len(seen))
		}
		rules, from, rq := 0, config.Place{}, store.RuleResultQuery{Compliance: config.NonCompliant, Limit: 100}
		for more := true; more; {
			read(func(tx *db.Tx) error {
				page, err := g.Rules(ctx, tx, agg, aggregation.Within{}, rq, from)
				for _, r := range page {
					from, rq.After = r.Place, r.Name
				}
				rules += len(page)
				more = len(page) == rq.Limit
				return err
			})
		}
		if rules != accounts {
			t.Errorf("%d rules in pages", rules)
		}
	})
}
