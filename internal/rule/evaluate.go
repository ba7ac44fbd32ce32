package rule

import (
	"context"
	"errors"
	"fmt"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/store"
)

// The jobs of a rule. They name it by its id and end themselves when it is gone.
type (
	// evaluate has a rule judge what is recorded, a page of resources a job.
	evaluate struct {
		RuleID string `json:"ruleId"`
		Type   string `json:"type,omitempty"` // the last resource that was judged
		ID     string `json:"id,omitempty"`
	}
	// tick runs a periodic rule at a time that the store still agrees to.
	tick struct {
		RuleID string `json:"ruleId"`
		Due    int64  `json:"due"` // microseconds since the epoch
	}
	// forget deletes the results of a rule, and then the rule if it is being
	// deleted.
	forget struct {
		RuleID string `json:"ruleId"`
	}
)

func (evaluate) Kind() string { return "rule.evaluate" }
func (tick) Kind() string     { return "rule.tick" }
func (forget) Kind() string   { return "rule.forget" }

func (e *Engine) handleJobs() {
	job.Handle(e.Jobs, e.doDispatch, job.Policy{})
	job.Handle(e.Jobs, e.doEvaluate, job.Policy{})
	job.Handle(e.Jobs, e.doTick, job.Policy{})
	job.Handle(e.Jobs, e.doForget, job.Policy{})
}

// page is how many resources an evaluation from scratch judges in one job.
const page = 200

func (e *Engine) doEvaluate(ctx context.Context, j job.Job[evaluate]) error {
	return e.DB.Write(ctx, func(tx *db.Tx) error {
		r, err := store.RuleByID(ctx, tx, j.Args.RuleID)
		if errors.Is(err, store.ErrNotFound) || err == nil && r.State == config.RuleDeleting {
			return nil
		}
		if err != nil {
			return err
		}
		last, more, err := e.evaluatePage(ctx, tx, r, config.ResourceKey{Place: r.Place, Type: j.Args.Type, ID: j.Args.ID})
		if err != nil {
			return fmt.Errorf("evaluate rule %s: %w", r.Name, err)
		}
		if more {
			return e.Jobs.Insert(ctx, tx, evaluate{r.ID, last.Type, last.ID}, job.Options{})
		}
		if r.State == config.RuleEvaluating {
			return store.SetRuleState(ctx, tx, r, config.RuleActive)
		}
		return nil
	})
}

// evaluatePage judges one page of live resources and returns the last of them.
func (e *Engine) evaluatePage(ctx context.Context, tx *db.Tx, r config.Rule, after config.ResourceKey) (last config.ResourceKey, more bool, err error) {
	judge, types, err := e.judgeOf(ctx, tx, r, after.Type == "")
	if err != nil || judge == nil {
		return after, false, err
	}
	if r.Scope != nil && len(r.Scope.Types) > 0 {
		types = r.Scope.Types
	}
	keys, err := store.LiveKeys(ctx, tx, r.Place, types, after, page)
	if err != nil || len(keys) == 0 {
		return after, false, err
	}
	items, err := store.DecodedItems(ctx, tx, r.Place, keys)
	if err != nil {
		return after, false, err
	}
	return keys[len(keys)-1], len(keys) == page, judge(ctx, tx, items)
}

// judgeOf returns what judges a page under a rule; nil if there is nothing to
// walk. The first page of a periodic function is its one invocation.
func (e *Engine) judgeOf(ctx context.Context, tx *db.Tx, r config.Rule, first bool) (func(context.Context, *db.Tx, []config.Item) error, []string, error) {
	if r.Source.Owner == config.OwnerLambda {
		return e.judgeByFunction(ctx, tx, r, first)
	}
	c, err := e.Compile(r)
	if errors.Is(err, ErrNoEvaluator) {
		return nil, nil, e.noteMissing(ctx, tx, r, err)
	}
	if err != nil {
		return nil, nil, e.settle(ctx, tx, r.Place, []saying{{batch: config.Batch{Rule: r}, failed: err}})
	}
	if !c.Initially {
		return nil, nil, nil
	}
	return func(ctx context.Context, tx *db.Tx, items []config.Item) error {
		return e.settle(ctx, tx, r.Place, []saying{inProcess{r, c}.evaluate(items, e.Now())})
	}, c.Types, nil
}

