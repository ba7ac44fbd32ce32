package iot

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"time"

	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/lambda"
	"plumb/internal/model/iotapi"
)

// Options are what the actions of rules use.
type Options struct {
	Functions *lambda.Service
	// Send gives a text to a topic or a queue, as an action's role; Put writes an object
	// so. What they refuse is an error that AWS names.
	Send func(ctx context.Context, tx *db.Tx, from caller.Sender, targetARN, body string) error
	Put  func(ctx context.Context, from caller.Sender, bucket, key string, body []byte) error
	// Deliver hands a message to those who are subscribed at this server; it may be nil.
	Deliver func(m Message)
	// Changed is called after devices were given a reason to connect; it may be nil.
	Changed func(ctx context.Context)
}

// An Engine asks the rules of all places. It is safe for concurrent use.
type Engine struct {
	log  *slog.Logger
	db   *db.DB
	jobs *job.Queue
	now  func() time.Time
	o    Options
}

// New returns the rules kept in d, and registers the jobs that ask them and that write
// objects.
func New(log *slog.Logger, d *db.DB, jobs *job.Queue, now func() time.Time, o Options) *Engine {
	e := &Engine{log: log, db: d, jobs: jobs, now: now, o: o}
	job.HandlePrepared(jobs, e.ask, job.Policy{})
	job.HandlePrepared(jobs, e.write, job.Policy{Timeout: time.Minute})
	return e
}

// Write runs a transaction that writes.
func (e *Engine) Write(ctx context.Context, f func(tx *db.Tx) error) error { return e.db.Write(ctx, f) }

// Read runs one that reads.
func (e *Engine) Read(ctx context.Context, f func(tx *db.Tx) error) error { return e.db.Read(ctx, f) }

// Changed tells who listens for devices that there may be some, or none.
func (e *Engine) Changed(ctx context.Context) {
	if e.o.Changed != nil {
		e.o.Changed(ctx)
	}
}

// Needed reports whether devices have a reason to connect: there is a rule that is
// enabled, or somebody asked where to connect.
func Needed(ctx context.Context, tx *db.Tx) (needed bool, err error) {
	err = tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM iot_endpoints) OR EXISTS (SELECT 1 FROM iot_rules WHERE enabled)`).Scan(&needed)
	return needed, err
}

// NeedEndpoint notes that a place's clients ask where devices connect.
func NeedEndpoint(ctx context.Context, tx *db.Tx, p config.Place) error {
	_, err := tx.Exec(ctx, `INSERT INTO iot_endpoints (account, region) VALUES (?, ?) ON CONFLICT (account, region) DO NOTHING`, p.Account, p.Region)
	return err
}

func invalid(format string, args ...any) error {
	return iotapi.InvalidRequestException(format, args...)
}

func newID() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails: package crypto/rand
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}
