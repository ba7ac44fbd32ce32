package topic

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/model/snsapi"
)

// Attributes are the attributes that a publisher gives to a message.
type Attributes = map[string]snsapi.MessageAttributeValue

// A message is what is published, as jobs carry it.
type message struct {
	ID         string            `json:"id"`
	Subject    string            `json:"subject,omitempty"`
	Body       string            `json:"body"`
	By         map[string]string `json:"by,omitempty"` // another body by protocol
	Attributes Attributes        `json:"attributes,omitempty"`
	Group      string            `json:"group,omitempty"`
	Dedup      string            `json:"dedup,omitempty"`
}

// bodyFor returns the body that subscribers of a protocol get.
func (m message) bodyFor(protocol string) string {
	if b, ok := m.By[protocol]; ok {
		return b
	}
	return m.Body
}

// Published is what a publisher is told.
type Published struct {
	ID       string
	Sequence string // on a topic in FIFO order
}

// Publish sends a message to a topic's subscribers, in the caller's transaction.
// A topic in FIFO order takes none that has no group.
func (s *Store) Publish(ctx context.Context, tx *db.Tx, topicARN, subject, body string, a Attributes) (id string, err error) {
	out, err := s.publish(ctx, tx, topicARN, []snsapi.PublishInput{{Subject: textOrNil(subject), Message: &body, MessageAttributes: a}}, nil)
	if err != nil {
		return "", err
	}
	return out[0].ID, nil
}

func textOrNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// errChanged says that subscriptions changed since messages were compared with
// their filters.
var errChanged = errors.New("the topic's subscriptions changed")

// PublishAll sends several messages. They were checked one by one: an error here
// undoes all.
func (s *Store) PublishAll(ctx context.Context, topicARN string, ins []snsapi.PublishInput) (out []Published, err error) {
	for range 3 {
		passed, err := s.compareAhead(ctx, topicARN, ins)
		if err != nil {
			return nil, err
		}
		err = s.db.Write(ctx, func(tx *db.Tx) (err error) {
			out, err = s.publish(ctx, tx, topicARN, ins, passed)
			return err
		})
		if !errors.Is(err, errChanged) {
			return out, err
		}
	}
	return nil, snsapi.ThrottledException("Rate exceeded: the topic's subscriptions are being changed.")
}

// handedAtOnce is how many deliveries one transaction makes.
const handedAtOnce = 1000

// PublishInOrder sends messages so that each subscriber gets them in their order,
// which a topic that is not in FIFO order does not promise to other publishers. may
// is asked in the transaction. An error may come after some were sent.
func (s *Store) PublishInOrder(ctx context.Context, topicARN string, ins []snsapi.PublishInput, may func(context.Context, *db.Tx) error) error {
	for len(ins) > 0 {
		n, err := s.publishSome(ctx, topicARN, ins, may)
		if err != nil {
			return err
		}
		ins = ins[n:]
	}
	return nil
}

// publishSome sends as many of the messages as one transaction takes.
func (s *Store) publishSome(ctx context.Context, topicARN string, ins []snsapi.PublishInput, may func(context.Context, *db.Tx) error) (n int, err error) {
	var t Topic
	var subs []Subscription
	at := db.Micros(s.now())
	err = s.db.Read(ctx, func(tx *db.Tx) (err error) {
		if err = may(ctx, tx); err != nil {
			return err
		}
		if t, err = Find(ctx, tx, topicARN); err != nil {
			return err
		}
		subs, err = subscribers(ctx, tx, t, at)
		return err
	})
	if err != nil {
		return 0, err
	}
	d := deliver{Topic: topicARN, Published: at}
	for _, in := range ins[:min(len(ins), max(1, handedAtOnce/max(1, len(subs))))] {
		m, err := t.message(in)
		if err != nil {
			return 0, err
		}
		d.Messages = append(d.Messages, m)
	}
	passed := s.compare(ctx, subs, d.Messages)
	ahead, err := passed.deliveries(t, subs, d)
	if err != nil {
		return 0, err
	}
	s.signAhead(ctx, ahead)
	return len(d.Messages), s.db.Write(ctx, func(tx *db.Tx) error {
		if err := may(ctx, tx); err != nil {
			return err
		}
		now, err := subscribers(ctx, tx, t, at)
		if err != nil {
			return err
		}
		all, err := passed.deliveries(t, now, d)
		if err != nil {
			return err // tried again by the publisher
		}
		return s.handAll(ctx, tx, all)
	})
}

// compareAhead compares messages to a topic in FIFO order, which are delivered as
// they are published, with the filters of its subscriptions: not while the write
// lock is held.
func (s *Store) compareAhead(ctx context.Context, topicARN string, ins []snsapi.PublishInput) (comparison, error) {
	if !strings.HasSuffix(topicARN, ".fifo") {
		return nil, nil
	}
	var t Topic
	var subs []Subscription
	err := s.db.Read(ctx, func(tx *db.Tx) (err error) {
		if t, err = Find(ctx, tx, topicARN); err != nil {
			return err
		}
		subs, err = subscribers(ctx, tx, t, db.Micros(s.now()))
		return err
	})
	if err != nil {
		return nil, err
	}
	messages := make([]message, len(ins))
	for i, in := range ins {
		if messages[i], err = t.message(in); err != nil {
			return nil, err
		}
	}
	return s.compare(ctx, subs, messages), nil
}

