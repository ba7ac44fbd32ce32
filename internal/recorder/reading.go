package recorder

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/store"
)

// readingTimeout bounds one reading of a type, by the machine's clock. It is
// shorter than the job's, which also has to record how the reading ended.
const readingTimeout = 15 * time.Minute

// discover reads every resource of a type and records what changed and what is
// gone. Like a poll it belongs to one start of the recorder; its token is that of
// the one reading of the type that the store knows to be under way.
type discover struct {
	Place      config.Place `json:"place"`
	Type       string       `json:"type"`
	Generation int64        `json:"generation"`
	Token      int64        `json:"token"`
	Inventory  bool         `json:"inventory,omitempty"`
}

// Kind names the job.
func (discover) Kind() string { return "recorder.discover" }

// Owner is the place's account.
func (j discover) Owner() string { return j.Place.Account }

// errOutdated ends a reading whose recorder was stopped, or started again.
var errOutdated = errors.New("the recorder is in another generation")

// doDiscover reads a type. How it went is recorded, and the next types are asked
// for, in the transaction that completes the job: a type that cannot be read
// leaves no job behind, the next poll tries again.
func (r *Recorder) doDiscover(ctx context.Context, j job.Job[discover]) (job.Commit, error) {
	d, began := j.Args, r.capture()
	underWay, err := r.underWay(ctx, d)
	if err != nil || !underWay {
		return nil, err
	}
	err = r.discoverType(ctx, d, began)
	if errors.Is(err, errOutdated) {
		return nil, nil
	}
	if err != nil && ctx.Err() != nil {
		return nil, err // the server is being stopped
	}
	return func(ctx context.Context, tx *db.Tx) error { return r.endReading(ctx, tx, d, began, err) }, nil
}

// underWay reports whether a job's reading is the one that the store knows of.
func (r *Recorder) underWay(ctx context.Context, d discover) (is bool, err error) {
	err = r.DB.Read(ctx, func(tx *db.Tx) error {
		_, status, err := presentRecorder(ctx, tx, d.Place)
		if err != nil || !status.Recording || status.Generation != d.Generation {
			return err
		}
		s, err := r.readSchedule(ctx, tx, d.Place)
		is = err == nil && s.readings[d.Type] != nil && s.readings[d.Type].Token == d.Token
		return err
	})
	return is, err
}

// discoverType records pages of resources as they are read. Only their ids are
// kept, to find what is gone after the last page.
func (r *Recorder) discoverType(ctx context.Context, d discover, began time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, readingTimeout)
	defer cancel()
	before, err := r.sequences(ctx, d.Place, d.Type)
	if err != nil {
		return err
	}
	var found []string
	for page, err := range r.Source.Discover(ctx, d.Place, d.Type) {
		if err != nil {
			return err
		}
		if err := r.recordPage(ctx, d, page, before, began); err != nil {
			return err
		}
		for _, it := range page {
			found = append(found, it.ID)
		}
	}
	slices.Sort(found)
	return r.recordMissing(ctx, d, found, before)
}

// recordPage records a page of a reading, but for those resources that announced
// a change since the reading began: these are captured on their own.
func (r *Recorder) recordPage(ctx context.Context, d discover, page []config.Item, before map[config.ResourceKey]int64, began time.Time) error {
	keys := make([]config.ResourceKey, len(page))
	for i := range page {
		page[i].Place = d.Place
		keys[i] = page[i].ResourceKey
	}
	after, err := r.pageSequences(ctx, d, keys)
	if err != nil {
		return err
	}
	observations := make([]Observation, 0, len(page))
	for _, it := range page {
		if before[it.ResourceKey] == after[it.ResourceKey] {
			observations = append(observations, Observation{
				Item: it, Inventory: d.Inventory, Sequence: sequenceOf(after, it.ResourceKey), Began: began, Generation: d.Generation,
			})
		}
	}
	return r.Record(ctx, d.Place, observations)
}

// pageSequences returns the sequences of the resources of a page, or errOutdated.
func (r *Recorder) pageSequences(ctx context.Context, d discover, keys []config.ResourceKey) (map[config.ResourceKey]int64, error) {
	err := r.DB.Read(ctx, func(tx *db.Tx) error {
		_, status, err := presentRecorder(ctx, tx, d.Place)
		if err == nil && (!status.Recording || status.Generation != d.Generation) {
			return errOutdated
		}
		return err
	})
	if err != nil || len(keys) == 0 {
		return nil, err
	}
	return r.sequences(ctx, d.Place, d.Type, keys...)
}

