package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"

	"plumb/internal/awsclient"
	"plumb/internal/bucket"
	"plumb/internal/clock"
	"plumb/internal/compliance"
	"plumb/internal/db"
	"plumb/internal/delivery"
	"plumb/internal/job"
	"plumb/internal/recorder"
	"plumb/internal/rule"
	"plumb/internal/rule/managed"
	"plumb/models"
)

// A machine is everything that lives on the store. It keeps nothing that another
// one on the same store could not pick up.
type machine struct {
	db      *db.DB
	clock   *clock.Clock
	jobs    *job.Queue
	outside *outside  // the way to other accounts and services
	own     *loopback // the way to the services embedded here
	keys    keys

	buckets *bucket.Store
	source  *source

	managed    *managed.Catalogue
	recorder   *recorder.Recorder
	rules      *rule.Engine
	compliance *compliance.Door
	delivery   *delivery.Delivery

	handler http.Handler
	closers []func()
}

// build is the picture of the product: what there is, and what works with what.
func (a *App) build(ctx context.Context) (*machine, error) {
	m := &machine{clock: &clock.Clock{}}
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
	if err := a.addServices(m); err != nil {
		return err
	}
	if err := a.addVerbs(ctx, m); err != nil {
		return err
	}
	m.handler = a.wire(m)
	m.own.handler = m.handler
	return nil
}

// addServices makes what is embedded, and the ways to read it and what is
// outside.
func (a *App) addServices(m *machine) error {
	descriptions := awsclient.NewModels(models.FS)
	m.outside = newOutside(a.settings, descriptions)
	m.own = newLoopback(descriptions, m.clock.Now)
	var err error
	if m.source, err = newSource(m.outside, m.own, descriptions); err != nil {
		return err
	}
	blobs, err := bucket.NewFiles(filepath.Join(a.settings.Data, objectsFolder))
	if err != nil {
		return fmt.Errorf("folder for objects: %w", err)
	}
	m.buckets = bucket.New(a.log, m.db, blobs, m.jobs, m.clock.Now, m.changed)
	return nil
}

// addVerbs makes what records, judges, accepts and tells.
func (a *App) addVerbs(ctx context.Context, m *machine) (err error) {
	if m.keys, err = readKeys(ctx, m.db); err != nil {
		return err
	}
	if m.managed, err = managed.Load(); err != nil {
		return fmt.Errorf("managed rules: %w", err)
	}
	m.compliance = compliance.New(m.publish, m.clock.Now)
	m.rules = rule.New(a.log, rule.Options{
		DB: m.db, Jobs: m.jobs, Compile: compiler(m.managed), Accept: m.compliance.Accept, Forget: m.compliance.Forget,
		Invoke: absent{}.invoke, Publish: m.publish, Sealer: m.keys.results, Now: m.clock.Now,
	})
	m.recorder = recorder.New(a.log, recorder.Options{
		DB: m.db, Jobs: m.jobs, Source: m.source, Judge: m.rules.Judge, Publish: m.publish, Poll: a.settings.Poll, Now: m.clock.Now,
	})
	m.delivery = delivery.New(a.log, m.db, m.jobs, &outlet{m.db, m.outside, m.buckets, absent{}}, m.publish, m.clock.Now)
	return nil
}

func (m *machine) start(context.Context) error {
	// Jobs outlive the one who asked for the start: rest ends them.
	return m.jobs.Start(context.Background())
}

// rest lets running jobs finish.
func (m *machine) rest(ctx context.Context) error {
	err := m.jobs.Stop(ctx)
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
