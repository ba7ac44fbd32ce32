package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"plumb/internal/db"
)

// The floor of everything that is kept: the rows themselves, in one durable
// transaction of the same database with the same tables and indexes, all texts
// made beforehand. Nothing is read, compared, encoded or judged; keys are given.

// A keptItem is the rows of one recorded item. Its id is made of the numbers
// that a key of the store would be.
type keptItem struct {
	kind, id int64
	body     string // for queries
	packed   []byte // for the history
}

const (
	floorPlace   = 1
	benchAccount = "123456789012"
	benchRegion  = "us-east-1"
)

func (it keptItem) resource() int64 { return it.kind<<32 | it.id }

// bareItems writes a history row, its body, the current row and the queried body
// of each item.
func bareItems(ctx context.Context, tx *db.Tx, items []keptItem, state int64) error {
	var history, packed, current, bodies []any
	digest := make([]byte, 32)
	for _, it := range items {
		name := fmt.Sprintf("i-%017x", it.id)
		history = append(history, it.resource(), state, 1)
		packed = append(packed, it.resource(), state, it.packed)
		current = append(current, it.resource(), floorPlace, it.kind, name, "", "arn:of:"+name, state, 1, digest, false)
		bodies = append(bodies, it.resource(), it.body)
	}
	if _, err := tx.Exec(ctx, `INSERT INTO item (resource, state_id, previous, body, status, reference) VALUES `+
		groups(len(items), "(?, ?, 0, 0, ?, false)"), history...); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `INSERT INTO body (resource, state_id, coding, dictionary, content) VALUES `+
		groups(len(items), "(?, ?, 1, 1, ?)"), packed...); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `INSERT INTO resource (id, place, type, external_id, name, arn, state_id, status, digest, pushed,
		compliant, non_compliant, rollup) VALUES `+groups(len(items), "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0)")+`
		ON CONFLICT (id) DO UPDATE SET state_id = excluded.state_id, digest = excluded.digest`, current...); err != nil {
		return err
	}
	group := "(?, jsonb(?))"
	if tx.Postgres() != nil {
		group = "(?, ?::jsonb)"
	}
	_, err := tx.Exec(ctx, `INSERT INTO resource_body (resource, body) VALUES `+groups(len(items), group)+`
		ON CONFLICT (resource) DO UPDATE SET body = excluded.body`, bodies...)
	return err
}

// openFloor opens an empty store with room for history of any month.
func (b *bench) openFloor(ctx context.Context) (*db.DB, error) {
	d, err := b.openStore(ctx)
	if err != nil || !d.IsPostgres() {
		return d, err
	}
	return d, d.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "CREATE TABLE item_any PARTITION OF item DEFAULT")
		return err
	})
}

// A keptVerdict is the row of one verdict.
type keptVerdict struct{ rule, resource int64 }

// bareVerdicts writes verdict rows.
func bareVerdicts(ctx context.Context, tx *db.Tx, verdicts []keptVerdict, compliance int, now time.Time) error {
	if len(verdicts) == 0 {
		return nil
	}
	at := db.Micros(now)
	args := make([]any, 0, 6*len(verdicts))
	for _, v := range verdicts {
		args = append(args, v.resource, at, at, at, v.rule, compliance)
	}
	_, err := tx.Exec(ctx, `INSERT INTO verdict (resource, ordering, invoked, recorded, rule, compliance) VALUES `+
		groups(len(verdicts), "(?, ?, ?, ?, ?, ?)")+` ON CONFLICT (resource, rule) DO UPDATE SET compliance = excluded.compliance,
		annotation = excluded.annotation, ordering = excluded.ordering, invoked = excluded.invoked, recorded = excluded.recorded`, args...)
	return err
}

func groups(n int, group string) string {
	return strings.TrimSuffix(strings.Repeat(group+", ", n), ", ")
}
