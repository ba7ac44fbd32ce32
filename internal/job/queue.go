package job

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"

	"plumb/internal/clock"
	"plumb/internal/db"
	"plumb/internal/trace"
)

// The queues. Jobs of one queue do not wait for the slow ones of another.
const (
	Default  = river.QueueDefault // decisions and small work
	Function = "function"         // invocations of functions: up to 15 minutes each
	Delivery = "delivery"         // to topics and queues that are embedded, which are not slow
	Message  = "message"          // messages to topics and other services, one job of each lane
	File     = "file"             // files into buckets, which may take minutes
	Push     = "push"             // endpoints of clients, which may be as slow as they like
	Collect  = "collect"          // reading resources from an account
)

// defaultWorkers returns how many jobs of each queue run at once in one server.
func defaultWorkers() map[string]int {
	return map[string]int{Default: 8, Function: 64, Delivery: 16, Message: 64, File: 16, Push: 16, Collect: 4}
}

// forever is how often a job is tried when its Options do not say: until it
// works. River keeps the number in 16 bits.
const forever = 30000

// never is when River's own rescue takes a running job for stuck. It compares
// with the machine's time, not with the clock that jobs are stamped by; see
// alive.go for what takes up the jobs of a server that died.
const never = 100 * 365 * 24 * time.Hour

// Args are a job's arguments: a struct that is kept as JSON. Kind names the
// handler.
type Args interface{ Kind() string }

// QueueOptions are what a Queue can do without. Workers adds queues and changes
// how many jobs of a queue run at once in this server. Shared leaves some of them
// to other owners than the busiest one: see Owned.
type QueueOptions struct {
	Workers map[string]int
	Shared  bool
	Failed  func(kind string) // is called for each attempt that failed; may be nil
	Tracer  *trace.Tracer     // traces attempts; may be nil
}

// Options say when and how a job runs. The zero value: at once, in the Default
// queue, tried until it works.
type Options struct {
	At          time.Time // not before
	MaxAttempts int       // 0 is as often as needed
	Queue       string
}

// A Queue inserts and runs jobs. It is safe for concurrent use.
type Queue struct {
	db       *db.DB
	server   string
	log      *slog.Logger
	clock    *clock.Clock
	queues   map[string]int // how many jobs of each run at once
	shares   *shares
	workers  *river.Workers
	failed   func(kind string) // may be nil
	tracer   *trace.Tracer
	kinds    map[string]bool // that have a handler
	notifier *notifier
	lite     *river.Client[*sql.Tx]
	pg       *river.Client[pgx.Tx]
	exec     riverdriver.Executor

	running   sync.Map // ids of the jobs that run in this process
	completed sync.Map // ids of those that a transaction completed, until River says that they ended
	unknown   sync.Map // kinds that were logged

	hold   sync.RWMutex // is held for reading while jobs are taken
	onHold bool         // no job is taken

	session        *pgx.Conn     // holds the server's name on PostgreSQL
	stopping       chan struct{} // closed when the queue is to stop
	stopOnce       sync.Once
	stopBackground func()
}

// New makes the queue of a store and brings the runner's own tables forward.
// server names this server among those that share the store; a server that
// starts again under its name takes up what it left running.
func New(ctx context.Context, d *db.DB, log *slog.Logger, clk *clock.Clock, server string, o ...QueueOptions) (*Queue, error) {
	q := &Queue{
		db: d, server: server, log: log, clock: clk, queues: defaultWorkers(), shares: &shares{}, workers: river.NewWorkers(), kinds: map[string]bool{},
		notifier: newNotifier(), stopping: make(chan struct{}), stopBackground: func() {},
	}
	for _, options := range o {
		maps.Copy(q.queues, options.Workers)
		q.failed, q.tracer = options.Failed, options.Tracer
		if options.Shared {
			q.shares = newShares(q.queues)
		}
	}
	if err := Migrate(ctx, q.db); err != nil {
		return nil, fmt.Errorf("migrate the job tables: %w", err)
	}
	var err error
	if d.IsPostgres() {
		q.pg, err = river.NewClient(driver[pgx.Tx]{riverpgxv5.New(d.Pool()), q}, q.settings())
	} else {
		q.lite, err = river.NewClient(driver[*sql.Tx]{riversqlite.New(d.Writer()), q}, q.settings())
	}
	if err != nil {
		return nil, fmt.Errorf("make the job runner: %w", err)
	}
	if q.pg != nil {
		q.exec = q.pg.Driver().GetExecutor()
	} else {
		q.exec = q.lite.Driver().GetExecutor()
	}
	return q, nil
}

func (q *Queue) settings() *river.Config {
	cfg := &river.Config{
		ID:                   q.server,
		Queues:               map[string]river.QueueConfig{},
		Workers:              q.workers,
		FetchCooldown:        2 * time.Millisecond,
		FetchPollInterval:    time.Second,
		JobTimeout:           time.Minute,
		RescueStuckJobsAfter: never,
		Logger:               slog.New(quiet{q.log.Handler()}),
		ErrorHandler:         endings{q.log, q.failed},

		CompletedJobRetentionPeriod: 10 * time.Minute,
	}
	if q.db.IsPostgres() {
		cfg.FetchPollInterval = 200 * time.Millisecond // other servers' notifications that fall into a cooldown are not sent
	}
	for name, n := range q.queues {
		cfg.Queues[name] = river.QueueConfig{MaxWorkers: n}
	}
	return cfg
}

