package recorder

import (
	"context"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/store"
)

// Put keeps a recorder, new or changed. One that runs goes on, and takes
// inventory of what its group covers now.
func (r *Recorder) Put(ctx context.Context, tx *db.Tx, rec config.Recorder) error {
	if err := store.PutRecorder(ctx, tx, rec); err != nil {
		return err
	}
	s, err := r.status(ctx, tx, rec)
	if err != nil {
		return err
	}
	if s.Recording {
		s.Generation = r.nextGeneration(s)
		if err := store.SetRecorderStatus(ctx, tx, rec, s); err != nil {
			return err
		}
		if err := r.begin(ctx, tx, rec.Place, s.Generation); err != nil {
			return err
		}
	}
	return r.Publish(ctx, tx, config.RecorderChanged{Recorder: rec, Status: s})
}

// Start has a recorder record: an inventory first, then what changes. Starting
// one that runs changes nothing.
func (r *Recorder) Start(ctx context.Context, tx *db.Tx, rec config.Recorder) error {
	s, err := r.status(ctx, tx, rec)
	if err != nil || s.Recording {
		return err
	}
	s.Recording, s.Start, s.Changed = true, r.Now(), r.Now()
	s.LastStatus, s.ErrorCode, s.ErrorMessage = config.StatusPending, "", ""
	if r.Source == nil || len(r.scope(rec)) == 0 {
		s.LastStatus = config.StatusSuccess // nothing to read
	}
	s.Generation = r.nextGeneration(s)
	if err := store.SetRecorderStatus(ctx, tx, rec, s); err != nil {
		return err
	}
	if err := r.begin(ctx, tx, rec.Place, s.Generation); err != nil {
		return err
	}
	return r.Publish(ctx, tx, config.RecorderChanged{Recorder: rec, Status: s})
}

// Stop has a recorder record nothing more. What it recorded stays. Stopping one
// that does not run changes nothing.
func (r *Recorder) Stop(ctx context.Context, tx *db.Tx, rec config.Recorder) error {
	s, err := r.status(ctx, tx, rec)
	if err != nil || !s.Recording {
		return err
	}
	s.Recording, s.Stop, s.Changed = false, r.Now(), r.Now()
	if s.LastStatus == config.StatusPending {
		s.LastStatus = config.StatusSuccess
	}
	s.Generation = r.nextGeneration(s)
	if err := store.SetRecorderStatus(ctx, tx, rec, s); err != nil {
		return err
	}
	if err := r.end(ctx, tx, rec.Place); err != nil {
		return err
	}
	return r.Publish(ctx, tx, config.RecorderChanged{Recorder: rec, Status: s})
}

// Delete removes a recorder, running or not. The history stays.
func (r *Recorder) Delete(ctx context.Context, tx *db.Tx, rec config.Recorder) error {
	if _, err := r.status(ctx, tx, rec); err != nil {
		return err
	}
	if err := r.end(ctx, tx, rec.Place); err != nil {
		return err
	}
	if err := r.Publish(ctx, tx, config.RecorderChanged{Recorder: rec, Deleted: true}); err != nil {
		return err
	}
	if err := store.DeleteTags(ctx, tx, rec.Place, rec.ARN, nil); err != nil {
		return err
	}
	return store.DeleteRecorder(ctx, tx, rec)
}

// nextGeneration returns a number that no earlier start of the place's recorders
// had, so that the polls of those end themselves.
func (r *Recorder) nextGeneration(s config.RecorderStatus) int64 {
	return max(s.Generation+1, r.Now().UnixMicro())
}

// status returns a recorder's status, which no other transaction changes before
// this one ends.
func (r *Recorder) status(ctx context.Context, tx *db.Tx, rec config.Recorder) (config.RecorderStatus, error) {
	if err := tx.Lock(ctx, statusLock(rec.Place)); err != nil {
		return config.RecorderStatus{}, err
	}
	return store.RecorderStatus(ctx, tx, rec)
}
