package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/recorder"
)

var benchPlace = config.Place{Account: benchAccount, Region: benchRegion}

// fleetSize is how many instances change in turn.
const fleetSize = 1000

// record measures items that are recorded and judged, each a change by itself
// that turns the verdict of one rule around.
func record(ctx context.Context, b *bench) error { return b.recordTypes(ctx, "", instanceType) }

// recordAll has every verdict that turns make a compliance item besides, which
// lists what all rules say of the resource.
func recordAll(ctx context.Context, b *bench) error {
	return b.recordTypes(ctx, ", and the compliance items that follow")
}

// recordTypes measures with a recorder of those types, all of them if none.
func (b *bench) recordTypes(ctx context.Context, what string, types ...string) error {
	m, err := b.newMachine(ctx)
	if err != nil {
		return err
	}
	if err := m.start(ctx, benchPlace, types...); err != nil {
		return err
	}
	if err := m.putRules(ctx, benchPlace, b.rules); err != nil {
		return err
	}
	fleet, err := newFleet(benchPlace, fleetSize)
	if err != nil {
		return err
	}
	ours := func(ctx context.Context) error {
		observations := make([]recorder.Observation, 0, b.batch)
		for _, it := range fleet.next(b.batch) {
			observations = append(observations, recorder.Observation{Item: it})
		}
		return m.Recorder.Record(ctx, benchPlace, observations)
	}
	for n := 0; n < fleetSize; n += b.batch { // the first items are discoveries: they have no verdicts to compare with
		if err := ours(ctx); err != nil {
			return err
		}
	}
	floor, err := b.bareRecording(ctx, m, len(types) == 0)
	if err != nil {
		return err
	}
	r, err := b.compare(ctx, times(b.batch, together(b.clients, ours)), times(b.batch, together(b.clients, floor)))
	if err != nil {
		return err
	}
	if err := m.proveVerdicts(ctx); err != nil {
		return err
	}
	b.table.race(fmt.Sprintf("items recorded and judged by %d rules, batches of %d, %d at once%s", b.rules, b.batch, b.clients, what), "items/s", r, 0.5)
	return nil
}

// proveVerdicts fails if rules did not judge: a fast nothing is no result.
func (m *machine) proveVerdicts(ctx context.Context) error {
	return m.DB.Read(ctx, func(tx *db.Tx) error {
		var rules int
		if err := tx.QueryRow(ctx, `SELECT count(DISTINCT rule) FROM verdict`).Scan(&rules); err != nil {
			return err
		}
		if rules < 2 {
			return fmt.Errorf("only %d rules gave a verdict", rules)
		}
		return nil
	})
}

// bareRecording writes the rows that a batch of ours leaves behind: history and
// current state of each instance, the verdict that turned, and the same of the
// compliance items where those are recorded. The texts are copies of ours.
func (b *bench) bareRecording(ctx context.Context, m *machine, compliance bool) (func(context.Context) error, error) {
	d, err := b.openFloor(ctx)
	if err != nil {
		return nil, err
	}
	kinds := []string{instanceType}
	if compliance {
		kinds = append(kinds, config.TypeResourceCompliance)
	}
	bodies := map[string]keptItem{}
	for _, kind := range kinds {
		if bodies[kind], err = someItem(ctx, m.DB, kind); err != nil {
			return nil, err
		}
	}
	var steps atomic.Int64
	began := time.Now().UnixMilli()
	return func(ctx context.Context) error {
		var items []keptItem
		var verdicts []keptVerdict
		step := steps.Add(1)
		for i := range b.batch {
			id := int64((int(step)*b.batch + i) % fleetSize)
			for n, kind := range kinds {
				items = append(items, keptItem{int64(n), id, bodies[kind].body, bodies[kind].packed})
			}
			verdicts = append(verdicts, keptVerdict{1, id})
		}
		return d.Write(ctx, func(tx *db.Tx) error {
			if err := bareItems(ctx, tx, items, began+step); err != nil {
				return err
			}
			return bareVerdicts(ctx, tx, verdicts, 1, time.Now())
		})
	}, nil
}

// someItem returns the bodies of some item of a type.
func someItem(ctx context.Context, d *db.DB, kind string) (it keptItem, err error) {
	text := "json(q.body)"
	if d.IsPostgres() {
		text = "q.body::text"
	}
	err = d.Read(ctx, func(tx *db.Tx) error {
		return tx.QueryRow(ctx, `SELECT `+text+`, b.content FROM resource_type t JOIN resource r ON r.type = t.id
			JOIN resource_body q ON q.resource = r.id JOIN body b ON b.resource = r.id AND b.state_id = r.body
			WHERE t.name = ? LIMIT 1`, kind).Scan(&it.body, &it.packed)
	})
	if err != nil {
		return it, fmt.Errorf("what an item of %s looks like: %w", kind, err)
	}
	return it, nil
}
