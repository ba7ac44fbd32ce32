package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
)

// PutRuleFailure notes that a rule's function gave no verdict on a resource.
func PutRuleFailure(ctx context.Context, tx *db.Tx, ruleID string, k config.ResourceKey, at time.Time) error {
	_, err := tx.Exec(ctx, `INSERT INTO rule_failure (rule, type, id, at) SELECT id, ?, ?, ? FROM rule WHERE public_id = ?
		ON CONFLICT (rule, type, id) DO UPDATE SET at = excluded.at`, k.Type, k.ID, db.Micros(at), ruleID)
	if err != nil {
		return fmt.Errorf("note a failure on %s: %w", k, err)
	}
	return nil
}

// DeleteRuleFailure forgets that a rule's function failed on a resource.
func DeleteRuleFailure(ctx context.Context, tx *db.Tx, ruleID string, k config.ResourceKey) error {
	_, err := tx.Exec(ctx, `DELETE FROM rule_failure WHERE rule = (SELECT id FROM rule WHERE public_id = ?) AND type = ? AND id = ?`,
		ruleID, k.Type, k.ID)
	if err != nil {
		return fmt.Errorf("forget a failure on %s: %w", k, err)
	}
	return nil
}

// CountRuleFailures returns on how many resources a rule's function failed when it
// was last asked.
func CountRuleFailures(ctx context.Context, tx *db.Tx, ruleID string) (n int, err error) {
	err = tx.QueryRow(ctx, `SELECT count(*) FROM rule_failure WHERE rule = (SELECT id FROM rule WHERE public_id = ?)`, ruleID).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count the failures of a rule: %w", err)
	}
	return n, nil
}

// RuleFailures returns on how many resources a rule's function failed when it was
// last asked, and the one on which it failed last.
func RuleFailures(ctx context.Context, tx *db.Tx, r config.Rule) (n int, last config.ResourceKey, err error) {
	last.Place = r.Place
	err = tx.QueryRow(ctx, `SELECT f.type, f.id, (SELECT count(*) FROM rule_failure c WHERE c.rule = u.id)
		FROM rule u JOIN rule_failure f ON f.rule = u.id WHERE u.public_id = ? ORDER BY f.at DESC, f.type, f.id LIMIT 1`, r.ID).
		Scan(&last.Type, &last.ID, &n)
	if errors.Is(err, db.ErrNoRows) {
		return 0, last, nil
	}
	if err != nil {
		return 0, last, fmt.Errorf("read the failures of rule %s: %w", r.Name, err)
	}
	return n, last, nil
}
