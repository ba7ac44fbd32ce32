package remediation

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

// OnComplianceChanged has resources put right that ceased to comply with rules
// whose remediation is automatic.
func (m *Remediation) OnComplianceChanged(ctx context.Context, tx *db.Tx, ev config.ComplianceChanged) error {
	byRule := map[string][]resource{}
	var rules []string
	for _, c := range ev.Changes {
		if c.New.Compliance != config.NonCompliant {
			continue
		}
		if byRule[c.New.Rule] == nil {
			rules = append(rules, c.New.Rule)
		}
		byRule[c.New.Rule] = append(byRule[c.New.Rule], resource{c.New.ResourceType, c.New.ResourceID})
	}
	if len(rules) == 0 {
		return nil
	}
	found, err := store.AutomaticRemediations(ctx, tx, ev.Place, rules)
	if err != nil {
		return err
	}
	for _, c := range found {
		if err := m.Jobs.Insert(ctx, tx, enqueue{ruleOf(ev.Place, c.Rule), byRule[c.Rule]}, job.Options{}); err != nil {
			return err
		}
	}
	return nil
}

// doEnqueue queues resources, but for those with an exception.
func (m *Remediation) doEnqueue(ctx context.Context, tx *db.Tx, j job.Job[enqueue]) error {
	return m.enqueue(ctx, tx, j.Args.Of, j.Args.Keys)
}

func (m *Remediation) enqueue(ctx context.Context, tx *db.Tx, o of, keys []resource) error {
	c, ok, err := m.automatic(ctx, tx, o)
	if err != nil || !ok {
		return err
	}
	for _, k := range keys {
		_, err := store.RemediationExceptionOf(ctx, tx, o.Rule, o.key(k), m.Now())
		if err == nil {
			continue
		}
		if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if _, err := m.queue(ctx, tx, c, o.key(k), true); err != nil {
			return err
		}
	}
	return m.dispatch(ctx, tx, o)
}

// automatic returns a rule's configuration if it acts by itself. Others wait that
// decide about it.
func (m *Remediation) automatic(ctx context.Context, tx *db.Tx, o of) (config.RemediationConfiguration, bool, error) {
	if err := store.LockRemediation(ctx, tx, o.place(), o.Rule); err != nil {
		return config.RemediationConfiguration{}, false, err
	}
	c, err := store.Remediation(ctx, tx, o.place(), o.Rule)
	if errors.Is(err, store.ErrNotFound) {
		return c, false, nil
	}
	return c, err == nil && c.IsAutomatic(), err
}

// scanned is how many resources one job looks at.
const scanned = 200

// doScan queues what does not comply already when a configuration becomes
// automatic.
func (m *Remediation) doScan(ctx context.Context, tx *db.Tx, j job.Job[scan]) error {
	r, err := store.Rule(ctx, tx, j.Args.Of.place(), j.Args.Of.Rule)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	verdicts, err := store.VerdictsByRule(ctx, tx, r, store.VerdictPage{
		Compliance: []config.Compliance{config.NonCompliant}, AfterType: j.Args.After.Type, AfterID: j.Args.After.ID, Limit: scanned,
	})
	if err != nil || len(verdicts) == 0 {
		return err
	}
	keys := make([]resource, len(verdicts))
	for i, v := range verdicts {
		keys[i] = resource{v.ResourceType, v.ResourceID}
	}
	if err := m.enqueue(ctx, tx, j.Args.Of, keys); err != nil || len(verdicts) < scanned {
		return err
	}
	return m.Jobs.Insert(ctx, tx, scan{j.Args.Of, keys[len(keys)-1]}, job.Options{})
}

// minPause is how soon a resource is looked at again, at the least.
const minPause = 5 * time.Second

// afterwards has a resource looked at some time after an automatic run: attempts
// are spread so that the last of them falls into the window.
func (m *Remediation) afterwards(ctx context.Context, tx *db.Tx, c config.RemediationConfiguration, e config.RemediationExecution) error {
	if !e.Automatic || !c.IsAutomatic() {
		return nil
	}
	pause := max(c.RetryWindow()/time.Duration(2*c.MaxAttempts()), minPause)
	return m.Jobs.Insert(ctx, tx, check{ruleOf(c.Place, c.Rule), resource{e.Type, e.ID}, e.Execution}, job.Options{At: m.Now().Add(pause)})
}

// doCheck queues a resource again that still does not comply, or makes an exception
// of it after as many attempts as there may be in the window.
func (m *Remediation) doCheck(ctx context.Context, tx *db.Tx, j job.Job[check]) error {
	o := j.Args.Of
	key := o.key(j.Args.Key)
	c, ok, err := m.automatic(ctx, tx, o)
	if err != nil || !ok {
		return err
	}
	e, err := store.RemediationExecution(ctx, tx, o.Rule, key)
	if errors.Is(err, store.ErrNotFound) || err == nil && (e.State.Open() || e.Execution != j.Args.Execution) {
		return nil
	}
	if err != nil {
		return err
	}
	failing, err := noncompliant(ctx, tx, o.Rule, key)
	if err != nil {
		return err
	}
	if !failing {
		e.Attempts = 0
		return store.PutRemediationExecution(ctx, tx, e)
	}
	if e.Attempts >= c.MaxAttempts() && m.Now().Sub(e.First) <= c.RetryWindow() {
		return m.keepException(ctx, tx, config.RemediationException{
			Place: c.Place, Rule: c.Rule, ResourceType: key.Type, ResourceID: key.ID,
			Message: fmt.Sprintf("The resource does not comply after %d automatic remediations within %d seconds.", e.Attempts, int(c.RetryWindow().Seconds())),
		})
	}
	return m.enqueue(ctx, tx, o, []resource{j.Args.Key})
}