func (e *Engine) judgeByFunction(ctx context.Context, tx *db.Tx, r config.Rule, first bool) (func(context.Context, *db.Tx, []config.Item) error, []string, error) {
	role, err := e.role(ctx, tx, r.Place)
	if err != nil {
		return nil, nil, err
	}
	if first && r.Triggered(config.MessageScheduled) {
		if err := e.invokeScheduled(ctx, tx, r, role); err != nil {
			return nil, nil, err
		}
	}
	if !r.Triggered(config.MessageChange) && !r.Triggered(config.MessageOversized) {
		return nil, nil, nil
	}
	return func(ctx context.Context, tx *db.Tx, items []config.Item) error {
		for _, it := range items {
			if !judged(r, it) || !r.Covers(it, nil) {
				continue
			}
			if err := e.tell(ctx, tx, r, it, nil, false, role); err != nil {
				return err
			}
		}
		return nil
	}, nil, nil
}

func (e *Engine) invokeScheduled(ctx context.Context, tx *db.Tx, r config.Rule, role string) error {
	now := e.Now()
	body, err := config.ScheduledNotification(r.Account, now)
	if err != nil {
		return err
	}
	return e.invoke(ctx, tx, r, body, time.Time{}, false, role, now)
}

// noteMissing says in a rule's status why it gives no verdict.
func (e *Engine) noteMissing(ctx context.Context, tx *db.Tx, r config.Rule, reason error) error {
	now := e.Now()
	return store.UpdateRuleStatus(ctx, tx, r.ID, func(st *config.RuleStatus) {
		st.LastFailedEvaluation, st.LastErrorCode, st.LastErrorMessage = now, "NoEvaluator", reason.Error()
	})
}

// schedule sets the next run of a periodic rule, or none.
func (e *Engine) schedule(ctx context.Context, tx *db.Tx, r config.Rule, due time.Time) error {
	if err := store.SetRuleNextRun(ctx, tx, r.ID, due); err != nil {
		return err
	}
	if due.IsZero() {
		return nil
	}
	return e.Jobs.Insert(ctx, tx, tick{r.ID, db.Micros(due)}, job.Options{At: due})
}

// period returns how often a rule runs by the clock; 0 if it does not.
func (e *Engine) period(r config.Rule) time.Duration {
	if r.Source.Owner == config.OwnerLambda {
		return r.Period()
	}
	c, err := e.Compile(r)
	if err != nil {
		return 0
	}
	return c.Period
}

func (e *Engine) doTick(ctx context.Context, j job.Job[tick]) error {
	return e.DB.Write(ctx, func(tx *db.Tx) error {
		// A rule that was put twice within a tick's precision has two ticks for one time.
		if err := tx.Lock(ctx, "tick of rule "+j.Args.RuleID); err != nil {
			return err
		}
		r, err := store.RuleByID(ctx, tx, j.Args.RuleID)
		if errors.Is(err, store.ErrNotFound) || err == nil && r.State == config.RuleDeleting {
			return nil
		}
		if err != nil {
			return err
		}
		due, err := store.RuleNextRun(ctx, tx, r.ID)
		if err != nil || db.Micros(due) != j.Args.Due {
			return err // put again meanwhile: another tick is under way
		}
		period := e.period(r)
		if period == 0 {
			return store.SetRuleNextRun(ctx, tx, r.ID, time.Time{})
		}
		if err := e.schedule(ctx, tx, r, nextAfter(due, period, e.Now())); err != nil {
			return err
		}
		if r.Source.Owner == config.OwnerLambda {
			role, err := e.role(ctx, tx, r.Place)
			if err != nil {
				return err
			}
			return e.invokeScheduled(ctx, tx, r, role)
		}
		return e.Jobs.Insert(ctx, tx, evaluate{RuleID: r.ID}, job.Options{})
	})
}

// nextAfter returns the first time after now that is whole periods after due:
// runs that were missed are not made up for.
func nextAfter(due time.Time, period time.Duration, now time.Time) time.Time {
	next := due.Add(period)
	if late := now.Sub(next); late >= 0 {
		next = next.Add((late/period + 1) * period)
	}
	return next
}
