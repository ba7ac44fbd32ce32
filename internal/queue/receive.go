package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"plumb/internal/db"
)

// A ReceiveRequest asks a queue for messages.
type ReceiveRequest struct {
	Max        int
	Visibility time.Duration // how long nobody else gets them; negative is the queue's own
	Wait       time.Duration // for the first one, by the machine's clock
	// Take is asked for each message after the first one, if it is set; false leaves
	// it and those behind it in the queue.
	Take func(Message) bool
}

// Receive returns messages and hides them from other receivers. It waits for
// the first one as long as the request says, without asking the database more
// than once a second.
func (s *Store) Receive(ctx context.Context, q Queue, r ReceiveRequest) ([]Message, error) {
	deadline := time.Now().Add(r.Wait)
	for {
		sent := s.notifier.listen(q.id) // before the look, so that nothing sent in between is missed
		got, err := s.receive(ctx, q, r)
		left := time.Until(deadline)
		if err != nil || len(got) > 0 || left <= 0 {
			return got, err
		}
		timer := time.NewTimer(min(left, time.Second))
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, ctx.Err()
		case <-s.o.Stopping:
			timer.Stop()
			return nil, nil
		case <-sent:
			timer.Stop()
		case <-timer.C: // another server may have sent, or a message come back
		}
	}
}

// maxRead is how many messages are read at a time: they may be large.
const maxRead = 50

func (s *Store) receive(ctx context.Context, q Queue, r ReceiveRequest) (got []Message, err error) {
	if any, err := s.anyVisible(ctx, q); err != nil || !any {
		return nil, err
	}
	err = s.db.Write(ctx, func(tx *db.Tx) error {
		got = nil
		if q.FIFO() {
			if err := lockOrder(ctx, tx, q); err != nil {
				return err
			}
		}
		for len(got) < r.Max {
			candidates, err := s.candidates(ctx, tx, q, math.MaxInt64, min(r.Max-len(got), maxRead))
			if err != nil || len(candidates) == 0 {
				return err
			}
			for _, m := range candidates {
				if r.Take != nil && !r.Take(m) && len(got) > 0 {
					return nil
				}
				if dead, err := s.bury(ctx, tx, q, m); err != nil {
					return err
				} else if dead {
					continue
				}
				if m, err = s.hide(ctx, tx, q, m, r.Visibility); err != nil {
					return err
				}
				got = append(got, m)
			}
		}
		return nil
	})
	return got, err
}

// anyVisible spares an empty queue the lock of a write.
func (s *Store) anyVisible(ctx context.Context, q Queue) (ok bool, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		var one int
		err := tx.QueryRow(ctx, `SELECT 1 FROM queue_messages WHERE queue = ? AND visible <= ? LIMIT 1`, q.id, db.Micros(s.now())).Scan(&one)
		if errors.Is(err, db.ErrNoRows) {
			return nil
		}
		ok = err == nil
		return err
	})
	return ok, err
}

// Waiting is what lies in a queue.
type Waiting struct {
	Visible int       // messages that can be received, a FIFO queue's that wait for their group among them; as many as were asked for at most
	Oldest  time.Time // since when the first of them can be
	Next    time.Time // when the first of the others can be; zero if there is none
}

// Waits counts a queue's messages up to a limit.
func (s *Store) Waits(ctx context.Context, tx *db.Tx, q Queue, limit int) (w Waiting, err error) {
	now := db.Micros(s.now())
	var oldest, next *int64
	err = tx.QueryRow(ctx, `SELECT
			(SELECT count(*) FROM (SELECT 1 FROM queue_messages WHERE queue = ? AND visible <= ? LIMIT ?) AS visible),
			(SELECT min(visible) FROM queue_messages WHERE queue = ? AND visible <= ?),
			(SELECT min(visible) FROM queue_messages WHERE queue = ? AND visible > ?)`,
		q.id, now, limit, q.id, now, q.id, now).Scan(&w.Visible, &oldest, &next)
	if err != nil {
		return w, fmt.Errorf("count messages of queue %s: %w", q.Name, err)
	}
	if oldest != nil {
		w.Oldest = db.Time(*oldest)
	}
	if next != nil {
		w.Next = db.Time(*next)
	}
	return w, nil
}

// candidates reads the oldest messages that may be received, up to the sequence number last. The plus sign
// keeps the databases from reading by visibility and sorting everything.
func (s *Store) candidates(ctx context.Context, tx *db.Tx, q Queue, last int64, limit int) (out []Message, err error) {
	query := `SELECT seq, id, body, message, sent, expires, received, first FROM queue_messages m
		WHERE queue = ? AND seq <= ? AND +visible <= ? AND +expires > ?`
	now := db.Micros(s.now())
	args := []any{q.id, last, now, now}
	if q.FIFO() { // a group waits for its messages that are being worked on
		query += ` AND NOT EXISTS (SELECT 1 FROM queue_messages p WHERE p.queue = m.queue AND p.grouping = m.grouping AND p.grouping <> ''
			AND p.seq < m.seq AND p.visible > ? AND p.expires > ?)`
		args = append(args, now, now)
	}
	query += ` ORDER BY seq LIMIT ?`
	if !q.FIFO() && tx.Postgres() != nil {
		query += ` FOR UPDATE SKIP LOCKED` // receivers do not wait for each other
	}
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		var m Message
		var sent, first int64
		var text string
		if err := scan(&m.seq, &m.ID, &m.Body, &text, &sent, &m.expires, &m.Received, &first); err != nil {
			return err
		}
		m.Sent, m.First = db.Time(sent), db.Time(first)
		out = append(out, m)
		return json.Unmarshal([]byte(text), &out[len(out)-1].details)
	}, query, append(args, limit)...)
	if err != nil {
		return nil, fmt.Errorf("read messages: %w", err)
	}
	return out, nil
}

