package recorder

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/store"
)

const day = 24 * time.Hour

// The jobs. Each belongs to one start of a recorder, its generation, and ends
// itself when the recorder was stopped or started again.
type (
	// poll has every type discovered now, and itself run again.
	poll struct {
		Place      config.Place `json:"place"`
		Generation int64        `json:"generation"`
		First      bool         `json:"first,omitempty"` // also types that announce their changes
	}
	// discover reads every resource of a type and records what changed and what
	// is gone.
	discover struct {
		Place      config.Place `json:"place"`
		Type       string       `json:"type"`
		Generation int64        `json:"generation"`
		First      bool         `json:"first,omitempty"`
	}
	// capture reads some resources again.
	capture struct {
		Place config.Place `json:"place"`
		Keys  []typeID     `json:"keys"`
		Since int64        `json:"since,omitempty"` // see Observation
	}
	typeID struct {
		Type string `json:"type"`
		ID   string `json:"id"`
	}
)

func (poll) Kind() string     { return "recorder.poll" }
func (discover) Kind() string { return "recorder.discover" }
func (capture) Kind() string  { return "recorder.capture" }

func (r *Recorder) handleJobs() {
	job.Handle(r.Jobs, r.doPoll, job.Policy{})
	job.Handle(r.Jobs, r.doDiscover, job.Policy{Timeout: 15 * time.Minute})
	job.Handle(r.Jobs, r.doCapture, job.Policy{Timeout: 5 * time.Minute})
}

// begin asks for an inventory, in the transaction that started the recorder.
func (r *Recorder) begin(ctx context.Context, tx *db.Tx, p config.Place, generation int64) error {
	return r.Jobs.Insert(ctx, tx, poll{p, generation, true}, job.Options{Queue: job.Collect})
}

// doPoll has types discovered. Those whose items list what leads to them are
// read once the others were.
func (r *Recorder) doPoll(ctx context.Context, j job.Job[poll]) error {
	if r.Source == nil {
		return nil
	}
	p := j.Args.Place
	return r.DB.Write(ctx, func(tx *db.Tx) error {
		if err := tx.Lock(ctx, statusLock(p)); err != nil {
			return err
		}
		rec, s, err := store.Recorder(ctx, tx, p)
		if errors.Is(err, store.ErrNotFound) || err == nil && (!s.Recording || s.Generation != j.Args.Generation) {
			return nil
		}
		if err != nil {
			return err
		}
		first, last, again := r.due(p, j.Args.First)
		if len(first) == 0 {
			first, last = last, nil
		}
		s.Outstanding, s.Afterwards = strings.Join(first, " "), strings.Join(last, " ")
		if err := store.SetRecorderStatus(ctx, tx, rec, s); err != nil {
			return err
		}
		if err := r.askDiscover(ctx, tx, p, first, j.Args.Generation, j.Args.First); err != nil || !again {
			return err
		}
		return r.Jobs.Insert(ctx, tx, poll{Place: p, Generation: j.Args.Generation}, job.Options{Queue: job.Collect, At: r.Now().Add(r.Poll)})
	})
}

// due returns the types to read now and those to read after them, and whether
// any has to be polled again.
func (r *Recorder) due(p config.Place, inventory bool) (first, last []string, again bool) {
	for _, t := range r.Source.Types(p) {
		announced := r.Source.Announces(p, t)
		again = again || !announced
		switch {
		case announced && !inventory:
		case r.Source.Inverse(t) != nil:
			last = append(last, t)
		default:
			first = append(first, t)
		}
	}
	return first, last, again
}

func (r *Recorder) askDiscover(ctx context.Context, tx *db.Tx, p config.Place, types []string, generation int64, inventory bool) error {
	for _, t := range types {
		if err := r.Jobs.Insert(ctx, tx, discover{p, t, generation, inventory}, job.Options{Queue: job.Collect}); err != nil {
			return err
		}
	}
	return nil
}

// statusLock is the lock of a place's recorder status, which is read, changed and
// written as a whole.
func statusLock(p config.Place) string { return "recorder status " + p.String() }

