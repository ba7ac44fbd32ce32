package delivery

import (
	"context"
	"errors"
	"slices"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/store"
)

// most is how many messages one job carries.
const most = 500

// OnItemsRecorded has every new item announced, whatever its type: also those of
// Config itself, of types that are only seen coming and going, and those that
// were born because a related resource changed. The job carries keys; it reads
// the items and the ones they follow from the store.
func (d *Delivery) OnItemsRecorded(ctx context.Context, tx *db.Tx, e config.ItemsRecorded) error {
	if ok, err := d.announces(ctx, tx, e.Place); err != nil || !ok {
		return err
	}
	var jobs []itemsJob
	for batch := range slices.Chunk(e.Items, most) {
		a := itemsJob{Place: e.Place, Created: d.now(), Items: make([]itemRef, len(batch))}
		for i, it := range batch {
			a.Items[i] = itemRef{it.Type, it.ID, it.StateID}
		}
		jobs = append(jobs, a)
	}
	return job.InsertMany(ctx, d.jobs, tx, jobs, messageOptions)
}

// OnComplianceChanged has changed verdicts announced.
func (d *Delivery) OnComplianceChanged(ctx context.Context, tx *db.Tx, e config.ComplianceChanged) error {
	if ok, err := d.announces(ctx, tx, e.Place); err != nil || !ok {
		return err
	}
	var jobs []complianceJob
	for batch := range slices.Chunk(e.Changes, most) {
		jobs = append(jobs, newComplianceJob(e.Place, batch, d.now()))
	}
	return job.InsertMany(ctx, d.jobs, tx, jobs, messageOptions)
}

// OnRulesEvaluationStarted announces that somebody asked for an evaluation.
func (d *Delivery) OnRulesEvaluationStarted(ctx context.Context, tx *db.Tx, e config.RulesEvaluationStarted) error {
	if len(e.Rules) == 0 {
		return nil
	}
	if ok, err := d.announces(ctx, tx, e.Place); err != nil || !ok {
		return err
	}
	m, err := evaluationStarted(e, d.now())
	if err != nil {
		return err
	}
	return d.insert(ctx, tx, noticeJob{e.Place, m})
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
