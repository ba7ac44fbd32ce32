package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"

	"plumb/internal/api/sqs"
	"plumb/internal/bucket"
	"plumb/internal/clock"
	"plumb/internal/compliance"
	"plumb/internal/credential"
	"plumb/internal/db"
	"plumb/internal/delivery"
	"plumb/internal/job"
	"plumb/internal/lambda"
	"plumb/internal/lambda/environment"
	"plumb/internal/outside"
	"plumb/internal/queue"
	"plumb/internal/recorder"
	"plumb/internal/rule"
	"plumb/internal/topic"
)

// A machine is everything that lives on the store. It keeps nothing that another
// one on the same store could not pick up.
type machine struct {
	log     *slog.Logger
	db      *db.DB
	clock   *clock.Clock
	jobs    *job.Queue
	outside *outside.Clients  // the way to other accounts and services
	own     *outside.Embedded // the way to the services embedded here
	keys    keys
	known   catalogues

	buckets     *bucket.Store
	queues      *queue.Store
	topics      *topic.Store
	functions   *lambda.Service
	remote      *outside.Functions // those of an outside Lambda
	pool        *environment.Pool
	credentials *credential.Store

	source *outside.Source

	recorder   *recorder.Recorder
	rules      *rule.Engine
	compliance *compliance.Door
	delivery   *delivery.Delivery

	handler http.Handler
	closers []func()

	aside     sync.WaitGroup // work beside requests and jobs
	stopAside context.CancelFunc
	stopping  chan struct{} // closed when the machine is to rest: who waits for something need not any more
}

// build is the picture of the product: what there is, and what works with what.
func (a *App) build(ctx context.Context) (*machine, error) {
	m := &machine{log: a.log, clock: &clock.Clock{}, stopping: make(chan struct{})}
	if err := a.fill(ctx, m); err != nil {
		m.close()
		return nil, err
	}
	return m, nil
}

func (a *App) fill(ctx context.Context, m *machine) (err error) {
	if m.db, err = db.Open(ctx, a.settings.DatabaseURL(), a.log); err != nil {
		return fmt.Errorf("database: %w", err)
	}
	if m.jobs, err = job.New(ctx, m.db, a.log, m.clock, a.name); err != nil {
		return err
	}
	if m.known, err = a.known(); err != nil {
		return err
	}
	if m.keys, err = readKeys(ctx, m.db); err != nil {
		return err
	}
	if err := a.addServices(ctx, m); err != nil {
		return err
	}
	a.addVerbs(m)
	m.handler = a.wire(m)
	m.own.Handle(m.handler)
	return nil
}

// addServices makes what is embedded, and the ways to read it and what is
// outside.
func (a *App) addServices(ctx context.Context, m *machine) error {
	m.outside = outside.NewClients(a.settings, m.known.apis)
	m.own = outside.NewEmbedded(a.URL(), m.known.apis, m.clock.Now)
	m.source = outside.NewSource(m.known.types, m.outside, m.own)
	m.credentials = credential.New(m.db, m.clock.Now)
	blobs, err := bucket.NewFiles(a.folder(objectsFolder))
	if err != nil {
		return fmt.Errorf("folder for objects: %w", err)
	}
	m.buckets = bucket.New(a.log, m.db, blobs, m.jobs, m.clock.Now, m.changed)
	m.queues = queue.New(a.log, m.db, m.jobs, m.clock.Now, queue.Options{
		Announce: m.changed, URL: func(q queue.Queue) string { return sqs.URL(a.URL(), q) }, Stopping: m.stopping,
	})
	m.topics = topic.New(a.log, m.db, m.jobs, m.clock.Now, topic.Options{
		Announce: m.changed, Queue: m.queues.Deliver, Function: m.notify, Endpoint: a.URL,
	})
	return a.addFunctions(ctx, m)
}

// addVerbs makes what records, judges, accepts and tells.
func (a *App) addVerbs(m *machine) {
	m.compliance = compliance.New(m.publish, m.clock.Now)
	m.rules = rule.New(a.log, rule.Options{
		DB: m.db, Jobs: m.jobs, Compile: compiler(m.known.managed, m.clock.Now), Accept: m.compliance.Accept, Forget: m.compliance.Forget,
		Invoke: m.invoke, Publish: m.publish, Sealer: m.keys.results, Now: m.clock.Now,
	})
	m.recorder = recorder.New(a.log, recorder.Options{
		DB: m.db, Jobs: m.jobs, Source: m.source, Judge: m.rules.Judge, Publish: m.publish, Poll: a.settings.Poll, Now: m.clock.Now,
	})
	m.delivery = delivery.New(a.log, m.db, m.jobs, outside.NewDestination(m.db, m.outside, m.buckets, m.topics), m.publish, m.clock.Now)
	m.remote = outside.NewFunctions(m.outside, m.db, m.jobs, m.rules.Invoked)
}

// start runs jobs, which outlive the one who asked for the start: rest ends them.
func (m *machine) start(context.Context) error {
	ctx, cancel := context.WithCancel(context.Background())
	m.stopAside = cancel
	m.aside.Go(func() {
		if err := m.buckets.Sweep(ctx); err != nil && ctx.Err() == nil {
			m.log.Warn("bytes that a crash left may still be there", "err", err)
		}
	})
	return m.jobs.Start(context.Background())
}

// rest lets running jobs finish, then running functions.
func (m *machine) rest(ctx context.Context) error {
	close(m.stopping)
	if m.stopAside != nil {
		m.stopAside()
	}
	err := m.jobs.Stop(ctx)
	m.pool.Close(ctx)
	m.aside.Wait()
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return fmt.Errorf("jobs did not end in time and will run again: %w", err)
	}
	return err
}

func (m *machine) drain(ctx context.Context) error { return m.jobs.Drain(ctx) }

func (m *machine) close() {
	for i := len(m.closers) - 1; i >= 0; i-- {
		m.closers[i]()
	}
	if m.db != nil {
		m.db.Close()
	}
}
