package rule

import (
	"context"
	"fmt"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/store"
)

// An Occasion is something that a rule's function can be told of, whether or not
// it happened: authors test their functions with it.
type Occasion struct {
	Rule string
	// Item is told of; nil for the tick of a schedule. Without a status it only
	// names a resource, whose newest item is taken.
	Item      *config.Item
	Before    *config.Item // the item before; nil if the resource is new
	LeftScope bool         // also if the rule's scope has the item
	Oversized bool         // also if it fits in a message
}

// Event returns what the rule's function is invoked with on an occasion: the same
// bytes as if it had happened, with a result token that counts.
func (e *Engine) Event(ctx context.Context, p config.Place, o Occasion) (event []byte, functionARN string, err error) {
	n := &notice{now: e.Now(), changed: true}
	var r config.Rule
	var recorderRole string
	err = e.DB.Read(ctx, func(tx *db.Tx) (err error) {
		if r, err = Named(ctx, tx, p, o.Rule); err != nil {
			return err
		}
		if r.Source.Owner != config.OwnerLambda {
			return fmt.Errorf("the rule %s is evaluated in this program and gets no events", r.Name)
		}
		if recorderRole, err = role(ctx, tx, p); err != nil || o.Item == nil || o.Item.Status != "" {
			return err
		}
		n.item, err = store.CurrentItem(ctx, tx, o.Item.ResourceKey)
		n.changed = false
		return err
	})
	if err != nil {
		return nil, "", err
	}
	if o.Item == nil {
		i, err := e.scheduled(ctx, r, recorderRole)
		return i.Payload, i.FunctionARN, err
	}
	if o.Item.Status != "" {
		n.item, n.before = *o.Item, o.Before
	}
	if o.Oversized {
		n.message = config.MessageOversized
		if n.body, err = config.OversizedNotification(n.item, config.ChangeUpdate, config.S3Summary{}, n.now); err != nil {
			return nil, "", err
		}
	}
	_, body, err := n.encode()
	if err != nil {
		return nil, "", err
	}
	i, err := e.seal(ctx, r, recorderRole, body, &n.item, o.LeftScope || n.item.Status.Gone(), n.now)
	return i.Payload, i.FunctionARN, err
}
