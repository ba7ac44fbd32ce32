package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"plumb/internal/arn"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/model"
	"plumb/internal/model/sqsapi"
)

// Options say what happens around the queues. All may be nil.
type Options struct {
	// Announce is told of every change of a queue, in its transaction.
	Announce func(ctx context.Context, tx *db.Tx, key config.ResourceKey) error
	// Ready is told, in the transaction that decides it, when a message of a queue can be received.
	Ready func(ctx context.Context, tx *db.Tx, queueARN string, at time.Time) error
	// Stopping is closed when the server is to end: a receive that waits then
	// answers with nothing, so that it does not hold up the end.
	Stopping <-chan struct{}
}

// A Store is the queues of every account.
type Store struct {
	log      *slog.Logger
	db       *db.DB
	jobs     *job.Queue
	now      func() time.Time
	o        Options
	notifier *notifier
	last     atomic.Int64 // the last sequence number given
	node     int64        // keeps the sequence numbers of several servers apart
}

// New returns the queues kept in d and registers the jobs that forget expired
// messages and move dead letters.
func New(log *slog.Logger, d *db.DB, jobs *job.Queue, now func() time.Time, o Options) *Store {
	if o.Announce == nil {
		o.Announce = func(context.Context, *db.Tx, config.ResourceKey) error { return nil }
	}
	if o.Ready == nil {
		o.Ready = func(context.Context, *db.Tx, string, time.Time) error { return nil }
	}
	s := &Store{log: log, db: d, jobs: jobs, now: now, o: o, notifier: newNotifier(), node: rand.Int64N(1 << nodeBits)}
	s.handleExpire()
	s.handleMove()
	return s
}

// A Queue is a queue with its attributes as they were set; the defaults are
// filled in.
type Queue struct {
	config.Place
	Name       string
	Created    time.Time
	Modified   time.Time
	Attributes map[string]string
	Tags       map[string]string

	id int64
}

// ARN returns the queue's ARN.
func (q Queue) ARN() string { return arn.New("sqs", q.Region, q.Account, q.Name).String() }

// URL returns the queue's URL at an endpoint.
func (q Queue) URL(endpoint string) string {
	return strings.TrimSuffix(endpoint, "/") + "/" + q.Account + "/" + q.Name
}

// ResourceID returns the URL by which AWS Config knows the queue. It is AWS's, whatever address the server listens on: the
// identity of a resource never changes.
func (q Queue) ResourceID() string {
	return q.URL("https://sqs." + q.Region + "." + arn.Domain(q.Region))
}

// FIFO reports whether the queue keeps order in groups and drops duplicates.
func (q Queue) FIFO() bool { return strings.HasSuffix(q.Name, ".fifo") }

// NoSuchQueue is the error of a queue that is not there.
func NoSuchQueue() error { return sqsapi.QueueDoesNotExist("The specified queue does not exist.") }

func invalidValue(format string, args ...any) *model.Error {
	return model.Errorf(model.Error{Code: "InvalidParameterValueException", QueryCode: "InvalidParameterValue", Status: 400}, format, args...)
}

func missing(parameter string) *model.Error {
	return model.Errorf(model.Error{Code: "MissingParameter", QueryCode: "MissingParameter", Status: 400},
		"The request must contain the parameter %s.", parameter)
}

var validName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

