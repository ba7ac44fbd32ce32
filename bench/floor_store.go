package main

import (
	"context"
	"strings"
	"time"

	"plumb/internal/db"
)

// The floor of everything that is kept: the rows themselves, in one durable
// transaction of the same database with the same tables and indexes, all texts
// made beforehand. Nothing is read, compared, encoded or judged.

// A keptItem is the rows of one recorded item.
type keptItem struct {
	kind, id string
	body     string
}

const (
	benchAccount = "123456789012"
	benchRegion  = "us-east-1"
)

// bareItems writes a history row and the current row of each
// item.
func bareItems(ctx context.Context, tx *db.Tx, items []keptItem, state int64) error {
	history, current := make([]any, 0, 8*len(items)), make([]any, 0, 13*len(items))
	digest := make([]byte, 32)
	for _, it := range items {
		history = append(history, benchAccount, benchRegion, it.kind, it.id, state, state*1000, "OK", it.body)
		current = append(current, benchAccount, benchRegion, it.kind, it.id, "", "arn:of:"+it.id, state, state*1000, "OK", 0, digest, false, it.body)
	}
	if _, err := tx.Exec(ctx, `INSERT INTO item (account, region, type, id, state_id, captured, status, body) VALUES `+
		groups(len(items), "(?, ?, ?, ?, ?, ?, ?, ?)"), history...); err != nil {
		return err
	}
	group := "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, jsonb(?))"
	if tx.Postgres() != nil {
		group = "(?, ?, ?, ?, ?, ?, ?::bigint, ?::bigint, ?, ?::bigint, ?::bytea, ?::boolean, ?::jsonb)"
	}
	_, err := tx.Exec(ctx, `INSERT INTO resource (account, region, type, id, name, arn, state_id, captured, status, deleted, digest, pushed, body) VALUES `+
		groups(len(items), group)+` ON CONFLICT (account, region, type, id) DO UPDATE SET
		state_id = excluded.state_id, captured = excluded.captured, digest = excluded.digest, body = excluded.body`, current...)
	return err
}

// A keptVerdict is the row of one verdict.
type keptVerdict struct{ rule, kind, id string }

// bareVerdicts writes verdict rows.
func bareVerdicts(ctx context.Context, tx *db.Tx, verdicts []keptVerdict, compliance string, now time.Time) error {
	if len(verdicts) == 0 {
		return nil
	}
	at := db.Micros(now)
	args := make([]any, 0, 10*len(verdicts))
	for _, v := range verdicts {
		args = append(args, benchAccount, benchRegion, v.rule, v.kind, v.id, compliance, "", at, at, at)
	}
	_, err := tx.Exec(ctx, `INSERT INTO verdict (account, region, rule_id, type, id, compliance, annotation, ordering, invoked, recorded) VALUES `+
		groups(len(verdicts), "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")+` ON CONFLICT (rule_id, type, id) DO UPDATE SET
		compliance = excluded.compliance, annotation = excluded.annotation,
		ordering = excluded.ordering, invoked = excluded.invoked, recorded = excluded.recorded`, args...)
	return err
}

func groups(n int, group string) string {
	return strings.TrimSuffix(strings.Repeat(group+", ", n), ", ")
}
