package delivery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/store"
)

// itemsJob announces items of one place.
type itemsJob struct {
	Place   config.Place `json:"place"`
	Created time.Time    `json:"created"`
	Items   []itemRef    `json:"items"`
}

// An itemRef is a config.VersionKey without its place, which the job names once:
// it is written in the transaction that records, so it is kept short.
type itemRef struct {
	Type    string `json:"t"`
	ID      string `json:"i"`
	StateID int64  `json:"s"`
}

// Kind names the job.
func (itemsJob) Kind() string { return "delivery.items" }

// Owner is the place's account.
func (j itemsJob) Owner() string { return j.Place.Account }

func (r itemRef) version(p config.Place) config.VersionKey {
	return config.VersionKey{ResourceKey: config.ResourceKey{Place: p, Type: r.Type, ID: r.ID}, StateID: r.StateID}
}

func (d *Delivery) sendItems(ctx context.Context, j job.Job[itemsJob]) (job.Commit, error) {
	a := j.Args
	c, ok, err := d.channel(ctx, a.Place)
	if err != nil || !ok || c.TopicARN == "" {
		return nil, err
	}
	sent := sendEach(ctx, len(a.Items), func(i int) error {
		return d.sendItem(ctx, c, a.Items[i].version(a.Place), a.Created, j.Last())
	})
	rest := a
	rest.Items = pick(a.Items, sent.left)
	return d.settle(ctx, c, sent, j.Last(), rest)
}

func (d *Delivery) sendItem(ctx context.Context, c config.DeliveryChannel, v config.VersionKey, created time.Time, last bool) error {
	it, previous, err := d.itemWithPrevious(ctx, v)
	if errors.Is(err, store.ErrNotFound) {
		return nil // forgotten since
	}
	if err != nil {
		return err
	}
	diff := config.NewDiff(previous, it)
	body, err := config.ChangeNotification(it, &diff, created)
	if err != nil {
		return fmt.Errorf("encode notification of %s: %w", v.ResourceKey, err)
	}
	if len(body) > config.MaxMessage {
		body, err = d.oversized(ctx, c, it, diff.ChangeType, body, created, last)
		if err != nil {
			return err
		}
	}
	return d.send(ctx, c, message{itemSubject(it, diff.ChangeType), string(body)})
}

// itemWithPrevious reads an item and the one that it follows, nil if it is the
// first.
func (d *Delivery) itemWithPrevious(ctx context.Context, v config.VersionKey) (it config.Item, previous *config.Item, err error) {
	err = d.db.Read(ctx, func(tx *db.Tx) error {
		if it, err = store.ItemVersion(ctx, tx, v); err != nil {
			return err
		}
		before, err := store.ItemBefore(ctx, tx, v)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		previous = &before
		return err
	})
	return it, previous, err
}
