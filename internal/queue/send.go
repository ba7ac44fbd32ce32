package queue

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"plumb/internal/db"
	"plumb/internal/model/sqsapi"
)

// Sent is what became of a message that was sent.
type Sent struct {
	ID       string
	Sequence string // in a FIFO queue
}

// Send puts a message into a queue, in the caller's transaction.
func (s *Store) Send(ctx context.Context, tx *db.Tx, queueARN, body string, a Attributes) error {
	return s.Deliver(ctx, tx, queueARN, sqsapi.SendMessageInput{MessageBody: &body, MessageAttributes: a})
}

// Deliver is Send for messages with more than body and attributes, such as a
// group. Its errors leave the transaction usable when AWS names them.
func (s *Store) Deliver(ctx context.Context, tx *db.Tx, queueARN string, in sqsapi.SendMessageInput) error {
	last := db.Local(tx, func() *delivered { return &delivered{} })
	if last.arn != queueARN {
		q, err := ByARN(ctx, tx, queueARN)
		if err != nil {
			return err
		}
		*last = delivered{queueARN, q}
	}
	_, err := s.SendMessage(ctx, tx, last.Queue, in, "")
	return err
}

// delivered is the queue that a transaction delivered to last: many messages go to one
// after another.
type delivered struct {
	arn string
	Queue
}

// Write runs f in a transaction of the queues' database.
func (s *Store) Write(ctx context.Context, f func(tx *db.Tx) error) error { return s.db.Write(ctx, f) }

// SendMessage puts a message into a queue. sender is the account id or user id
// that receivers see as SenderId.
func (s *Store) SendMessage(ctx context.Context, tx *db.Tx, q Queue, in sqsapi.SendMessageInput, sender string) (Sent, error) {
	if err := s.check(q, in); err != nil {
		return Sent{}, err
	}
	d := details{Attributes: in.MessageAttributes, Sender: sender, Trace: deref(in.MessageSystemAttributes["AWSTraceHeader"].StringValue),
		Group: deref(in.MessageGroupId), Dedup: deref(in.MessageDeduplicationId)}
	m := Message{ID: newUUID(), Body: deref(in.MessageBody), Sent: s.now(), details: d}
	m.expires = db.Micros(m.Sent.Add(q.seconds(retention)))
	if !q.FIFO() {
		delay := q.seconds(delaySeconds)
		if in.DelaySeconds != nil {
			delay = time.Duration(*in.DelaySeconds) * time.Second
		}
		m.seq = s.nextSeq()
		return Sent{ID: m.ID}, s.insertMessage(ctx, tx, q, m, m.Sent.Add(delay))
	}
	return s.sendFIFO(ctx, tx, q, m)
}

// sendFIFO gives messages of a queue their order and drops duplicates.
func (s *Store) sendFIFO(ctx context.Context, tx *db.Tx, q Queue, m Message) (Sent, error) {
	if m.Dedup == "" {
		sum := sha256.Sum256([]byte(m.Body))
		m.Dedup = hex.EncodeToString(sum[:])
	}
	if err := lockOrder(ctx, tx, q); err != nil {
		return Sent{}, err
	}
	scope := ""
	if q.Attributes[dedupScope] == "messageGroup" {
		scope = m.Group
	}
	old, ok, err := s.duplicate(ctx, tx, q, scope, m.Dedup)
	if err != nil || ok {
		return old, err
	}
	if m.seq, err = s.seqAfterAll(ctx, tx, q); err != nil {
		return Sent{}, err
	}
	_, err = tx.Exec(ctx, `INSERT INTO queue_deduplications (queue, scope, id, message, seq, expires) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (queue, scope, id) DO UPDATE SET message = excluded.message, seq = excluded.seq, expires = excluded.expires`,
		q.id, scope, m.Dedup, m.ID, m.seq, db.Micros(m.Sent.Add(dedupWindow)))
	if err != nil {
		return Sent{}, fmt.Errorf("note deduplication: %w", err)
	}
	return Sent{m.ID, sequence(m.seq)}, s.insertMessage(ctx, tx, q, m, m.Sent.Add(q.seconds(delaySeconds)))
}

// lockOrder makes a FIFO queue the transaction's: sequence numbers must be given in the
// order in which transactions commit.
func lockOrder(ctx context.Context, tx *db.Tx, q Queue) error {
	return tx.Lock(ctx, fmt.Sprintf("fifo %d", q.id))
}

// seqAfterAll returns a sequence number that is higher than all in a queue.
func (s *Store) seqAfterAll(ctx context.Context, tx *db.Tx, q Queue) (int64, error) {
	newest, err := newestSeq(ctx, tx, q)
	return max(s.nextSeq(), newest+1), err
}

