package topic

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"plumb/internal/arn"
	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/mail"
	"plumb/internal/model"
	"plumb/internal/model/snsapi"
	"plumb/internal/model/sqsapi"
	"plumb/internal/outgoing"
)

// Options say how subscribers are reached and what happens around the topics.
type Options struct {
	// Announce is told of every change of a topic, in its transaction; nil is nobody.
	Announce func(ctx context.Context, tx *db.Tx, key config.ResourceKey) error
	// Queue gives a queue a message and Function invokes a function, in tx. An
	// error that AWS names (*model.Error) means that it will never work; any
	// other one has the delivery tried again.
	Queue    func(ctx context.Context, tx *db.Tx, from caller.Sender, queueARN string, m sqsapi.SendMessageInput) error
	Function func(ctx context.Context, tx *db.Tx, from caller.Sender, functionARN string, event []byte) error
	// Endpoint is where this program is reached: http://127.0.0.1:4577.
	Endpoint func() string
	// Client posts to HTTP subscribers; nil reaches public addresses only.
	Client *http.Client
	// Mail sends mail to subscribers; nil is that there can be none.
	Mail *mail.Sender
}

// A Store is the topics of every account.
type Store struct {
	log  *slog.Logger
	db   *db.DB
	jobs *job.Queue
	now  func() time.Time
	o    Options

	signer atomic.Pointer[signer] // read from the store when it is first needed
}

// New returns the topics kept in d and registers the jobs that deliver.
func New(log *slog.Logger, d *db.DB, jobs *job.Queue, now func() time.Time, o Options) *Store {
	if o.Announce == nil {
		o.Announce = func(context.Context, *db.Tx, config.ResourceKey) error { return nil }
	}
	if o.Client == nil {
		o.Client = outgoing.NewClient(outgoing.Options{})
	}
	if o.Mail == nil {
		o.Mail = mail.New(mail.Options{})
	}
	s := &Store{log: log, db: d, jobs: jobs, now: now, o: o}
	s.handleDeliver()
	s.handlePush()
	return s
}

// A Topic is a topic with its attributes as they were set.
type Topic struct {
	config.Place
	Name       string
	Created    time.Time
	Attributes map[string]string
	Tags       map[string]string
}

// ARN returns the topic's ARN.
func (t Topic) ARN() string { return arn.New("sns", t.Region, t.Account, t.Name).String() }

// FIFO reports whether the topic keeps order in groups.
func (t Topic) FIFO() bool { return strings.HasSuffix(t.Name, ".fifo") }

// NoSuchTopic is the error of a topic that is not there.
func NoSuchTopic() error { return snsapi.NotFoundException("Topic does not exist") }

func isNotFound(err error) bool { return model.IsCode(err, "NotFound") }

func invalid(format string, args ...any) error {
	return snsapi.InvalidParameterException("Invalid parameter: "+format, args...)
}

