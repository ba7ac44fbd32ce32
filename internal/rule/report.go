package rule

import (
	"context"
	"errors"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/rule/function"
	"plumb/internal/store"
)

// ErrGone says that the rule of a result token was deleted.
var ErrGone = errors.New("the rule was deleted")

// Report accepts what a function says with the token that it was invoked with.
// The error is function.ErrToken for a token that is not of that place, ErrGone
// if its rule is no more. An empty list says that the function ran and had
// nothing to say.
func (e *Engine) Report(ctx context.Context, p config.Place, token string, evaluations []config.Evaluation) error {
	t, err := e.Sealer.Open(token)
	if err != nil {
		return err
	}
	if t.Account != p.Account || t.Region != p.Region {
		return function.ErrToken
	}
	return e.DB.Write(ctx, func(tx *db.Tx) error {
		r, err := store.RuleByID(ctx, tx, t.RuleID)
		if errors.Is(err, store.ErrNotFound) || err == nil && r.State == config.RuleDeleting {
			return ErrGone
		}
		if err != nil {
			return err
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
