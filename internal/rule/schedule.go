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

// tick runs a periodic rule at a time that the store still agrees to.
type tick struct {
	RuleID string `json:"ruleId"`
	Due    int64  `json:"due"` // microseconds since the epoch
}

// Kind names the job.
func (tick) Kind() string { return "rule.tick" }

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
	if !r.InMode(config.ModeDetective) {
		return 0
	}
	if r.Source.Owner == config.OwnerLambda {
		return r.Period()
	}
	c, err := e.Compile(r)
	if err != nil {
		return 0
	}
	return c.Period
}

// A run is a periodic rule that is due, as it was read.
type run struct {
	rule       config.Rule
	due        time.Time
	period     time.Duration
	invocation []Invocation // of a function
}

func (e *Engine) prepareTick(ctx context.Context, j job.Job[tick]) (job.Commit, error) {
	r := &run{due: db.Time(j.Args.Due)}
	var recorderRole string
	err := e.DB.Read(ctx, func(tx *db.Tx) (err error) {
		if r.rule, err = liveRule(ctx, tx, j.Args.RuleID); err != nil {
			return err
		}
		recorderRole, err = role(ctx, tx, r.rule.Place)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	r.period = e.period(r.rule)
	if r.rule.Source.Owner == config.OwnerLambda && r.period > 0 {
		i, err := e.scheduled(ctx, r.rule, recorderRole)
		if err != nil {
			return nil, err
		}
		r.invocation = []Invocation{i}
	}
	return func(ctx context.Context, tx *db.Tx) error { return e.commitRun(ctx, tx, r) }, nil
}

func (e *Engine) commitRun(ctx context.Context, tx *db.Tx, r *run) error {
	id := r.rule.ID
	// A rule that was put twice within a tick's precision has two ticks for one time.
	if err := tx.Lock(ctx, "tick of rule "+id); err != nil {
		return err
	}
	now, err := liveRule(ctx, tx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	due, err := store.RuleNextRun(ctx, tx, id)
	if err != nil || !due.Equal(r.due) {
		return err // put again meanwhile: another tick is under way
	}
	if !sameRule(now, r.rule) { // put again, and due at the same time: look once more
		return e.Jobs.Insert(ctx, tx, tick{id, db.Micros(due)}, job.Options{})
	}
	if r.period == 0 {
		return store.SetRuleNextRun(ctx, tx, id, time.Time{})
	}
	if err := e.schedule(ctx, tx, r.rule, nextAfter(due, r.period, e.Now())); err != nil {
		return err
	}
	if r.invocation != nil {
		return e.invoke(ctx, tx, r.invocation)
	}
	return e.Jobs.Insert(ctx, tx, evaluate{RuleID: id, Account: r.rule.Account}, job.Options{})
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