// recordMissing records the deletion of the resources that a complete reading
// lacks, if the service confirms it for each of them. A list alone does not
// prove a deletion: lists are eventually consistent, and an answer that is not the
// service's own may look like an empty one.
func (r *Recorder) recordMissing(ctx context.Context, d discover, found []string, before map[config.ResourceKey]int64) error {
	after := ""
	for {
		var known []config.ResourceKey
		err := r.DB.Read(ctx, func(tx *db.Tx) (err error) {
			known, err = store.CollectedKeys(ctx, tx, d.Place, d.Type, after, maxBatch)
			return err
		})
		if err != nil || len(known) == 0 {
			return err
		}
		after = known[len(known)-1].ID
		missing := slices.DeleteFunc(known, func(k config.ResourceKey) bool {
			_, ok := slices.BinarySearch(found, k.ID)
			return ok
		})
		if err := r.recordGone(ctx, d, missing, before); err != nil {
			return err
		}
	}
}

// recordGone asks for each of some resources whether it is gone, and records the
// deletion of those that are.
func (r *Recorder) recordGone(ctx context.Context, d discover, missing []config.ResourceKey, before map[config.ResourceKey]int64) error {
	if len(missing) == 0 {
		return nil
	}
	now, err := r.pageSequences(ctx, d, missing)
	if err != nil {
		return err
	}
	var last map[config.ResourceKey]config.Item
	err = r.DB.Read(ctx, func(tx *db.Tx) (err error) {
		last, err = currentItems(ctx, tx, d.Place, missing)
		return err
	})
	if err != nil {
		return err
	}
	var asked []Observation
	for _, k := range missing {
		if _, ok := last[k]; ok && before[k] == now[k] { // else it is captured on its own
			asked = append(asked, Observation{
				Item: last[k], Gone: true, Sequence: sequenceOf(now, k), Began: r.capture(), Generation: d.Generation,
			})
		}
	}
	gone, failure := r.confirmed(ctx, asked)
	return errors.Join(r.Record(ctx, d.Place, gone), failure)
}

// maxConfirming is how many resources are asked for at once that a list lacks.
const maxConfirming = 8

// confirmed returns the observations whose resources are gone, as their service
// confirms. After a failure it asks for no more.
func (r *Recorder) confirmed(ctx context.Context, asked []Observation) (gone []Observation, err error) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	slots := make(chan struct{}, maxConfirming)
	for _, o := range asked {
		slots <- struct{}{}
		mu.Lock()
		failed := err != nil
		mu.Unlock()
		if failed {
			break
		}
		wg.Go(func() {
			defer func() { <-slots }()
			is, failure := r.Source.Gone(ctx, o.Item)
			mu.Lock()
			defer mu.Unlock()
			if is && failure == nil {
				gone = append(gone, o)
			}
			err = cmp.Or(err, failure)
		})
	}
	wg.Wait()
	return gone, err
}

// A readFailure is why a type could not be read.
type readFailure struct{ code, message string }

// endReading records how a reading went, in the transaction that completes its
// job.
func (r *Recorder) endReading(ctx context.Context, tx *db.Tx, d discover, began time.Time, cause error) error {
	rec, status, err := r.lockedRecorder(ctx, tx, d.Place)
	if err != nil || !status.Recording || status.Generation != d.Generation {
		return err
	}
	s, err := r.readSchedule(ctx, tx, d.Place)
	if err != nil {
		return err
	}
	var failure *readFailure
	if cause != nil {
		failure = &readFailure{code: failureCode(cause), message: cause.Error()}
	}
	if !s.end(d, began, r.Now(), failure) {
		return nil
	}
	if d.Inventory && cause == nil {
		if err := r.Publish(ctx, tx, config.TypeRead{Place: d.Place, Type: d.Type}); err != nil {
			return err
		}
	}
	if err := r.writeSchedule(ctx, tx, s, d.Generation); err != nil {
		return err
	}
	tx.AfterCommit(func() { r.noteFailure(d, cause) })
	return r.setReadStatus(ctx, tx, rec, status, s.failing(rec))
}

// setReadStatus has the status say which types cannot be read, if any.
func (r *Recorder) setReadStatus(ctx context.Context, tx *db.Tx, rec config.Recorder, status config.RecorderStatus, failing []*store.Reading) error {
	before := status
	status.LastStatus, status.ErrorCode, status.ErrorMessage = config.StatusSuccess, "", ""
	if len(failing) > 0 {
		status.LastStatus, status.ErrorCode, status.ErrorMessage = config.StatusFailure, readFailed, failureMessage(failing)
	}
	if status == before {
		return nil
	}
	status.Changed = r.Now()
	return store.SetRecorderStatus(ctx, tx, rec, status)
}
