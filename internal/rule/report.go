package rule

import (
	"context"
	"errors"
	"maps"
	"slices"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/rule/function"
	"plumb/internal/store"
	"plumb/internal/trace"
)

// ErrGone says that the rule of a result token was deleted, or has another
// function.
var ErrGone = errors.New("the rule was deleted")

// An UnknownType is a resource type that evaluations cannot be on: AWS Config
// does not have it, and the place has recorded no resource of it.
type UnknownType string

// Error names the type.
func (t UnknownType) Error() string { return "the resource type " + string(t) + " is not known" }

// CheckTypes returns an UnknownType unless a function may speak of the resources.
func (e *Engine) CheckTypes(ctx context.Context, p config.Place, evaluations []config.Evaluation) error {
	odd := map[string]bool{}
	for _, v := range evaluations {
		if t := v.ResourceType; t != config.TypeAccount && !e.KnownType(t) {
			odd[t] = true
		}
	}
	if len(odd) == 0 {
		return nil
	}
	return e.DB.Read(ctx, func(tx *db.Tx) error {
		for _, t := range slices.Sorted(maps.Keys(odd)) {
			found, err := store.Resources(ctx, tx, store.ResourceQuery{Place: p, Type: t, IncludeDeleted: true, Limit: 1})
			if err != nil {
				return err
			}
			if len(found) == 0 {
				return UnknownType(t)
			}
		}
		return nil
	})
}

// Report accepts what a function says with the token that it was invoked with.
// The error is function.ErrToken for a token that is not of that place, ErrGone
// if its rule is no more, an UnknownType for a resource that cannot be. An empty list says that the function ran and had
// nothing to say.
func (e *Engine) Report(ctx context.Context, p config.Place, token string, evaluations []config.Evaluation) error {
	t, err := e.Sealer.Open(token)
	if err != nil {
		return err
	}
	if t.Account != p.Account || t.Region != p.Region {
		return function.ErrToken
	}
	if t.Evaluation == "" { // what is not there may be of any type
		if err := e.CheckTypes(ctx, p, evaluations); err != nil {
			return err
		}
	}
	ctx, span := trace.Rejoin(ctx, "verdicts", t.Trace)
	defer span.End()
	return e.DB.Write(ctx, func(tx *db.Tx) error {
		r, err := store.RuleByID(ctx, tx, t.RuleID)
		if errors.Is(err, store.ErrNotFound) || err == nil && (r.State == config.RuleDeleting || r.Source.Identifier != t.Source) {
			return ErrGone
		}
		if err != nil {
			return err
		}
		if t.Evaluation != "" {
			return e.reportProactive(ctx, tx, t, r, evaluations)
		}
		err = e.Accept(ctx, tx, p, config.Batch{
			Rule: r, Evaluations: evaluations, Invoked: db.Time(t.Invoked), Captured: db.Time(t.Captured),
		})
		if err != nil {
			return err
		}
		now := e.Now()
		return store.UpdateRuleStatus(ctx, tx, r.ID, func(st *config.RuleStatus) {
			st.FirstEvaluationStarted, st.LastSuccessfulEvaluation = true, now
		})
	})
}
