// Package rule is the verb of judging: it knows which rules a place has, has
// in-process rules evaluate items in the transaction that records them, asks
// functions to evaluate what was recorded, and carries out what is asked of a
// rule: put, evaluate, delete.
//
// Verdicts leave through one func, compliance's Accept. What a managed rule
// checks is in rule/managed, what a function is told in rule/function. The
// package stores rules through store, and jobs.
package rule

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/rule/function"
	"plumb/internal/store"
)

// An Evaluator decides the compliance of one item under one in-process rule.
type Evaluator interface {
	Evaluate(item config.Item) (verdict config.Compliance, annotation string, err error)
}

// A Compiled is how an in-process rule is evaluated.
type Compiled struct {
	Evaluator Evaluator
	Types     []string // that it looks at when its scope names none
	OnChange  bool     // by each item
	Initially bool     // on what is there when it was put, or when somebody asks
	Period    time.Duration
}

// ErrNoEvaluator says that a rule is known and that Plumb cannot evaluate it.
var ErrNoEvaluator = errors.New("no evaluator")

// An Invocation asks for a function, asynchronously and with Lambda's retries.
type Invocation struct {
	Place       config.Place
	FunctionARN string
	Payload     []byte
	RuleID      string // given back to Invoked
}

// Options are what an Engine is made of. All are required.
type Options struct {
	DB   *db.DB
	Jobs *job.Queue
	// Compile returns how a rule is evaluated in this process; ErrNoEvaluator
	// with the reason if it cannot be. It is not asked about functions.
	Compile func(r config.Rule) (Compiled, error)
	// KnownType reports whether AWS Config has a resource type.
	KnownType func(resourceType string) bool
	// Accept is compliance's door.
	Accept func(ctx context.Context, tx *db.Tx, p config.Place, batches ...config.Batch) error
	// Forget deletes up to limit results of a rule.
	Forget func(ctx context.Context, tx *db.Tx, r config.Rule, limit int) (more bool, err error)
	// Invoke has a function invoked, in the transaction that decided it.
	Invoke  func(ctx context.Context, tx *db.Tx, i Invocation) error
	Publish func(ctx context.Context, tx *db.Tx, event any) error
	Sealer  *function.Sealer
	Now     func() time.Time
}

// An Engine judges. It is safe for concurrent use. It remembers the compiled
// rules of each place as long as the store says that they are the same.
type Engine struct {
	log *slog.Logger
	Options

	mu    sync.Mutex
	sets  map[config.Place]*set
	noted map[string]time.Time // when a rule's status was last refreshed by this server
}

// New returns an engine and registers its jobs.
func New(log *slog.Logger, o Options) *Engine {
	e := &Engine{log: log, Options: o, sets: map[config.Place]*set{}, noted: map[string]time.Time{}}
	e.handleJobs()
	return e
}

// A set is the rules of a place at one version of them.
type set struct {
	version   int64
	inProcess []inProcess
	functions []config.Rule
}

type inProcess struct {
	config.Rule
	Compiled
}

// set returns the rules of a place as they are in tx.
func (e *Engine) set(ctx context.Context, tx *db.Tx, p config.Place) (*set, error) {
	version, err := store.RuleSetVersion(ctx, tx, p)
	if err != nil {
		return nil, fmt.Errorf("read the rule set's version: %w", err)
	}
	e.mu.Lock()
	s, ok := e.sets[p]
	e.mu.Unlock()
	if ok && s.version == version {
		return s, nil
	}
	rules, err := store.Rules(ctx, tx, p, "", 0)
	if err != nil {
		return nil, err
	}
	s = e.compile(rules, version)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sets[p] = s
	return s, nil
}

func (e *Engine) compile(rules []config.Rule, version int64) *set {
	s := &set{version: version}
	for _, r := range rules {
		switch {
		case r.State == config.RuleDeleting:
		case r.Source.Owner == config.OwnerLambda:
			s.functions = append(s.functions, r)
		default:
			c, err := e.Compile(r)
			if err != nil {
				continue // its status says so since it was put
			}
			s.inProcess = append(s.inProcess, inProcess{r, c})
		}
	}
	return s
}
