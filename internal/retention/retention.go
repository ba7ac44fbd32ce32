// Package retention deletes what nobody needs any more: items that are older than
// their place keeps them, resources that are gone for as long with the verdicts
// on them, and what else has a time after which it is of no use.
//
// Once a day, by the server's clock, one server of those that share a store walks
// through a list of stages. Each step of a stage is a small transaction that
// completes its job and inserts the job of the next step, so a run that is cut off
// goes on where it was. The first stage carries the history into a new month, on
// which the others depend.
//
// It keeps the time of the next run in retention_run. What goes, and what must
// stay, is decided in the store; jobs that are done are deleted by the job runner.
//
//	r := retention.New(log, jobs, now, retention.Sweep{Name: "credentials", Do: credentials.Sweep})
//	r.Ensure(ctx, tx) // when the server starts
package retention

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/store"
)

// A Sweep deletes some of what has outlived its time and reports whether there is
// more.
type Sweep struct {
	Name string
	Do   func(ctx context.Context, tx *db.Tx, limit int) (more bool, err error)
}

// Retention runs the stages.
type Retention struct {
	log    *slog.Logger
	jobs   *job.Queue
	now    func() time.Time
	sweeps []Sweep
}

// New registers the jobs.
func New(log *slog.Logger, jobs *job.Queue, now func() time.Time, sweeps ...Sweep) *Retention {
	r := &Retention{log, jobs, now, sweeps}
	job.HandleTx(jobs, r.run, job.Policy{})
	job.HandleTx(jobs, r.step, job.Policy{})
	return r
}

// period is the time from one run to the next.
const period = 24 * time.Hour

// hour is the hour of the day, in UTC, at which runs begin: when a month has begun,
// items of the last one have been written.
const hour = time.Hour

// A runJob begins a run.
type runJob struct {
	At time.Time `json:"at"`
}

// Kind names the job.
func (runJob) Kind() string { return "retention_run" }

// Ensure has the next run begin when it is due, if that is not so already.
func (r *Retention) Ensure(ctx context.Context, tx *db.Tx) error {
	at := r.next()
	fresh, err := store.EnsureRetentionRun(ctx, tx, at)
	if err != nil || !fresh {
		return err
	}
	return r.jobs.Insert(ctx, tx, runJob{at}, job.Options{At: at})
}

// next returns the first time after now at which a run is due.
func (r *Retention) next() time.Time {
	now := r.now().UTC()
	at := now.Truncate(period).Add(hour)
	if !at.After(now) {
		at = at.Add(period)
	}
	return at
}

// run inserts the first step, and the next run.
func (r *Retention) run(ctx context.Context, tx *db.Tx, j job.Job[runJob]) error {
	at := r.next()
	current, err := store.MoveRetentionRun(ctx, tx, j.Args.At, at)
	if err != nil || !current {
		return err
	}
	if err := r.jobs.Insert(ctx, tx, stepJob{Began: r.now()}, job.Options{}); err != nil {
		return err
	}
	return r.jobs.Insert(ctx, tx, runJob{at}, job.Options{At: at})
}

// A stepJob is one step of a run: the stage, where it is in it, and how much it
// did.
type stepJob struct {
	Began    time.Time    `json:"began"`
	Stage    string       `json:"stage,omitempty"` // empty is the first
	Place    config.Place `json:"place"`           // the last one that is done
	Type     string       `json:"type,omitempty"`  // the last resource of the next place that is done
	ID       string       `json:"id,omitempty"`
	Resource int64        `json:"resource,omitempty"` // the last one that is done, where all places are walked at once
	Steps    int          `json:"steps"`
}

// Kind names the job.
func (stepJob) Kind() string { return "retention_step" }

// errDone says that a stage is through.
var errDone = errors.New("the stage is done")

// A stage does a step and moves the job to the next one, or returns errDone.
type stage struct {
	name string
	do   func(ctx context.Context, tx *db.Tx, a *stepJob) error
}

func (r *Retention) stages() []stage {
	all := []stage{
		{"carry", r.carry}, {"resources", r.expireResources}, {"history", r.expireHistory}, {"months", r.expireMonths},
	}
	for _, s := range r.sweeps {
		all = append(all, stage{s.Name, func(ctx context.Context, tx *db.Tx, _ *stepJob) error {
			more, err := s.Do(ctx, tx, pageSize)
			if err == nil && !more {
				return errDone
			}
			return err
		}})
	}
	return all
}

func (r *Retention) step(ctx context.Context, tx *db.Tx, j job.Job[stepJob]) error {
	stages := r.stages()
	at := 0
	for i, s := range stages {
		if s.name == j.Args.Stage {
			at = i
		}
	}
	a := j.Args
	a.Stage, a.Steps = stages[at].name, a.Steps+1
	err := stages[at].do(ctx, tx, &a)
	if errors.Is(err, errDone) {
		r.log.Debug("retention: a stage is done", "stage", a.Stage, "steps", a.Steps)
		if at+1 == len(stages) {
			return nil
		}
		a, err = stepJob{Began: a.Began, Stage: stages[at+1].name}, nil
	}
	if err != nil {
		return fmt.Errorf("retention, stage %s: %w", a.Stage, err)
	}
	if a.Steps > 0 && a.Steps%logEvery == 0 {
		r.log.Info("retention goes on", "stage", a.Stage, "steps", a.Steps)
	}
	return r.jobs.Insert(ctx, tx, a, job.Options{})
}
