// Package compliance is the one place that accepts verdicts: whoever evaluated a resource, an
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
	"slices"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/store"
)

// A Ledger accepts evaluations.
type Ledger struct {
	now     func() time.Time
	publish func(ctx context.Context, tx *db.Tx, event any) error
}

// New returns the ledger. publish is called in the transaction that changed a
// compliance.
func New(publish func(ctx context.Context, tx *db.Tx, event any) error, now func() time.Time) *Ledger {
	return &Ledger{now: now, publish: publish}
}

// Accept keeps the evaluations of several rules of one place. An evaluation that
// is older than the kept verdict is dropped: a verdict never goes back. An
// ordering time in the future is taken as now, or it would block what comes
// after it.
func (l *Ledger) Accept(ctx context.Context, tx *db.Tx, p config.Place, batches ...config.Batch) error {
	batches, err := ofKnownRules(ctx, tx, p, batches)
	if err != nil {
		return err
	}
	if err := store.HoldAll(ctx, tx, p, keys(p, batches)); err != nil {
		return err
	}
	var known *digests
	if onlyChanges(batches) {
		if known, err = readDigests(ctx, tx, p, batches); err != nil {
			return err
		}
		batches = known.onlyNews(batches)
	}
	before, err := kept(ctx, tx, p, batches)
	if err != nil {
		return err
	}
	now := l.now()
	var write []store.NewVerdict
	var changes []config.VerdictChange
	for _, b := range batches {
		s := settle(b, p, before, now)
		if known != nil {
			known.add(b.Rule, s.stands)
		}
		write, changes = append(write, s.write...), append(changes, s.changes...)
	}
	if err := store.PutVerdicts(ctx, tx, p, write); err != nil {
		return err
	}
	if err := writeDigests(ctx, tx, p, known, batches); err != nil {
		return err
	}
	if len(changes) == 0 {
		return nil
	}
	return l.publish(ctx, tx, config.ComplianceChanged{Place: p, Changes: changes})
}

// ofKnownRules leaves out verdicts of rules that are gone or being deleted,
// and keeps the others there until the transaction ends: no verdict comes after
// those of its rule were deleted.
func ofKnownRules(ctx context.Context, tx *db.Tx, p config.Place, batches []config.Batch) ([]config.Batch, error) {
	if err := store.HoldRules(ctx, tx, p); err != nil {
		return nil, err
	}
	ids := make([]string, len(batches))
	for i, b := range batches {
		ids[i] = b.Rule.ID
	}
	known, err := store.KnownRules(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(batches), func(b config.Batch) bool { return !known[b.Rule.ID] }), nil
}

// writeDigests keeps the digests of terse rules up to date. None is kept of what
// functions say; of what somebody else says for a rule of ours there may be one.
func writeDigests(ctx context.Context, tx *db.Tx, p config.Place, known *digests, batches []config.Batch) error {
	if known != nil {
		return known.write(ctx, tx)
	}
	ours := slices.DeleteFunc(slices.Clone(batches), func(b config.Batch) bool { return b.Rule.Source.Owner == config.OwnerLambda })
	return store.DeleteVerdictDigests(ctx, tx, p, keys(p, ours))
}

// kept returns the present verdicts that are spoken of, and maybe others.
func kept(ctx context.Context, tx *db.Tx, p config.Place, batches []config.Batch) (map[store.RuleKey]config.Verdict, error) {
	const few = 8 // rules, which are asked one by one
	if len(batches) > few {
		return store.ResourceVerdicts(ctx, tx, p, keys(p, batches))
	}
	out := map[store.RuleKey]config.Verdict{}
	for _, b := range batches {
		one, err := store.RuleVerdicts(ctx, tx, b.Rule, keys(p, []config.Batch{b}))
		if err != nil {
			return nil, err
		}
		for k, v := range one {
			out[store.RuleKey{RuleID: b.Rule.ID, ResourceKey: k}] = v
		}
	}
	return out, nil
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

// A settled is what becomes of a batch.
type settled struct {
	write   []store.NewVerdict
	changes []config.VerdictChange // those of them that change a compliance
	stands  []config.Evaluation    // what the kept verdicts say now
}

func settle(b config.Batch, p config.Place, before map[store.RuleKey]config.Verdict, now time.Time) settled {
	var s settled
	for _, e := range lastOfEach(b.Evaluations) {
		var exact bool
		e.Ordering, exact = moment(b, e, now)
		old, had := before[store.RuleKey{RuleID: b.Rule.ID, ResourceKey: config.ResourceKey{Place: p, Type: e.ResourceType, ID: e.ResourceID}}]
		if had && older(e.Ordering, exact, old.Ordering) {
			continue
		}
		s.stands = append(s.stands, e)
		if b.Terse && (had && old.Compliance == e.Compliance && old.Annotation == e.Annotation || !had && e.Compliance == config.NotApplicable) {
			continue
		}
		v := config.Verdict{Rule: b.Rule.Name, Evaluation: e, Invoked: b.Invoked, Recorded: now}
		s.write = append(s.write, store.NewVerdict{RuleID: b.Rule.ID, Old: old.Compliance, Verdict: v})
		if c, changed := change(b.Rule, old, had, v); changed {
			s.changes = append(s.changes, c)
		}
	}
	return s
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
func (l *Ledger) Forget(ctx context.Context, tx *db.Tx, r config.Rule, limit int) (more bool, err error) {
	if err := store.LockRules(ctx, tx, r.Place); err != nil {
		return false, err
	}
	gone, err := store.DeleteVerdicts(ctx, tx, r, limit)
	if err != nil {
		return false, fmt.Errorf("forget results: %w", err)
	}
	if len(gone) == 0 {
		return false, nil
	}
	if err := store.DeleteVerdictDigests(ctx, tx, r.Place, gone); err != nil {
		return false, err
	}
	return len(gone) == limit, l.publish(ctx, tx, config.ComplianceForgotten{Place: r.Place, Rule: r, Resources: gone})
}
