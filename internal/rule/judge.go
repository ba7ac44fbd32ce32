package rule

import (
	"context"
	"fmt"
	"slices"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/rule/view"
	"plumb/internal/store"
)

// Judge evaluates every in-process rule in scope on items that are about to be
// recorded. The func that it returns is called in the transaction that records
// them: it hands over the verdicts if the rules are still the same, and returns
// store.ErrConflict if they are not.
func (e *Engine) Judge(ctx context.Context, p config.Place, items []config.Item) (func(context.Context, *db.Tx) error, error) {
	s, err := e.load(ctx, p)
	if err != nil {
		return nil, err
	}
	results := s.evaluate(items, e.view(ctx, p))
	return func(ctx context.Context, tx *db.Tx) error {
		version, err := store.RuleSetVersion(ctx, tx, p)
		if err != nil {
			return err
		}
		if version != s.version {
			return store.ErrConflict
		}
		return e.settle(ctx, tx, p, results)
	}, nil
}

// A result is what one rule decided on some items, and the first failure.
type result struct {
	batch  config.Batch
	failed error
	on     config.ResourceKey // what it failed on
}

// evaluate has the rules that apply evaluate items. The results are in the order
// of the rules.
func (s *set) evaluate(items []config.Item, v view.View) []result {
	byRule := make([]*result, s.inProcess)
	for _, it := range items {
		for _, part := range s.onChange.of(it.Type) {
			for _, r := range part {
				if byRule[r.number] == nil {
					byRule[r.number] = r.newResult(v.Now())
				}
				r.evaluate(it, v, byRule[r.number])
			}
		}
	}
	var out []result
	for _, res := range byRule {
		if res != nil && (len(res.batch.Evaluations) > 0 || res.failed != nil) {
			out = append(out, *res)
		}
	}
	return out
}

func (r *inProcess) newResult(now time.Time) *result {
	return &result{batch: config.Batch{Rule: r.Rule, Invoked: now, Terse: true}}
}

// evaluate evaluates an item if the rule covers it. A resource that is gone, or
// that a tag scope lost, has no verdict any more.
func (r *inProcess) evaluate(it config.Item, v view.View, res *result) {
	if !judged(r.Rule, it) {
		return
	}
	e := config.Evaluation{ResourceType: it.Type, ResourceID: it.ID, Compliance: config.NotApplicable, Ordering: it.CaptureTime}
	covered := r.Covers(it, r.Types)
	switch {
	case it.Status.Gone():
		if !covered && !r.TagScoped() { // its tags are gone too
			return
		}
	case !covered:
		if !r.TagScoped() {
			return
		}
	default:
		verdict, annotation, err := r.Evaluator.Evaluate(it, v)
		if err != nil { // no verdict: an error is not one
			if res.failed == nil {
				res.failed, res.on = err, it.ResourceKey
			}
			return
		}
		e.Compliance, e.Annotation = verdict, config.Annotation(annotation)
	}
	res.batch.Evaluations = append(res.batch.Evaluations, e)
}

// judged reports whether rules look at an item at all. Compliance items are left
// to rules that name their type, or a rule on everything would judge its own
// judgement.
func judged(r config.Rule, it config.Item) bool {
	if it.Status == config.StatusNotRecorded || it.Status == config.StatusDeletedNotRecorded {
		return false
	}
	if it.Type != config.TypeResourceCompliance && it.Type != config.TypePackCompliance {
		return true
	}
	return slices.Contains(scopeTypes(r), it.Type)
}

// settle hands verdicts to compliance and notes how the rules fare.
func (e *Engine) settle(ctx context.Context, tx *db.Tx, p config.Place, results []result) error {
	batches := make([]config.Batch, 0, len(results))
	for _, r := range results {
		if len(r.batch.Evaluations) > 0 {
			batches = append(batches, r.batch)
		}
	}
	if err := e.Accept(ctx, tx, p, batches...); err != nil {
		return fmt.Errorf("accept verdicts: %w", err)
	}
	for _, r := range results {
		if err := e.noteEvaluation(ctx, tx, r); err != nil {
			return fmt.Errorf("note evaluation: %w", err)
		}
	}
	return nil
}

// noteEvery is how fresh the times in an in-process rule's status are kept: a
// write with every batch of items would cost more than the verdicts.
const noteEvery = time.Minute

func (e *Engine) noteEvaluation(ctx context.Context, tx *db.Tx, r result) error {
	id, now := r.batch.Rule.ID, e.Now()
	if last, ok := e.noted.get(id); ok && now.Sub(last) < noteEvery && r.failed == nil {
		return nil
	}
	tx.AfterCommit(func() {
		if r.failed != nil {
			e.noted.drop(id) // the next success takes the error away at once
			if e.EvaluationFailed != nil {
				e.EvaluationFailed(r.batch.Rule)
			}
			return
		}
		e.noted.put(id, now)
	})
	return store.UpdateRuleStatus(ctx, tx, id, func(st *config.RuleStatus) {
		st.FirstEvaluationStarted, st.LastSuccessfulInvocation = true, now
		if r.failed != nil {
			st.LastFailedEvaluation, st.LastErrorCode, st.LastErrorMessage = now, "EvaluationFailed", r.failed.Error()
			return
		}
		st.LastSuccessfulEvaluation, st.LastErrorCode, st.LastErrorMessage = now, "", ""
	})
}
