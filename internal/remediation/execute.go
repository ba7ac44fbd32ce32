package remediation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"plumb/internal/automation"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/store"
)

// Start has resources put right because somebody asks. It returns those that
// cannot be, and why the first of them cannot.
func (m *Remediation) Start(ctx context.Context, tx *db.Tx, p config.Place, rule string, keys []config.ResourceKey) (
	failed []config.ResourceKey, reason string, err error,
) {
	if err := store.LockRemediation(ctx, tx, p, rule); err != nil {
		return nil, "", err
	}
	c, err := Named(ctx, tx, p, rule)
	if err != nil {
		return nil, "", err
	}
	for _, key := range keys {
		why, err := m.queue(ctx, tx, c, key, false)
		if err != nil {
			return nil, "", err
		}
		if why != "" {
			failed = append(failed, key)
		}
		if reason == "" {
			reason = why
		}
	}
	return failed, reason, m.dispatch(ctx, tx, ruleOf(p, rule))
}

func (m *Remediation) dispatch(ctx context.Context, tx *db.Tx, o of) error {
	return m.Jobs.Insert(ctx, tx, dispatch{o}, job.Options{})
}

// queue has a resource wait for its turn, or returns why it does not.
func (m *Remediation) queue(ctx context.Context, tx *db.Tx, c config.RemediationConfiguration, key config.ResourceKey, automatic bool) (string, error) {
	if c.ResourceType != "" && c.ResourceType != key.Type {
		return fmt.Sprintf("The remediation configuration is for %s.", c.ResourceType), nil
	}
	failing, err := noncompliant(ctx, tx, c.Rule, key)
	if err != nil {
		return "", err
	}
	if !failing {
		return "The resource is already compliant, or was not evaluated.", nil
	}
	e, err := store.RemediationExecution(ctx, tx, c.Rule, key)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return "", err
	}
	if err == nil && e.State.Open() {
		return "The previous remediation of the resource has not ended.", nil
	}
	now := m.Now()
	attempts, first := 0, now
	if automatic && now.Sub(e.First) <= c.RetryWindow() {
		attempts, first = e.Attempts, e.First
	}
	if automatic {
		attempts++
	}
	n, err := store.CountRemediations(ctx, tx, c.Place, c.Rule)
	if err != nil {
		return "", err
	}
	wave := n.Wave
	if wave.IsZero() {
		wave = now
	}
	return "", store.PutRemediationExecution(ctx, tx, config.RemediationExecution{
		ResourceKey: key, Rule: c.Rule, State: config.RemediationQueued, Automatic: automatic,
		Attempts: attempts, First: first, Wave: wave, Invoked: now, Updated: now,
	})
}

// maxStarted is how many runs one transaction starts.
const maxStarted = 100

// doDispatch starts what is queued as far as the controls allow. Each run that
// ends asks for it again.
func (m *Remediation) doDispatch(ctx context.Context, tx *db.Tx, j job.Job[dispatch]) error {
	p, rule := j.Args.Of.place(), j.Args.Of.Rule
	if err := store.LockRemediation(ctx, tx, p, rule); err != nil {
		return err
	}
	c, err := store.Remediation(ctx, tx, p, rule)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	n, err := store.CountRemediations(ctx, tx, p, rule)
	if err != nil || n.Queued == 0 {
		return err
	}
	if c.TooManyFailed(n.Failed, n.All) {
		return m.giveUp(ctx, tx, j.Args.Of, n)
	}
	room := min(c.AtOnce(n.All)-n.InProgress, maxStarted)
	if room <= 0 {
		return nil
	}
	waiting, err := store.QueuedRemediations(ctx, tx, p, rule, room)
	if err != nil {
		return err
	}
	refused := false
	for _, e := range waiting {
		if err := m.start(ctx, tx, c, &e); err != nil {
			return err
		}
		refused = refused || e.State == config.RemediationFailed
	}
	if refused { // what did not even start ends no run that would ask again
		return m.dispatch(ctx, tx, j.Args.Of)
	}
	return nil
}

