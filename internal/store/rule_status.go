package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
)

// How a rule fares changes with every evaluation, and stands apart from what it
// is: up to 10 KB of policy need not be written again for a time.

// putRuleStatus gives a rule a state, and a status if it has none.
func putRuleStatus(ctx context.Context, tx *db.Tx, rule int64, s config.RuleState) error {
	_, err := tx.Exec(ctx, `INSERT INTO rule_status (rule, state, started, next_run, last_successful_invocation, last_failed_invocation,
		last_successful_evaluation, last_failed_evaluation, first_activated, last_deactivated, error_code, error_message, evaluation_started)
		VALUES (?, ?, 0, 0, 0, 0, 0, 0, 0, 0, '', '', ?) ON CONFLICT (rule) DO UPDATE SET state = excluded.state`, rule, string(s), false)
	return err
}

// RuleStatus returns how a rule fares, or ErrNotFound.
func RuleStatus(ctx context.Context, tx *db.Tx, id string) (config.RuleStatus, error) {
	var s config.RuleStatus
	var at [6]int64
	err := tx.QueryRow(ctx, `SELECT s.last_successful_invocation, s.last_failed_invocation, s.last_successful_evaluation,
		s.last_failed_evaluation, s.first_activated, s.last_deactivated, s.error_code, s.error_message, s.evaluation_started
		FROM rule r JOIN rule_status s ON s.rule = r.id WHERE r.public_id = ?`, id).
		Scan(&at[0], &at[1], &at[2], &at[3], &at[4], &at[5], &s.LastErrorCode, &s.LastErrorMessage, &s.FirstEvaluationStarted)
	if errors.Is(err, db.ErrNoRows) {
		return s, ErrNotFound
	}
	if err != nil {
		return s, fmt.Errorf("read rule status: %w", err)
	}
	s.LastSuccessfulInvocation, s.LastFailedInvocation = db.Time(at[0]), db.Time(at[1])
	s.LastSuccessfulEvaluation, s.LastFailedEvaluation = db.Time(at[2]), db.Time(at[3])
	s.FirstActivated, s.LastDeactivated = db.Time(at[4]), db.Time(at[5])
	return s, nil
}

// UpdateRuleStatus changes how a rule fares. A rule that is gone is left alone.
func UpdateRuleStatus(ctx context.Context, tx *db.Tx, id string, change func(*config.RuleStatus)) error {
	if err := tx.Lock(ctx, "rule status "+id); err != nil {
		return err
	}
	s, err := RuleStatus(ctx, tx, id)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	before := s
	change(&s)
	if s == before {
		return nil
	}
	_, err = tx.Exec(ctx, `UPDATE rule_status SET last_successful_invocation = ?, last_failed_invocation = ?, last_successful_evaluation = ?,
		last_failed_evaluation = ?, first_activated = ?, last_deactivated = ?, error_code = ?, error_message = ?, evaluation_started = ?
		WHERE rule = (SELECT id FROM rule WHERE public_id = ?)`,
		db.Micros(s.LastSuccessfulInvocation), db.Micros(s.LastFailedInvocation), db.Micros(s.LastSuccessfulEvaluation),
		db.Micros(s.LastFailedEvaluation), db.Micros(s.FirstActivated), db.Micros(s.LastDeactivated),
		s.LastErrorCode, s.LastErrorMessage, s.FirstEvaluationStarted, id)
	if err != nil {
		return fmt.Errorf("write rule status: %w", err)
	}
	return nil
}

// RuleStarted returns when an evaluation of a rule was last asked for.
func RuleStarted(ctx context.Context, tx *db.Tx, id string) (time.Time, error) {
	var us int64
	err := tx.QueryRow(ctx, `SELECT s.started FROM rule r JOIN rule_status s ON s.rule = r.id WHERE r.public_id = ?`, id).Scan(&us)
	return db.Time(us), err
}

// SetRuleStarted notes when an evaluation of a rule was asked for.
func SetRuleStarted(ctx context.Context, tx *db.Tx, id string, t time.Time) error {
	_, err := tx.Exec(ctx, `UPDATE rule_status SET started = ? WHERE rule = (SELECT id FROM rule WHERE public_id = ?)`, db.Micros(t), id)
	return err
}

// RuleNextRun returns when a periodic rule runs next; zero if it is not periodic
// or gone.
func RuleNextRun(ctx context.Context, tx *db.Tx, id string) (time.Time, error) {
	var us int64
	err := tx.QueryRow(ctx, `SELECT s.next_run FROM rule r JOIN rule_status s ON s.rule = r.id WHERE r.public_id = ?`, id).Scan(&us)
	if errors.Is(err, db.ErrNoRows) {
		return time.Time{}, nil
	}
	return db.Time(us), err
}

// SetRuleNextRun notes when a periodic rule runs next.
func SetRuleNextRun(ctx context.Context, tx *db.Tx, id string, t time.Time) error {
	_, err := tx.Exec(ctx, `UPDATE rule_status SET next_run = ? WHERE rule = (SELECT id FROM rule WHERE public_id = ?)`, db.Micros(t), id)
	return err
}
