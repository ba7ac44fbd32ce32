package recorder

import (
	"cmp"
	"context"
	"errors"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/store"
)

const day = 24 * time.Hour

// A poll decides which types are read now, and when the next poll comes. It
// belongs to one start of a recorder, its generation. The store agrees to one poll
// a place, its generation and time; any other one ends itself. So polls never
// multiply, whatever runs twice.
type poll struct {
	Place      config.Place `json:"place"`
	Generation int64        `json:"generation"`
	Due        time.Time    `json:"due"`
}

// Kind names the job.
func (poll) Kind() string { return "recorder.poll" }

// Owner is the place's account.
func (j poll) Owner() string { return j.Place.Account }

// begin asks for an inventory of all types, in the transaction that starts the
// recorder or changes it. Readings of an earlier start end themselves.
func (r *Recorder) begin(ctx context.Context, tx *db.Tx, p config.Place, generation int64) error {
	readings, err := store.Readings(ctx, tx, p)
	if err != nil {
		return err
	}
	for _, x := range readings {
		x.Token, x.Asked, x.Late, x.Inventory = 0, time.Time{}, false, true
		if err := store.PutReading(ctx, tx, p, x); err != nil {
			return err
		}
	}
	return r.askPoll(ctx, tx, p, generation, r.Now())
}

// end removes what begin asked for.
func (r *Recorder) end(ctx context.Context, tx *db.Tx, p config.Place) error {
	readings, err := store.Readings(ctx, tx, p)
	if err != nil {
		return err
	}
	for _, x := range readings {
		if err := store.DeleteReading(ctx, tx, p, x.Type); err != nil {
			return err
		}
	}
	return store.DeleteNextPoll(ctx, tx, p)
}

// askPoll makes a poll the one that is to come.
func (r *Recorder) askPoll(ctx context.Context, tx *db.Tx, p config.Place, generation int64, due time.Time) error {
	due = due.UTC().Truncate(time.Microsecond)
	if err := store.SetNextPoll(ctx, tx, p, store.Poll{Generation: generation, Due: due}); err != nil {
		return err
	}
	return r.Jobs.Insert(ctx, tx, poll{p, generation, due}, job.Options{At: due})
}

func (r *Recorder) doPoll(ctx context.Context, tx *db.Tx, j job.Job[poll]) error {
	if r.Source == nil {
		return nil
	}
	p := j.Args.Place
	rec, status, err := r.lockedRecorder(ctx, tx, p)
	if err != nil || !status.Recording || status.Generation != j.Args.Generation {
		return err
	}
	next, err := store.NextPoll(ctx, tx, p)
	if errors.Is(err, store.ErrNotFound) || err == nil && !next.Due.Equal(j.Args.Due) {
		return nil
	}
	if err != nil {
		return err
	}
	s, err := r.readSchedule(ctx, tx, p)
	if err != nil {
		return err
	}
	types := r.scope(rec)
	s.poll(types, r.Now())
	if err := r.writeSchedule(ctx, tx, s, status.Generation); err != nil {
		return err
	}
	if status.LastStatus == config.StatusFailure { // a failing type may not be recorded any more
		if err := r.setReadStatus(ctx, tx, rec, status, s.failing(rec)); err != nil {
			return err
		}
	}
	if !s.again(types) {
		return store.DeleteNextPoll(ctx, tx, p)
	}
	return r.askPoll(ctx, tx, p, status.Generation, r.Now().Add(cmp.Or(pauseOf(types), r.Poll)))
}

// scope returns the types that a recorder reads. A type that is polled costs calls
// and permissions of the account, so only those are read that the recorder
// records. Items of types that are not recorded have no relationships, so nothing
// that is recorded needs them. What the embedded services announce costs nothing:
// that resources of unrecorded types come and go is recorded, as AWS does it.
func (r *Recorder) scope(rec config.Recorder) []readType {
	var out []readType
	for _, t := range r.Source.Types(rec.Place) {
		announced := r.Source.Announces(rec.Place, t)
		if announced || rec.Records(t) {
			out = append(out, readType{name: t, announced: announced, late: r.Source.Inverse(t) != nil, every: cmp.Or(r.Source.Interval(t), r.Poll)})
		}
	}
	return out
}

// statusLock is the lock of a place's recorder status and of its readings, which
// are read, changed and written as a whole.
func statusLock(p config.Place) string { return "recorder status " + p.String() }

// lockedRecorder returns the recorder of a place, whose status no other
// transaction changes before this one ends. Where there is none, the status is not
// recording.
func (r *Recorder) lockedRecorder(ctx context.Context, tx *db.Tx, p config.Place) (config.Recorder, config.RecorderStatus, error) {
	if err := tx.Lock(ctx, statusLock(p)); err != nil {
		return config.Recorder{}, config.RecorderStatus{}, err
	}
	return presentRecorder(ctx, tx, p)
}

func presentRecorder(ctx context.Context, tx *db.Tx, p config.Place) (config.Recorder, config.RecorderStatus, error) {
	rec, status, err := store.Recorder(ctx, tx, p)
	if errors.Is(err, store.ErrNotFound) {
		return config.Recorder{}, config.RecorderStatus{}, nil
	}
	return rec, status, err
}
