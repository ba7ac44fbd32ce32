package queue

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model"
	"plumb/internal/model/sqsapi"
)

// The statuses of a message move task.
const (
	moveRunning    = "RUNNING"
	moveCompleted  = "COMPLETED"
	moveCancelling = "CANCELLING"
	moveCancelled  = "CANCELLED"
	moveFailed     = "FAILED"
)

// A MoveTask moves the messages of a dead-letter queue to another queue, or back to
// the queues that they came from. It moves the messages that are in the queue when it
// starts: what fails again meanwhile does not go around in circles.
type MoveTask struct {
	ID          string
	Destination string // an ARN; empty is where each message came from
	Rate        int    // messages a second; 0 is as many as possible
	Status      string
	Moved       int64
	ToMove      int64 // how many there were at the start
	Failure     string
	Started     time.Time

	number int64 // of the queue's tasks, in their order
	last   int64 // the sequence number of the last message to move
}

// active reports whether the task still works.
func (t MoveTask) active() bool { return t.Status == moveRunning || t.Status == moveCancelling }

// Running reports whether the task moves messages.
func (t MoveTask) Running() bool { return t.Status == moveRunning }

// MaxMoveTasks is how many tasks of a queue are kept.
const MaxMoveTasks = 10

// A taskHandle names a task to clients, as the base64 of this in JSON.
type taskHandle struct {
	Task   string `json:"taskId"`
	Source string `json:"sourceArn"`
}

// Handle returns the handle of a task of a source queue.
func (t MoveTask) Handle(source Queue) string {
	b, _ := json.Marshal(taskHandle{t.ID, source.ARN()}) // text cannot fail
	return base64.StdEncoding.EncodeToString(b)
}

func parseTaskHandle(handle string) (h taskHandle, ok bool) {
	b, err := base64.StdEncoding.DecodeString(handle)
	if err != nil || json.Unmarshal(b, &h) != nil {
		return taskHandle{}, false
	}
	return h, h.Task != "" && h.Source != ""
}

// MoveSource returns the ARN of the queue whose task a handle names; empty if it is no handle.
func MoveSource(handle string) string {
	h, _ := parseTaskHandle(handle)
	return h.Source
}

func noSuchEnd(parameter string) error {
	return sqsapi.ResourceNotFoundException("The resource that you specified for the %s parameter doesn't exist.", parameter)
}

// moveEnd finds the queue at an end of a task, which must be of the place.
func moveEnd(ctx context.Context, tx *db.Tx, p config.Place, parameter, queueARN string) (Queue, error) {
	q, err := ByARN(ctx, tx, queueARN)
	if isNoSuchQueue(err) || err == nil && q.Place != p {
		return Queue{}, noSuchEnd(parameter)
	}
	if _, ok := err.(*model.Error); ok {
		return Queue{}, invalidValue("You must use this format to specify the %s: arn:<partition>:<service>:<region>:<account-id>:<resource-id>", parameter)
	}
	return q, err
}

// StartMove starts a task that moves the messages of a dead-letter queue and returns
// its handle.
func (s *Store) StartMove(ctx context.Context, p config.Place, source string, t MoveTask) (handle string, err error) {
	err = s.db.Write(ctx, func(tx *db.Tx) error {
		q, err := moveEnd(ctx, tx, p, "SourceArn", source)
		if err != nil {
			return err
		}
		if err := s.checkMove(ctx, tx, q, t.Destination); err != nil {
			return err
		}
		if err := lockMoves(ctx, tx, q.id); err != nil {
			return err
		}
		before, err := moveTasks(ctx, tx, q.id)
		if err != nil {
			return err
		}
		if len(before) > 0 && before[0].active() {
			return invalidValue("There is already a task running. Only one active task is allowed for a source queue arn at a given time.")
		}
		t := t
		t.ID, t.Status, t.Started, t.number = newUUID(), moveRunning, s.now(), 1
		if len(before) > 0 {
			t.number = before[0].number + 1
		}
		if err := s.measure(ctx, tx, q, &t); err != nil {
			return err
		}
		handle = t.Handle(q)
		return s.insertMove(ctx, tx, q, t)
	})
	return handle, err
}

// checkMove wants the source to be a dead-letter queue and the destination to be
// there, if one is given, and of the source's type.
func (s *Store) checkMove(ctx context.Context, tx *db.Tx, source Queue, destination string) error {
	sources, err := sourcesOf(ctx, tx, source)
	if err != nil {
		return err
	}
	if len(sources) == 0 {
		return invalidValue("Source queue must be configured as a Dead Letter Queue.")
	}
	if destination == "" {
		return nil
	}
	to, err := moveEnd(ctx, tx, source.Place, "DestinationArn", destination)
	switch {
	case err != nil:
		return err
	case to.id == source.id:
		return invalidValue("Source queue and destination queue must be different.")
	case to.FIFO() != source.FIFO():
		return invalidValue("Source queue and destination queue must be of the same type.")
	}
	return nil
}

