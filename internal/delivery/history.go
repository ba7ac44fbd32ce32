package delivery

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/store"
)

const (
	// historyPeriod is how often history files are delivered.
	historyPeriod = 6 * time.Hour
	// historyLag keeps the newest items for the next files: an item is captured a
	// little before its transaction ends, and one that ends late must not fall
	// between two windows.
	historyLag = 5 * time.Minute
	// historyPart is how many items one file holds.
	historyPart = 5000
)

// historyJob delivers the history files that are due at At. While it is not
// through, no later one runs: the window it delivers grows with the next, and
// nothing is left out when a bucket cannot be written for days.
type historyJob struct {
	Place config.Place `json:"place"`
	At    time.Time    `json:"at"`
	From  cursor       `json:"from"` // what was delivered by an attempt before
}

// Kind names the job.
func (historyJob) Kind() string { return "delivery.history" }

// Owner is the place's account.
func (j historyJob) Owner() string { return j.Place.Account }

// historyRetry is the wait between attempts: one to thirty minutes.
func historyRetry(attempt int) time.Duration {
	return min(time.Duration(attempt)*time.Minute, 30*time.Minute)
}

// A historyFile is one file of the items of one type.
type historyFile struct {
	kind        string
	first, last time.Time // capture times in it
	part        int
}

func (d *Delivery) deliverHistory(ctx context.Context, j job.Job[historyJob]) (job.Commit, error) {
	a := j.Args
	c, w, err := d.historyWindow(ctx, a)
	if err != nil || w.Until.IsZero() {
		return nil, err
	}
	began, at := d.now(), a.From
	for {
		next, err := d.deliverPart(ctx, c, w, a.At, at)
		if err != nil {
			return d.historyFailed(ctx, c, historyJob{a.Place, a.At, at}, at != a.From, began, err)
		}
		if next == at {
			return d.historyDone(a, w, at != cursor{}, began), nil
		}
		at = next
	}
}

// historyWindow returns the channel and what is to be delivered; a zero window if
// another delivery is due by now, or the channel is gone.
func (d *Delivery) historyWindow(ctx context.Context, a historyJob) (c config.DeliveryChannel, w store.Window, err error) {
	err = d.db.Read(ctx, func(tx *db.Tx) error {
		var s config.DeliveryStatus
		c, s, err = store.DeliveryChannel(ctx, tx, a.Place)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err == nil && s.History.Next.Equal(a.At) {
			w = store.Window{Place: a.Place, From: s.History.Through, Until: a.At.Add(-historyLag)}
		}
		return err
	})
	return c, w, err
}

// deliverPart delivers the next file after the cursor and returns where it ends;
// the same cursor when there is nothing more.
func (d *Delivery) deliverPart(ctx context.Context, c config.DeliveryChannel, w store.Window, due time.Time, at cursor) (cursor, error) {
	items, at2, err := d.nextPart(ctx, w, at)
	if err != nil || len(items) == 0 {
		return at, err
	}
	f := historyFile{kind: at2.Type, part: at2.Part, first: items[len(items)-1].At, last: items[0].At}
	file, err := d.writeHistory(ctx, items)
	if err != nil {
		return at, err
	}
	defer file.discard()
	name := historyName(c, f, due)
	if err := d.putFile(ctx, c, name, file); err != nil {
		return at, err
	}
	m, err := historyCompleted(c, name.key, d.now())
	if err != nil {
		return at, err
	}
	return at2, d.db.Write(ctx, func(tx *db.Tx) error { return d.notify(ctx, tx, c.Place, "history "+f.kind, m) })
}

// nextPart returns the items of the next file, newest first, and the cursor after
// it.
func (d *Delivery) nextPart(ctx context.Context, w store.Window, at cursor) (items []store.Capture, after cursor, err error) {
	err = d.db.Read(ctx, func(tx *db.Tx) error {
		for {
			if at.Type != "" {
				if items, err = w.Page(ctx, tx, at.version(w.Place), d.historyPart); err != nil || len(items) > 0 {
					return err
				}
			}
			kind, err := w.NextType(ctx, tx, at.Type)
			if err != nil || kind == "" {
				return err
			}
			at = cursor{Type: kind}
		}
	})
	if err != nil || len(items) == 0 {
		return nil, at, err
	}
	last := items[len(items)-1]
	after = cursor{at.Type, last.ID, last.StateID, at.Part + 1}
	slices.SortFunc(items, func(a, b store.Capture) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(b.StateID, a.StateID), cmp.Compare(a.ID, b.ID))
	})
	return items, after, nil
}

