package rule

import (
	"context"
	"fmt"
	"slices"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/store"
)

// Judge evaluates every in-process rule in scope on items that are about to be
// recorded. The func that it returns is called in the transaction that records
// them: it settles the verdicts if the rules are still the same, and evaluates
// again if they are not.
func (e *Engine) Judge(ctx context.Context, p config.Place, items []config.Item) (func(context.Context, *db.Tx) error, error) {
	var s *set
	err := e.DB.Read(ctx, func(tx *db.Tx) (err error) {
		s, err = e.set(ctx, tx, p)
		return err
	})
	if err != nil {
		return nil, err
	}
	said := evaluateAll(s.inProcess, items, e.Now())
	return func(ctx context.Context, tx *db.Tx) error {
		now, err := e.set(ctx, tx, p)
		if err != nil {
			return err
		}
		if now.version != s.version {
			said = evaluateAll(now.inProcess, items, e.Now())
		}
		return e.settle(ctx, tx, p, said)
	}, nil
}

// A saying is what one rule said of some items, and the first failure.
type saying struct {
	batch  config.Batch
	failed error
}

func evaluateAll(rules []inProcess, items []config.Item, now time.Time) []saying {
	var out []saying
	for _, r := range rules {
		if !r.OnChange {
			continue
		}
		s := r.evaluate(items, now)
		if len(s.batch.Evaluations) > 0 || s.failed != nil {
			out = append(out, s)
		}
	}
	return out
}

// evaluate judges the items that the rule covers. A resource that is gone, or
// that a tag scope lost, has no verdict any more.
func (r inProcess) evaluate(items []config.Item, now time.Time) saying {
	s := saying{batch: config.Batch{Rule: r.Rule, Invoked: now, Terse: true}}
	for _, it := range items {
		e := config.Evaluation{ResourceType: it.Type, ResourceID: it.ID, Compliance: config.NotApplicable, Ordering: it.CaptureTime}
		switch {
		case !judged(r.Rule, it):
			continue
		case it.Status.Gone():
			if r.couldCover(it) {
				s.batch.Evaluations = append(s.batch.Evaluations, e)
			}
			continue
		case !r.Covers(it, r.Types):
			if r.TagScoped() {
				s.batch.Evaluations = append(s.batch.Evaluations, e)
			}
			continue
		}
		verdict, annotation, err := r.Evaluator.Evaluate(it)
		if err != nil {
			if s.failed == nil {
				s.failed = err
			}
			continue // no verdict: an error is not one
		}
		e.Compliance, e.Annotation = verdict, config.Annotation(annotation)
		s.batch.Evaluations = append(s.batch.Evaluations, e)
	}
	return s
}

// couldCover reports whether a resource that is gone could have had a verdict of
// the rule: its tags are gone too.
func (r inProcess) couldCover(it config.Item) bool {
	return r.TagScoped() || r.Covers(it, r.Types)
}

// judged reports whether rules look at an item at all. Compliance items are left
// to rules that name their type, or a rule on everything would judge its own
// judgement.
func judged(r config.Rule, it config.Item) bool {
	if it.Status == config.StatusNotRecorded || it.Status == config.StatusDeletedNotRecorded {
		return false
	}
	if it.Type != config.TypeResourceCompliance {
		return true
	}
	return r.Scope != nil && slices.Contains(r.Scope.Types, it.Type)
}

// settle hands verdicts to compliance's door and notes how the rules fare.
func (e *Engine) settle(ctx context.Context, tx *db.Tx, p config.Place, said []saying) error {
	batches := make([]config.Batch, 0, len(said))
	for _, s := range said {
		if len(s.batch.Evaluations) > 0 {
			batches = append(batches, s.batch)
		}
	}
	if err := e.Accept(ctx, tx, p, batches...); err != nil {
		return fmt.Errorf("accept verdicts: %w", err)
	}
	for _, s := range said {
		if err := e.noteEvaluation(ctx, tx, s); err != nil {
			return fmt.Errorf("note evaluation: %w", err)
		}
	}
	return nil
}

// noteEvery is how fresh the times in an in-process rule's status are kept: a
// write with every batch of items would cost more than the verdicts.
const noteEvery = time.Minute

func (e *Engine) noteEvaluation(ctx context.Context, tx *db.Tx, s saying) error {
	id, now := s.batch.Rule.ID, e.Now()
	e.mu.Lock()
	last, ok := e.noted[id]
	e.mu.Unlock()
	if ok && now.Sub(last) < noteEvery && s.failed == nil {
		return nil
	}
	tx.AfterCommit(func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.noted[id] = now
	})
	return store.UpdateRuleStatus(ctx, tx, id, func(st *config.RuleStatus) {
		st.FirstEvaluationStarted, st.LastSuccessfulInvocation = true, now
		if s.failed != nil {
			st.LastFailedEvaluation, st.LastErrorCode, st.LastErrorMessage = now, "EvaluationFailed", s.failed.Error()
			return
		}
		st.LastSuccessfulEvaluation, st.LastErrorCode, st.LastErrorMessage = now, "", ""
	})
}
