// Package recorder is the verb of recording: it turns observations of resources
// into configuration items. Record is the only place that makes items of
// resources; own.go makes those that AWS Config records about itself.
//
// The package decides what is a change, which status an item has, and which other
// resources have to be read because of it. It does not know how resources are
// read (a Source does) nor how they are evaluated (a Judge does). It stores items
// through store, and jobs: an inventory after the start, polls of types that do
// not announce their changes, captures of resources that did.
package recorder

import (
	"context"
	"iter"
	"log/slog"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
)

// A Source reads resources. Its answers are complete or an error, never partial.
type Source interface {
	// Types returns the types that can be read in a place.
	Types(p config.Place) []string
	// Discover yields every resource of a type, in pages of bounded size. An error
	// ends it; without one it was complete.
	Discover(ctx context.Context, p config.Place, resourceType string) iter.Seq2[[]config.Item, error]
	// Describe returns one resource, or false if a complete answer says that it
	// is not there.
	Describe(ctx context.Context, key config.ResourceKey) (config.Item, bool, error)
	// Gone asks whether a resource is gone that a list lacks. It is given the
	// newest item, and answers by the call for one resource alone.
	Gone(ctx context.Context, last config.Item) (bool, error)
	// Related returns the resources that an item has relationships to and that get
	// an item when such a relationship begins or ends.
	Related(it config.Item) []config.ResourceKey
	// Inverse returns how items of a type list those of other types that have a
	// relationship to them: the phrase by the other's type; nil if they do not.
	Inverse(resourceType string) map[string]string
	// Interval returns how long after a reading of a polled type the next one is
	// due; 0 for what the settings say.
	Interval(resourceType string) time.Duration
	// Announces reports whether changes of a type in a place are announced, so
	// that it need not be polled.
	Announces(p config.Place, resourceType string) bool
}

// A Judge evaluates the in-process rules on items that are about to be recorded,
// before the write lock is taken, and returns what settles the verdicts in the
// transaction that records the items.
type Judge func(ctx context.Context, p config.Place, items []config.Item) (settle func(ctx context.Context, tx *db.Tx) error, err error)

// Options are what a Recorder is made of. All are required, but Source, without
// which only what is pushed is recorded.
type Options struct {
	DB      *db.DB
	Jobs    *job.Queue
	Source  Source
	Judge   Judge
	Publish func(ctx context.Context, tx *db.Tx, event any) error
	Poll    time.Duration // between two readings of what does not announce itself
	Now     func() time.Time
	// Cause returns the event of the audit log that the request of ctx will be, empty if it
	// is none; nil for no audit log.
	Cause func(ctx context.Context) string
	// Service returns how calls of the service are signed that has resources of a type, and
	// whether they belong to no region; nil if nobody tells of calls to outside services.
	Service func(resourceType string) (service string, global bool)
	// ReadingFailed is called, if it is set, when a type could not be read.
	ReadingFailed func(resourceType string)
}

// A Recorder records. It is safe for concurrent use. Everything that counts is in
// the store: what it keeps itself, a server that starts again can do without.
type Recorder struct {
	log *slog.Logger
	Options
	failures failureLog
	locks    resourceLocks
}

// New returns a recorder and registers its jobs.
func New(log *slog.Logger, o Options) *Recorder {
	r := &Recorder{
		log: log, Options: o, failures: failureLog{logged: map[failureKey]time.Time{}},
		locks: resourceLocks{held: map[config.ResourceKey]chan struct{}{}},
	}
	r.handleJobs()
	return r
}

func (r *Recorder) handleJobs() {
	job.HandleTx(r.Jobs, r.doPoll, job.Policy{})
	job.HandlePrepared(r.Jobs, r.doDiscover, job.Policy{Timeout: readingTimeout + time.Minute, Yields: true})
	job.HandleTx(r.Jobs, r.doPacks, job.Policy{})
	job.HandlePrepared(r.Jobs, r.doNoticed, job.Policy{})
	job.Handle(r.Jobs, r.doCapture, job.Policy{Timeout: captureTimeout, Yields: true})
}

// cause is the event of the audit log of what goes on in ctx.
func (r *Recorder) cause(ctx context.Context) string {
	if r.Cause == nil {
		return ""
	}
	return r.Cause(ctx)
}

// capture returns the present time, as precise as items hold it.
func (r *Recorder) capture() time.Time { return r.Now().Truncate(time.Millisecond) }
