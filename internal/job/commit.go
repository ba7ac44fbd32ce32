package job

import (
	"context"
	"errors"
	"fmt"
	"time"

	"plumb/internal/db"
)

// A Commit is the last step of a job: what it writes, in the transaction that
// completes the job.
type Commit func(ctx context.Context, tx *db.Tx) error

// HandleTx registers the function that does jobs of type A, whose whole work is
// one transaction. The job is completed in that transaction: what work writes
// and the jobs that it inserts happen exactly once, also when the server is
// killed or another one took the job up.
//
// If work fails, snoozes or discards, nothing is written and the job goes on as
// with Handle. On PostgreSQL work may run again when transactions collided.
func HandleTx[A Args](q *Queue, work func(ctx context.Context, tx *db.Tx, j Job[A]) error, p Policy) {
	Handle(q, func(ctx context.Context, j Job[A]) error {
		return q.finish(ctx, j.ID, func(ctx context.Context, tx *db.Tx) error { return work(ctx, tx, j) })
	}, p)
}

// HandlePrepared registers the function that does jobs of type A in two steps:
// prepare reads and computes without holding the write lock, and the Commit that
// it returns writes, as with HandleTx. What prepare read may have changed since:
// a Commit that depends on it checks again. A nil Commit only completes the job.
func HandlePrepared[A Args](q *Queue, prepare func(ctx context.Context, j Job[A]) (Commit, error), p Policy) {
	Handle(q, func(ctx context.Context, j Job[A]) error {
		commit, err := prepare(ctx, j)
		if err != nil {
			return err
		}
		// What was prepared, sent to somebody outside perhaps, is noted although
		// the server is being stopped.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitTimeout)
		defer cancel()
		return q.finish(ctx, j.ID, commit)
	}, p)
}

// commitTimeout is how long a Commit may take once its job was prepared.
const commitTimeout = 30 * time.Second

// errNotHeld ends the transaction of a job that this server no longer holds.
var errNotHeld = errors.New("the job is no longer held by this server")

// finish runs a commit and completes its job, both or none.
func (q *Queue) finish(ctx context.Context, id int64, commit Commit) error {
	err := q.db.Write(ctx, func(tx *db.Tx) error {
		if err := q.complete(ctx, tx, id); err != nil {
			return err
		}
		if commit == nil {
			return nil
		}
		return commit(ctx, tx)
	})
	if errors.Is(err, errNotHeld) {
		q.log.Info("a job was taken up by another server, its work here is dropped", "id", id)
		return nil
	}
	if err == nil {
		q.completed.Store(id, true)
	}
	return err
}

// complete marks a job as done if this server still holds it. It comes first in
// the transaction, so that two servers that run the same job wait here and the
// second one finds it done.
func (q *Queue) complete(ctx context.Context, tx *db.Tx, id int64) error {
	holder := `json_extract(attempted_by, '$[#-1]')`
	if q.pg != nil {
		holder = `attempted_by[array_upper(attempted_by, 1)]`
	}
	n, err := tx.Exec(ctx, `UPDATE river_job SET state = 'completed', finalized_at = ?
		WHERE id = ? AND state = 'running' AND `+holder+` = ?`, q.riverTime(time.Now()), id, q.server)
	if err != nil {
		return fmt.Errorf("complete job %d: %w", id, err)
	}
	if n == 0 {
		return errNotHeld
	}
	return nil
}

// riverTime returns t as River keeps it.
func (q *Queue) riverTime(t time.Time) any {
	if q.pg != nil {
		return t
	}
	return t.UTC().Round(time.Millisecond).Format("2006-01-02 15:04:05.000")
}

// Active reports whether a job is still to run, runs, or will be tried again.
func (q *Queue) Active(ctx context.Context, tx *db.Tx, id int64) (active bool, err error) {
	err = tx.QueryRow(ctx, `SELECT EXISTS (
			SELECT 1 FROM river_job WHERE id = ? AND state IN ('available', 'pending', 'retryable', 'running', 'scheduled')
		)`, id).Scan(&active)
	if err != nil {
		return false, fmt.Errorf("look for job %d: %w", id, err)
	}
	return active, nil
}
