package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/store"
)

// aggregatedAccounts is how many accounts an aggregator shows.
const aggregatedAccounts = 1000

// aggregate measures what an aggregator of a thousand accounts says of all of them,
// beside SQL for the same sums over the same store.
func aggregate(ctx context.Context, b *bench) error {
	s, err := b.newServer(ctx)
	if err != nil {
		return err
	}
	d, err := db.Open(ctx, s.store, b.log())
	if err != nil {
		return err
	}
	b.atEnd(d.Close)
	each := max(b.resources/aggregatedAccounts, 1)
	accounts := make([]string, aggregatedAccounts)
	for i := range accounts {
		accounts[i] = fmt.Sprintf("%012d", i+1)
		if err := authorized(ctx, d, config.Place{Account: accounts[i], Region: benchRegion}, each); err != nil {
			return err
		}
	}
	if err := analyze(ctx, d); err != nil {
		return err
	}
	err = s.call(ctx, "PutConfigurationAggregator", map[string]any{
		"ConfigurationAggregatorName": "all", "AccountAggregationSources": []any{map[string]any{"AccountIds": accounts, "AllAwsRegions": true}},
	}, nil)
	if err != nil {
		return err
	}
	for _, q := range []struct {
		operation string
		in        map[string]any
		floor     string
	}{
		{"GetAggregateDiscoveredResourceCounts", map[string]any{"GroupByKey": "RESOURCE_TYPE"},
			`SELECT t.name, count(*) FROM resource r JOIN resource_type t ON t.id = r.type WHERE r.status IN (1, 2, 3) GROUP BY t.name`},
		{"GetAggregateDiscoveredResourceCounts", map[string]any{"GroupByKey": "ACCOUNT_ID"},
			`SELECT p.account, count(*) FROM resource r JOIN place p ON p.id = r.place WHERE r.status IN (1, 2, 3) GROUP BY p.account`},
		{"SelectAggregateResourceConfig", map[string]any{"Expression": "SELECT accountId, COUNT(*) GROUP BY accountId"},
			`SELECT p.account, count(*) FROM resource r JOIN place p ON p.id = r.place JOIN resource_body b ON b.resource = r.id GROUP BY p.account ORDER BY 1 LIMIT 500`},
		{"ListAggregateDiscoveredResources", map[string]any{"ResourceType": queriedTypes[0]},
			`SELECT r.external_id, r.place FROM resource r WHERE r.type = 1 AND r.status IN (1, 2, 3) ORDER BY r.place, r.external_id LIMIT 100`},
	} {
		q.in["ConfigurationAggregatorName"] = "all"
		if err := b.aggregateOne(ctx, s, d, q.operation, q.in, q.floor, each); err != nil {
			return fmt.Errorf("%s: %w", q.operation, err)
		}
	}
	return nil
}

// authorized keeps resources of an account that lets the bench's show them.
func authorized(ctx context.Context, d *db.DB, p config.Place, n int) error {
	if err := populate(ctx, d, p, n); err != nil {
		return err
	}
	return d.Write(ctx, func(tx *db.Tx) error {
		_, err := store.PutAuthorization(ctx, tx, config.AggregationAuthorization{Place: p, Authorized: benchPlace, ARN: "arn:" + p.Account, Created: time.Now()})
		return err
	})
}

func (b *bench) aggregateOne(ctx context.Context, s *server, d *db.DB, operation string, in map[string]any, floor string, each int) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	var took []time.Duration
	r, err := b.compare(ctx,
		func(ctx context.Context) (int, error) {
			began := time.Now()
			_, err := s.callRaw(ctx, operation, body)
			took = append(took, time.Since(began))
			return 1, err
		},
		func(ctx context.Context) (int, error) {
			return 1, d.ReadLong(ctx, func(tx *db.Tx) error {
				return db.Each(ctx, tx, func(scan func(...any) error) error {
					var a, b any
					return scan(&a, &b)
				}, floor)
			})
		})
	if err != nil {
		return err
	}
	what := fmt.Sprintf("%s of %d accounts with %d resources each", operation, aggregatedAccounts, each)
	if by, ok := in["GroupByKey"]; ok {
		what += fmt.Sprint(", by ", by)
	}
	b.table.race(what, "calls/s", r, 0)
	b.table.latencies(what, took, 0)
	return nil
}
