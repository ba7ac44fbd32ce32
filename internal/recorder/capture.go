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

const (
	captureTimeout = 5 * time.Minute
	// captureAttempts bounds how often resources are read that are polled anyway: a
	// type that cannot be read leaves no jobs behind.
	captureAttempts = 5
)

// capture reads some resources again.
type capture struct {
	Place config.Place `json:"place"`
	Keys  []typeID     `json:"keys"`
	Since int64        `json:"since,omitempty"` // see Observation
}

type typeID struct {
	Type string `json:"type"`
	ID   string `json:"id"`
}

// Kind names the job.
func (capture) Kind() string { return "recorder.capture" }

// Owner is the place's account.
func (j capture) Owner() string { return j.Place.Account }

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
	if err := store.Announce(ctx, tx, key, r.cause(ctx)); err != nil {
		return err
	}
	return r.askCapture(ctx, tx, key.Place, []config.ResourceKey{key}, 0, time.Time{})
}

// askCapture asks for a reading of some resources. Those that are read from
// another service wait in the queue of readings, so that a service that hangs does
// not hold up those here.
func (r *Recorder) askCapture(ctx context.Context, tx *db.Tx, p config.Place, keys []config.ResourceKey, since int64, at time.Time) error {
	announced, polled := job.Options{At: at}, job.Options{At: at, Queue: job.Collect, MaxAttempts: captureAttempts}
	var here, elsewhere []config.ResourceKey
	for _, k := range keys {
		if r.Source != nil && !r.Source.Announces(p, k.Type) {
			elsewhere = append(elsewhere, k)
		} else {
			here = append(here, k)
		}
	}
	return errors.Join(r.insertCaptures(ctx, tx, p, here, since, announced), r.insertCaptures(ctx, tx, p, elsewhere, since, polled))
}

func (r *Recorder) insertCaptures(ctx context.Context, tx *db.Tx, p config.Place, keys []config.ResourceKey, since int64, o job.Options) error {
	for chunk := range slices.Chunk(keys, maxBatch) {
		c := capture{Place: p, Since: since}
		for _, k := range chunk {
			c.Keys = append(c.Keys, typeID{k.Type, k.ID})
		}
		if err := r.Jobs.Insert(ctx, tx, c, o); err != nil {
			return err
		}
	}
	return nil
}

// doCapture reads resources one by one and records those that could be read. If
// any could not, the job is tried again.
func (r *Recorder) doCapture(ctx context.Context, j job.Job[capture]) error {
	if r.Source == nil {
		return nil
	}
	p := j.Args.Place
	var status config.RecorderStatus
	var rec config.Recorder
	err := r.DB.Read(ctx, func(tx *db.Tx) (err error) {
		rec, status, err = presentRecorder(ctx, tx, p)
		return err
	})
	if err != nil || !status.Recording {
		return err
	}
	var observations []Observation
	var failures []error
	for _, k := range j.Args.Keys {
		key := config.ResourceKey{Place: p, Type: k.Type, ID: k.ID}
		if !rec.Records(key.Type) && !r.Source.Announces(p, key.Type) {
			continue // it is not read any more
		}
		o, err := r.observe(ctx, key)
		if err != nil {
			failures = append(failures, fmt.Errorf("describe %s: %w", key, err))
			continue
		}
		o.Since, o.Generation = j.Args.Since, status.Generation
		observations = append(observations, o)
	}
	return errors.Join(append(failures, r.Record(ctx, p, observations))...)
}

// A retry is a resource to read again: later, where daily recording held a change
// back; at once, where an observation was stale that had to make an item.
type retry struct {
	key   config.ResourceKey
	at    time.Time
	since int64
}

// askRetries asks for captures of resources that no poll reads again, or of which
// a poll would not make the item.
func (r *Recorder) askRetries(ctx context.Context, tx *db.Tx, p config.Place, list []retry) error {
	for _, x := range list {
		if r.Source == nil || x.since == 0 && !r.Source.Announces(p, x.key.Type) {
			continue
		}
		if err := r.askCapture(ctx, tx, p, []config.ResourceKey{x.key}, x.since, x.at); err != nil {
			return err
		}
	}
	return nil
}