func checkName(name string) error {
	base, fifo := strings.CutSuffix(name, ".fifo")
	if len(name) > 80 || !validName.MatchString(base) {
		if fifo || !strings.Contains(name, ".") {
			return invalidValue("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
		}
		return invalidValue("The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length.")
	}
	return nil
}

// Create makes a queue, or returns the one that is there if it has the same
// attributes.
func (s *Store) Create(ctx context.Context, q Queue) (Queue, error) {
	if err := checkName(q.Name); err != nil {
		return Queue{}, err
	}
	if err := checkAttributes(q, q.Attributes, true); err != nil {
		return Queue{}, err
	}
	if err := checkTags(q.Tags); err != nil {
		return Queue{}, err
	}
	err := s.db.Write(ctx, func(tx *db.Tx) error {
		if err := tx.Lock(ctx, "queue "+q.ARN()); err != nil {
			return err
		}
		old, err := Find(ctx, tx, q.Place, q.Name)
		if err == nil {
			if err := sameAttributes(old, q.Attributes); err != nil {
				return err
			}
			q = old
			return nil
		}
		if !model.IsCode(err, "QueueDoesNotExist") {
			return err
		}
		q.Attributes = withDefaults(q)
		q.Created, q.Modified, q.id = s.now(), s.now(), rand.Int64()
		return s.insert(ctx, tx, q)
	})
	return q, err
}

func (s *Store) insert(ctx context.Context, tx *db.Tx, q Queue) error {
	if err := s.checkRedrive(ctx, tx, q); err != nil {
		return err
	}
	attributes, _ := json.Marshal(q.Attributes) // maps of text cannot fail
	tags, _ := json.Marshal(q.Tags)
	_, err := tx.Exec(ctx, `INSERT INTO queues (account, region, name, id, created, modified, attributes, tags) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		q.Account, q.Region, q.Name, q.id, db.Micros(q.Created), db.Micros(q.Modified), string(attributes), string(tags))
	if err != nil {
		return fmt.Errorf("insert queue %s: %w", q.Name, err)
	}
	if err := s.scheduleExpire(ctx, tx, q.id); err != nil {
		return err
	}
	return s.announce(ctx, tx, q)
}

func (s *Store) announce(ctx context.Context, tx *db.Tx, q Queue) error {
	return s.o.Announce(ctx, tx, config.ResourceKey{Place: q.Place, Type: "AWS::SQS::Queue", ID: q.ResourceID()})
}

const columns = `account, region, name, id, created, modified, attributes, tags`

func scanQueue(scan func(...any) error) (Queue, error) {
	var q Queue
	var created, modified int64
	var attributes, tags string
	if err := scan(&q.Account, &q.Region, &q.Name, &q.id, &created, &modified, &attributes, &tags); err != nil {
		return q, err
	}
	q.Created, q.Modified = db.Time(created), db.Time(modified)
	if err := json.Unmarshal([]byte(attributes), &q.Attributes); err != nil {
		return q, fmt.Errorf("attributes of queue %s: %w", q.Name, err)
	}
	if err := json.Unmarshal([]byte(tags), &q.Tags); err != nil {
		return q, fmt.Errorf("tags of queue %s: %w", q.Name, err)
	}
	if len(q.Tags) == 0 {
		q.Tags = nil // the same answer whether it never had tags or lost them
	}
	return q, nil
}

// Find returns a queue, or the error QueueDoesNotExist.
func Find(ctx context.Context, tx *db.Tx, p config.Place, name string) (Queue, error) {
	row := tx.QueryRow(ctx, `SELECT `+columns+` FROM queues WHERE account = ? AND region = ? AND name = ?`, p.Account, p.Region, name)
	q, err := scanQueue(row.Scan)
	if errors.Is(err, db.ErrNoRows) {
		return q, NoSuchQueue()
	}
	if err != nil {
		return q, fmt.Errorf("read queue %s: %w", name, err)
	}
	return q, nil
}

// Find returns a queue, or the error QueueDoesNotExist.
func (s *Store) Find(ctx context.Context, p config.Place, name string) (q Queue, err error) {
	if q, ok := recall(ctx, p, name); ok {
		return q, nil
	}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		q, err = Find(ctx, tx, p, name)
		return err
	})
	return q, err
}

// ByARN returns the queue that an ARN names.
func ByARN(ctx context.Context, tx *db.Tx, queueARN string) (Queue, error) {
	a, err := arn.Parse(queueARN)
	if err != nil || a.Service != "sqs" {
		return Queue{}, invalidValue("%q is not the ARN of a queue", queueARN)
	}
	return Find(ctx, tx, config.Place{Account: a.Account, Region: a.Region}, a.Resource)
}

// List returns queues of a place by name, those after the given one.
func (s *Store) List(ctx context.Context, p config.Place, prefix, after string, limit int) ([]Queue, error) {
	return s.list(ctx, `SELECT `+columns+` FROM queues WHERE account = ? AND region = ? AND name > ? AND name >= ? AND name < ? ORDER BY name LIMIT ?`,
		p.Account, p.Region, after, prefix, prefix+"\U0010FFFF", limit)
}

func (s *Store) list(ctx context.Context, query string, args ...any) (out []Queue, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		out, err = list(ctx, tx, query, args...)
		return err
	})
	return out, err
}

func list(ctx context.Context, tx *db.Tx, query string, args ...any) (out []Queue, err error) {
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		q, err := scanQueue(scan)
		out = append(out, q)
		return err
	}, query, args...)
	return out, err
}

// Sources returns the queues whose dead letters go to q.
func (s *Store) Sources(ctx context.Context, q Queue) (out []Queue, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		out, err = sourcesOf(ctx, tx, q)
		return err
	})
	return out, err
}

func sourcesOf(ctx context.Context, tx *db.Tx, q Queue) (out []Queue, err error) {
	all, err := list(ctx, tx, `SELECT `+columns+` FROM queues WHERE account = ? AND region = ? ORDER BY name`, q.Account, q.Region)
	for _, other := range all {
		if r, ok := other.redrive(); ok && r.Target == q.ARN() {
			out = append(out, other)
		}
	}
	return out, err
}

// Delete removes a queue and its messages.
func (s *Store) Delete(ctx context.Context, q Queue) error {
	return s.db.Write(ctx, func(tx *db.Tx) error {
		for _, stmt := range []string{
			`DELETE FROM queue_messages WHERE queue = ?`, `DELETE FROM queue_deduplications WHERE queue = ?`,
			`DELETE FROM queue_moves WHERE queue = ?`, `DELETE FROM queues WHERE id = ?`,
		} {
			if _, err := tx.Exec(ctx, stmt, q.id); err != nil {
				return fmt.Errorf("delete queue %s: %w", q.Name, err)
			}
		}
		return s.announce(ctx, tx, q)
	})
}

// Change reads a queue, lets f change its attributes or tags, and writes it.
func (s *Store) Change(ctx context.Context, q Queue, f func(*Queue) error) error {
	return s.db.Write(ctx, func(tx *db.Tx) error {
		if err := tx.Lock(ctx, "queue "+q.ARN()); err != nil {
			return err
		}
		now, err := Find(ctx, tx, q.Place, q.Name)
		if err != nil {
			return err
		}
		now.Attributes, now.Tags = maps.Clone(now.Attributes), maps.Clone(now.Tags)
		if now.Tags == nil {
			now.Tags = map[string]string{}
		}
		if err := f(&now); err != nil {
			return err
		}
		if err := s.checkRedrive(ctx, tx, now); err != nil {
			return err
		}
		attributes, _ := json.Marshal(now.Attributes) // maps of text cannot fail
		tags, _ := json.Marshal(now.Tags)
		_, err = tx.Exec(ctx, `UPDATE queues SET modified = ?, attributes = ?, tags = ? WHERE id = ?`,
			db.Micros(s.now()), string(attributes), string(tags), now.id)
		if err != nil {
			return fmt.Errorf("change queue %s: %w", q.Name, err)
		}
		return s.announce(ctx, tx, now)
	})
}

// SetAttributes changes attributes; some are removed by setting them to "".
func (s *Store) SetAttributes(ctx context.Context, q Queue, set map[string]string) error {
	if err := checkAttributes(q, set, false); err != nil {
		return err
	}
	return s.Change(ctx, q, func(q *Queue) error {
		for k, v := range set {
			if v == "" && removable(k) {
				delete(q.Attributes, k)
				continue
			}
			q.Attributes[k] = v
		}
		return nil
	})
}

// Tag adds tags and removes others.
func (s *Store) Tag(ctx context.Context, q Queue, set map[string]string, remove []string) error {
	if err := checkTags(set); err != nil {
		return err
	}
	return s.Change(ctx, q, func(q *Queue) error {
		for _, k := range remove {
			delete(q.Tags, k)
		}
		maps.Copy(q.Tags, set)
		if len(q.Tags) > 50 {
			return invalidValue("Too many tags added for queue %s.", q.Name)
		}
		return nil
	})
}

func checkTags(tags map[string]string) error {
	for k, v := range tags {
		if k == "" || len(k) > 128 || len(v) > 256 || strings.HasPrefix(k, "aws:") {
			return invalidValue("Tag keys must be between 1 and 128 characters in length, values at most 256; keys do not begin with aws:.")
		}
	}
	if len(tags) > 50 {
		return invalidValue("Too many tags.")
	}
	return nil
}
