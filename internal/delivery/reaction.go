package delivery

import (
	"context"
	"errors"
	"slices"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/store"
)

// most is how many messages are kept together.
const most = 500

// OnItemsRecorded has every new item announced, whatever its type: also those of
// Config itself, of types that are only seen coming and going, and those that
// were born because a related resource changed. What is kept of each is its key: the
// item and the one that it follows are read when the message is written.
func (d *Delivery) OnItemsRecorded(ctx context.Context, tx *db.Tx, e config.ItemsRecorded) error {
	for batch := range slices.Chunk(e.Items, most) {
		all := make([]entry, len(batch))
		for i, it := range batch {
			all[i].item = &itemRef{it.Type, it.ID, it.StateID}
		}
		if err := d.post(ctx, tx, e.Place, kindItems, all); err != nil {
			return err
		}
	}
	return nil
}

// OnComplianceChanged has changed verdicts announced.
func (d *Delivery) OnComplianceChanged(ctx context.Context, tx *db.Tx, e config.ComplianceChanged) error {
	for batch := range slices.Chunk(e.Changes, most) {
		all := make([]entry, len(batch))
		for i, c := range batch {
			all[i].change = new(c.Stored())
		}
		if err := d.post(ctx, tx, e.Place, kindCompliance, all); err != nil {
			return err
		}
	}
	return nil
}

// OnRulesEvaluationStarted announces that somebody asked for an evaluation.
func (d *Delivery) OnRulesEvaluationStarted(ctx context.Context, tx *db.Tx, e config.RulesEvaluationStarted) error {
	if len(e.Rules) == 0 {
		return nil
	}
	m, err := evaluationStarted(e, d.now())
	if err != nil {
		return err
	}
	return d.notify(ctx, tx, e.Place, "evaluation", m)
}

// announces reports whether the place has a channel with a topic. A channel
// without one says so in its status.
func (d *Delivery) announces(ctx context.Context, tx *db.Tx, p config.Place) (bool, error) {
	c, s, err := store.DeliveryChannel(ctx, tx, p)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil || c.TopicARN != "" {
		return err == nil, err
	}
	if s.Stream.Status == config.StatusNotApplicable {
		return false, nil // so that recording writes no row for it
	}
	return false, store.UpdateDeliveryStatus(ctx, tx, p, func(s *config.DeliveryStatus) {
		s.Stream = config.DeliveryInfo{Status: config.StatusNotApplicable, Changed: d.now()}
	})
}

// notify has a message sent that is written already, and puts it on the bus. about
// tells which messages are to arrive in order.
func (d *Delivery) notify(ctx context.Context, tx *db.Tx, p config.Place, about string, m message) error {
	if d.tell != nil {
		if err := d.tell(ctx, tx, p, m.Body); err != nil {
			return err
		}
	}
	return d.post(ctx, tx, p, kindNotice, []entry{{notice: &storedNotice{about, m}}})
}
