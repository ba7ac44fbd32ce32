package recorder

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/store"
	"plumb/internal/trace"
)

const (
	maxBatch    = 100 // resources that one transaction records
	maxAttempts = 3   // of a batch that holds nothing while it is decided on
)

// ErrBusy says that others kept writing the same resources. The caller may try
// again.
var ErrBusy = errors.New("too many others write the same resources")

// Record compares observations with the newest items and records the
// differences, durably and evaluated by every in-process rule, when it returns.
// All are of one place; of several of one resource the last one counts. A place
// without a running recorder records nothing. ErrBusy says that others kept writing
// the same resources.
func (r *Recorder) Record(ctx context.Context, p config.Place, observations []Observation) error {
	observations = r.caused(ctx, latest(observations))
	for len(observations) > 0 {
		n := min(len(observations), maxBatch)
		if err := r.recordBatch(ctx, p, observations[:n]); err != nil {
			return fmt.Errorf("record in %s: %w", p, err)
		}
		observations = observations[n:]
	}
	return nil
}

// caused notes what caused observations that a caller pushes: its request.
func (r *Recorder) caused(ctx context.Context, observations []Observation) []Observation {
	event := r.cause(ctx)
	for i, o := range observations {
		if o.Pushed && event != "" {
			observations[i].Item.RelatedEvents = []string{event}
		}
	}
	return observations
}

// forgetCauses forgets the events of changes that items have now, or that made no
// difference. Those of changes that wait for the end of a day stay.
func (b basis) forgetCauses(ctx context.Context, tx *db.Tx, c changes) error {
	if len(b.causes) == 0 {
		return nil
	}
	seen := map[config.ResourceKey]int64{}
	for _, o := range c.observed {
		held := slices.ContainsFunc(c.retries, func(x retry) bool { return x.key == o.key })
		if !held && len(b.causes[o.key]) > 0 {
			seen[o.key] = o.sequence
		}
	}
	for _, it := range c.items { // by a later observation, of a change that was held back
		for _, e := range b.causes[it.ResourceKey] {
			if slices.Contains(it.RelatedEvents, e.Event) {
				seen[it.ResourceKey] = max(seen[it.ResourceKey], e.Announced)
			}
		}
	}
	return store.ForgetCauses(ctx, tx, b.place, seen)
}

// recordBatch reads, evaluates, and writes if nothing was changed meanwhile; if
// something was, it begins again. A batch that loses again and again holds its
// resources first: slower for the others, and certain.
func (r *Recorder) recordBatch(ctx context.Context, p config.Place, observations []Observation) error {
	ctx, span := trace.Start(ctx, "record", "cloud.account.id", p.Account, "cloud.region", p.Region)
	defer span.End()
	span.SetInt("plumb.observations", len(observations))
	if len(observations) == 1 {
		span.Set("aws.config.resource_type", observations[0].Item.Type, "aws.config.resource_id", observations[0].Item.ID)
	}
	err := r.recordTogether(ctx, p, observations)
	span.Fail(err)
	return err
}

func (r *Recorder) recordTogether(ctx context.Context, p config.Place, observations []Observation) error {
	unlock, err := r.locks.lock(ctx, observations)
	if err != nil {
		return err
	}
	defer unlock()
	for range maxAttempts {
		err := r.tryBatch(ctx, p, observations)
		if !isConflict(err) {
			return err
		}
	}
	err = r.DB.Write(ctx, func(tx *db.Tx) error {
		if err := store.HoldRules(ctx, tx, p); err != nil {
			return err
		}
		if err := store.HoldAll(ctx, tx, p, keysOf(observations)); err != nil {
			return err
		}
		b, c, settle, err := r.decide(ctx, tx, p, observations)
		if err != nil || c.empty() {
			return err
		}
		return r.write(ctx, tx, b, c, settle)
	})
	if isConflict(err) {
		return fmt.Errorf("%w: %w", ErrBusy, err)
	}
	return err
}

func isConflict(err error) bool {
	return errors.Is(err, errConflict) || errors.Is(err, store.ErrConflict)
}

func keysOf(observations []Observation) []config.ResourceKey {
	keys := make([]config.ResourceKey, len(observations))
	for i, o := range observations {
		keys[i] = o.Item.ResourceKey
	}
	return keys
}

// tryBatch decides without holding anything. The error is errConflict or
// store.ErrConflict if something was changed meanwhile.
func (r *Recorder) tryBatch(ctx context.Context, p config.Place, observations []Observation) error {
	var b basis
	var c changes
	err := r.DB.Read(ctx, func(tx *db.Tx) (err error) {
		b, c, err = r.plan(ctx, tx, p, observations)
		return err
	})
	if err != nil || c.empty() {
		return err
	}
	settle, err := r.judge(ctx, p, c)
	if err != nil {
		return err
	}
	return r.DB.Write(ctx, func(tx *db.Tx) error {
		if err := store.HoldRules(ctx, tx, p); err != nil {
			return err
		}
		if err := store.Hold(ctx, tx, p, b.keys); err != nil {
			return err
		}
		if err := b.validate(ctx, tx); err != nil {
			return err
		}
		return r.write(ctx, tx, b, c, settle)
	})
}

// decide plans and judges in one transaction, which holds what it reads.
func (r *Recorder) decide(ctx context.Context, tx *db.Tx, p config.Place, observations []Observation) (b basis, c changes, settle settler, err error) {
	if b, c, err = r.plan(ctx, tx, p, observations); err != nil || c.empty() {
		return b, c, nil, err
	}
	settle, err = r.judge(ctx, p, c)
	return b, c, settle, err
}

// A settler keeps the verdicts on items in the transaction that records them.
type settler = func(context.Context, *db.Tx) error

func (r *Recorder) judge(ctx context.Context, p config.Place, c changes) (settler, error) {
	if len(c.items) == 0 {
		return nil, nil
	}
	ctx, span := trace.Start(ctx, "evaluate")
	defer span.End()
	span.SetInt("plumb.items", len(c.items))
	settle, err := r.Judge(ctx, p, c.plainItems())
	if err != nil {
		return nil, fmt.Errorf("judge: %w", err)
	}
	return settle, nil
}

// plan reads what observations are compared with and decides what to write.
func (r *Recorder) plan(ctx context.Context, tx *db.Tx, p config.Place, observations []Observation) (b basis, c changes, err error) {
	if b, err = r.readBasis(ctx, tx, p, observations); err != nil {
		return b, c, err
	}
	if c, err = b.decide(observations, r.capture()); err != nil {
		return b, c, err
	}
	if err := c.readBefore(ctx, tx, p); err != nil {
		return b, c, err
	}
	return b, c, store.Pack(ctx, tx, c.items)
}

// write records what was decided in a transaction that holds the resources.
func (r *Recorder) write(ctx context.Context, tx *db.Tx, b basis, c changes, settle settler) error {
	seen := make(map[config.ResourceKey]int64, len(c.observed))
	for _, o := range c.observed {
		seen[o.key] = o.sequence
	}
	if err := store.SetSeen(ctx, tx, b.place, seen); err != nil {
		return err
	}
	if err := b.forgetCauses(ctx, tx, c); err != nil {
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
	if err := r.captureAffected(ctx, tx, b.recorder, b.place, c.effects); err != nil {
		return err
	}
	return r.Publish(ctx, tx, config.ItemsRecorded{Place: b.place, Items: c.plainItems()})
}
