package mapping

import (
	"context"
	"time"

	"plumb/internal/arn"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/lambda"
	"plumb/internal/model/lambdaapi"
)

// States of a mapping.
const (
	Creating  = "Creating"
	Enabling  = "Enabling"
	Enabled   = "Enabled"
	Disabling = "Disabling"
	Disabled  = "Disabled"
	Updating  = "Updating"
	Deleting  = "Deleting"
)

// Positions at which the reading of a stream begins.
const (
	TrimHorizon = "TRIM_HORIZON"
	Latest      = "LATEST"
	AtTimestamp = "AT_TIMESTAMP"
)

// A Mapping has a source polled for a function.
type Mapping struct {
	config.Place
	ID       string // its UUID
	Source   string // ARN of a queue or stream
	Function lambda.Ref
	State    string
	Modified time.Time
	Result   string // of the last batch; of streams
	Settings
}

// Settings are what a user says about a mapping. Of members that have a default
// the default is filled in; nil and zero mean that the source has no such member.
type Settings struct {
	Enabled        bool
	BatchSize      int
	Window         int      // seconds for which a batch is waited for
	Filters        []string // patterns, of which one must match
	KMSKey         string
	Partial        bool // the function reports the items of a batch that failed
	MaxConcurrency int  // of a queue's batches; 0 is none
	MinPollers     *int // kept and shown
	MaxPollers     *int
	Metrics        []string
	LogLevel       string
	Tags           map[string]string

	// Of streams.
	Position  string
	Timestamp time.Time // of AtTimestamp
	Factor    int       // batches of a shard at a time
	OnFailure string    // ARN of where a batch is told that was given up
	MaxAge    int       // seconds; -1: as old as they come
	Bisect    bool
	Retries   int // -1: until they work
	Tumbling  int // seconds of a window with a state; 0 is none
}

// ARN returns the mapping's ARN.
func (m Mapping) ARN() string {
	return arn.New("lambda", m.Region, m.Account, "event-source-mapping:"+m.ID).String()
}

// Service returns the service that a mapping's source belongs to.
func (m Mapping) Service() string {
	a, _ := arn.Parse(m.Source) // checked when the mapping was made
	return a.Service
}

// Polls reports whether batches are handed over. A mapping that is being updated
// goes on.
func (m Mapping) Polls() bool { return m.Enabled && (m.State == Enabled || m.State == Updating) }

// A Poller polls the sources of a service.
type Poller interface {
	// Check returns Lambda's answer to a source that cannot be polled.
	Check(ctx context.Context, m Mapping) error
	// Enable has the mapping's source polled from now on, in the caller's transaction.
	// It may be called for a mapping that is polled.
	Enable(ctx context.Context, tx *db.Tx, m Mapping) error
	// Forget removes what is kept of a mapping that is deleted.
	Forget(ctx context.Context, tx *db.Tx, m Mapping) error
}

// A Store is the mappings of every account.
type Store struct {
	db        *db.DB
	jobs      *job.Queue
	functions *lambda.Service
	now       func() time.Time
	pollers   map[string]Poller
}

// New returns the mappings kept in d and registers the job that has a change take
// effect. Pollers follow with Poll.
func New(d *db.DB, jobs *job.Queue, functions *lambda.Service, now func() time.Time) *Store {
	s := &Store{db: d, jobs: jobs, functions: functions, now: now, pollers: map[string]Poller{}}
	job.HandleTx(jobs, s.settle, job.Policy{})
	return s
}

// Poll has the sources of a service polled by p. It is called before anything runs.
func (s *Store) Poll(service string, p Poller) { s.pollers[service] = p }

// NotFound is the error of a mapping that is not there.
func NotFound() error {
	return lambdaapi.ResourceNotFoundException("The resource you requested does not exist.")
}

// Create makes a mapping.
func (s *Store) Create(ctx context.Context, m Mapping) (Mapping, error) {
	m.ID, m.State, m.Modified = lambda.NewID(), Creating, s.now()
	if m.Service() != "sqs" {
		m.Result = "No records processed"
	}
	if err := s.check(ctx, m); err != nil {
		return Mapping{}, err
	}
	err := s.db.Write(ctx, func(tx *db.Tx) error {
		if err := tx.Lock(ctx, "event source "+m.Source); err != nil {
			return err
		}
		if err := unique(ctx, tx, m); err != nil {
			return err
		}
		if err := write(ctx, tx, m); err != nil {
			return err
		}
		return s.jobs.Insert(ctx, tx, settleArgs{m.Place, m.ID}, job.Options{})
	})
	return m, err
}

