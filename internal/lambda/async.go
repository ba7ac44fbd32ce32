package lambda

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/model"
)

// An Event is an invocation that nobody waits for.
type Event struct {
	Ref       Ref
	Payload   []byte // JSON
	RequestID string // made if empty; the same at every try
	TraceID   string
	// Note is given back with every Outcome. A caller that sets one logs failures.
	Note json.RawMessage
}

// Conditions of an event's end.
const (
	Success                 = "Success"
	RetriesExhausted        = "RetriesExhausted"
	EventAgeExceeded        = "EventAgeExceeded"
	ZeroReservedConcurrency = "ZeroReservedConcurrency"
	// FunctionMissing is ours: the function was deleted before the event ran.
	FunctionMissing = "FunctionMissing"
)

// An Outcome is how one try at an event ended.
type Outcome struct {
	Event
	Attempt   int    // runs so far
	Final     bool   // there will be no other
	Condition string // of the end, if final
	Answer    Answer // of this try; zero if the function did not run
	Err       string // why it did not run, or what the function's error says
}

// Told reports whether Ended logs what went wrong: it knows what the event was for.
func (o Outcome) Told() bool { return len(o.Note) > 0 }

// eventArgs is an event as a job. Payload and note are kept as bytes: PostgreSQL
// would order the members of JSON anew, and not take all of it.
type eventArgs struct {
	config.Place
	Name      string `json:"name"`
	Qualifier string `json:"qualifier,omitempty"`
	Payload   []byte `json:"payload"`
	RequestID string `json:"requestId"`
	TraceID   string `json:"traceId,omitempty"`
	Note      []byte `json:"note,omitempty"`
	Accepted  int64  `json:"accepted"` // microseconds
}

// Kind names the job.
func (eventArgs) Kind() string { return "lambda.event" }

// Owner is the function's account.
func (a eventArgs) Owner() string { return a.Account }

func (a eventArgs) event() Event {
	return Event{Ref: Ref{a.Place, a.Name, a.Qualifier}, Payload: a.Payload, RequestID: a.RequestID, TraceID: a.TraceID, Note: a.Note}
}

// InvokeAsync has a function invoked once the transaction is committed, and
// tried again when it fails. It returns the request's id.
func (s *Service) InvokeAsync(ctx context.Context, tx *db.Tx, e Event) (string, error) {
	var err error
	if e.Payload, err = CheckPayload(e.Payload); err != nil {
		return "", err
	}
	args, err := s.eventArgs(e)
	if err != nil {
		return "", err
	}
	return args.RequestID, s.jobs.Insert(ctx, tx, args, eventOptions())
}

// InvokeAll is InvokeAsync for many events at once, whose payloads are known to
// be JSON.
func (s *Service) InvokeAll(ctx context.Context, tx *db.Tx, events []Event) error {
	all := make([]eventArgs, len(events))
	for i, e := range events {
		var err error
		if all[i], err = s.eventArgs(e); err != nil {
			return err
		}
	}
	return job.InsertMany(ctx, s.jobs, tx, all, eventOptions())
}

func eventOptions() job.Options { return job.Options{Queue: job.Function} }

func (s *Service) eventArgs(e Event) (eventArgs, error) {
	if len(e.Payload) > s.o.MaxEvent {
		return eventArgs{}, tooLarge("%d byte payload is too large for the Event invocation type (limit %d bytes)", len(e.Payload), s.o.MaxEvent)
	}
	if e.RequestID == "" {
		e.RequestID = NewID()
	}
	return eventArgs{
		Place: e.Ref.Place, Name: e.Ref.Name, Qualifier: e.Ref.Qualifier, Payload: e.Payload,
		RequestID: e.RequestID, TraceID: e.TraceID, Note: e.Note, Accepted: db.Micros(s.now()),
	}, nil
}

// Accept takes an event from outside: the function must be there.
func (s *Service) Accept(ctx context.Context, e Event) (string, error) {
	if _, _, err := s.forInvoke(ctx, e.Ref); err != nil {
		return "", err
	}
	var id string
	err := s.db.Write(ctx, func(tx *db.Tx) (err error) {
		id, err = s.InvokeAsync(ctx, tx, e)
		return err
	})
	return id, err
}

// Check reports whether an invocation would be taken, as a dry run asks.
func (s *Service) Check(ctx context.Context, r Ref) error {
	_, _, err := s.forInvoke(ctx, r)
	return err
}

// retryAfter is how long AWS waits after a try that the function failed: one
// minute, then two.
func retryAfter(attempt int) time.Duration {
	if attempt <= 1 {
		return time.Minute
	}
	return 2 * time.Minute
}

