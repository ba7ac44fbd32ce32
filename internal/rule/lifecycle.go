package rule

import (
	"context"
	"errors"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/store"
)

// Put keeps a rule, new or changed, and has it evaluated on what is recorded.
func (e *Engine) Put(ctx context.Context, tx *db.Tx, r config.Rule) error {
	if err := store.PutRule(ctx, tx, r); err != nil {
		return err
	}
	now := e.Now()
	err := store.UpdateRuleStatus(ctx, tx, r.ID, func(st *config.RuleStatus) {
		if st.FirstActivated.IsZero() {
			st.FirstActivated = now
		}
	})
	if err != nil {
		return err
	}
	var due time.Time // never, if it is not periodic
	if period := e.period(r); period > 0 {
		due = now.Add(period)
	}
	if err := e.schedule(ctx, tx, r, due); err != nil {
		return err
	}
	if err := e.Publish(ctx, tx, config.RuleChanged{Rule: r}); err != nil {
		return err
	}
	return e.Jobs.Insert(ctx, tx, evaluate{RuleID: r.ID}, job.Options{})
}

// Evaluate has rules judge what is recorded, as if they were new. Their state is
// EVALUATING until that is done.
func (e *Engine) Evaluate(ctx context.Context, tx *db.Tx, p config.Place, rules []config.Rule) error {
	now := e.Now()
	started := config.RulesEvaluationStarted{Place: p}
	for _, r := range rules {
		if err := store.SetRuleStarted(ctx, tx, r.ID, now); err != nil {
			return err
		}
		if err := store.SetRuleState(ctx, tx, r, config.RuleEvaluating); err != nil {
			return err
		}
		if err := e.Jobs.Insert(ctx, tx, evaluate{RuleID: r.ID}, job.Options{}); err != nil {
			return err
		}
		started.Rules = append(started.Rules, r.Name)
	}
	return e.Publish(ctx, tx, started)
}

// Delete has a rule and its results vanish; it is DELETING until they have.
func (e *Engine) Delete(ctx context.Context, tx *db.Tx, r config.Rule) error {
	return e.forgetResults(ctx, tx, r, config.RuleDeleting)
}

// DeleteResults has the results of a rule vanish; it is DELETING_RESULTS until
// they have. It is not evaluated again by that.
func (e *Engine) DeleteResults(ctx context.Context, tx *db.Tx, r config.Rule) error {
	return e.forgetResults(ctx, tx, r, config.RuleDeletingResults)
}

func (e *Engine) forgetResults(ctx context.Context, tx *db.Tx, r config.Rule, s config.RuleState) error {
	if err := store.SetRuleState(ctx, tx, r, s); err != nil {
		return err
	}
	return e.Jobs.Insert(ctx, tx, forget{r.ID}, job.Options{})
}

// forget deletes the results of a rule, a page a job, and then the rule if it is
// being deleted.
type forget struct {
	RuleID string `json:"ruleId"`
}

// Kind names the job.
func (forget) Kind() string { return "rule.forget" }

// maxForgotten is how many results one transaction deletes.
const maxForgotten = 500

func (e *Engine) doForget(ctx context.Context, tx *db.Tx, j job.Job[forget]) error {
	r, err := store.RuleByID(ctx, tx, j.Args.RuleID)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	more, err := e.Forget(ctx, tx, r, maxForgotten)
	if err != nil {
		return err
	}
	if more {
		return e.Jobs.Insert(ctx, tx, j.Args, job.Options{})
	}
	return e.forgotten(ctx, tx, r)
}

// forgotten ends what forgetting was for.
func (e *Engine) forgotten(ctx context.Context, tx *db.Tx, r config.Rule) error {
	switch r.State {
	case config.RuleDeleting:
		if err := store.DeleteTags(ctx, tx, r.Place, r.ARN, nil); err != nil {
			return err
		}
		return store.DeleteRule(ctx, tx, r)
	case config.RuleDeletingResults:
		return store.SetRuleState(ctx, tx, r, config.RuleActive)
	default:
		return nil
	}
}