func isRunning(ctx context.Context, tx *db.Tx, p config.Place, generation int64) (bool, error) {
	_, status, err := store.Recorder(ctx, tx, p)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return status.Recording && status.Generation == generation, err
}

func (r *Recorder) doDiscover(ctx context.Context, j job.Job[discover]) error {
	p, began := j.Args.Place, r.Now()
	var running bool
	err := r.DB.Read(ctx, func(tx *db.Tx) (err error) {
		running, err = isRunning(ctx, tx, p, j.Args.Generation)
		return err
	})
	if err != nil || !running {
		return err
	}
	if err := r.discoverType(ctx, p, j.Args.Type, began, j.Args.First); err != nil {
		err = fmt.Errorf("discover %s in %s: %w", j.Args.Type, p, err)
		return errors.Join(err, r.noteReading(ctx, j.Args, err))
	}
	return r.noteReading(ctx, j.Args, nil)
}

func (r *Recorder) discoverType(ctx context.Context, p config.Place, resourceType string, began time.Time, inventory bool) error {
	before, err := r.sequences(ctx, p, resourceType)
	if err != nil {
		return err
	}
	var items []config.Item
	for page, err := range r.Source.Discover(ctx, p, resourceType) {
		if err != nil {
			return err
		}
		items = append(items, page...)
	}
	after, err := r.sequences(ctx, p, resourceType)
	if err != nil {
		return err
	}
	found := make(map[config.ResourceKey]bool, len(items))
	observations := make([]Observation, 0, len(items))
	for _, it := range items {
		it.Place = p
		found[it.ResourceKey] = true
		if before[it.ResourceKey] == after[it.ResourceKey] { // else it is captured on its own
			observations = append(observations, Observation{Item: it, Inventory: inventory, Sequence: sequenceOf(after, it.ResourceKey)})
		}
	}
	if err := r.Record(ctx, p, observations); err != nil {
		return err
	}
	for key, n := range after {
		found[key] = found[key] || before[key] != n
	}
	return r.recordMissing(ctx, p, resourceType, found, before, began)
}

// recordMissing records as gone what was collected before the reading began and
// was not in its complete answer.
func (r *Recorder) recordMissing(
	ctx context.Context, p config.Place, resourceType string,
	found map[config.ResourceKey]bool, sequences map[config.ResourceKey]int64, began time.Time,
) error {
	var known []config.ResourceKey
	err := r.DB.Read(ctx, func(tx *db.Tx) (err error) {
		known, err = store.CollectedKeys(ctx, tx, p, resourceType, began)
		return err
	})
	if err != nil {
		return err
	}
	var gone []Observation
	for _, k := range known {
		if !found[k] {
			gone = append(gone, Observation{Item: config.Item{ResourceKey: k}, Gone: true, Sequence: sequenceOf(sequences, k)})
		}
	}
	return r.Record(ctx, p, gone)
}

// noteReading keeps in the recorder's status whether a type could be read. After
// the last of the others it asks for the types that are read after them.
func (r *Recorder) noteReading(ctx context.Context, d discover, failure error) error {
	return r.DB.Write(ctx, func(tx *db.Tx) error {
		if err := tx.Lock(ctx, statusLock(d.Place)); err != nil {
			return err
		}
		rec, s, err := store.Recorder(ctx, tx, d.Place)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		before := s
		s.LastStatus, s.ErrorCode, s.ErrorMessage = config.StatusSuccess, "", ""
		if failure != nil {
			s.LastStatus, s.ErrorCode, s.ErrorMessage = config.StatusFailure, "ResourceReadFailed", failure.Error()
		}
		if s != before {
			s.Changed = r.Now()
		}
		after := s.Read(d.Type)
		if s == before {
			return nil
		}
		if err := store.SetRecorderStatus(ctx, tx, rec, s); err != nil {
			return err
		}
		return r.askDiscover(ctx, tx, d.Place, after, d.Generation, d.First)
	})
}
