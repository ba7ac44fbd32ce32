package delivery

import (
	"context"
	"errors"
	"slices"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/store"
)

// snapshotFileJob writes the file of a snapshot and leaves a notice of how it went.
// That it began is told by the one who asks for it, so that another try does not
// tell it again.
type snapshotFileJob snapshot

type snapshot struct {
	Place   config.Place `json:"place"`
	ID      string       `json:"id"`
	Created time.Time    `json:"created"` // names the file, so that every try writes the same one
}

// Kind names the job.
func (snapshotFileJob) Kind() string { return "delivery.snapshot-file" }

// Owner is the place's account.
func (j snapshotFileJob) Owner() string { return j.Place.Account }

// snapshotAttempts is how often a snapshot is tried before it has failed: about
// eight minutes.
const snapshotAttempts = 10

// Snapshot asks in tx for a snapshot into the channel's bucket and returns the id
// it will have.
func (d *Delivery) Snapshot(ctx context.Context, tx *db.Tx, c config.DeliveryChannel) (string, error) {
	a := snapshot{c.Place, newID(), d.now()}
	m, err := snapshotStarted(a.Place, a.ID, a.Created)
	if err != nil {
		return "", err
	}
	if err := d.notify(ctx, tx, c.Place, "snapshot "+a.ID, m); err != nil {
		return "", err
	}
	return a.ID, d.jobs.Insert(ctx, tx, snapshotFileJob(a), job.Options{Queue: job.File, MaxAttempts: snapshotAttempts})
}

func (d *Delivery) deliverSnapshot(ctx context.Context, j job.Job[snapshotFileJob]) (job.Commit, error) {
	a := snapshot(j.Args)
	c, ok, err := d.channel(ctx, a.Place)
	if err != nil || !ok {
		return nil, err
	}
	began := d.now()
	w, err := d.writeSnapshot(ctx, a)
	if err != nil {
		return nil, err
	}
	defer w.discard()
	name := snapshotName(c, a.ID, a.Created)
	if err := d.putFile(ctx, c, name, w); err != nil {
		return nil, d.snapshotFailed(ctx, c, a.ID, began, err, j.Last() || refused(err))
	}
	return d.snapshotDelivered(c, began, config.SnapshotDelivered{Place: a.Place, SnapshotID: a.ID, Bucket: c.Bucket, Key: name.key})
}

// writeSnapshot writes the newest item of every resource that is there and
// recorded. It reads page by page, so a resource that changes meanwhile is told
// as it was or as it is. The next pages are read while one is written.
func (d *Delivery) writeSnapshot(ctx context.Context, a snapshot) (*itemFile, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w, err := d.newItemFile(a.ID)
	if err != nil {
		return nil, err
	}
	for page := range d.snapshotPages(ctx, a.Place) {
		read := <-page
		if err = read.err; err == nil {
			err = w.add(read.items)
		}
		if err != nil {
			w.discard()
			return nil, err
		}
	}
	return w, nil
}

// A snapshotPage is the newest items of some live resources, or why they were not read.
type snapshotPage struct {
	items []store.Form
	err   error
}

// pagesAtOnce is how many pages of a snapshot are in memory: while one is written the next
// one is read, as to unpack items costs more than to compress them again.
const pagesAtOnce = 2

// snapshotPages reads the live resources of a place, in their order. It returns pages as
// they are begun; each has one result, the last one of all perhaps an error.
func (d *Delivery) snapshotPages(ctx context.Context, p config.Place) <-chan chan snapshotPage {
	pages := make(chan chan snapshotPage, pagesAtOnce-1)
	go func() {
		defer close(pages)
		var after config.ResourceKey
		for {
			var items []*store.StoredItem
			err := d.db.Read(ctx, func(tx *db.Tx) (err error) {
				items, err = store.LiveItems(ctx, tx, p, after, filePage)
				return err
			})
			if err == nil && len(items) == 0 {
				return
			}
			page := make(chan snapshotPage, 1)
			select {
			case pages <- page:
			case <-ctx.Done():
				return
			}
			if err != nil {
				page <- snapshotPage{err: err}
				return
			}
			after = items[len(items)-1].ResourceKey
			go func() { page <- d.unpackPage(ctx, items) }()
		}
	}()
	return pages
}

// unpackPage unpacks the items of a page that are recorded.
func (d *Delivery) unpackPage(ctx context.Context, items []*store.StoredItem) (page snapshotPage) {
	items = slices.DeleteFunc(items, func(s *store.StoredItem) bool { return s.Status == config.StatusNotRecorded })
	page.err = d.db.Read(ctx, func(tx *db.Tx) (err error) {
		page.items, err = store.Forms(ctx, tx, items)
		return err
	})
	return page
}

func (d *Delivery) snapshotDelivered(c config.DeliveryChannel, began time.Time, e config.SnapshotDelivered) (job.Commit, error) {
	now := d.now()
	m, err := snapshotCompleted(e, now)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, tx *db.Tx) error {
		err := store.UpdateDeliveryStatus(ctx, tx, c.Place, func(s *config.DeliveryStatus) {
			s.Snapshot = succeeded(s.Snapshot, began, now)
		})
		if err != nil {
			return err
		}
		if err := d.notify(ctx, tx, c.Place, "snapshot "+e.SnapshotID, m); err != nil {
			return err
		}
		return d.publish(ctx, tx, e)
	}, nil
}

// snapshotFailed keeps the failure in the status. The message that says so is
// sent once nothing more is tried.
func (d *Delivery) snapshotFailed(ctx context.Context, c config.DeliveryChannel, id string, began time.Time, cause error, final bool) error {
	if errors.Is(cause, context.Canceled) {
		return cause // the server is being stopped
	}
	d.failed("snapshot")
	d.log.Warn("a snapshot was not taken", "account", c.Account, "region", c.Region, "channel", c.Name, "bucket", c.Bucket, "err", cause, "do", bucketAdvice(cause))
	code, text := errorCode(cause), bucketFailure(c, "configuration snapshot")
	m, err := snapshotFailed(c, id, code, text, d.now())
	if err != nil {
		return err
	}
	err = d.db.Write(context.WithoutCancel(ctx), func(tx *db.Tx) error {
		err := store.UpdateDeliveryStatus(ctx, tx, c.Place, func(s *config.DeliveryStatus) {
			s.Snapshot = failed(s.Snapshot, began, code, text)
		})
		if err != nil || !final {
			return err
		}
		return d.notify(ctx, tx, c.Place, "snapshot "+id, m)
	})
	switch {
	case err != nil:
		return err
	case final:
		return job.Discard(cause)
	default:
		return cause
	}
}

// succeeded and failed return the status of snapshots or of history files after
// a try that began then.
func succeeded(i config.DeliveryInfo, began, now time.Time) config.DeliveryInfo {
	i.Status, i.ErrorCode, i.ErrorMessage = config.StatusSuccess, "", ""
	i.Attempt, i.Success = began, now
	return i
}

func failed(i config.DeliveryInfo, began time.Time, code, text string) config.DeliveryInfo {
	i.Status, i.ErrorCode, i.ErrorMessage = config.StatusFailure, code, text
	i.Attempt = began
	return i
}
