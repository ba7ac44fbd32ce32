package recorder

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/store"
)

// Announce has a resource captured if the place's recorder runs. An embedded
// service calls it in the transaction that changes the resource.
func (r *Recorder) Announce(ctx context.Context, tx *db.Tx, key config.ResourceKey) error {
	_, status, err := store.Recorder(ctx, tx, key.Place)
	if errors.Is(err, store.ErrNotFound) || err == nil && !status.Recording {
		return nil
	}
	if err != nil {
		return err
	}
	if err := store.Announce(ctx, tx, key); err != nil {
		return err
	}
	return r.askCapture(ctx, tx, key.Place, []config.ResourceKey{key}, 0, time.Time{})
}

func (r *Recorder) askCapture(ctx context.Context, tx *db.Tx, p config.Place, keys []config.ResourceKey, since int64, at time.Time) error {
	for chunk := range slices.Chunk(keys, maxBatch) {
		c := capture{Place: p, Since: since}
		for _, k := range chunk {
			c.Keys = append(c.Keys, typeID{k.Type, k.ID})
		}
		if err := r.Jobs.Insert(ctx, tx, c, job.Options{At: at}); err != nil {
			return err
		}
	}
	return nil
}

func (r *Recorder) doCapture(ctx context.Context, j job.Job[capture]) error {
	if r.Source == nil {
		return nil
	}
	p := j.Args.Place
	var observations []Observation
	for _, k := range j.Args.Keys {
		key := config.ResourceKey{Place: p, Type: k.Type, ID: k.ID}
		o, err := r.observe(ctx, key)
		if err != nil {
			return fmt.Errorf("describe %s: %w", key, err)
		}
		o.Since = j.Args.Since
		observations = append(observations, o)
	}
	return r.Record(ctx, p, observations)
}

// A retry is a resource to read again: later, where daily recording held a change
// back; at once, where an observation was stale that had to make an item.
type retry struct {
	key   config.ResourceKey
	at    time.Time
	since int64
}

// askRetries asks for captures of resources that announce their changes. Those
// that are polled are read again anyway.
func (r *Recorder) askRetries(ctx context.Context, tx *db.Tx, p config.Place, list []retry) error {
	for _, x := range list {
		if r.Source == nil || !r.Source.Announces(p, x.key.Type) {
			continue
		}
		if err := r.askCapture(ctx, tx, p, []config.ResourceKey{x.key}, x.since, x.at); err != nil {
			return err
		}
	}
	return nil
}