func (s *Service) handleEvents() {
	job.Handle(s.jobs, s.try, job.Policy{Timeout: 16 * time.Minute, Retry: retryAfter})
}

// errFunction has a failed event tried again.
var errFunction = errors.New("the function failed")

// try runs an event once and decides what follows.
func (s *Service) try(ctx context.Context, j job.Job[eventArgs]) error {
	e := j.Args.event()
	c, f, err := s.eventSettings(ctx, e.Ref)
	if model.IsCode(err, "ResourceNotFoundException") {
		return s.end(ctx, Outcome{Event: e, Attempt: j.Attempt - 1, Final: true, Condition: FunctionMissing, Err: err.Error()}, c, f)
	}
	if err != nil {
		return err
	}
	if f.Reserved != nil && *f.Reserved == 0 {
		return s.end(ctx, Outcome{Event: e, Final: true, Condition: ZeroReservedConcurrency, Err: "The function's reserved concurrency is 0, so nobody may invoke it."}, c, f)
	}
	age := func() time.Duration { return s.now().Sub(db.Time(j.Args.Accepted)) }
	a, err := s.run(ctx, e.Ref, Call{RequestID: e.RequestID, TraceID: e.TraceID, Payload: e.Payload})
	o := Outcome{Event: e, Attempt: j.Attempt, Answer: a}
	if err != nil {
		return s.later(ctx, o, c, f, age(), err)
	}
	switch {
	case a.FunctionError == "":
		o.Final, o.Condition = true, Success
	case j.Attempt > c.retries():
		o.Final, o.Condition = true, RetriesExhausted
	case age()+retryAfter(j.Attempt) > c.maxAge():
		o.Final, o.Condition = true, EventAgeExceeded
	}
	if a.FunctionError != "" {
		o.Err = a.fault()
	}
	if err := s.end(ctx, o, c, f); err != nil || o.Final {
		return err
	}
	failed := fmt.Errorf("%w: %s: %s", errFunction, e.Ref.ARN(), o.Err)
	if o.Told() {
		return job.Logged(failed)
	}
	return failed
}

// later puts off an event that could not run, for lack of room or for a fault
// of this machine: the younger it is, the sooner it comes back. That costs no
// retry.
func (s *Service) later(ctx context.Context, o Outcome, c EventInvoke, f Function, age time.Duration, err error) error {
	wait := min(max(age, time.Second), 5*time.Minute)
	o.Attempt--
	o.Err = err.Error()
	if age+wait > c.maxAge() {
		o.Final, o.Condition = true, EventAgeExceeded
		return s.end(ctx, o, c, f)
	}
	if !model.IsCode(err, "TooManyRequestsException") && !model.IsCode(err, "ServiceUnavailable") {
		if !o.Told() {
			s.log.Warn("event could not run, will retry", "function", o.Ref.ARN(), "request", o.RequestID, "err", err)
		}
		if err := s.end(ctx, o, c, f); err != nil {
			return err
		}
	}
	return job.Snooze(wait)
}

// eventSettings returns the configuration of an event, and the function as a
// whole with the settings of the version.
func (s *Service) eventSettings(ctx context.Context, r Ref) (c EventInvoke, f Function, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		whole, err := s.latest(ctx, tx, r)
		if err != nil {
			return err
		}
		if f, err = resolve(ctx, tx, r); err != nil {
			return err
		}
		f.Reserved = whole.Reserved
		c, err = readEventInvoke(ctx, tx, eventRef(r))
		if errors.Is(err, errNoRow) {
			return nil
		}
		return err
	})
	return c, f, err
}

// end notes how a try ended, and has the result of the last one sent to where
// it goes.
func (s *Service) end(ctx context.Context, o Outcome, c EventInvoke, f Function) error {
	return s.db.Write(ctx, func(tx *db.Tx) error {
		if o.Final {
			s.report(ctx, tx, o, c, f)
		}
		return s.o.Ended(ctx, tx, o)
	})
}

// fault says in one line why a function failed.
func (a Answer) fault() string {
	if a.Cause == "" {
		return faultText(a.Payload)
	}
	return faultText(a.Payload) + ": " + a.Cause
}

// faultText is an error object in one line.
func faultText(payload []byte) string {
	var o struct {
		Type    string `json:"errorType"`
		Message string `json:"errorMessage"`
	}
	if json.Unmarshal(payload, &o) != nil || o.Type == "" && o.Message == "" {
		return string(payload[:min(len(payload), 1024)])
	}
	return o.Type + ": " + o.Message
}
