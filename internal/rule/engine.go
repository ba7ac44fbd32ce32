// Package rule is the verb of evaluating: it knows which rules a place has, has
// in-process rules evaluate items before the transaction that records them, asks
// functions to evaluate what was recorded, and carries out what is asked of a
// rule: put, evaluate, delete.
//
// Verdicts leave through one func, compliance's Accept. What a managed rule
// checks is in rule/managed, what a function is sent in rule/function. The
// package stores rules through store, and jobs.
//
// Nothing is compiled, decoded, evaluated or encoded while the write lock is
// held: a job reads and computes first, and its one transaction checks that what
// it read still holds.
package rule

import (
	"context"
	"log/slog"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/rule/function"
	"plumb/internal/rule/managed"
	"plumb/internal/rule/view"
)

// An Evaluator decides the compliance of one item under one in-process rule.
type Evaluator interface {
	Evaluate(item config.Item, v view.View) (verdict config.Compliance, annotation string, err error)
}

// A Compiled is how an in-process rule is evaluated.
type Compiled struct {
	Evaluator Evaluator
	Types     []string // that it looks at when its scope names none
	OnChange  bool     // by each item
	Initially bool     // on what is there when it was put, or when somebody asks
	Finds     []string // types that it looks through beside the item's
	Period    time.Duration
	Proactive Evaluator // judges properties in CloudFormation's spelling; nil if nothing does
}

// An Invocation asks for a function, asynchronously and with Lambda's retries.
type Invocation struct {
	Place       config.Place
	FunctionARN string
	Payload     []byte
	Origin
}

// An Origin says what an invocation is for. It is given back to Invoked.
type Origin struct {
	RuleID     string
	Evaluation string `json:",omitempty"` // the proactive one
	Asked      Asked  `json:",omitzero"`
}

// Asked is what a function was asked about, and when.
type Asked struct {
	At        int64  `json:",omitempty"` // microseconds since the epoch, as in the result token
	Type      string `json:",omitempty"` // of the resource; empty for a run by schedule or snapshot
	ID        string `json:",omitempty"`
	LeftScope bool   `json:",omitempty"` // the resource was deleted or is none of the rule's any more
}

// Options are what an Engine is made of. All but EvaluateEvery and
// EvaluationFailed are required.
type Options struct {
	DB      *db.DB
	Jobs    *job.Queue
	Managed *managed.Catalogue // says which managed rules there are, and their parameters
	// Compile returns how a rule is evaluated in this process; ErrNoEvaluator
	// with the reason if it cannot be. It is not asked about functions.
	Compile func(r config.Rule) (Compiled, error)
	// MayInvoke returns PutConfigRule's error unless AWS Config may invoke the
	// function for rules of the place.
	MayInvoke func(ctx context.Context, p config.Place, functionARN string) error
	MaxRules  int // that a place may have
	// EvaluateEvery is how long somebody who asks for an evaluation has to wait for
	// the next one of the rule.
	EvaluateEvery time.Duration
	// EvaluationFailed is called, if it is set, when an in-process rule failed.
	EvaluationFailed func(r config.Rule)
	// KnownType reports whether AWS Config has a resource type.
	KnownType func(resourceType string) bool
	// Global reports whether resources of a type belong to no region.
	Global func(resourceType string) bool
	// Accept hands verdicts to compliance.
	Accept func(ctx context.Context, tx *db.Tx, p config.Place, batches ...config.Batch) error
	// Forget deletes up to limit results of a rule.
	Forget func(ctx context.Context, tx *db.Tx, r config.Rule, limit int) (more bool, err error)
	// Invoke has functions of one place invoked, in the transaction that decided
	// it.
	Invoke  func(ctx context.Context, tx *db.Tx, invocations []Invocation) error
	Publish func(ctx context.Context, tx *db.Tx, event any) error
	Sealer  *function.Sealer
	Now     func() time.Time
}

// An Engine evaluates. It is safe for concurrent use. It remembers the compiled
// rules of the places that were used last, as long as the store says that they
// are the same.
type Engine struct {
	log *slog.Logger
	Options

	sets  *cache[config.Place, *set]
	noted *cache[string, time.Time] // when a rule's status was last refreshed by this server
}

const (
	maxCompiled = 50_000 // rules in all remembered sets, each of some 500 bytes
	maxNoted    = 20_000
)

// New returns an engine and registers its jobs.
func New(log *slog.Logger, o Options) *Engine {
	e := &Engine{
		log: log, Options: o,
		sets:  newCache[config.Place](maxCompiled, func(s *set) int { return 1 + s.size }),
		noted: newCache[string](maxNoted, func(time.Time) int { return 1 }),
	}
	e.handleJobs()
	return e
}

func (e *Engine) handleJobs() {
	job.HandlePrepared(e.Jobs, e.prepareDispatch, job.Policy{})
	job.HandlePrepared(e.Jobs, e.prepareSnapshot, job.Policy{})
	job.HandlePrepared(e.Jobs, e.prepareEvaluate, job.Policy{})
	job.HandlePrepared(e.Jobs, e.prepareTick, job.Policy{})
	job.HandlePrepared(e.Jobs, e.prepareFound, job.Policy{})
	job.HandleTx(e.Jobs, e.doForget, job.Policy{})
	job.HandlePrepared(e.Jobs, e.prepareProactive, job.Policy{})
	job.HandleTx(e.Jobs, e.doProactiveTimeout, job.Policy{})
	job.HandleTx(e.Jobs, e.doProactiveForget, job.Policy{})
}