// publish sends messages in a transaction: with one job, or, on a topic in FIFO
// order, at once, as the comparison says that was made before.
func (s *Store) publish(ctx context.Context, tx *db.Tx, topicARN string, ins []snsapi.PublishInput, passed comparison) ([]Published, error) {
	t, err := Find(ctx, tx, topicARN)
	if err != nil {
		return nil, err
	}
	d := deliver{Topic: topicARN, Published: db.Micros(s.now())}
	var out []Published
	for i, in := range ins {
		m, err := t.message(in)
		if err != nil {
			return nil, err
		}
		d.Messages = append(d.Messages, m)
		p := Published{ID: m.ID}
		if t.FIFO() {
			p.Sequence = fmt.Sprintf("%020d", (d.Published+int64(i))*1000)
		}
		out = append(out, p)
	}
	if t.FIFO() { // in order, as they are published
		subs, err := subscribers(ctx, tx, t, d.Published)
		if err != nil {
			return nil, err
		}
		all, err := passed.deliveries(t, subs, d)
		if err != nil {
			return nil, err
		}
		return out, s.handAll(ctx, tx, all)
	}
	if some, err := anySubscriber(ctx, tx, t); err != nil || !some {
		return out, err // who subscribes later does not receive it anyway
	}
	return out, s.jobs.Insert(ctx, tx, d, job.Options{Queue: job.Delivery})
}

func anySubscriber(ctx context.Context, tx *db.Tx, t Topic) (bool, error) {
	var one int
	err := tx.QueryRow(ctx, `SELECT 1 FROM topic_subscriptions WHERE account = ? AND region = ? AND topic = ? AND confirmed > 0 LIMIT 1`,
		t.Account, t.Region, t.Name).Scan(&one)
	if errors.Is(err, db.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// Check returns the error that publishing the message would have.
func (t Topic) Check(in snsapi.PublishInput) error {
	_, err := t.message(in)
	return err
}

// maxMessage is how large a message may be, with its attributes.
const maxMessage = 256 << 10

// message checks what is published and gives it an id.
func (t Topic) message(in snsapi.PublishInput) (message, error) {
	m := message{ID: newUUID(), Subject: deref(in.Subject), Body: deref(in.Message), Attributes: in.MessageAttributes,
		Group: deref(in.MessageGroupId), Dedup: deref(in.MessageDeduplicationId)}
	if m.Body == "" {
		return m, invalid("Empty message")
	}
	if len(m.Body)+len(m.Subject)+attributeSize(m.Attributes) > maxMessage {
		return m, invalid("Message too long")
	}
	if in.Subject != nil && !validSubject(m.Subject) {
		return m, invalid("Subject")
	}
	if err := checkMessageAttributes(m.Attributes); err != nil {
		return m, err
	}
	if err := m.readStructure(deref(in.MessageStructure)); err != nil {
		return m, err
	}
	return m, t.checkOrder(&m)
}

// checkOrder wants a group, and a way to know duplicates, on a topic in FIFO
// order.
func (t Topic) checkOrder(m *message) error {
	if !t.FIFO() {
		if m.Dedup != "" {
			return invalid("MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid for this topic type")
		}
		return nil
	}
	if m.Group == "" {
		return invalid("The MessageGroupId parameter is required for FIFO topics")
	}
	if m.Dedup == "" && t.Attributes["ContentBasedDeduplication"] != "true" {
		return invalid("The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly")
	}
	if m.Dedup == "" {
		sum := sha256.Sum256([]byte(m.Body))
		m.Dedup = hex.EncodeToString(sum[:])
	}
	return nil
}

// readStructure takes the bodies of the protocols out of a JSON message.
func (m *message) readStructure(structure string) error {
	switch structure {
	case "":
		return nil
	case "json":
	default:
		return invalid("MessageStructure")
	}
	var by map[string]any
	if json.Unmarshal([]byte(m.Body), &by) != nil {
		return invalid("Message Structure - JSON message body failed to parse")
	}
	body, ok := by["default"].(string)
	if !ok {
		return invalid("Message Structure - No default entry in JSON message body")
	}
	m.By = map[string]string{}
	for protocol, v := range by {
		if text, ok := v.(string); ok && protocol != "default" {
			m.By[protocol] = text
		}
	}
	m.Body = body
	return nil
}

func validSubject(s string) bool {
	if s == "" || len(s) > 100 || s[0] == ' ' {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r == 0x7f })
}

func attributeSize(a Attributes) (n int) {
	for name, v := range a {
		n += len(name) + len(deref(v.DataType)) + len(deref(v.StringValue)) + len(v.BinaryValue)
	}
	return n
}

func checkMessageAttributes(a Attributes) error {
	for name, v := range a {
		kind := deref(v.DataType)
		base, _, _ := strings.Cut(kind, ".")
		switch {
		case name == "" || len(name) > 256 || strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".") || strings.Contains(name, ".."):
			return valueInvalid("Invalid attribute name: %s", name)
		case base != "String" && base != "Number" && base != "Binary":
			return valueInvalid("The message attribute '%s' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.", name)
		case base == "Binary" && len(v.BinaryValue) == 0, base != "Binary" && deref(v.StringValue) == "":
			return valueInvalid("The message attribute '%s' must contain non-empty message attribute value for message attribute type '%s'.", name, kind)
		}
		if base == "Number" {
			if _, err := strconv.ParseFloat(*v.StringValue, 64); err != nil {
				return valueInvalid("Could not cast message attribute '%s' value to number.", name)
			}
		}
	}
	return nil
}

func valueInvalid(format string, args ...any) error {
	return snsapi.InvalidParameterValueException(format, args...)
}