// Migrate brings the tables of the job runner forward. It refuses those of a newer program.
func Migrate(ctx context.Context, d *db.DB) error {
	had, err := schemaVersion(ctx, d)
	if err != nil {
		return err
	}
	quiet := &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)}
	if d.IsPostgres() {
		m, err := rivermigrate.New(riverpgxv5.New(d.Pool()), quiet)
		if err != nil {
			return err
		}
		return migrate(ctx, m, had)
	}
	m, err := rivermigrate.New(riversqlite.New(d.Writer()), quiet)
	if err != nil {
		return err
	}
	return migrate(ctx, m, had)
}

// migrate moves River's tables forward and refuses those of a newer River.
func migrate[T any](ctx context.Context, m *rivermigrate.Migrator[T], had int) error {
	all := m.AllVersions()
	if known := all[len(all)-1].Version; had > known {
		return fmt.Errorf("this database was used by a newer Plumb (its job tables are at version %d, this program knows %d): "+
			"run that version or a later one, or name another database", had, known)
	}
	_, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil)
	return err
}

// schemaVersion returns the version of River's tables, 0 if there are none.
func schemaVersion(ctx context.Context, d *db.DB) (version int, err error) {
	err = d.Read(ctx, func(tx *db.Tx) error {
		there, err := tx.HasTable(ctx, "river_migration")
		if err != nil || !there {
			return err
		}
		return tx.QueryRow(ctx, `SELECT coalesce(max(version), 0) FROM river_migration`).Scan(&version)
	})
	return version, err
}

// Insert adds a job in tx: it exists exactly when tx is committed.
func (q *Queue) Insert(ctx context.Context, tx *db.Tx, args Args, o Options) error {
	opts := q.options(ctx, o)
	var err error
	if q.pg != nil {
		_, err = q.pg.InsertTx(ctx, tx.Postgres(), args, opts)
	} else {
		_, err = q.lite.InsertTx(ctx, tx.SQLite(), args, opts)
	}
	tx.AfterCommit(func() { q.notifier.inserted(opts.Queue) })
	if err != nil {
		return fmt.Errorf("insert job %s: %w", args.Kind(), err)
	}
	return nil
}

// InsertMany adds jobs in tx with one statement, whatever their number.
func InsertMany[A Args](ctx context.Context, q *Queue, tx *db.Tx, args []A, o Options) error {
	switch len(args) {
	case 0:
		return nil
	case 1:
		return q.Insert(ctx, tx, args[0], o) // one round trip less on PostgreSQL
	}
	opts := q.options(ctx, o)
	params := make([]river.InsertManyParams, len(args))
	for i, a := range args {
		params[i] = river.InsertManyParams{Args: a, InsertOpts: opts}
	}
	var err error
	if q.pg != nil {
		_, err = q.pg.InsertManyFastTx(ctx, tx.Postgres(), params)
	} else {
		_, err = q.lite.InsertManyFastTx(ctx, tx.SQLite(), params)
	}
	tx.AfterCommit(func() { q.notifier.inserted(opts.Queue) })
	if err != nil {
		return fmt.Errorf("insert %d jobs %s: %w", len(args), args[0].Kind(), err)
	}
	return nil
}

// options are o in the runner's terms. A job with a time waits for the runner's
// scheduler, even when that time has passed: such a job gets none.
func (q *Queue) options(ctx context.Context, o Options) *river.InsertOpts {
	if !o.At.After(q.clock.Now()) {
		o.At = time.Time{}
	}
	return &river.InsertOpts{
		Queue: cmp.Or(o.Queue, Default), ScheduledAt: o.At, MaxAttempts: cmp.Or(o.MaxAttempts, forever), Metadata: carry(ctx, o),
	}
}

// Start runs jobs until Stop. Handlers are registered before.
func (q *Queue) Start(ctx context.Context) error {
	if err := q.claimName(ctx); err != nil {
		return err
	}
	err := q.start(ctx)
	if err != nil {
		q.releaseName(ctx)
	}
	return err
}

func (q *Queue) start(ctx context.Context) error {
	if err := q.takeUpOwn(ctx); err != nil {
		return fmt.Errorf("take up what was running: %w", err)
	}
	if q.pg != nil {
		if err := q.beat(ctx); err != nil {
			return fmt.Errorf("announce this server: %w", err)
		}
	}
	q.startBackground(ctx)
	if q.pg != nil {
		return q.pg.Start(ctx)
	}
	return q.lite.Start(ctx)
}

// startBackground runs what goes on beside the jobs until Stop.
func (q *Queue) startBackground(ctx context.Context) {
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	var all sync.WaitGroup
	all.Go(func() { q.keepPromoting(ctx) })
	if q.pg != nil {
		all.Go(func() { q.keepBeating(ctx) })
	}
	q.stopBackground = func() {
		stop()
		all.Wait()
	}
}

// Stop lets running jobs finish until ctx ends, then cancels them; they are
// tried again after the next start.
func (q *Queue) Stop(ctx context.Context) error {
	q.stopOnce.Do(func() { close(q.stopping) })
	defer q.releaseName(ctx)
	defer q.stopBackground() // which uses the name's session
	stop, cancel := q.stopFuncs()
	err := stop(ctx)
	if err != nil && errors.Is(err, ctx.Err()) {
		late, done := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer done()
		return cancel(late)
	}
	return err
}

func (q *Queue) stopFuncs() (stop, cancel func(context.Context) error) {
	if q.pg != nil {
		return q.pg.Stop, q.pg.StopAndCancel
	}
	return q.lite.Stop, q.lite.StopAndCancel
}
