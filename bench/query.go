package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/query"
	"plumb/internal/search"
	"plumb/internal/store"
)

// What advanced queries are held against, at a million resources.
const (
	maxIndexed = 50 * time.Millisecond
	maxScan    = 3 * time.Second
	queryRatio = 0.7
)

// queriedTypes are the types of the population, in turn. Each resource has a
// relationship to the one before it.
var queriedTypes = []string{"AWS::EC2::Instance", "AWS::EC2::Volume", "AWS::Lambda::Function", "AWS::SQS::Queue"}

func queriedID(n int) string { return fmt.Sprintf("r-%09d", n) }

// queriedItem returns the n-th resource of a population.
func queriedItem(p config.Place, n int) config.Item {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	it := config.Item{
		ResourceKey: config.ResourceKey{Place: p, Type: queriedTypes[n%len(queriedTypes)], ID: queriedID(n)},
		ARN:         "arn:of:" + queriedID(n), Status: config.StatusDiscovered, CaptureTime: at, StateID: at.UnixMilli(),
		Tags: map[string]string{"owner": fmt.Sprintf("team-%d", n%1000), "stage": []string{"test", "prod"}[n%2]},
		Configuration: map[string]any{
			"code": fmt.Sprintf("c-%09d", n), "size": int64(n % 500), "state": map[string]any{"name": []string{"running", "stopped", "pending"}[n%3]},
			"disks": []any{map[string]any{"kind": "ssd", "gb": int64(n % 100)}, map[string]any{"kind": "tape", "gb": int64(n % 7)}},
			"text":  "Much of a configuration is asked for by nobody, and is there all the same.",
		},
	}
	if n > 0 {
		it.Relationships = []config.Relationship{{Type: queriedTypes[(n-1)%len(queriedTypes)], ID: queriedID(n - 1), Name: "Is attached to "}}
	}
	return it
}

// populate keeps n resources of a place.
func populate(ctx context.Context, d *db.DB, p config.Place, n int) error {
	const atOnce = 500
	for from := 0; from < n; from += atOnce {
		var items []store.NewItem
		for i := from; i < min(from+atOnce, n); i++ {
			it := queriedItem(p, i)
			body, err := json.Marshal(it)
			if err != nil {
				return err
			}
			items = append(items, store.NewItem{Item: it, Body: body, Digest: []byte(it.ID)})
		}
		if err := d.Write(ctx, func(tx *db.Tx) error { return store.AppendItems(ctx, tx, items) }); err != nil {
			return err
		}
	}
	return nil
}

// A queried is an advanced query and what somebody would write by hand for the
// same rows of the same store.
type queried struct {
	what, expression string
	sqlite, postgres string
	args             []any
	scan             bool // no index leads to its rows, on SQLite
	indexed          bool // on PostgreSQL
}

const handwritten = ` FROM resource r JOIN resource_body b ON b.resource = r.id`

