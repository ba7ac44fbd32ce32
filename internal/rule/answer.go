package rule

import (
	"context"
	"errors"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/store"
)

// noVerdict is the code in the status of a rule whose function ran and reported
// nothing of the resource that it was asked about. AWS has none for this, and
// tells nobody.
const noVerdict = "NoVerdict"

// noteAnswer keeps whether a function gave a verdict on what it was asked, and
// warns about one that ran and did not. It reports whether there is nothing to
// complain of.
func (e *Engine) noteAnswer(ctx context.Context, tx *db.Tx, o Origin, ran bool) (answered bool, err error) {
	a := o.Asked
	if o.Evaluation != "" || a.At == 0 {
		return true, nil
	}
	r, err := store.RuleByID(ctx, tx, o.RuleID)
	if errors.Is(err, store.ErrNotFound) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	if a.Type == "" {
		return true, e.warnSilent(ctx, tx, r, a, ran)
	}
	key := config.ResourceKey{Place: r.Place, Type: a.Type, ID: a.ID}
	verdicts, err := store.RuleVerdicts(ctx, tx, r, []config.ResourceKey{key})
	if err != nil {
		return false, err
	}
	v, found := verdicts[key]
	if a.LeftScope || found && v.Invoked.UnixMicro() >= a.At {
		return true, store.DeleteRuleFailure(ctx, tx, r.ID, key)
	}
	if ran {
		tx.AfterCommit(func() {
			e.log.Warn("a rule's function answered without a verdict on the resource that it was asked about", "account", r.Account, "region", r.Region,
				"rule", r.Name, "function", r.Source.Identifier, "example", a.Type+" "+a.ID)
		})
	}
	return !ran, store.PutRuleFailure(ctx, tx, r.ID, key, e.Now())
}

// warnFailed warns about a function that was not run or failed. The resource is an
// example: others that fail so are not written again.
func (e *Engine) warnFailed(ctx context.Context, tx *db.Tx, o Origin, errorCode, errorMessage string) error {
	r, err := store.RuleByID(ctx, tx, o.RuleID)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	about := []any{"account", r.Account, "region", r.Region, "rule", r.Name, "function", r.Source.Identifier, "err", errorCode + ": " + errorMessage}
	if o.Asked.Type != "" {
		about = append(about, "example", o.Asked.Type+" "+o.Asked.ID)
	}
	tx.AfterCommit(func() { e.log.Warn("a rule's function failed", about...) })
	return nil
}

// warnSilent warns about a function that ran by schedule or snapshot and did not
// call PutEvaluations. It may have found nothing to speak of, so that the rule's
// status stays as it is.
func (e *Engine) warnSilent(ctx context.Context, tx *db.Tx, r config.Rule, a Asked, ran bool) error {
	st, err := store.RuleStatus(ctx, tx, r.ID)
	if err != nil || !ran || st.LastSuccessfulEvaluation.UnixMicro() >= a.At {
		return err
	}
	e.log.Warn("a rule's function ran and did not call PutEvaluations", "account", r.Account, "region", r.Region, "rule", r.Name,
		"function", r.Source.Identifier)
	return nil
}