var validName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`)

// Create makes a topic, or returns the one that is there if it is the same.
func (s *Store) Create(ctx context.Context, t Topic) (Topic, error) {
	base, fifo := strings.CutSuffix(t.Name, ".fifo")
	if len(t.Name) > 256 || !validName.MatchString(base) {
		return t, invalid("Topic Name")
	}
	if asked := t.Attributes["FifoTopic"] == "true"; asked != fifo {
		if asked {
			return t, invalid("Fifo Topic names must end with .fifo and must be made up of only uppercase and lowercase ASCII letters, numbers, underscores, and hyphens, and must be between 1 and 256 characters long.")
		}
		return t, invalid("Topic Name")
	}
	for name, value := range t.Attributes {
		if err := checkTopicAttribute(t, name, value, true); err != nil {
			return t, err
		}
	}
	if err := checkTags(t.Tags); err != nil {
		return t, err
	}
	err := s.db.Write(ctx, func(tx *db.Tx) error {
		if err := tx.Lock(ctx, t.ARN()); err != nil {
			return err
		}
		old, err := Find(ctx, tx, t.ARN())
		if err == nil {
			t, err = same(old, t)
			return err
		}
		if !isNotFound(err) {
			return err
		}
		t.Created = s.now()
		return s.insert(ctx, tx, t)
	})
	return t, err
}

// same wants what is asked for to be what the topic has.
func same(old, asked Topic) (Topic, error) {
	for k, v := range asked.Attributes {
		if old.Attributes[k] != v {
			return old, invalid("Attributes Reason: Topic already exists with different attributes")
		}
	}
	if len(asked.Tags) > 0 && !maps.Equal(old.Tags, asked.Tags) {
		return old, invalid("Tags Reason: Topic already exists with different tags")
	}
	return old, nil
}

func (s *Store) insert(ctx context.Context, tx *db.Tx, t Topic) error {
	attributes, _ := json.Marshal(t.Attributes) // maps of text cannot fail
	tags, _ := json.Marshal(t.Tags)
	_, err := tx.Exec(ctx, `INSERT INTO topics (account, region, name, created, attributes, tags) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (account, region, name) DO UPDATE SET attributes = excluded.attributes, tags = excluded.tags`,
		t.Account, t.Region, t.Name, db.Micros(t.Created), string(attributes), string(tags))
	if err != nil {
		return fmt.Errorf("write topic %s: %w", t.Name, err)
	}
	return s.announce(ctx, tx, t)
}

func (s *Store) announce(ctx context.Context, tx *db.Tx, t Topic) error {
	return s.o.Announce(ctx, tx, config.ResourceKey{Place: t.Place, Type: "AWS::SNS::Topic", ID: t.ARN()})
}

// parseARN reads the ARN of a topic.
func parseARN(topicARN string) (Topic, error) {
	a, err := arn.Parse(topicARN)
	if err != nil || a.Service != "sns" || strings.Contains(a.Resource, ":") {
		return Topic{}, invalid("TopicArn Reason: An ARN must have at least 6 elements, not %d", strings.Count(topicARN, ":")+1)
	}
	return Topic{Place: config.Place{Account: a.Account, Region: a.Region}, Name: a.Resource}, nil
}

const columns = `account, region, name, created, attributes, tags`

func scanTopic(scan func(...any) error) (Topic, error) {
	var t Topic
	var created int64
	var attributes, tags string
	if err := scan(&t.Account, &t.Region, &t.Name, &created, &attributes, &tags); err != nil {
		return t, err
	}
	t.Created = db.Time(created)
	if err := json.Unmarshal([]byte(attributes), &t.Attributes); err != nil {
		return t, fmt.Errorf("attributes of topic %s: %w", t.Name, err)
	}
	err := json.Unmarshal([]byte(tags), &t.Tags) // before the return, which may copy t first
	return t, err
}

// Find returns the topic that an ARN names, or the error NotFound.
func Find(ctx context.Context, tx *db.Tx, topicARN string) (Topic, error) {
	t, err := parseARN(topicARN)
	if err != nil {
		return t, err
	}
	row := tx.QueryRow(ctx, `SELECT `+columns+` FROM topics WHERE account = ? AND region = ? AND name = ?`, t.Account, t.Region, t.Name)
	t, err = scanTopic(row.Scan)
	if errors.Is(err, db.ErrNoRows) {
		return t, NoSuchTopic()
	}
	if err != nil {
		return t, fmt.Errorf("read topic %s: %w", topicARN, err)
	}
	return t, nil
}

// Exists reports whether there is a topic of that ARN.
func Exists(ctx context.Context, tx *db.Tx, topicARN string) (bool, error) {
	_, err := Find(ctx, tx, topicARN)
	if isNotFound(err) || model.IsCode(err, "InvalidParameter") {
		return false, nil
	}
	return err == nil, err
}

// Read runs f in a transaction that reads the topics' database.
func (s *Store) Read(ctx context.Context, f func(tx *db.Tx) error) error { return s.db.Read(ctx, f) }

// List returns topics of a place by name, those after the given one.
func (s *Store) List(ctx context.Context, p config.Place, after string, limit int) (out []Topic, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		return db.Each(ctx, tx, func(scan func(...any) error) error {
			t, err := scanTopic(scan)
			out = append(out, t)
			return err
		}, `SELECT `+columns+` FROM topics WHERE account = ? AND region = ? AND name > ? ORDER BY name LIMIT ?`, p.Account, p.Region, after, limit)
	})
	return out, err
}

// Delete removes a topic and its subscriptions. One that is not there is no
// error.
func (s *Store) Delete(ctx context.Context, topicARN string) error {
	t, err := parseARN(topicARN)
	if err != nil {
		return err
	}
	return s.db.Write(ctx, func(tx *db.Tx) error {
		n, err := tx.Exec(ctx, `DELETE FROM topics WHERE account = ? AND region = ? AND name = ?`, t.Account, t.Region, t.Name)
		if err != nil || n == 0 {
			return err
		}
		_, err = tx.Exec(ctx, `DELETE FROM topic_subscriptions WHERE account = ? AND region = ? AND topic = ?`, t.Account, t.Region, t.Name)
		if err != nil {
			return fmt.Errorf("delete subscriptions of %s: %w", t.Name, err)
		}
		_, err = tx.Exec(ctx, `DELETE FROM topic_throttle WHERE subscription >= ? AND subscription < ?`, topicARN+":", topicARN+";")
		if err != nil {
			return fmt.Errorf("delete the throttles of %s: %w", t.Name, err)
		}
		return s.announce(ctx, tx, t)
	})
}

// Change reads a topic, lets f change its attributes or tags, and writes it.
func (s *Store) Change(ctx context.Context, topicARN string, f func(*Topic) error) error {
	return s.db.Write(ctx, func(tx *db.Tx) error {
		if err := tx.Lock(ctx, topicARN); err != nil {
			return err
		}
		t, err := Find(ctx, tx, topicARN)
		if err != nil {
			return err
		}
		if t.Attributes == nil {
			t.Attributes = map[string]string{}
		}
		if t.Tags == nil {
			t.Tags = map[string]string{}
		}
		if err := f(&t); err != nil {
			return err
		}
		return s.insert(ctx, tx, t)
	})
}

// SetAttribute changes one attribute; "" removes those that may be absent.
func (s *Store) SetAttribute(ctx context.Context, topicARN, name, value string) error {
	return s.Change(ctx, topicARN, func(t *Topic) error {
		if err := checkTopicAttribute(*t, name, value, false); err != nil {
			return err
		}
		if value == "" {
			delete(t.Attributes, name)
		} else {
			t.Attributes[name] = value
		}
		return nil
	})
}

// Tag adds tags and removes others.
func (s *Store) Tag(ctx context.Context, topicARN string, set map[string]string, remove []string) error {
	if err := checkTags(set); err != nil {
		return err
	}
	err := s.Change(ctx, topicARN, func(t *Topic) error {
		for _, k := range remove {
			delete(t.Tags, k)
		}
		maps.Copy(t.Tags, set)
		if len(t.Tags) > 50 {
			return snsapi.TagLimitExceededException("Could not complete request: tag quota of per resource exceeded")
		}
		return nil
	})
	if isNotFound(err) {
		return snsapi.ResourceNotFoundException("Resource does not exist")
	}
	return err
}

func checkTags(tags map[string]string) error {
	if len(tags) > 50 {
		return snsapi.TagLimitExceededException("Could not complete request: tag quota of per resource exceeded")
	}
	for k, v := range tags {
		if k == "" || len(k) > 128 || len(v) > 256 || strings.HasPrefix(strings.ToLower(k), "aws:") {
			return invalid("Tags")
		}
	}
	return nil
}
