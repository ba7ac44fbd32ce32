// Package remediation is the verb of putting right: it keeps which document puts
// right the resources that do not comply with a rule, has it run for a resource
// because somebody asks or by itself, and has the resource recorded again, and
// thereby judged, after it.
//
// It runs nothing: package automation does, or an outside Systems Manager. A run is queued, started when the
// rule's controls leave room, and ends by a call of Ended; each of these is a row
// and a job, so a restart loses none. It does not change a verdict.
//
// It stores configurations, exceptions and executions through store, and jobs.
package remediation

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"plumb/internal/automation"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/store"
)

// Options are what a Remediation is made of. All are required.
type Options struct {
	DB         *db.DB
	Jobs       *job.Queue
	Automation *automation.Engine
	// Announce has a resource recorded again.
	Announce func(ctx context.Context, tx *db.Tx, key config.ResourceKey) error
	// Elsewhere reports whether the documents of a place run at an outside Systems
	// Manager, which Call asks.
	Elsewhere func(p config.Place) bool
	Call      func(ctx context.Context, p config.Place, operation string, in map[string]any) (map[string]any, error)
	Now       func() time.Time
}

// A Remediation puts right. It is safe for concurrent use.
type Remediation struct {
	log *slog.Logger
	Options
}

// New returns a Remediation and registers its jobs.
func New(log *slog.Logger, o Options) *Remediation {
	m := &Remediation{log, o}
	job.HandleTx(m.Jobs, m.doEnqueue, job.Policy{})
	job.HandleTx(m.Jobs, m.doScan, job.Policy{})
	job.HandleTx(m.Jobs, m.doDispatch, job.Policy{})
	job.HandleTx(m.Jobs, m.doCheck, job.Policy{})
	job.HandleTx(m.Jobs, m.doExpire, job.Policy{})
	job.HandlePrepared(m.Jobs, m.doStartElsewhere, job.Policy{})
	job.HandlePrepared(m.Jobs, m.doLookElsewhere, job.Policy{})
	return m
}

// The jobs. Each names a rule of a place.
type (
	// enqueue has resources put right that do not comply, by itself.
	enqueue struct {
		Of   of         `json:"of"`
		Keys []resource `json:"keys"`
	}
	// scan looks at everything that does not comply, a page a job.
	scan struct {
		Of    of       `json:"of"`
		After resource `json:"after,omitzero"`
	}
	// dispatch starts what is queued, as far as the controls allow.
	dispatch struct {
		Of of `json:"of"`
	}
	// check looks whether a resource complies after an automatic run.
	check struct {
		Of        of       `json:"of"`
		Key       resource `json:"key"`
		Execution string   `json:"execution"`
	}
	// expire ends an exception.
	expire struct {
		Of  of       `json:"of"`
		Key resource `json:"key"`
	}

	of struct {
		Account string `json:"account"`
		Region  string `json:"region"`
		Rule    string `json:"rule"`
	}
	resource struct {
		Type string `json:"type"`
		ID   string `json:"id"`
	}
)

// Kind names the job.
func (enqueue) Kind() string { return "remediation.enqueue" }

// Kind names the job.
func (scan) Kind() string { return "remediation.scan" }

// Kind names the job.
func (dispatch) Kind() string { return "remediation.dispatch" }

// Kind names the job.
func (check) Kind() string { return "remediation.check" }

// Kind names the job.
func (expire) Kind() string { return "remediation.expire" }

func (o of) place() config.Place { return config.Place{Account: o.Account, Region: o.Region} }

func ruleOf(p config.Place, rule string) of { return of{p.Account, p.Region, rule} }

func (o of) key(r resource) config.ResourceKey {
	return config.ResourceKey{Place: o.place(), Type: r.Type, ID: r.ID}
}

// A note goes with an execution of a document.
type note struct {
	Remediation of       `json:"remediation"`
	Key         resource `json:"key"`
}

func (n note) text() (string, error) {
	b, err := json.Marshal(n)
	return string(b), err
}

// noteOf returns an execution's note; not ok if somebody else started it.
func noteOf(x automation.Execution) (n note, ok bool) {
	return n, x.Note != "" && json.Unmarshal([]byte(x.Note), &n) == nil && n.Remediation.Rule != ""
}

// noncompliant reports whether a rule found that a resource does not comply.
func noncompliant(ctx context.Context, tx *db.Tx, rule string, key config.ResourceKey) (bool, error) {
	r, err := store.Rule(ctx, tx, key.Place, rule)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	verdicts, err := store.RuleVerdicts(ctx, tx, r, []config.ResourceKey{key})
	return verdicts[key].Compliance == config.NonCompliant, err
}
