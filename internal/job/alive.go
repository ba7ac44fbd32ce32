package job

import (
	"context"
	"time"

	"plumb/internal/db"
)

// The jobs that a server was running when it was killed are made available
// again, without counting the attempt that was cut off: its own when it starts
// again, and on PostgreSQL those of every server that was silent for too long.
const (
	beatEvery = 5 * time.Second
	silentFor = 30 // seconds
)

// takeUpOwn takes up what this server left running, and the lead that it had
// among the servers, which River would wait 15 seconds for. A SQLite file has no
// other server.
func (q *Queue) takeUpOwn(ctx context.Context) error {
	return q.db.Write(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM river_leader WHERE leader_id = ?`, q.server); err != nil {
			return err
		}
		var n int64
		var err error
		if q.pg != nil {
			n, err = tx.Exec(ctx, `UPDATE river_job SET state = 'available', attempt = greatest(attempt - 1, 0)
				WHERE state = 'running' AND attempted_by[array_upper(attempted_by, 1)] = ?`, q.server)
		} else {
			n, err = tx.Exec(ctx, `UPDATE river_job SET state = 'available', attempt = max(attempt - 1, 0) WHERE state = 'running'`)
		}
		if n > 0 {
			q.log.Info("took up jobs that were running when the server ended", "jobs", n)
		}
		return err
	})
}

// keepBeating notes that this server is alive, and takes up the jobs of those
// that are not, until ctx ends.
func (q *Queue) keepBeating(ctx context.Context) {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := q.beat(ctx); err != nil && ctx.Err() == nil {
			q.log.Warn("could not announce this server, others may take up its jobs", "err", err)
		}
	}
}

func (q *Queue) beat(ctx context.Context) error {
	if err := q.keepName(ctx); err != nil {
		return err
	}
	err := q.db.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO job_server (name, seen) VALUES (?, extract(epoch FROM clock_timestamp())::bigint)
			ON CONFLICT (name) DO UPDATE SET seen = excluded.seen`, q.server)
		return err
	})
	if err != nil {
		return err
	}
	return q.takeUpSilent(ctx)
}

// takeUpSilent takes up the jobs of servers that fell silent. A job whose row is
// locked is in a transaction that ends soon, or that the database ends.
func (q *Queue) takeUpSilent(ctx context.Context) error {
	return q.db.Write(ctx, func(tx *db.Tx) error {
		n, err := tx.Exec(ctx, `UPDATE river_job SET state = 'available', attempt = greatest(attempt - 1, 0)
			WHERE id IN (
				SELECT id FROM river_job
				WHERE state = 'running' AND attempted_by[array_upper(attempted_by, 1)] NOT IN (
					SELECT name FROM job_server WHERE seen > extract(epoch FROM clock_timestamp())::bigint - ?
				)
				FOR UPDATE SKIP LOCKED
			)`, silentFor)
		if n > 0 {
			q.log.Info("took up jobs of a server that fell silent", "jobs", n)
		}
		return err
	})
}
