package rule

import (
	"context"
	"errors"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/model/configapi"
	"plumb/internal/store"
)

// Named returns a rule or NoSuchConfigRuleException.
func Named(ctx context.Context, tx *db.Tx, p config.Place, name string) (config.Rule, error) {
	r, err := store.Rule(ctx, tx, p, name)
	if errors.Is(err, store.ErrNotFound) {
		return r, configapi.NoSuchConfigRuleException("The ConfigRule '%s' provided in the request is invalid. Please check the configRule name.", name)
	}
	return r, err
}

// Evaluate has rules evaluate what is recorded, as if they were new. Their state
// is EVALUATING until that is done. Either all can be evaluated now or none is.
func (e *Engine) Evaluate(ctx context.Context, tx *db.Tx, p config.Place, names []string) error {
	var rules []config.Rule
	for _, name := range names {
		r, err := Named(ctx, tx, p, name)
		if err != nil {
			return err
		}
		if err := e.startable(ctx, tx, r); err != nil {
			return err
		}
		rules = append(rules, r)
	}
	now := e.Now()
	started := config.RulesEvaluationStarted{Place: p}
	for _, r := range rules {
		if err := store.SetRuleStarted(ctx, tx, r.ID, now); err != nil {
			return err
		}
		if err := store.SetRuleState(ctx, tx, r, config.RuleEvaluating); err != nil {
			return err
		}
		if err := e.Jobs.Insert(ctx, tx, evaluate{RuleID: r.ID, Account: r.Account}, job.Options{}); err != nil {
			return err
		}
		started.Rules = append(started.Rules, r.Name)
	}
	return e.Publish(ctx, tx, started)
}

// EvaluateAll has the rules of a place evaluate what is recorded, without saying so:
// items came in another way than by recording.
func (e *Engine) EvaluateAll(ctx context.Context, tx *db.Tx, p config.Place) error {
	rules, err := store.Rules(ctx, tx, p, "", 0)
	if err != nil {
		return err
	}
	for _, r := range rules {
		if r.State == config.RuleDeleting {
			continue
		}
		if err := e.Jobs.Insert(ctx, tx, evaluate{RuleID: r.ID, Account: r.Account}, job.Options{}); err != nil {
			return err
		}
	}
	return nil
}

// startable returns an error for a rule that is going, or that was asked for an
// evaluation a short time ago.
func (e *Engine) startable(ctx context.Context, tx *db.Tx, r config.Rule) error {
	if r.State == config.RuleDeleting || r.State == config.RuleDeletingResults {
		return changeable(r, r.CreatedBy)
	}
	if e.EvaluateEvery == 0 {
		return nil
	}
	started, err := store.RuleStarted(ctx, tx, r.ID)
	if err != nil {
		return err
	}
	if r.State == config.RuleEvaluating || e.Now().Sub(started) < e.EvaluateEvery {
		return configapi.LimitExceededException("The rule %s is being evaluated, or was within the last minute. Please retry after some time", r.Name)
	}
	return nil
}

// Delete has a rule and its results vanish; it is DELETING until they have. by is
// the service that asks, empty for a user.
func (e *Engine) Delete(ctx context.Context, tx *db.Tx, p config.Place, name, by string) error {
	if _, err := store.Remediation(ctx, tx, p, name); err == nil {
		return configapi.ResourceInUseException("The rule %s currently has a RemediationConfiguration. "+
			"Please delete the RemediationConfiguration and try again.", name)
	} else if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return e.forgetResults(ctx, tx, p, name, by, config.RuleDeleting)
}

// DeleteResults has the results of a rule vanish; it is DELETING_RESULTS until
// they have. It is not evaluated again by that.
func (e *Engine) DeleteResults(ctx context.Context, tx *db.Tx, p config.Place, name, by string) error {
	return e.forgetResults(ctx, tx, p, name, by, config.RuleDeletingResults)
}

func (e *Engine) forgetResults(ctx context.Context, tx *db.Tx, p config.Place, name, by string, s config.RuleState) error {
	r, err := Named(ctx, tx, p, name)
	if err != nil {
		return err
	}
	if err := changeable(r, by); err != nil {
		return err
	}
	if err := store.SetRuleState(ctx, tx, r, s); err != nil {
		return err
	}
	return e.Jobs.Insert(ctx, tx, forget{RuleID: r.ID}, job.Options{})
}

// forget deletes the results of a rule, a page a job, and then the rule if it is
// being deleted.
type forget struct {
	RuleID   string `json:"ruleId"`
	Evaluate bool   `json:"evaluate,omitempty"` // when the results are gone
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
	if j.Args.Evaluate && r.State != config.RuleDeleting {
		return e.Jobs.Insert(ctx, tx, evaluate{RuleID: r.ID, Account: r.Account}, job.Options{})
	}
	return e.forgotten(ctx, tx, r)
}

// forgotten ends what forgetting was for.
func (e *Engine) forgotten(ctx context.Context, tx *db.Tx, r config.Rule) error {
	switch r.State {
	case config.RuleDeleting:
		if err := e.Publish(ctx, tx, config.RuleDeleted{Rule: r}); err != nil {
			return err
		}
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
