package stack

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"plumb/internal/awsclient"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/stack/kind"
)

// A Who is for whom calls are made.
type Who struct {
	config.Place
	Principal string
	UserID    string
	Unbounded bool // no policy bounds it: it may do everything in its account
}

// Options are what Stacks are made of. All are required.
type Options struct {
	DB   *db.DB
	Jobs *job.Queue
	APIs *awsclient.Models
	// Call makes a call of a service as one of the account's clients would.
	Call func(ctx context.Context, w Who, service, operation string, in map[string]any) (map[string]any, error)
	// Object returns an object of a bucket: a template. It returns a *model.Error
	// of S3, or ErrTooLarge.
	Object func(ctx context.Context, p config.Place, bucket, key, version string, limit int64) ([]byte, error)
	// Announce is told of stacks that are not what they were.
	Announce func(ctx context.Context, tx *db.Tx, key config.ResourceKey) error
	// AnswerAt is where functions reach this server.
	AnswerAt func() string
	Now      func() time.Time
}

// ErrTooLarge says that an object is larger than it may be.
var ErrTooLarge = errors.New("the object is too large")

// Stacks are the stacks of all places. It is safe for concurrent use.
type Stacks struct {
	log *slog.Logger
	Options
	kinds *kind.Catalogue
}

// workTimeout is how long one call of a service may take, and what belongs to it.
const workTimeout = 5 * time.Minute

// New returns the stacks and registers their jobs.
func New(log *slog.Logger, o Options) *Stacks {
	s := &Stacks{log: log, Options: o, kinds: kind.NewCatalogue()}
	job.HandlePrepared(s.Jobs, s.prepareLook, job.Policy{})
	job.Handle(s.Jobs, s.doWork, job.Policy{Timeout: workTimeout})
	job.HandleTx(s.Jobs, s.doTimeout, job.Policy{})
	job.HandleTx(s.Jobs, s.doTold, job.Policy{})
	job.HandleTx(s.Jobs, s.doSilence, job.Policy{})
	return s
}

// A look is the job that decides what an operation does next.
type look struct {
	Stack string `json:"stack"`
	Mark  string `json:"mark"`
}

// Kind names the job.
func (look) Kind() string { return "stack.look" }

// A work is the job that does a task of one resource.
type work struct {
	Stack      string `json:"stack"`
	ID         string `json:"id"`
	Generation int    `json:"generation,omitempty"`
	Mark       string `json:"mark"`
	Once       bool   `json:"once,omitempty"` // another one asks again
}

// Kind names the job.
func (work) Kind() string { return "stack.work" }

// A timeout is the job that ends a creation that takes too long.
type timeout struct {
	Stack     string `json:"stack"`
	Operation string `json:"operation"`
}

// Kind names the job.
func (timeout) Kind() string { return "stack.timeout" }

// next has an operation looked at.
func (s *Stacks) next(ctx context.Context, tx *db.Tx, st Stack) error {
	return s.Jobs.Insert(ctx, tx, look{st.ID, st.Operation.mark()}, job.Options{})
}

// begin asks for a resource's task.
func (s *Stacks) begin(ctx context.Context, tx *db.Tx, st Stack, r Resource, after time.Duration) error {
	o := job.Options{Queue: job.Delivery}
	if after > 0 {
		o.At = s.Now().Add(after)
	}
	return s.Jobs.Insert(ctx, tx, work{Stack: st.ID, ID: r.ID, Generation: r.Generation, Mark: r.Mark}, o)
}

// enter begins a phase of the operation.
func (s *Stacks) enter(ctx context.Context, tx *db.Tx, st Stack, p Phase, status, reason string) error {
	st.Operation.Phase, st.Operation.Failed = p, false
	st.Status, st.Reason = status, reason
	if err := s.stackEvent(ctx, tx, st); err != nil {
		return err
	}
	if err := putStack(ctx, tx, st); err != nil {
		return err
	}
	return s.next(ctx, tx, st)
}

// settle ends the operation.
func (s *Stacks) settle(ctx context.Context, tx *db.Tx, st Stack, status, reason string) error {
	st.Status, st.Reason = status, reason
	st.Operation.Phase = ""
	if err := s.stackEvent(ctx, tx, st); err != nil {
		return err
	}
	if err := s.forgetTasks(ctx, tx, st); err != nil {
		return err
	}
	if err := putStack(ctx, tx, st); err != nil {
		return err
	}
	if err := s.Announce(ctx, tx, config.ResourceKey{Place: st.Place, Type: StackType, ID: st.ID}); err != nil {
		return err
	}
	if st.Operation.Delete && !st.Gone() {
		st.Operation = Operation{ID: newUUID(), Token: st.Operation.Token, Retain: st.Operation.Retain}
		return s.enter(ctx, tx, st, Removing, deleteWord+inProgress, "User Initiated")
	}
	return s.tellParent(ctx, tx, st)
}

// forgetTasks has resources no longer remember what the operation did to them.
func (s *Stacks) forgetTasks(ctx context.Context, tx *db.Tx, st Stack) error {
	rows, err := resourcesOf(ctx, tx, st.ID)
	if err != nil {
		return err
	}
	for _, r := range rows {
		if r.Previous == nil && r.Mark == "" {
			continue
		}
		if r.Previous = nil; r.State != broken {
			r.task = task{}
		} else {
			r.task = task{Name: r.Name, Called: r.Called}
		}
		if err := putResource(ctx, tx, st, r); err != nil {
			return err
		}
	}
	return nil
}

// locked returns a stack whose operation and phase have that mark, and holds it.
func (s *Stacks) locked(ctx context.Context, tx *db.Tx, id, mark string) (st Stack, ok bool, err error) {
	if err := lock(ctx, tx, id); err != nil {
		return st, false, err
	}
	st, err = byID(ctx, tx, id)
	if errors.Is(err, errNotFound) {
		return st, false, nil
	}
	return st, err == nil && st.InProgress() && st.Operation.mark() == mark, err
}

func (s *Stacks) doTimeout(ctx context.Context, tx *db.Tx, j job.Job[timeout]) error {
	st, ok, err := s.locked(ctx, tx, j.Args.Stack, j.Args.Operation+"/"+string(Making))
	if err != nil || !ok {
		return err
	}
	st.Operation.Failed, st.Operation.Reason = true, "Stack creation time exceeded the specified timeout. Rollback requested by user."
	if err := putStack(ctx, tx, st); err != nil {
		return err
	}
	return s.next(ctx, tx, st)
}
