package job

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"

	"plumb/internal/clock"
	"plumb/internal/db"
)

// The queues. Jobs of one queue do not wait for the slow ones of another.
const (
	Default  = river.QueueDefault // decisions and small work
	Function = "function"         // invocations of functions: up to 15 minutes each
	Delivery = "delivery"         // topics, buckets and endpoints, which may be slow
	Collect  = "collect"          // reading resources from an account
)

// workers is how many jobs of each queue run at once in one server.
var workers = map[string]int{Default: 8, Function: 64, Delivery: 16, Collect: 4}

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

// Options say when and how a job runs. The zero value: at once, in the Default
// queue, tried until it works.
type Options struct {
	At          time.Time // not before
	MaxAttempts int       // 0 is as often as needed
	Queue       string
}

// A Queue inserts and runs jobs. It is safe for concurrent use.
type Queue struct {
	db      *db.DB
	server  string
	log     *slog.Logger
	clock   *clock.Clock
	workers *river.Workers
	bell    *bell
	lite    *river.Client[*sql.Tx]
	pg      *river.Client[pgx.Tx]
	exec    riverdriver.Executor
	still   func() // ends the beating
}

// New makes the queue of a store and brings the runner's own tables forward.
// server names this server among those that share the store; a server that
// starts again under its name takes up what it left running.
func New(ctx context.Context, d *db.DB, log *slog.Logger, clk *clock.Clock, server string) (*Queue, error) {
	q := &Queue{db: d, server: server, log: log, clock: clk, workers: river.NewWorkers(), bell: newBell(), still: func() {}}
	if err := q.migrate(ctx); err != nil {
		return nil, fmt.Errorf("migrate the job tables: %w", err)
	}
	var err error
	if d.IsPostgres() {
		driver := riverpgxv5.New(d.Pool())
		q.exec = driver.GetExecutor()
		q.pg, err = river.NewClient(driver, q.settings())
	} else {
		driver := liteDriver{riversqlite.New(d.Writer()), q.bell}
		q.exec = driver.GetExecutor()
		q.lite, err = river.NewClient(driver, q.settings())
	}
	if err != nil {
		return nil, fmt.Errorf("make the job runner: %w", err)
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
		ErrorHandler:         endings{q.log},

		CompletedJobRetentionPeriod: 10 * time.Minute,
		Test:                        river.TestConfig{Time: clockTime{q.clock}},
	}
	if q.db.IsPostgres() {
		cfg.FetchPollInterval = 200 * time.Millisecond // notifications that fall into a cooldown are not sent
	}
	for name, n := range workers {
		cfg.Queues[name] = river.QueueConfig{MaxWorkers: n}
	}
	return cfg
}

func (q *Queue) migrate(ctx context.Context) error {
	if q.db.IsPostgres() {
		m, err := rivermigrate.New(riverpgxv5.New(q.db.Pool()), &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			return err
		}
		_, err = m.Migrate(ctx, rivermigrate.DirectionUp, nil)
		return err
	}
	m, err := rivermigrate.New(riversqlite.New(q.db.Writer()), &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	_, err = m.Migrate(ctx, rivermigrate.DirectionUp, nil)
	return err
}

// Insert adds a job in tx: it exists exactly when tx is committed.
func (q *Queue) Insert(ctx context.Context, tx *db.Tx, args Args, o Options) error {
	opts := &river.InsertOpts{Queue: o.Queue, ScheduledAt: o.At, MaxAttempts: o.MaxAttempts}
	if opts.Queue == "" {
		opts.Queue = Default
	}
	if opts.MaxAttempts == 0 {
		opts.MaxAttempts = forever
	}
	var err error
	if q.pg != nil {
		_, err = q.pg.InsertTx(ctx, tx.Postgres(), args, opts)
	} else {
		_, err = q.lite.InsertTx(ctx, tx.SQLite(), args, opts)
		tx.AfterCommit(func() { q.bell.ring(opts.Queue) })
	}
	if err != nil {
		return fmt.Errorf("insert job %s: %w", args.Kind(), err)
	}
	return nil
}

// Start runs jobs until Stop. Handlers are registered before.
func (q *Queue) Start(ctx context.Context) error {
	if err := q.takeUpOwn(ctx); err != nil {
		return fmt.Errorf("take up what was running: %w", err)
	}
	if q.pg == nil {
		return q.lite.Start(ctx)
	}
	if err := q.beat(ctx); err != nil {
		return fmt.Errorf("announce this server: %w", err)
	}
	beating, stop := context.WithCancel(context.WithoutCancel(ctx))
	q.still = stop
	go q.keepBeating(beating)
	return q.pg.Start(ctx)
}

// Stop lets running jobs finish until ctx ends, then cancels them; they are
// tried again after the next start.
func (q *Queue) Stop(ctx context.Context) error {
	stop, cancel := q.stopFuncs()
	err := stop(ctx)
	defer q.still()
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
