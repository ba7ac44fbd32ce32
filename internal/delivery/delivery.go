// Package delivery sends what became true to where a delivery channel says:
// change and compliance messages to its topic, snapshots, history files and
// items too large for a message to its bucket, in AWS Config's formats.
//
// Reactions (On...) run in the transaction of the event: they keep what is to be
// told in the outbox (store) and insert a job. Messages go out by lanes, one job of
// each at a time, so that those of a resource arrive in order; see lane.go. Everything
// is sent at least once, or kept as undelivered when it is too old. Files are written
// by jobs of their own.
//
// It keeps nothing of its own: what waits stands in the outbox, and when snapshots
// and history files are due next in the status of the channel. It does not know how
// a topic or a bucket is reached: that is the Outlet, which app fulfils. Channels of the
// settings (package channel) are told on lanes of their own, and so are outside event buses (the Bus). Email writes
// what a topic's e-mail subscriptions get.
//
//	dl := delivery.New(log, d, q, outlet, publish, clk.Now, delivery.Options{})
//	d.Write(ctx, func(tx *db.Tx) error { return dl.OnItemsRecorded(ctx, tx, event) })
package delivery

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"time"

	"plumb/internal/channel"
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
	maxAge  time.Duration // for how long a message is tried
	tell    func(ctx context.Context, tx *db.Tx, p config.Place, body string) error

	channels *channel.Channels
	bus      Bus

	historyPart int  // how many items one history file holds
	parquet     bool // each file of items has a table beside it

	// Failed is called, if it is set, when messages, a history or a snapshot could
	// not be delivered.
	Failed func(kind string)
}

func (d *Delivery) failed(kind string) {
	if d.Failed != nil {
		d.Failed(kind)
	}
}

// DefaultAge is for how long a message is tried if nothing else is set.
const DefaultAge = 72 * time.Hour

// Options may be zero.
type Options struct {
	MaxAge time.Duration // for how long a message is tried before it is undelivered; 0: DefaultAge
	// Tell is given the bodies of messages on snapshots, history files and
	// evaluations, whether or not there is a topic for them.
	Tell func(ctx context.Context, tx *db.Tx, p config.Place, body string) error
	// Channels are those of the settings, told beside the topic.
	Channels *channel.Channels
	// Bus is the outside event bus of places that have one. It may be nil.
	Bus Bus
	// Parquet has snapshots and history files written as Parquet as well.
	Parquet bool
}

// New returns a Delivery and registers its jobs, so it comes before the queue's
// start. publish is told config.SnapshotDelivered.
func New(log *slog.Logger, d *db.DB, q *job.Queue, out Outlet, publish Publish, now func() time.Time, o Options) *Delivery {
	dl := &Delivery{log: log, db: d, jobs: q, out: out, publish: publish, now: now, maxAge: cmp.Or(o.MaxAge, DefaultAge), tell: o.Tell, channels: o.Channels, bus: o.Bus, parquet: o.Parquet, historyPart: historyPart}
	job.HandlePrepared(q, dl.sendLane, job.Policy{Timeout: 10 * time.Minute})
	file := job.Policy{Timeout: 15 * time.Minute} // a million resources take some minutes
	job.HandlePrepared(q, dl.deliverSnapshot, file)
	job.HandleTx(q, dl.snapshotDue, job.Policy{})
	file.Retry = historyRetry
	job.HandlePrepared(q, dl.deliverHistory, file)
	return dl
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

// keepUndelivered is how long messages are kept that were given up.
const keepUndelivered = 30 * 24 * time.Hour

// Sweep deletes some of the undelivered messages that are too old and reports whether
// there are more.
func (d *Delivery) Sweep(ctx context.Context, tx *db.Tx, limit int) (more bool, err error) {
	return store.SweepOutgoing(ctx, tx, d.now().Add(-d.maxAge-keepUndelivered), limit)
}
