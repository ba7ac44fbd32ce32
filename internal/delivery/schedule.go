package delivery

import (
	"context"
	"errors"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/store"
)

// What is due next, a snapshot or history files, stands twice: as a time in the
// channel's status and as a job at that time. A job whose time is not the one in
// the status has been overtaken, by another frequency or another channel, and
// ends itself; the others set the next time and insert its job in one
// transaction. So there is one of each after any number of restarts and changes.

// snapshotDueJob asks for the periodic snapshot that is due at At.
type snapshotDueJob struct {
	Place config.Place `json:"place"`
	At    time.Time    `json:"at"`
}

// Kind names the job.
func (snapshotDueJob) Kind() string { return "delivery.snapshot-due" }

// Owner is the place's account.
func (j snapshotDueJob) Owner() string { return j.Place.Account }

func (d *Delivery) insertAt(ctx context.Context, tx *db.Tx, a job.Args, at time.Time) error {
	return d.jobs.Insert(ctx, tx, a, job.Options{Queue: job.File, At: at})
}

// following returns the first time after now that is whole periods after at.
func following(at time.Time, period time.Duration, now time.Time) time.Time {
	next := at.Add(period)
	if late := now.Sub(next); late >= 0 {
		next = next.Add((late/period + 1) * period)
	}
	return next
}

// Put keeps a channel that was checked and sets what is due for it: the first
// history files in six hours, the first snapshot one period from now. A channel
// that is replaced keeps its times, unless its frequency changed.
func (d *Delivery) Put(ctx context.Context, tx *db.Tx, c config.DeliveryChannel) error {
	if err := d.Allowed(ctx, tx, c.Place, c.Name); err != nil {
		return err
	}
	old, _, err := store.DeliveryChannel(ctx, tx, c.Place)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if err := store.PutDeliveryChannel(ctx, tx, c); err != nil {
		return err
	}
	var snapshot, history time.Time
	now := d.now()
	err = store.UpdateDeliveryStatus(ctx, tx, c.Place, func(s *config.DeliveryStatus) {
		if s.History.Next.IsZero() {
			history = now.Add(historyPeriod)
			s.History.Next, s.History.Through = history, now.Truncate(time.Millisecond) // items have no finer times
		}
		if c.Frequency != old.Frequency {
			s.Snapshot.Next = time.Time{}
		}
		if c.Frequency != "" && s.Snapshot.Next.IsZero() {
			snapshot = now.Add(config.Frequency(c.Frequency))
			s.Snapshot.Next = snapshot
		}
	})
	if err != nil {
		return err
	}
	if !history.IsZero() {
		if err := d.insertAt(ctx, tx, historyJob{Place: c.Place, At: history}, history); err != nil {
			return err
		}
	}
	if snapshot.IsZero() {
		return nil
	}
	return d.insertAt(ctx, tx, snapshotDueJob{c.Place, snapshot}, snapshot)
}

func (d *Delivery) snapshotDue(ctx context.Context, tx *db.Tx, j job.Job[snapshotDueJob]) error {
	a := j.Args
	c, s, err := store.DeliveryChannel(ctx, tx, a.Place)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil || !s.Snapshot.Next.Equal(a.At) {
		return err
	}
	next := following(a.At, config.Frequency(c.Frequency), d.now())
	err = store.UpdateDeliveryStatus(ctx, tx, a.Place, func(s *config.DeliveryStatus) { s.Snapshot.Next = next })
	if err != nil {
		return err
	}
	if err := d.snapshotIfRecording(ctx, tx, c); err != nil {
		return err
	}
	return d.insertAt(ctx, tx, snapshotDueJob{a.Place, next}, next)
}

// snapshotIfRecording skips a periodic snapshot while the recorder stands: it
// would tell again what the last one told.
func (d *Delivery) snapshotIfRecording(ctx context.Context, tx *db.Tx, c config.DeliveryChannel) error {
	_, s, err := store.Recorder(ctx, tx, c.Place)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil || !s.Recording {
		return err
	}
	_, err = d.Snapshot(ctx, tx, c)
	return err
}
