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
	"plumb/internal/db"
	"plumb/internal/job"
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
	buckets *bucket.Store
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
	catalogues := awsclient.NewModels(models.FS)
	m.outside = newOutside(a.settings, catalogues)
	m.own = newLoopback(catalogues, m.clock.Now)
	blobs, err := bucket.NewFiles(filepath.Join(a.settings.Data, objectsFolder))
	if err != nil {
		return fmt.Errorf("folder for objects: %w", err)
	}
	m.buckets = bucket.New(a.log, m.db, blobs, m.jobs, m.clock.Now, m.changed)
	m.handler = a.wire(m)
	m.own.handler = m.handler
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
