package eventbus

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/model/eventsapi"
	"plumb/internal/pattern"
)

// Default is the bus that every place has.
const Default = "default"

// EventBridge's limits.
const (
	maxBuses   = 100 // of a place
	maxRules   = 300 // of a bus
	maxTargets = 5   // of a rule
	maxPolicy  = 10 << 10
	maxTags    = 50
)

// A Recipient is a target with what it is handed.
type Recipient struct {
	ARN   string
	Body  string
	Group string // of a message to a queue in FIFO order
	Event string // the whole event, for another bus
	Hops  int    // how many buses the event passed
	From  string // the account that the event first came to
}

// Options are what a Bus hands events over with. Hand is required.
type Options struct {
	// Hand gives a target that is embedded here its input, in the transaction. An
	// error that AWS names leaves the transaction usable.
	Hand func(ctx context.Context, tx *db.Tx, from caller.Sender, to Recipient) error
	// Away reports whether a target of a place is not embedded here; HandAway calls
	// it. Either both are set or none.
	Away     func(p config.Place, targetARN string) bool
	HandAway func(ctx context.Context, from caller.Sender, to Recipient) error
	// Came is told of events that an account put on one of its own buses, in the
	// transaction that puts them. It may be nil.
	Came func(ctx context.Context, tx *db.Tx, p config.Place, events []Event) error
	// Letter gives the dead letters of a target to a queue.
	Letter func(ctx context.Context, tx *db.Tx, from caller.Sender, queueARN, body string, attributes map[string]string) error
}

// A Bus is the event buses of all places. It is safe for concurrent use.
type Bus struct {
	log  *slog.Logger
	db   *db.DB
	jobs *job.Queue
	now  func() time.Time
	o    Options

	mu       sync.Mutex
	patterns map[string]*pattern.Pattern // by their text
}

// New returns the buses kept in d, and registers the jobs that route and deliver.
func New(log *slog.Logger, d *db.DB, jobs *job.Queue, now func() time.Time, o Options) *Bus {
	if o.Away == nil {
		o.Away = func(config.Place, string) bool { return false }
	}
	b := &Bus{log: log, db: d, jobs: jobs, now: now, o: o, patterns: map[string]*pattern.Pattern{}}
	job.HandlePrepared(jobs, b.route, job.Policy{})
	job.HandlePrepared(jobs, b.deliver, job.Policy{})
	job.HandlePrepared(jobs, b.fire, job.Policy{})
	return b
}

// Read runs f in a transaction that reads.
func (b *Bus) Read(ctx context.Context, f func(tx *db.Tx) error) error { return b.db.Read(ctx, f) }

// Write runs f in a transaction that writes.
func (b *Bus) Write(ctx context.Context, f func(tx *db.Tx) error) error { return b.db.Write(ctx, f) }

// compiled returns the pattern of a text that was checked when it was put.
func (b *Bus) compiled(text string) (*pattern.Pattern, error) {
	const most = 2000 // kept at a time
	b.mu.Lock()
	defer b.mu.Unlock()
	if p, ok := b.patterns[text]; ok {
		return p, nil
	}
	p, err := pattern.Parse(text)
	if err != nil {
		return nil, err
	}
	if len(b.patterns) >= most {
		clear(b.patterns)
	}
	b.patterns[text] = p
	return p, nil
}

func invalid(format string, args ...any) error {
	return validation(fmt.Sprintf(format, args...))
}

func limitExceeded() error {
	return eventsapi.LimitExceededException("The requested resource exceeds the maximum number allowed.")
}

func newID() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails: package crypto/rand
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}

func noRows(err error) bool { return errors.Is(err, db.ErrNoRows) }