func newestSeq(ctx context.Context, tx *db.Tx, q Queue) (newest int64, err error) {
	err = tx.QueryRow(ctx, `SELECT coalesce(max(seq), 0) FROM queue_messages WHERE queue = ?`, q.id).Scan(&newest)
	if err != nil {
		return 0, fmt.Errorf("read the last message: %w", err)
	}
	return newest, nil
}

// dedupWindow is how long a FIFO queue remembers what it accepted.
const dedupWindow = 5 * time.Minute

func (s *Store) duplicate(ctx context.Context, tx *db.Tx, q Queue, scope, id string) (Sent, bool, error) {
	var sent Sent
	var seq int64
	err := tx.QueryRow(ctx, `SELECT message, seq FROM queue_deduplications WHERE queue = ? AND scope = ? AND id = ? AND expires > ?`,
		q.id, scope, id, db.Micros(s.now())).Scan(&sent.ID, &seq)
	if errors.Is(err, db.ErrNoRows) {
		return Sent{}, false, nil
	}
	sent.Sequence = sequence(seq)
	return sent, err == nil, err
}

func (s *Store) insertMessage(ctx context.Context, tx *db.Tx, q Queue, m Message, visible time.Time) error {
	b, err := json.Marshal(m.details)
	if err != nil {
		return err
	}
	grouping := ""
	if q.FIFO() {
		grouping = m.Group
	}
	_, err = tx.Exec(ctx, `INSERT INTO queue_messages (queue, seq, id, body, message, sent, visible, expires, received, first, receipt, grouping)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', ?)`, q.id, m.seq, m.ID, m.Body, string(b), db.Micros(m.Sent), db.Micros(visible),
		m.expires, m.Received, db.Micros(m.First), grouping)
	if err != nil {
		return fmt.Errorf("insert message: %w", err)
	}
	tx.AfterCommit(func() { s.notifier.notify(q.id) })
	return s.o.Ready(ctx, tx, q.ARN(), visible)
}

// nodeBits of a sequence number say which server gave it.
const nodeBits = 10

// nextSeq returns a number that is higher than all that this server gave, and
// in the order of time across servers.
func (s *Store) nextSeq() int64 {
	for {
		last := s.last.Load()
		next := max(last+1, s.now().UnixMicro())
		if s.last.CompareAndSwap(last, next) {
			return next<<nodeBits | s.node
		}
	}
}

// validGroup is what a group or deduplication id may be.
var validGroup = regexp.MustCompile("^[A-Za-z0-9!-/:-@[-`{-~]{1,128}$")

func (s *Store) check(q Queue, in sqsapi.SendMessageInput) error {
	body := deref(in.MessageBody)
	if err := checkBody(body); err != nil {
		return err
	}
	if err := checkMessageAttributes(in.MessageAttributes); err != nil {
		return err
	}
	if most := q.number(maximumSize); size(body, in.MessageAttributes) > most {
		return invalidValue("One or more parameters are invalid. Reason: Message must be shorter than %d bytes.", most)
	}
	if d := in.DelaySeconds; d != nil && (*d < 0 || *d > 900) {
		return invalidValue("Value %d for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.", *d)
	}
	for name, value := range map[string]*string{"MessageGroupId": in.MessageGroupId, "MessageDeduplicationId": in.MessageDeduplicationId} {
		if value != nil && !validGroup.MatchString(*value) {
			return invalidValue("Value %s for parameter %s is invalid. Reason: %s can only include alphanumeric and punctuation characters. 1 to 128 in length.", *value, name, name)
		}
	}
	if q.FIFO() {
		return checkFIFO(q, in)
	}
	if in.MessageDeduplicationId != nil {
		return notForThisQueue("MessageDeduplicationId", *in.MessageDeduplicationId)
	}
	return nil
}

func checkFIFO(q Queue, in sqsapi.SendMessageInput) error {
	switch {
	case in.MessageGroupId == nil:
		return missing("MessageGroupId")
	case in.DelaySeconds != nil && *in.DelaySeconds != 0:
		return notForThisQueue(delaySeconds, fmt.Sprint(*in.DelaySeconds))
	case in.MessageDeduplicationId == nil && !strings.EqualFold(q.Attributes[contentBased], "true"):
		return invalidValue("The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly")
	}
	return nil
}

func notForThisQueue(parameter, value string) error {
	return invalidValue("Value %s for parameter %s is invalid. Reason: The request include parameter that is not valid for this queue type.", value, parameter)
}
