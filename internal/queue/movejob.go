package queue

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"plumb/internal/db"
	"plumb/internal/job"
)

// move is the job of a message move task. It moves some messages and inserts its own
// successor until there is nothing left to move.
type move struct {
	Queue int64  `json:"queue"` // the source
	Task  string `json:"task"`
}

// Kind names the job.
func (move) Kind() string { return "queue.move" }

var moveNow = job.Options{}

func (s *Store) handleMove() {
	job.HandleTx(s.jobs, func(ctx context.Context, tx *db.Tx, j job.Job[move]) error { return s.move(ctx, tx, j.Args) }, job.Policy{})
}

// Why a task failed, in AWS's words.
const (
	failedNoQueue  = "AWS.SimpleQueueService.NonExistentQueue"
	failedNoSource = "CouldNotDetermineMessageSource"
)

// A cannotMove is why a message cannot be moved, which ends its task.
type cannotMove string

func (c cannotMove) Error() string { return string(c) }

func (s *Store) move(ctx context.Context, tx *db.Tx, j move) error {
	if err := lockMoves(ctx, tx, j.Queue); err != nil {
		return err
	}
	t, err := moveTask(ctx, tx, j.Queue, j.Task)
	if errors.Is(err, errNoSuchTask) { // the queue was deleted
		return nil
	}
	if err != nil {
		return err
	}
	switch t.Status {
	case moveCancelling:
		t.Status = moveCancelled
	case moveRunning:
		if t, err = s.moveSome(ctx, tx, j.Queue, t); err != nil {
			return err
		}
	default: // the job of a task that was canceled
		return nil
	}
	if err := updateMove(ctx, tx, j.Queue, t); err != nil || !t.Running() {
		return err
	}
	next := moveNow
	if t.Rate > 0 {
		next.At = s.now().Add(time.Second)
	}
	return s.jobs.Insert(ctx, tx, j, next)
}

// moveSome moves as many messages as the task may in a second, or as many as are read
// at a time. What receivers hold is left to them.
func (s *Store) moveSome(ctx context.Context, tx *db.Tx, queue int64, t MoveTask) (MoveTask, error) {
	source, err := byID(ctx, tx, queue)
	if err != nil {
		return t, err
	}
	if source.FIFO() {
		if err := lockOrder(ctx, tx, source); err != nil {
			return t, err
		}
	}
	left := t.Rate
	if left == 0 {
		left = maxRead
	}
	for left > 0 {
		messages, err := s.candidates(ctx, tx, source, t.last, min(left, maxRead))
		if err != nil {
			return t, err
		}
		n, err := s.moveAll(ctx, tx, source, t, messages)
		t.Moved += n
		left -= int(n)
		var cannot cannotMove
		switch {
		case errors.As(err, &cannot):
			t.Status, t.Failure = moveFailed, string(cannot)
			return t, nil
		case err != nil:
			return t, err
		case len(messages) == 0:
			t.Status = moveCompleted
			return t, nil
		}
	}
	return t, nil
}

// moveAll moves messages until one cannot be and returns how many it moved.
func (s *Store) moveAll(ctx context.Context, tx *db.Tx, source Queue, t MoveTask, messages []Message) (n int64, err error) {
	to, err := s.destinations(ctx, tx, source, t, messages)
	if err != nil {
		return 0, err
	}
	for _, m := range messages {
		end := cmp.Or(t.Destination, m.Source)
		q, ok := to[end]
		switch {
		case end == "":
			return n, cannotMove(failedNoSource)
		case !ok:
			return n, cannotMove(failedNoQueue)
		}
		if err := s.moveMessage(ctx, tx, source, q, m); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// destinations finds the queues that messages go to, by ARN; one that is not there, or
// is of another type now, is left out. The FIFO queues among them are locked, always in
// the same order.
func (s *Store) destinations(ctx context.Context, tx *db.Tx, source Queue, t MoveTask, messages []Message) (map[string]Queue, error) {
	out := map[string]Queue{}
	seen := map[string]bool{"": true}
	var order []Queue
	for _, m := range messages {
		end := cmp.Or(t.Destination, m.Source)
		if seen[end] {
			continue
		}
		seen[end] = true
		q, err := ByARN(ctx, tx, end)
		if isNoSuchQueue(err) || err == nil && q.FIFO() != source.FIFO() {
			continue
		}
		if err != nil {
			return nil, err
		}
		out[end] = q
		order = append(order, q)
	}
	if !source.FIFO() {
		return out, nil
	}
	slices.SortFunc(order, func(a, b Queue) int { return cmp.Compare(a.id, b.id) })
	for _, q := range order {
		if err := lockOrder(ctx, tx, q); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// moveMessage makes a message of one queue a new one of another: with an id, a time
// and a count of receives of its own. It is never dropped as a duplicate.
func (s *Store) moveMessage(ctx context.Context, tx *db.Tx, from, to Queue, m Message) error {
	if _, err := tx.Exec(ctx, `DELETE FROM queue_messages WHERE queue = ? AND seq = ?`, from.id, m.seq); err != nil {
		return fmt.Errorf("move message: %w", err)
	}
	m.ID, m.Sent, m.Received, m.First, m.Source = newUUID(), s.now(), 0, time.Time{}, ""
	m.expires = db.Micros(m.Sent.Add(to.seconds(retention)))
	m.seq = s.nextSeq()
	if to.FIFO() {
		var err error
		if m.seq, err = s.seqAfterAll(ctx, tx, to); err != nil {
			return err
		}
	}
	return s.insertMessage(ctx, tx, to, m, m.Sent.Add(to.seconds(delaySeconds)))
}

func byID(ctx context.Context, tx *db.Tx, id int64) (Queue, error) {
	q, err := scanQueue(tx.QueryRow(ctx, `SELECT `+columns+` FROM queues WHERE id = ?`, id).Scan)
	if err != nil {
		return q, fmt.Errorf("read queue %d: %w", id, err)
	}
	return q, nil
}