// hide makes a message the receiver's for a while.
func (s *Store) hide(ctx context.Context, tx *db.Tx, q Queue, m Message, visibility time.Duration) (Message, error) {
	if visibility < 0 {
		visibility = q.seconds(visibilityTimeout)
	}
	now := s.now()
	if m.Received++; m.First.IsZero() {
		m.First = now
	}
	nonce := newNonce()
	_, err := tx.Exec(ctx, `UPDATE queue_messages SET visible = ?, received = ?, first = ?, receipt = ? WHERE queue = ? AND seq = ?`,
		db.Micros(now.Add(visibility)), m.Received, db.Micros(m.First), nonce, q.id, m.seq)
	if err != nil {
		return m, fmt.Errorf("hide message: %w", err)
	}
	m.Receipt = encodeReceipt(q.id, m.seq, nonce)
	if q.FIFO() {
		m.Sequence = sequence(m.seq)
	}
	return m, nil
}

// bury moves a message that was received too often to the dead letter queue.
func (s *Store) bury(ctx context.Context, tx *db.Tx, q Queue, m Message) (bool, error) {
	r, ok := q.redrive()
	if !ok || int64(m.Received) < r.max() {
		return false, nil
	}
	target, err := ByARN(ctx, tx, r.Target)
	if isNoSuchQueue(err) {
		return false, nil // there is nowhere to put it: better received again than lost
	}
	if err != nil {
		return false, err
	}
	if _, err := tx.Exec(ctx, `DELETE FROM queue_messages WHERE queue = ? AND seq = ?`, q.id, m.seq); err != nil {
		return false, fmt.Errorf("move dead letter: %w", err)
	}
	m.Source = q.ARN()
	m.seq = s.nextSeq()
	m.expires = db.Micros(m.Sent.Add(target.seconds(retention)))
	return true, s.insertMessage(ctx, tx, target, m, s.now())
}

// DeleteMessage forgets a received message. A message that is gone already is
// no error.
func (s *Store) DeleteMessage(ctx context.Context, tx *db.Tx, q Queue, handle string) error {
	queue, seq, nonce, err := decodeReceipt(handle)
	if err != nil {
		return err
	}
	if queue != q.id {
		return nil
	}
	if q.FIFO() {
		var receipt string
		var visible int64
		err := tx.QueryRow(ctx, `SELECT receipt, visible FROM queue_messages WHERE queue = ? AND seq = ?`, q.id, seq).Scan(&receipt, &visible)
		if err == nil && (receipt != nonce || visible <= db.Micros(s.now())) {
			return invalidValue("Value %s for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.", handle)
		}
	}
	if _, err := tx.Exec(ctx, `DELETE FROM queue_messages WHERE queue = ? AND seq = ?`, q.id, seq); err != nil {
		return fmt.Errorf("delete message: %w", err)
	}
	if q.FIFO() {
		return s.returned(ctx, tx, q) // the next one of the group
	}
	return nil
}

// returned tells that there may be something to receive.
func (s *Store) returned(ctx context.Context, tx *db.Tx, q Queue) error {
	tx.AfterCommit(func() { s.notifier.notify(q.id) })
	return s.o.Ready(ctx, tx, q.ARN(), s.now())
}

// ChangeVisibility decides anew for how long a received message is hidden; 0
// gives it back.
func (s *Store) ChangeVisibility(ctx context.Context, tx *db.Tx, q Queue, handle string, d time.Duration) error {
	queue, seq, nonce, err := decodeReceipt(handle)
	if err != nil {
		return err
	}
	now := s.now()
	n, err := tx.Exec(ctx, `UPDATE queue_messages SET visible = ? WHERE queue = ? AND seq = ? AND receipt = ? AND visible > ?`,
		db.Micros(now.Add(d)), queue, seq, nonce, db.Micros(now))
	if err != nil {
		return fmt.Errorf("change visibility: %w", err)
	}
	if n == 0 || queue != q.id {
		return invalidValue("Value %s for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change.", handle)
	}
	if d == 0 {
		return s.returned(ctx, tx, q)
	}
	return s.o.Ready(ctx, tx, q.ARN(), now.Add(d))
}

// Purge forgets every message of a queue.
func (s *Store) Purge(ctx context.Context, q Queue) error {
	return s.db.Write(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM queue_messages WHERE queue = ?`, q.id); err != nil {
			return fmt.Errorf("purge queue %s: %w", q.Name, err)
		}
		return nil
	})
}
