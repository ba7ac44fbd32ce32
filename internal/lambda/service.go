package lambda

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/lambda/code"
	"plumb/internal/lambda/environment"
)

// Options are what the service needs of others. Nil funcs do nothing; a nil
// Object or Targets means that there is none.
type Options struct {
	// MayPass returns the answer to a request that gives a function of an account a
	// role which it may not have; nil lets it have any.
	MayPass func(account, roleARN string) error
	// Changed is told of every change of a function in its transaction.
	Changed func(ctx context.Context, tx *db.Tx, key config.ResourceKey) error
	// Object returns the content of an object in a bucket, for code that comes
	// from there. Its errors may be an *ObjectError.
	Object func(ctx context.Context, p config.Place, bucket, key, version string) ([]byte, error)
	// Targets are where dead letters and results of events go.
	Targets Targets
	// Ended is told of every attempt at an event, in the transaction that notes
	// it.
	Ended func(ctx context.Context, tx *db.Tx, o Outcome) error
	// Ran is called, if it is set, with how each invocation ended: success, error,
	// timeout, throttled, or failed for one that could not run.
	Ran func(outcome string)
	// Concurrency is how many invocations an account may have at a time; 0 is
	// AWS's 1000.
	Concurrency int
	// MaxCode is how many bytes the zip files of a place's functions may have; 0 is
	// AWS's 75 GiB.
	MaxCode int64
	// MaxEvent is how many bytes an event may have; 0 is AWS's 1 MiB.
	MaxEvent int
}

// An ObjectError is an object that cannot be had, in S3's words.
type ObjectError struct{ Code, Message string }

func (e *ObjectError) Error() string { return e.Code + ": " + e.Message }

// Targets are queues, topics, event buses and buckets: what takes messages.
type Targets interface {
	// Exists reports whether a target is there for the sender.
	Exists(ctx context.Context, tx *db.Tx, from caller.Sender, arn string) (bool, error)
	// Lacks returns the call to a target, or to a function, that the sender's role does
	// not allow: SendMessage. It is empty if the role allows what is needed.
	Lacks(ctx context.Context, tx *db.Tx, from caller.Sender, arn string) (call string, err error)
	// May returns an error unless the sender may invoke a function.
	May(ctx context.Context, tx *db.Tx, from caller.Sender, arn string) error
	// Send has a message sent, if the sender may. It must decide in the transaction
	// and do what is remote afterwards.
	Send(ctx context.Context, tx *db.Tx, from caller.Sender, m Message) error
}

// A Message is what a target gets.
type Message struct {
	Target     string // ARN of a queue, topic, event bus or bucket
	Subject    string `json:",omitempty"` // for a topic
	Body       string
	Attributes map[string]Attribute
	Event      *Envelope `json:",omitempty"` // for an event bus, whose event has Body as its detail
	Key        string    `json:",omitempty"` // for a bucket, whose object Body becomes
}

// An Envelope is what the event of a message says beside its detail.
type Envelope struct {
	Source, DetailType string
	Resources          []string
}

// An Attribute is a message attribute of SQS and SNS.
type Attribute struct{ Type, Value string }

// A Service is the functions of every account. It is safe for concurrent use.
type Service struct {
	log     *slog.Logger
	db      *db.DB
	jobs    *job.Queue
	pool    *environment.Pool
	folders *code.Folders
	now     func() time.Time
	o       Options
	cache   cache

	mu      sync.Mutex
	running map[config.Place]map[string]int // invocations at this moment, by function
	key     []byte                          // signs links to code
}

// New returns the functions kept in d and registers the job that runs events.
func New(
	ctx context.Context, log *slog.Logger, d *db.DB, jobs *job.Queue, pool *environment.Pool, folders *code.Folders, now func() time.Time, o Options,
) (*Service, error) {
	if o.Changed == nil {
		o.Changed = func(context.Context, *db.Tx, config.ResourceKey) error { return nil }
	}
	if o.Ended == nil {
		o.Ended = func(context.Context, *db.Tx, Outcome) error { return nil }
	}
	if o.Targets == nil {
		o.Targets = noTargets{}
	}
	if o.Concurrency == 0 {
		o.Concurrency = 1000
	}
	if o.MaxCode == 0 {
		o.MaxCode = MaxCode
	}
	if o.MaxEvent == 0 {
		o.MaxEvent = 1 << 20
	}
	s := &Service{log: log, db: d, jobs: jobs, pool: pool, folders: folders, now: now, o: o, cache: cache{shared: d.IsPostgres()}, running: map[config.Place]map[string]int{}}
	if err := s.open(ctx); err != nil {
		return nil, fmt.Errorf("open functions: %w", err)
	}
	s.handleEvents()
	return s, nil
}

// open reads the key that all servers share.
func (s *Service) open(ctx context.Context) error {
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return err
	}
	err := s.db.Write(ctx, func(tx *db.Tx) error {
		const name = "code link"
		_, err := tx.Exec(ctx, "INSERT INTO lambda_key (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING", name, tx.Seal(name, key))
		if err != nil {
			return err
		}
		var kept []byte
		if err := tx.QueryRow(ctx, "SELECT value FROM lambda_key WHERE name = ?", name).Scan(&kept); err != nil {
			return err
		}
		var open bool
		if s.key, open, err = tx.Unseal(name, kept); err == nil && open {
			_, err = tx.Exec(ctx, "UPDATE lambda_key SET value = ? WHERE name = ?", tx.Seal(name, s.key), name)
		}
		return err
	})
	if err != nil {
		return err
	}
	return s.sweepCode(ctx)
}

// sweepCode removes unpacked code that no function has any more.
func (s *Service) sweepCode(ctx context.Context) error {
	needed := map[string]bool{}
	err := s.db.Read(ctx, func(tx *db.Tx) error {
		return db.Each(ctx, tx, func(scan func(...any) error) error {
			var sha string
			err := scan(&sha)
			needed[sha] = true
			return err
		}, "SELECT DISTINCT sha FROM lambda_function")
	})
	if err != nil {
		return fmt.Errorf("read which code functions have: %w", err)
	}
	s.folders.Sweep(func(sha string) bool { return needed[sha] })
	return nil
}

// noTargets has none.
type noTargets struct{}

func (noTargets) Exists(context.Context, *db.Tx, caller.Sender, string) (bool, error) {
	return false, nil
}

func (noTargets) Lacks(context.Context, *db.Tx, caller.Sender, string) (string, error) {
	return "", nil
}

func (noTargets) May(context.Context, *db.Tx, caller.Sender, string) error { return nil }

func (noTargets) Send(context.Context, *db.Tx, caller.Sender, Message) error {
	return errors.New("there are no queues and topics")
}

// NewID returns a random UUID, which is what ids of requests, revisions and mappings are.
func NewID() string { return uuid.NewString() }