// unique refuses a second mapping of a source to a function.
func unique(ctx context.Context, tx *db.Tx, m Mapping) error {
	others, err := OfSource(ctx, tx, m.Source)
	if err != nil {
		return err
	}
	for _, o := range others {
		if o.Function != m.Function || o.ID == m.ID || o.Place != m.Place {
			continue
		}
		if m.Service() == "sqs" {
			return lambdaapi.ResourceConflictException("An event source mapping with SQS arn (\" %s \") and function (\" %s \") already exists. "+
				"Please update or delete the existing mapping with UUID %s", m.Source, m.Function.Name, o.ID)
		}
		return lambdaapi.ResourceConflictException("The event source arn (\" %s \") and function (\" %s \") provided mapping already exists. "+
			"Please update or delete the existing mapping with UUID %s", m.Source, m.Function.Name, o.ID)
	}
	return nil
}

// Update changes a mapping.
func (s *Store) Update(ctx context.Context, p config.Place, id string, change func(*Mapping) error) (Mapping, error) {
	old, err := s.Get(ctx, p, id)
	if err != nil {
		return Mapping{}, err
	}
	m := old
	if err := change(&m); err != nil {
		return Mapping{}, err
	}
	if err := s.check(ctx, m); err != nil { // which may ask other services, so not in the transaction
		return Mapping{}, err
	}
	m.Modified, m.State = s.now(), Updating
	switch {
	case m.Enabled && !old.Enabled:
		m.State = Enabling
	case !m.Enabled && old.Enabled:
		m.State = Disabling
	}
	err = s.change(ctx, p, id, func(tx *db.Tx, now Mapping) (Mapping, error) {
		if now.Modified != old.Modified || now.State != old.State {
			return now, inUse()
		}
		m.Result = now.Result
		return m, unique(ctx, tx, m)
	})
	return m, err
}

// Delete has a mapping deleted.
func (s *Store) Delete(ctx context.Context, p config.Place, id string) (m Mapping, err error) {
	err = s.change(ctx, p, id, func(_ *db.Tx, now Mapping) (Mapping, error) {
		now.State = Deleting
		m = now
		return now, nil
	})
	return m, err
}

// change writes a mapping that rests in a state of transition.
func (s *Store) change(ctx context.Context, p config.Place, id string, f func(tx *db.Tx, m Mapping) (Mapping, error)) error {
	return s.db.Write(ctx, func(tx *db.Tx) error {
		if err := tx.Lock(ctx, "event source mapping "+id); err != nil {
			return err
		}
		m, err := Read(ctx, tx, p, id)
		if err != nil {
			return err
		}
		if m.State != Enabled && m.State != Disabled {
			return inUse()
		}
		if m, err = f(tx, m); err != nil {
			return err
		}
		if err := write(ctx, tx, m); err != nil {
			return err
		}
		return s.jobs.Insert(ctx, tx, settleArgs{m.Place, m.ID}, job.Options{})
	})
}

func inUse() error {
	return lambdaapi.ResourceInUseException("Cannot update the event source mapping because it is in use.")
}

// settleArgs is the job that has a change take effect.
type settleArgs struct {
	config.Place
	Mapping string `json:"mapping"`
}

func (settleArgs) Kind() string { return "mapping.settle" }

// settle ends a mapping's transition.
func (s *Store) settle(ctx context.Context, tx *db.Tx, j job.Job[settleArgs]) error {
	if err := tx.Lock(ctx, "event source mapping "+j.Args.Mapping); err != nil {
		return err
	}
	m, err := Read(ctx, tx, j.Args.Place, j.Args.Mapping)
	if isNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	p := s.pollers[m.Service()]
	switch {
	case m.State == Deleting:
		if err := p.Forget(ctx, tx, m); err != nil {
			return err
		}
		return remove(ctx, tx, m)
	case !m.Enabled:
		m.State = Disabled
		return write(ctx, tx, m)
	}
	m.State = Enabled
	if err := write(ctx, tx, m); err != nil {
		return err
	}
	return p.Enable(ctx, tx, m)
}