// measure notes what a task has to move.
func (s *Store) measure(ctx context.Context, tx *db.Tx, q Queue, t *MoveTask) error {
	newest, err := newestSeq(ctx, tx, q)
	if err != nil {
		return err
	}
	t.last = newest
	now := db.Micros(s.now())
	err = tx.QueryRow(ctx, `SELECT count(*) FROM queue_messages WHERE queue = ? AND visible <= ? AND expires > ?`, q.id, now, now).Scan(&t.ToMove)
	if err != nil {
		return fmt.Errorf("count messages of queue %s: %w", q.Name, err)
	}
	return nil
}

func (s *Store) insertMove(ctx context.Context, tx *db.Tx, q Queue, t MoveTask) error {
	_, err := tx.Exec(ctx, `INSERT INTO queue_moves (queue, number, id, destination, rate, status, moved, total, failure, started, last)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		q.id, t.number, t.ID, t.Destination, t.Rate, t.Status, t.Moved, t.ToMove, t.Failure, db.Micros(t.Started), t.last)
	if err == nil {
		_, err = tx.Exec(ctx, `DELETE FROM queue_moves WHERE queue = ? AND number <= ?`, q.id, t.number-MaxMoveTasks)
	}
	if err != nil {
		return fmt.Errorf("insert message move task: %w", err)
	}
	return s.jobs.Insert(ctx, tx, move{Queue: q.id, Task: t.ID}, moveNow)
}

// lockMoves makes the tasks of a queue the transaction's.
func lockMoves(ctx context.Context, tx *db.Tx, queue int64) error {
	return tx.Lock(ctx, fmt.Sprintf("queue moves %d", queue))
}

// moveTasks returns a queue's tasks, the newest first.
func moveTasks(ctx context.Context, tx *db.Tx, queue int64) (out []MoveTask, err error) {
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		var t MoveTask
		var started int64
		if err := scan(&t.number, &t.ID, &t.Destination, &t.Rate, &t.Status, &t.Moved, &t.ToMove, &t.Failure, &started, &t.last); err != nil {
			return err
		}
		t.Started = db.Time(started)
		out = append(out, t)
		return nil
	}, `SELECT number, id, destination, rate, status, moved, total, failure, started, last FROM queue_moves
		WHERE queue = ? ORDER BY number DESC LIMIT ?`, queue, MaxMoveTasks)
	if err != nil {
		return nil, fmt.Errorf("read message move tasks: %w", err)
	}
	return out, nil
}

var errNoSuchTask = errors.New("there is no such message move task")

func moveTask(ctx context.Context, tx *db.Tx, queue int64, id string) (MoveTask, error) {
	all, err := moveTasks(ctx, tx, queue)
	for _, t := range all {
		if t.ID == id {
			return t, nil
		}
	}
	if err == nil {
		err = errNoSuchTask
	}
	return MoveTask{}, err
}

// Moves returns a queue and its message move tasks, the newest first.
func (s *Store) Moves(ctx context.Context, p config.Place, source string) (q Queue, out []MoveTask, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		if q, err = moveEnd(ctx, tx, p, "SourceArn", source); err != nil {
			return err
		}
		out, err = moveTasks(ctx, tx, q.id)
		return err
	})
	return q, out, err
}

// CancelMove has a running task end and returns how many messages it has moved,
// which stay where they are.
func (s *Store) CancelMove(ctx context.Context, p config.Place, handle string) (moved int64, err error) {
	h, ok := parseTaskHandle(handle)
	if !ok {
		return 0, invalidValue("Value for parameter TaskHandle is invalid.")
	}
	err = s.db.Write(ctx, func(tx *db.Tx) error {
		q, err := moveEnd(ctx, tx, p, "SourceArn", h.Source)
		if err != nil {
			return err
		}
		if err := lockMoves(ctx, tx, q.id); err != nil {
			return err
		}
		t, err := moveTask(ctx, tx, q.id, h.Task)
		if errors.Is(err, errNoSuchTask) {
			return sqsapi.ResourceNotFoundException("Task does not exist.")
		}
		if err != nil {
			return err
		}
		if !t.Running() {
			return invalidValue("Only active tasks can be cancelled.")
		}
		t.Status, moved = moveCancelling, t.Moved
		if err := updateMove(ctx, tx, q.id, t); err != nil {
			return err
		}
		// The task's own job may wait for its next second.
		return s.jobs.Insert(ctx, tx, move{Queue: q.id, Task: t.ID}, moveNow)
	})
	return moved, err
}

func updateMove(ctx context.Context, tx *db.Tx, queue int64, t MoveTask) error {
	_, err := tx.Exec(ctx, `UPDATE queue_moves SET status = ?, moved = ?, failure = ? WHERE queue = ? AND number = ?`,
		t.Status, t.Moved, t.Failure, queue, t.number)
	if err != nil {
		return fmt.Errorf("note message move task: %w", err)
	}
	return nil
}
