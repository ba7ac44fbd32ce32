package remediation

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"plumb/internal/automation"
	"plumb/internal/awsclient"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/store"
)

// Where an outside Systems Manager takes the place of the one here, documents are
// started there and looked at until they end. What is kept of an execution until
// then is the token that it was started with, so that it is started once.

// The jobs.
type (
	// startElsewhere starts a document for a resource.
	startElsewhere struct {
		Of    of       `json:"of"`
		Key   resource `json:"key"`
		Token string   `json:"token"`
	}
	// lookElsewhere looks how an execution fares.
	lookElsewhere struct {
		Of        of       `json:"of"`
		Key       resource `json:"key"`
		Token     string   `json:"token"`
		Execution string   `json:"execution"`
	}
)

// Kind names the job.
func (startElsewhere) Kind() string { return "remediation.start_elsewhere" }

// Kind names the job.
func (lookElsewhere) Kind() string { return "remediation.look_elsewhere" }

const (
	firstLook = 5 * time.Second
	nextLook  = 15 * time.Second
)

// beginElsewhere has a document started that runs elsewhere.
func (m *Remediation) beginElsewhere(ctx context.Context, tx *db.Tx, c config.RemediationConfiguration, e *config.RemediationExecution) error {
	e.State, e.Invoked, e.Updated, e.Steps, e.Execution = config.RemediationInProgress, m.Now(), m.Now(), nil, newID()
	if err := store.PutRemediationExecution(ctx, tx, *e); err != nil {
		return err
	}
	return m.Jobs.Insert(ctx, tx, startElsewhere{ruleOf(c.Place, c.Rule), resource{e.Type, e.ID}, e.Execution}, job.Options{})
}

// pending returns an execution that goes on, with its configuration; not ok if the
// one of that token does not.
func (m *Remediation) pending(ctx context.Context, tx *db.Tx, o of, r resource, token string) (
	c config.RemediationConfiguration, e config.RemediationExecution, ok bool, err error,
) {
	c, err = store.Remediation(ctx, tx, o.place(), o.Rule)
	if err == nil {
		e, err = store.RemediationExecution(ctx, tx, o.Rule, o.key(r))
	}
	if errors.Is(err, store.ErrNotFound) {
		return c, e, false, nil
	}
	return c, e, err == nil && e.Execution == token && e.State == config.RemediationInProgress, err
}

func (m *Remediation) doStartElsewhere(ctx context.Context, j job.Job[startElsewhere]) (job.Commit, error) {
	a := j.Args
	var c config.RemediationConfiguration
	var waits bool
	err := m.DB.Read(ctx, func(tx *db.Tx) (err error) {
		c, _, waits, err = m.pending(ctx, tx, a.Of, a.Key, a.Token)
		return err
	})
	if err != nil || !waits {
		return nil, err
	}
	in := map[string]any{"DocumentName": c.Document, "ClientToken": a.Token, "Parameters": map[string]any{}}
	if c.Version != "" {
		in["DocumentVersion"] = c.Version
	}
	for name, values := range c.For(a.Key.ID) {
		var list []any
		for _, v := range values {
			list = append(list, v)
		}
		in["Parameters"].(map[string]any)[name] = list
	}
	out, reason, err := m.ask(ctx, a.Of.place(), "StartAutomationExecution", in)
	if reason != "" {
		return m.failElsewhere(a.Of, a.Key, a.Token, c.Document, reason), nil
	}
	if err != nil {
		return nil, fmt.Errorf("start %s elsewhere: %w", c.Document, err)
	}
	id, _ := out["AutomationExecutionId"].(string)
	return func(ctx context.Context, tx *db.Tx) error {
		return m.Jobs.Insert(ctx, tx, lookElsewhere{a.Of, a.Key, a.Token, id}, job.Options{At: m.Now().Add(firstLook)})
	}, nil
}

// ask calls the outside service. A reason is why it does not do what it was asked
// to, if asking again would not help; after an error it might.
func (m *Remediation) ask(ctx context.Context, p config.Place, operation string, in map[string]any) (out map[string]any, reason string, err error) {
	if !m.Elsewhere(p) {
		return nil, "The settings do not name an outside Systems Manager any more.", nil
	}
	out, err = m.Call(ctx, p, operation, in)
	e, ok := errors.AsType[*awsclient.Error](err)
	if !ok || e.Status >= http.StatusInternalServerError || e.Status == http.StatusTooManyRequests {
		return out, "", err
	}
	switch e.Code {
	case "ThrottlingException", "ExpiredTokenException", "UnrecognizedClientException":
		return nil, "", err
	}
	return nil, e.Code + ": " + e.Message, nil
}

