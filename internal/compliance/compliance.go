// Package compliance is the one door for verdicts: whoever judged a resource, an
// in-process rule or a function through PutEvaluations, hands its evaluations to
// Accept in a transaction. The package decides what a new evaluation may
// replace, keeps it, and publishes ComplianceChanged when a compliance changed.
//
// It does not evaluate, and it does not roll up for reads: those are store's
// tallies. It stores the newest verdict of each rule on each resource.
package compliance

import (
	"context"
	"fmt"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/store"
)

// A Door accepts evaluations.
type Door struct {
	now     func() time.Time
	publish func(ctx context.Context, tx *db.Tx, event any) error
}

// New returns the door. publish is called in the transaction that changed a
// compliance.
func New(publish func(ctx context.Context, tx *db.Tx, event any) error, now func() time.Time) *Door {
	return &Door{now: now, publish: publish}
}

// Accept keeps the evaluations of several rules of one place. An evaluation that
// is older than the kept verdict is dropped: a verdict never goes back. An
// ordering time in the future is taken as now, or it would block what comes
// after it.
func (d *Door) Accept(ctx context.Context, tx *db.Tx, p config.Place, batches ...config.Batch) error {
	if err := tx.Lock(ctx, p.Lock()); err != nil {
		return err
	}
	before, err := kept(ctx, tx, p, batches)
	if err != nil {
		return err
	}
	now := d.now()
	var changes []config.VerdictChange
	for _, b := range batches {
		write, changed := settle(b, p, before, now)
		if err := store.PutVerdicts(ctx, tx, b.Rule, write); err != nil {
			return err
		}
		changes = append(changes, changed...)
	}
	if len(changes) == 0 {
		return nil
	}
	return d.publish(ctx, tx, config.ComplianceChanged{Place: p, Changes: changes})
}

// kept returns the present verdicts on the resources that are spoken of.
func kept(ctx context.Context, tx *db.Tx, p config.Place, batches []config.Batch) (map[store.RuleKey]config.Verdict, error) {
	if len(batches) == 1 {
		one, err := store.RuleVerdicts(ctx, tx, batches[0].Rule, keys(p, batches))
		out := make(map[store.RuleKey]config.Verdict, len(one))
		for k, v := range one {
			out[store.RuleKey{RuleID: batches[0].Rule.ID, ResourceKey: k}] = v
		}
		return out, err
	}
	return store.ResourceVerdicts(ctx, tx, p, keys(p, batches))
}

func keys(p config.Place, batches []config.Batch) []config.ResourceKey {
	seen := map[config.ResourceKey]bool{}
	var out []config.ResourceKey
	for _, b := range batches {
		for _, e := range b.Evaluations {
			k := config.ResourceKey{Place: p, Type: e.ResourceType, ID: e.ResourceID}
			if !seen[k] {
				seen[k] = true
				out = append(out, k)
			}
		}
	}
	return out
}

// settle returns the verdicts to write and the compliances that change.
func settle(b config.Batch, p config.Place, before map[store.RuleKey]config.Verdict, now time.Time) ([]config.Verdict, []config.VerdictChange) {
	var write []config.Verdict
	var changes []config.VerdictChange
	for _, e := range lastOfEach(b.Evaluations) {
		var exact bool
		e.Ordering, exact = moment(b, e, now)
		old, had := before[store.RuleKey{RuleID: b.Rule.ID, ResourceKey: config.ResourceKey{Place: p, Type: e.ResourceType, ID: e.ResourceID}}]
		if had && older(e.Ordering, exact, old.Ordering) {
			continue
		}
		if b.Terse && (had && old.Compliance == e.Compliance && old.Annotation == e.Annotation || !had && e.Compliance == config.NotApplicable) {
			continue
		}
		v := config.Verdict{Rule: b.Rule.Name, Evaluation: e, Invoked: b.Invoked, Recorded: now}
		write = append(write, v)
		if c, changed := change(b.Rule, old, had, v); changed {
			changes = append(changes, c)
		}
	}
	return write, changes
}

// moment returns the ordering time of an evaluation, and whether it is known
// beyond the second.
func moment(b config.Batch, e config.Evaluation, now time.Time) (at time.Time, exact bool) {
	switch {
	case b.Terse:
		return e.Ordering, true // an item's capture time
	case !b.Captured.IsZero() && second(e.Ordering).Equal(second(b.Captured)):
		return b.Captured, true
	case e.Ordering.After(now):
		return now, false
	}
	return e.Ordering, hasFraction(e.Ordering)
}

// older compares by whole seconds, and within one only what is known beyond it.
func older(at time.Time, exact bool, kept time.Time) bool {
	if a, b := second(at), second(kept); !a.Equal(b) {
		return a.Before(b)
	}
	return exact && hasFraction(kept) && at.Before(kept)
}

func second(t time.Time) time.Time { return t.Truncate(time.Second) }

func hasFraction(t time.Time) bool { return !t.Equal(second(t)) }

// change compares compliances. A resource that a rule never applied to has none,
// and one that it no longer applies to has lost its own.
func change(r config.Rule, old config.Verdict, had bool, v config.Verdict) (config.VerdictChange, bool) {
	c := config.VerdictChange{RuleARN: r.ARN, RuleID: r.ID, New: v}
	if had && old.Compliance != config.NotApplicable {
		c.Old = &old
		return c, old.Compliance != v.Compliance
	}
	return c, v.Compliance != config.NotApplicable
}

// lastOfEach keeps the last evaluation of each resource, in their order.
func lastOfEach(evaluations []config.Evaluation) []config.Evaluation {
	last := make(map[[2]string]int, len(evaluations))
	for i, e := range evaluations {
		last[[2]string{e.ResourceType, e.ResourceID}] = i
	}
	if len(last) == len(evaluations) {
		return evaluations
	}
	out := make([]config.Evaluation, 0, len(last))
	for i, e := range evaluations {
		if last[[2]string{e.ResourceType, e.ResourceID}] == i {
			out = append(out, e)
		}
	}
	return out
}

// Forget deletes up to limit results of a rule and reports whether there may be
// more. It publishes ComplianceForgotten; no topic is told, as AWS tells none.
func (d *Door) Forget(ctx context.Context, tx *db.Tx, r config.Rule, limit int) (more bool, err error) {
	gone, err := store.DeleteVerdicts(ctx, tx, r, limit)
	if err != nil {
		return false, fmt.Errorf("forget results: %w", err)
	}
	if len(gone) == 0 {
		return false, nil
	}
	return len(gone) == limit, d.publish(ctx, tx, config.ComplianceForgotten{Place: r.Place, Resources: gone})
}