// start has the document run for a resource. What keeps it from starting fails the
// remediation.
func (m *Remediation) start(ctx context.Context, tx *db.Tx, c config.RemediationConfiguration, e *config.RemediationExecution) error {
	if m.Elsewhere(c.Place) {
		return m.beginElsewhere(ctx, tx, c, e)
	}
	text, err := note{ruleOf(c.Place, c.Rule), resource{e.Type, e.ID}}.text()
	if err != nil {
		return err
	}
	e.Execution, err = m.Automation.Start(ctx, tx, automation.Request{
		Place: c.Place, Document: c.Document, Version: c.Version, Parameters: c.For(e.ID), Note: text,
	})
	e.State, e.Invoked, e.Updated = config.RemediationInProgress, m.Now(), m.Now()
	var wrong automation.ParameterError
	if errors.Is(err, automation.ErrNotFound) || errors.As(err, &wrong) {
		reason := "The SSM document " + c.Document + " does not exist."
		if wrong != "" {
			reason = wrong.Error()
		}
		fail(e, c.Document, reason, m.Now())
		err = m.afterwards(ctx, tx, c, *e)
	}
	if err != nil {
		return fmt.Errorf("remediate %s: %w", e.ResourceKey, err)
	}
	return store.PutRemediationExecution(ctx, tx, *e)
}

func fail(e *config.RemediationExecution, step, reason string, now time.Time) {
	e.State, e.Updated = config.RemediationFailed, now
	e.Steps = []config.RemediationStep{{Name: step, State: StepFailed, Error: reason, Started: now, Stopped: now}}
}

// giveUp fails what is queued after too many failures.
func (m *Remediation) giveUp(ctx context.Context, tx *db.Tx, o of, n store.RemediationCount) error {
	waiting, err := store.QueuedRemediations(ctx, tx, o.place(), o.Rule, maxStarted)
	if err != nil {
		return err
	}
	for _, e := range waiting {
		fail(&e, "ErrorPercentage", fmt.Sprintf("Not started: %d of %d remediations failed, more than the ErrorPercentage allows.", n.Failed, n.All), m.Now())
		if err := store.PutRemediationExecution(ctx, tx, e); err != nil {
			return err
		}
	}
	if len(waiting) == maxStarted {
		return m.dispatch(ctx, tx, o)
	}
	return nil
}

// Ended is told of every execution that ends. Of one that put a resource right,
// its steps are kept, and the resource is recorded again.
func (m *Remediation) Ended(ctx context.Context, tx *db.Tx, x automation.Execution) error {
	n, ok := noteOf(x)
	if !ok {
		return nil
	}
	key := n.Remediation.key(n.Key)
	if err := store.LockRemediation(ctx, tx, key.Place, n.Remediation.Rule); err != nil {
		return err
	}
	e, err := store.RemediationExecution(ctx, tx, n.Remediation.Rule, key)
	if errors.Is(err, store.ErrNotFound) || err == nil && e.Execution != x.ID {
		return nil
	}
	if err != nil {
		return err
	}
	if e.Steps, err = StepsOf(ctx, tx, x.ID); err != nil {
		return err
	}
	return m.end(ctx, tx, n.Remediation, e, x.Status == automation.Success)
}

// end keeps how an execution ended, whose steps are there. The resource is recorded
// again, and what waits may start.
func (m *Remediation) end(ctx context.Context, tx *db.Tx, o of, e config.RemediationExecution, succeeded bool) error {
	e.State, e.Updated = config.RemediationFailed, m.Now()
	if succeeded {
		e.State = config.RemediationSucceeded
	}
	if err := store.PutRemediationExecution(ctx, tx, e); err != nil {
		return err
	}
	if err := m.Announce(ctx, tx, e.ResourceKey); err != nil {
		return err
	}
	if c, err := store.Remediation(ctx, tx, e.Place, e.Rule); err == nil {
		if err := m.afterwards(ctx, tx, c, e); err != nil {
			return err
		}
	}
	return m.dispatch(ctx, tx, o)
}

// The states of steps.
const (
	StepFailed     = "FAILED"
	StepSucceeded  = "SUCCEEDED"
	StepPending    = "PENDING"
	StepInProgress = "IN_PROGRESS"
	StepExited     = "EXITED"
)

// StepsOf returns the steps of an execution as they stand.
func StepsOf(ctx context.Context, tx *db.Tx, execution string) ([]config.RemediationStep, error) {
	steps, err := automation.Steps(ctx, tx, execution)
	if err != nil {
		return nil, err
	}
	out := make([]config.RemediationStep, 0, len(steps))
	for _, s := range steps {
		out = append(out, config.RemediationStep{Name: s.Name, State: stateOf(s.Status), Error: s.Failure, Started: s.Started, Stopped: s.Ended})
	}
	return out, nil
}

func stateOf(s automation.Status) string {
	switch s {
	case automation.Pending:
		return StepPending
	case automation.InProgress, automation.Waiting:
		return StepInProgress
	case automation.Success:
		return StepSucceeded
	case automation.Cancelled:
		return StepExited
	default:
		return StepFailed
	}
}