// writeHistory writes a file of those items, in their order.
func (d *Delivery) writeHistory(ctx context.Context, items []store.Capture) (*itemFile, error) {
	w, err := d.newItemFile(newID())
	if err != nil {
		return nil, err
	}
	for page := range slices.Chunk(items, filePage) {
		if err := d.addVersions(ctx, w, page); err != nil {
			w.discard()
			return nil, err
		}
	}
	return w, nil
}

// addVersions adds the items of a page, but for those that were forgotten since.
func (d *Delivery) addVersions(ctx context.Context, w *itemFile, page []store.Capture) error {
	versions := make([]config.VersionKey, len(page))
	for i, c := range page {
		versions[i] = c.VersionKey
	}
	var items []store.Form
	err := d.db.Read(ctx, func(tx *db.Tx) (err error) {
		items, err = store.VersionForms(ctx, tx, page[0].Place, versions)
		return err
	})
	if err != nil {
		return err
	}
	return w.add(items)
}

// historyDone moves the channel's window on and inserts the next delivery, if it
// is still this one that is due.
func (d *Delivery) historyDone(a historyJob, w store.Window, any bool, began time.Time) job.Commit {
	return func(ctx context.Context, tx *db.Tx) error {
		var next time.Time
		err := store.UpdateDeliveryStatus(ctx, tx, a.Place, func(s *config.DeliveryStatus) {
			if !s.History.Next.Equal(a.At) {
				return
			}
			next = following(a.At, historyPeriod, d.now())
			if any {
				s.History = succeeded(s.History, began, d.now())
			}
			s.History.Next, s.History.Through = next, w.Until
		})
		if err != nil || next.IsZero() {
			return err
		}
		return d.insertAt(ctx, tx, historyJob{Place: a.Place, At: next}, next)
	}
}

// historyFailed keeps the failure in the status. If some files were delivered,
// what is left goes into a job of its own.
func (d *Delivery) historyFailed(
	ctx context.Context, c config.DeliveryChannel, rest historyJob, some bool, began time.Time, cause error,
) (job.Commit, error) {
	if !errors.Is(cause, context.Canceled) {
		d.failed("history")
		d.log.Warn("history files were not taken, they are tried again", "account", c.Account, "region", c.Region, "channel", c.Name, "bucket", c.Bucket,
			"err", cause, "do", bucketAdvice(cause))
	}
	note := func(ctx context.Context, tx *db.Tx) error {
		if errors.Is(cause, context.Canceled) {
			return nil
		}
		return store.UpdateDeliveryStatus(ctx, tx, c.Place, func(s *config.DeliveryStatus) {
			s.History = failed(s.History, began, errorCode(cause), bucketFailure(c, "configuration history"))
		})
	}
	if !some {
		ctx = context.WithoutCancel(ctx)
		if err := d.db.Write(ctx, func(tx *db.Tx) error { return note(ctx, tx) }); err != nil {
			return nil, err
		}
		return nil, cause
	}
	return func(ctx context.Context, tx *db.Tx) error {
		if err := note(ctx, tx); err != nil {
			return err
		}
		return d.insertAt(ctx, tx, rest, d.now())
	}, nil
}

// A cursor is a point in the walk through a window: in the order of type, id and
// state. Part counts the files of the type so far.
type cursor struct {
	Type    string `json:"type"`
	ID      string `json:"id"`
	StateID int64  `json:"state"`
	Part    int    `json:"part"`
}

func (c cursor) version(p config.Place) config.VersionKey {
	return config.VersionKey{ResourceKey: config.ResourceKey{Place: p, Type: c.Type, ID: c.ID}, StateID: c.StateID}
}
