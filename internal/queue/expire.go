package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"plumb/internal/db"
	"plumb/internal/job"
)

// expire is the job that forgets a queue's old messages. It inserts its own
// successor while the queue is there.
type expire struct {
	Queue int64 `json:"queue"`
}

// Kind names the job.
func (expire) Kind() string { return "queue.expire" }

// expireEvery is how long expired messages, which nobody receives any more, may
// lie in the database.
const expireEvery = time.Hour

func (s *Store) handleExpire() {
	job.HandleTx(s.jobs, func(ctx context.Context, tx *db.Tx, j job.Job[expire]) error { return s.expire(ctx, tx, j.Args.Queue) }, job.Policy{})
}

func (s *Store) scheduleExpire(ctx context.Context, tx *db.Tx, queue int64) error {
	return s.jobs.Insert(ctx, tx, expire{queue}, job.Options{At: s.now().Add(expireEvery)})
}

func (s *Store) expire(ctx context.Context, tx *db.Tx, queue int64) error {
	var one int
	err := tx.QueryRow(ctx, `SELECT 1 FROM queues WHERE id = ?`, queue).Scan(&one)
	if errors.Is(err, db.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for queue: %w", err)
	}
	now := db.Micros(s.now())
	for _, stmt := range []string{
		`DELETE FROM queue_messages WHERE queue = ? AND expires <= ?`,
		`DELETE FROM queue_deduplications WHERE queue = ? AND expires <= ?`,
	} {
		if _, err := tx.Exec(ctx, stmt, queue, now); err != nil {
			return fmt.Errorf("expire messages: %w", err)
		}
	}
	return s.scheduleExpire(ctx, tx, queue)
}
