package delivery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/store"
)

// An itemRef is a config.VersionKey without its place, which the row names once: it
// is written in the transaction that records, so it is kept short.
type itemRef struct {
	Type    string `json:"t"`
	ID      string `json:"i"`
	StateID int64  `json:"s"`
}

func (r itemRef) version(p config.Place) config.VersionKey {
	return config.VersionKey{ResourceKey: config.ResourceKey{Place: p, Type: r.Type, ID: r.ID}, StateID: r.StateID}
}

// itemMessage returns the message that an item is there, with what changed.
func (d *Delivery) itemMessage(ctx context.Context, c config.DeliveryChannel, v config.VersionKey, created time.Time) (message, error) {
	it, previous, err := d.itemWithPrevious(ctx, v)
	if err != nil {
		return message{}, err
	}
	diff := config.NewDiff(previous, it)
	body, err := config.ChangeNotification(it, &diff, created)
	if err != nil {
		return message{}, fmt.Errorf("encode notification of %s: %w", v.ResourceKey, err)
	}
	if len(body) > config.MaxMessage {
		if body, err = d.oversized(ctx, c, it, diff.ChangeType, body, created); err != nil {
			return message{}, err
		}
	}
	return message{itemSubject(it, diff.ChangeType), string(body)}, nil
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