// queriesOver are the queries that are measured over n resources.
func queriesOver(n int) []queried {
	some := n / 2 / len(queriedTypes) * len(queriedTypes) // an instance
	keyed := handwritten + ` WHERE r.type = (SELECT id FROM resource_type WHERE name = ?) AND r.place = 1 AND r.external_id = ?`
	return []queried{
		{"by type and id", "SELECT resourceId, configuration.state.name WHERE resourceType = 'AWS::EC2::Instance' AND resourceId = '" + queriedID(some) + "'",
			`SELECT json_object('id', r.external_id, 'name', json_extract(b.body, '$.configuration.state.name'))` + keyed,
			`SELECT json_build_object('id', r.external_id, 'name', b.body #>> '{configuration,state,name}')::text` + keyed,
			[]any{"AWS::EC2::Instance", queriedID(some)}, false, false},
		{"by tag", "SELECT resourceId, configuration.size WHERE tags.tag = 'owner=team-8'",
			`SELECT json_object('id', r.external_id, 'size', json_extract(b.body, '$.configuration.size'))` + handwritten + `
				JOIN resource_tag t ON t.resource = r.id WHERE t.key = ? AND t.value = ? ORDER BY r.type, r.place, r.external_id LIMIT 100`,
			`SELECT json_build_object('id', r.external_id, 'size', b.body #> '{configuration,size}')::text` + handwritten + `
				JOIN resource_tag t ON t.resource = r.id WHERE t.key = ? AND t.value = ? ORDER BY r.type, r.place, r.external_id LIMIT 100`,
			[]any{"owner", "team-8"}, false, false},
		{"by id, joined along a relationship", "SELECT resourceId, x.configuration.code JOIN x ON relationships WHERE resourceType = 'AWS::EC2::Instance' AND resourceId = '" + queriedID(some) + "'",
			`SELECT json_object('id', r.external_id, 'code', json_extract(c.body, '$.configuration.code')) FROM resource r JOIN resource_body b ON b.resource = r.id
				JOIN json_each(b.body, '$.relationships') e JOIN resource_type t ON t.name = e.value ->> 'resourceType'
				JOIN resource x ON x.type = t.id AND x.place = r.place AND x.external_id = e.value ->> 'resourceId' JOIN resource_body c ON c.resource = x.id
				WHERE r.type = (SELECT id FROM resource_type WHERE name = ?) AND r.place = 1 AND r.external_id = ?`,
			`SELECT json_build_object('id', r.external_id, 'code', c.body #>> '{configuration,code}')::text FROM resource r JOIN resource_body b ON b.resource = r.id
				CROSS JOIN LATERAL jsonb_array_elements(b.body -> 'relationships') e JOIN resource_type t ON t.name = e.value ->> 'resourceType'
				JOIN resource x ON x.type = t.id AND x.place = r.place AND x.external_id = e.value ->> 'resourceId' JOIN resource_body c ON c.resource = x.id
				WHERE r.type = (SELECT id FROM resource_type WHERE name = ?) AND r.place = 1 AND r.external_id = ?`,
			[]any{"AWS::EC2::Instance", queriedID(some)}, false, false},
		{"by a path", "SELECT resourceId WHERE configuration.code = 'c-" + queriedID(some)[2:] + "'",
			`SELECT json_object('id', r.external_id)` + handwritten + ` WHERE json_extract(b.body, '$.configuration.code') = ?`,
			`SELECT json_build_object('id', r.external_id)::text` + handwritten + ` WHERE b.body @@ ('$.configuration.code == "' || ? || '"')::jsonpath`,
			[]any{"c-" + queriedID(some)[2:]}, true, true},
		{"counted", "SELECT COUNT(*) WHERE configuration.state.name = 'stopped' AND configuration.size > 250",
			`SELECT json_object('n', count(*))` + handwritten + ` WHERE json_extract(b.body, '$.configuration.state.name') = 'stopped' AND json_extract(b.body, '$.configuration.size') > 250`,
			`SELECT json_build_object('n', count(*))::text` + handwritten + ` WHERE b.body #>> '{configuration,state,name}' = 'stopped' AND (b.body #> '{configuration,size}')::numeric > 250`,
			nil, true, false},
		{"in groups of a path", "SELECT configuration.state.name, COUNT(*) GROUP BY configuration.state.name",
			`SELECT json_object('name', json_extract(b.body, '$.configuration.state.name'), 'n', count(*))` + handwritten + ` GROUP BY json_extract(b.body, '$.configuration.state.name')`,
			`SELECT json_build_object('name', b.body #>> '{configuration,state,name}', 'n', count(*))::text` + handwritten + ` GROUP BY b.body #>> '{configuration,state,name}'`,
			nil, true, false},
	}
}

// queries measures advanced queries over many current resources.
func queries(ctx context.Context, b *bench) error {
	d, err := b.openStore(ctx)
	if err != nil {
		return err
	}
	if err := populate(ctx, d, benchPlace, b.resources); err != nil {
		return err
	}
	if err := analyze(ctx, d); err != nil {
		return err
	}
	for _, q := range queriesOver(b.resources) {
		if err := b.queryOne(ctx, d, q); err != nil {
			return fmt.Errorf("%s: %w", q.what, err)
		}
	}
	return nil
}

// analyze has PostgreSQL know its tables, as its own daemon would after a while.
func analyze(ctx context.Context, d *db.DB) error {
	if !d.IsPostgres() {
		return nil
	}
	return d.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "ANALYZE")
		return err
	})
}

func (b *bench) queryOne(ctx context.Context, d *db.DB, q queried) error {
	q.scan = q.scan && !(d.IsPostgres() && q.indexed)
	rows, took := 0, []time.Duration{}
	ours := func(ctx context.Context) (int, error) {
		began := time.Now()
		parsed, err := query.ParseExtended(q.expression)
		if err != nil {
			return 0, err
		}
		page, err := search.Select(ctx, d, parsed, []config.Place{benchPlace}, search.Window{Limit: 100})
		rows, took = len(page.Rows), append(took, time.Since(began))
		return 1, err
	}
	text := q.sqlite
	if d.IsPostgres() {
		text = q.postgres
	}
	floorRows := 0
	floor := func(ctx context.Context) (int, error) {
		floorRows = 0
		return 1, d.ReadLong(ctx, func(tx *db.Tx) error {
			return db.Each(ctx, tx, func(scan func(...any) error) error {
				var row string
				floorRows++
				return scan(&row)
			}, text, q.args...)
		})
	}
	r, err := b.compare(ctx, ours, floor)
	if err != nil {
		return err
	}
	if rows != floorRows || rows == 0 {
		return fmt.Errorf("ours has %d rows, and SQL has %d", rows, floorRows)
	}
	goal := maxIndexed
	if q.scan {
		goal = maxScan
	}
	what := fmt.Sprintf("query of %d resources, %s", b.resources, q.what)
	if r.ours < 10 { // a rate would be a digit
		what += fmt.Sprintf(" (%.2f calls/s)", r.ours)
	}
	b.table.race(what, "calls/s", r, queryRatio)
	b.table.latencies(fmt.Sprintf("query of %d resources, %s", b.resources, q.what), took, goal)
	return nil
}