// failElsewhere ends an execution of which nothing else is known than why it failed.
func (m *Remediation) failElsewhere(o of, r resource, token, step, reason string) job.Commit {
	return m.endElsewhere(o, r, token, automation.Failed, []config.RemediationStep{{
		Name: step, State: StepFailed, Error: reason, Started: m.Now(), Stopped: m.Now(),
	}})
}

func (m *Remediation) doLookElsewhere(ctx context.Context, j job.Job[lookElsewhere]) (job.Commit, error) {
	a := j.Args
	out, reason, err := m.ask(ctx, a.Of.place(), "GetAutomationExecution", map[string]any{"AutomationExecutionId": a.Execution})
	if reason != "" {
		return m.failElsewhere(a.Of, a.Key, a.Token, a.Execution, reason), nil
	}
	if err != nil {
		return nil, fmt.Errorf("look at %s elsewhere: %w", a.Execution, err)
	}
	x, _ := out["AutomationExecution"].(map[string]any)
	status, _ := x["AutomationExecutionStatus"].(string)
	steps := m.stepsElsewhere(x)
	if isOpen(status) {
		return m.goOnElsewhere(a, steps), nil
	}
	return m.endElsewhere(a.Of, a.Key, a.Token, automation.Status(status), steps), nil
}

// isOpen reports whether an execution of that status goes on.
func isOpen(status string) bool {
	switch status {
	case "Pending", "InProgress", "Waiting", "Cancelling", "PendingApproval", "Approved", "Scheduled", "RunbookInProgress", "PendingChangeCalendarOverride", "":
		return true
	}
	return false
}

// stepsElsewhere returns the steps that an execution tells of. One that failed
// without a step is one itself.
func (m *Remediation) stepsElsewhere(x map[string]any) (out []config.RemediationStep) {
	text := func(from map[string]any, name string) string { s, _ := from[name].(string); return s }
	at := func(from map[string]any, name string) time.Time {
		t, _ := time.Parse(time.RFC3339Nano, text(from, name))
		return t
	}
	list, _ := x["StepExecutions"].([]any)
	for _, e := range list {
		s, _ := e.(map[string]any)
		out = append(out, config.RemediationStep{
			Name: text(s, "StepName"), State: stateOf(automation.Status(text(s, "StepStatus"))), Error: text(s, "FailureMessage"),
			Started: at(s, "ExecutionStartTime"), Stopped: at(s, "ExecutionEndTime"),
		})
	}
	if reason := text(x, "FailureMessage"); len(out) == 0 && reason != "" {
		out = append(out, config.RemediationStep{Name: text(x, "DocumentName"), State: StepFailed, Error: reason, Started: m.Now(), Stopped: m.Now()})
	}
	return out
}

func (m *Remediation) goOnElsewhere(a lookElsewhere, steps []config.RemediationStep) job.Commit {
	return func(ctx context.Context, tx *db.Tx) error {
		if err := store.LockRemediation(ctx, tx, a.Of.place(), a.Of.Rule); err != nil {
			return err
		}
		_, e, waits, err := m.pending(ctx, tx, a.Of, a.Key, a.Token)
		if err != nil || !waits {
			return err
		}
		e.Steps, e.Updated = steps, m.Now()
		if err := store.PutRemediationExecution(ctx, tx, e); err != nil {
			return err
		}
		return m.Jobs.Insert(ctx, tx, a, job.Options{At: m.Now().Add(nextLook)})
	}
}

func (m *Remediation) endElsewhere(o of, r resource, token string, status automation.Status, steps []config.RemediationStep) job.Commit {
	return func(ctx context.Context, tx *db.Tx) error {
		if err := store.LockRemediation(ctx, tx, o.place(), o.Rule); err != nil {
			return err
		}
		_, e, waits, err := m.pending(ctx, tx, o, r, token)
		if err != nil || !waits {
			return err
		}
		e.Steps = steps
		return m.end(ctx, tx, o, e, status == automation.Success || status == "CompletedWithSuccess")
	}
}
