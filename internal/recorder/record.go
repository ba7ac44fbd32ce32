package recorder

import (
	"context"
	"errors"
	"fmt"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/store"
)

const (
	maxBatch    = 100 // resources that one transaction records
	maxAttempts = 20  // of a batch, after write conflicts
)

// Record compares observations with the newest items and records the
// differences, durably and evaluated by every in-process rule, when it returns.
// All are of one place; of several of one resource the last one counts. A place
// without a running recorder records nothing.
func (r *Recorder) Record(ctx context.Context, p config.Place, observations []Observation) error {
	observations = latest(observations)
	for len(observations) > 0 {
		n := min(len(observations), maxBatch)
		if err := r.recordBatch(ctx, p, observations[:n]); err != nil {
			return fmt.Errorf("record in %s: %w", p, err)
		}
		observations = observations[n:]
	}
	return nil
}

// recordBatch reads, evaluates, and writes if nothing was changed meanwhile; if
// something was, it begins again.
func (r *Recorder) recordBatch(ctx context.Context, p config.Place, observations []Observation) error {
	for range maxAttempts {
		b, c, err := r.plan(ctx, p, observations)
		if err != nil || c.empty() {
			return err
		}
		var settle func(context.Context, *db.Tx) error
		if len(c.items) > 0 {
			if settle, err = r.Judge(ctx, p, c.plainItems()); err != nil {
				return fmt.Errorf("judge: %w", err)
			}
		}
		err = r.DB.Write(ctx, func(tx *db.Tx) error { return r.write(ctx, tx, b, c, settle) })
		if !errors.Is(err, errConflict) {
			return err
		}
	}
	return fmt.Errorf("gave up after %d write conflicts", maxAttempts)
}

// plan reads what observations are compared with and decides what to write.
func (r *Recorder) plan(ctx context.Context, p config.Place, observations []Observation) (b basis, c changes, err error) {
	err = r.DB.Read(ctx, func(tx *db.Tx) error {
		if b, err = r.readBasis(ctx, tx, p, observations); err != nil {
			return err
		}
		if c, err = b.decide(observations, r.capture()); err != nil {
			return err
		}
		return c.readBefore(ctx, tx, p)
	})
	return b, c, err
}

func (r *Recorder) write(ctx context.Context, tx *db.Tx, b basis, c changes, settle func(context.Context, *db.Tx) error) error {
	if err := tx.Lock(ctx, b.place.Lock()); err != nil {
		return err
	}
	if err := b.validate(ctx, tx); err != nil {
		return err
	}
	seen := make(map[config.ResourceKey]int64, len(c.observed))
	for _, o := range c.observed {
		seen[o.key] = o.sequence
	}
	if err := store.SetSeen(ctx, tx, b.place, seen); err != nil {
		return err
	}
	if err := r.askRetries(ctx, tx, b.place, c.retries); err != nil || len(c.items) == 0 {
		return err
	}
	if err := store.AppendItems(ctx, tx, c.items); err != nil {
		return err
	}
	if err := settle(ctx, tx); err != nil {
		return fmt.Errorf("settle verdicts: %w", err)
	}
	if err := r.captureAffected(ctx, tx, b.place, c.effects); err != nil {
		return err
	}
	return r.Publish(ctx, tx, config.ItemsRecorded{Place: b.place, Items: c.plainItems()})
}
