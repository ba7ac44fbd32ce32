package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
)

type storedRemediationStep struct {
	Name    string    `json:"name"`
	State   string    `json:"state"`
	Error   string    `json:"error,omitempty"`
	Started time.Time `json:"started,omitzero"`
	Stopped time.Time `json:"stopped,omitzero"`
}

// PutRemediationExecution keeps how the putting right of a resource goes.
func PutRemediationExecution(ctx context.Context, tx *db.Tx, e config.RemediationExecution) error {
	place, err := makePlace(ctx, tx, e.Place)
	if err != nil {
		return err
	}
	steps, err := encoded(collect(e.Steps, func(s config.RemediationStep) storedRemediationStep { return storedRemediationStep(s) }))
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO remediation_execution
		(place, rule, type, id, state, execution, automatic, attempts, first, wave, invoked, updated, steps)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (place, rule, type, id) DO UPDATE SET state = excluded.state, execution = excluded.execution, automatic = excluded.automatic,
		attempts = excluded.attempts, first = excluded.first, wave = excluded.wave, invoked = excluded.invoked, updated = excluded.updated,
		steps = excluded.steps`,
		place, e.Rule, e.Type, e.ID, string(e.State), e.Execution, e.Automatic, e.Attempts, db.Micros(e.First), db.Micros(e.Wave),
		db.Micros(e.Invoked), db.Micros(e.Updated), steps)
	if err != nil {
		return fmt.Errorf("keep the remediation of %s: %w", e.ResourceKey, err)
	}
	return nil
}

// RemediationExecution returns the last execution of a rule's remediation on a
// resource, or ErrNotFound.
func RemediationExecution(ctx context.Context, tx *db.Tx, rule string, key config.ResourceKey) (config.RemediationExecution, error) {
	found, err := scanRemediationExecutions(ctx, tx, key.Place, rule, `type = ? AND id = ?`, key.Type, key.ID)
	if err != nil {
		return config.RemediationExecution{}, err
	}
	if len(found) == 0 {
		return config.RemediationExecution{}, ErrNotFound
	}
	return found[0], nil
}

// RemediationExecutions returns up to limit executions of a rule after a resource,
// by type and id.
func RemediationExecutions(ctx context.Context, tx *db.Tx, p config.Place, rule string, after config.ResourceKey, limit int) (
	[]config.RemediationExecution, error,
) {
	return scanRemediationExecutions(ctx, tx, p, rule, `(type, id) > (?, ?) ORDER BY type, id LIMIT ?`, after.Type, after.ID, limit)
}

// QueuedRemediations returns up to limit executions of a rule that wait, the
// longest waiting first.
func QueuedRemediations(ctx context.Context, tx *db.Tx, p config.Place, rule string, limit int) ([]config.RemediationExecution, error) {
	return scanRemediationExecutions(ctx, tx, p, rule, `state = ? ORDER BY wave, type, id LIMIT ?`, string(config.RemediationQueued), limit)
}

// A RemediationCount says how the executions of a rule stand.
type RemediationCount struct {
	Queued, InProgress int
	Wave               time.Time // of those; zero if there are none
	Failed, All        int       // in the wave
}

// CountRemediations counts the executions of a rule.
func CountRemediations(ctx context.Context, tx *db.Tx, p config.Place, rule string) (RemediationCount, error) {
	var c RemediationCount
	place, err := placeID(ctx, tx, p)
	if err != nil || place == 0 {
		return c, err
	}
	var wave int64
	err = tx.QueryRow(ctx, `SELECT count(CASE WHEN state = 'QUEUED' THEN 1 END), count(CASE WHEN state = 'IN_PROGRESS' THEN 1 END), coalesce(max(wave), 0)
		FROM remediation_execution WHERE place = ? AND rule = ? AND state IN ('QUEUED', 'IN_PROGRESS')`, place, rule).Scan(&c.Queued, &c.InProgress, &wave)
	if err == nil && wave != 0 {
		c.Wave = db.Time(wave)
		err = tx.QueryRow(ctx, `SELECT count(CASE WHEN state = 'FAILED' THEN 1 END), count(*)
			FROM remediation_execution WHERE place = ? AND rule = ? AND wave = ?`, place, rule, wave).Scan(&c.Failed, &c.All)
	}
	if err != nil {
		return c, fmt.Errorf("count remediations of %s: %w", rule, err)
	}
	return c, nil
}

func scanRemediationExecutions(ctx context.Context, tx *db.Tx, p config.Place, rule, where string, args ...any) ([]config.RemediationExecution, error) {
	place, err := placeID(ctx, tx, p)
	if err != nil || place == 0 {
		return nil, err
	}
	var out []config.RemediationExecution
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		e := config.RemediationExecution{ResourceKey: config.ResourceKey{Place: p}, Rule: rule}
		var at [4]int64
		var state, steps string
		if err := scan(&e.Type, &e.ID, &state, &e.Execution, &e.Automatic, &e.Attempts, &at[0], &at[1], &at[2], &at[3], &steps); err != nil {
			return err
		}
		var forms []storedRemediationStep
		if err := json.Unmarshal([]byte(steps), &forms); err != nil {
			return fmt.Errorf("remediation of %s: %w", e.ResourceKey, err)
		}
		e.Steps = collect(forms, func(s storedRemediationStep) config.RemediationStep { return config.RemediationStep(s) })
		e.State, e.First, e.Wave = config.RemediationState(state), db.Time(at[0]), db.Time(at[1])
		e.Invoked, e.Updated = db.Time(at[2]), db.Time(at[3])
		out = append(out, e)
		return nil
	}, `SELECT type, id, state, execution, automatic, attempts, first, wave, invoked, updated, steps
		FROM remediation_execution WHERE place = ? AND rule = ? AND `+where, append([]any{place, rule}, args...)...)
	if err != nil {
		return nil, fmt.Errorf("read remediations of %s: %w", rule, err)
	}
	return out, nil
}
