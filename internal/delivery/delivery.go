// Package delivery sends what became true to where a delivery channel says:
// change and compliance messages to its topic, snapshots, history files and
// items too large for a message to its bucket, in AWS Config's formats.
//
// Reactions (On...) run in the transaction of the event and only insert jobs.
// Jobs act outside of one: each is of one batch, and one that fails in the
// middle leaves a job of what is left, so that nothing is sent again that need
// not be. Everything is sent at least once.
//
// It keeps nothing of its own. What it has to remember stands in its jobs and in
// the status of the channel (store), among it when snapshots and history files
// are due next. It does not know how a topic or a bucket is reached: that is the
// Outlet, which app fulfils. EventBridge and the e-mail variant of messages are
// not built.
//
//	dl := delivery.New(log, d, q, outlet, publish, clk.Now)
//	d.Write(ctx, func(tx *db.Tx) error { return dl.OnItemsRecorded(ctx, tx, event) })
package delivery

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/store"
)

// A Publish hands an event to those who react to it, in the transaction that
// made it true.
type Publish func(ctx context.Context, tx *db.Tx, event any) error

// A Delivery reacts to events and does the jobs that this leads to. It is safe
// for concurrent use.
type Delivery struct {
	log     *slog.Logger
	db      *db.DB
	jobs    *job.Queue
	out     Outlet
	publish Publish
	now     func() time.Time

	// Failed is called, if it is set, when messages, a history or a snapshot could
	// not be delivered.
	Failed func(kind string)
}

func (d *Delivery) failed(kind string) {
	if d.Failed != nil {
		d.Failed(kind)
	}
}

// New returns a Delivery and registers its jobs, so it comes before the queue's
// start. publish is told config.SnapshotDelivered.
func New(log *slog.Logger, d *db.DB, q *job.Queue, out Outlet, publish Publish, now func() time.Time) *Delivery {
	dl := &Delivery{log: log, db: d, jobs: q, out: out, publish: publish, now: now}
	stream := job.Policy{Timeout: 10 * time.Minute}
	job.HandlePrepared(q, dl.sendItems, stream)
	job.HandlePrepared(q, dl.sendCompliance, stream)
	job.HandlePrepared(q, dl.sendNotice, stream)
	file := job.Policy{Timeout: 15 * time.Minute} // a million resources take some minutes
	job.HandlePrepared(q, dl.startSnapshot, job.Policy{})
	job.HandlePrepared(q, dl.deliverSnapshot, file)
	job.HandleTx(q, dl.snapshotDue, job.Policy{})
	file.Retry = historyRetry
	job.HandlePrepared(q, dl.deliverHistory, file)
	return dl
}

// attempts is how often a message is tried. With the runner's waits, which grow
// to five minutes, that is about four hours.
const attempts = 60

var messageOptions = job.Options{Queue: job.Delivery, MaxAttempts: attempts}

func (d *Delivery) insert(ctx context.Context, tx *db.Tx, a job.Args) error {
	return d.jobs.Insert(ctx, tx, a, messageOptions)
}

// channel returns the channel of a place; ok is false if it has none any more.
func (d *Delivery) channel(ctx context.Context, p config.Place) (c config.DeliveryChannel, ok bool, err error) {
	err = d.db.Read(ctx, func(tx *db.Tx) error {
		c, _, err = store.DeliveryChannel(ctx, tx, p)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return c, false, nil
	}
	return c, err == nil, err
}
