package lambda

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/lambda/environment"
	"plumb/internal/model"
	"plumb/internal/model/lambdaapi"
	"plumb/internal/trace"
)

// maxRequest is how many bytes the payload of a call may have.
const maxRequest = 6 * 1024 * 1024

// A Call is an invocation that somebody waits for.
type Call struct {
	RequestID     string // made if empty
	Payload       []byte // JSON; empty is {}
	ClientContext string // JSON
	TraceID       string // made if empty
	Tail          bool   // the end of the log is wanted
}

// An Answer is what a call brought.
type Answer struct {
	environment.Result
	Version string // that ran
}

// CheckPayload refuses what is not JSON, and returns {} for nothing.
func CheckPayload(payload []byte) ([]byte, error) {
	if len(payload) == 0 {
		return []byte("{}"), nil
	}
	if json.Valid(payload) {
		return payload, nil
	}
	var v any
	return nil, lambdaapi.InvalidRequestContentException("Could not parse request body into json: Could not parse payload into json: %v", json.Unmarshal(payload, &v))
}

// Invoke runs a function once and returns what it answered, its errors
// included. A caller that goes away does not stop it.
func (s *Service) Invoke(ctx context.Context, r Ref, c Call) (Answer, error) {
	payload, err := CheckPayload(c.Payload)
	if err != nil {
		return Answer{}, err
	}
	if len(payload) > maxRequest {
		return Answer{}, tooLarge("Request must be smaller than %d bytes for the InvokeFunction operation", maxRequest)
	}
	c.Payload = payload
	return s.run(context.WithoutCancel(ctx), r, c)
}

// ErrNotInTime is that a function has not answered for as long as it was waited for.
var ErrNotInTime = errors.New("the function took too long")

// InvokeWithin is Invoke for a caller that waits no longer than a time, or than ctx
// lasts: the error is ErrNotInTime then, or that of ctx, and the function goes on.
func (s *Service) InvokeWithin(ctx context.Context, r Ref, c Call, within time.Duration) (Answer, error) {
	type result struct {
		answer Answer
		err    error
	}
	done := make(chan result, 1)
	go func() {
		a, err := s.Invoke(ctx, r, c)
		done <- result{a, err}
	}()
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case r := <-done:
		return r.answer, r.err
	case <-timer.C:
		return Answer{}, ErrNotInTime
	case <-ctx.Done():
		return Answer{}, ctx.Err()
	}
}

// run runs a function and tells how that ended.
func (s *Service) run(ctx context.Context, r Ref, c Call) (Answer, error) {
	ctx, span := trace.StartAs(ctx, trace.Client, "Invoke "+r.Name, "faas.invoked_name", r.Name, "cloud.account.id", r.Account, "cloud.region", r.Region)
	defer span.End()
	a, err := s.runVersion(ctx, r, c)
	span.Set("plumb.outcome", ending(a, err))
	if a.FunctionError != "" {
		err := errors.New(a.fault())
		span.Fail(err)
	}
	span.Fail(err)
	if s.o.Ran != nil && !model.IsCode(err, "ResourceNotFoundException") {
		s.o.Ran(ending(a, err))
	}
	return a, err
}

func ending(a Answer, err error) string {
	switch {
	case model.IsCode(err, "TooManyRequestsException"):
		return "throttled"
	case err != nil:
		return "failed"
	case a.FunctionError == "":
		return "success"
	case bytes.Contains(a.Payload, []byte(`"Sandbox.Timedout"`)):
		return "timeout"
	}
	return "error"
}

// runVersion finds the version, takes a place among the running and runs it.
func (s *Service) runVersion(ctx context.Context, r Ref, c Call) (Answer, error) {
	f, reserved, err := s.forInvoke(ctx, r)
	if err != nil {
		return Answer{}, err
	}
	done, err := s.admit(f.Place, f.Name, reserved)
	if err != nil {
		return Answer{}, err
	}
	defer done()
	folder, release, err := s.folder(ctx, f.CodeSHA)
	if errors.Is(err, errNoRow) {
		// An update came between, and its code is the one to run.
		if f, _, err = s.forInvoke(ctx, r); err == nil {
			folder, release, err = s.folder(ctx, f.CodeSHA)
		}
	}
	if err != nil {
		return Answer{}, err
	}
	defer release()
	if c.RequestID == "" {
		c.RequestID = NewID()
	}
	if ours := trace.XRay(ctx); ours != "" {
		c.TraceID = ours // what the function calls belongs to the invocation
	}
	if c.TraceID == "" {
		c.TraceID = s.newTrace()
	}
	trace.Of(ctx).Set("faas.invocation_id", c.RequestID)
	res, err := s.pool.Invoke(ctx, s.version(f, folder), environment.Invocation{
		RequestID: c.RequestID, FunctionARN: r.ARN(), TraceID: c.TraceID, ClientContext: c.ClientContext, Payload: c.Payload, Tail: c.Tail,
	})
	if errors.Is(err, environment.ErrClosed) {
		return Answer{}, model.ServiceUnavailable("The server is stopping.")
	}
	if err != nil {
		return Answer{}, fmt.Errorf("invoke %s: %w", r.ARN(), err)
	}
	return Answer{Result: res, Version: f.Version}, nil
}

// forInvoke returns the version to run, picked by weight for an alias, and the
// function's reserved concurrency.
func (s *Service) forInvoke(ctx context.Context, r Ref) (f Function, reserved *int, err error) {
	m, ok, changes := s.cache.get(r)
	if ok {
		return m.function, m.reserved, nil
	}
	fixed := true
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		m, fixed, err = s.meaning(ctx, tx, r)
		return err
	})
	if err == nil && fixed {
		s.cache.put(r, m, changes)
	}
	return m.function, m.reserved, err
}

// meaning reads what a reference means now, and whether it means that every
// time.
func (s *Service) meaning(ctx context.Context, tx *db.Tx, r Ref) (m meaning, fixed bool, err error) {
	shown := eventRef(r)
	latest, err := s.latest(ctx, tx, shown)
	if err != nil {
		return m, false, err
	}
	m, fixed = meaning{function: latest, reserved: latest.Reserved}, true
	version := shown.Qualifier
	if version != Latest && !isVersion(version) {
		a, err := readAlias(ctx, tx, r, version)
		if errors.Is(err, errNoRow) {
			return m, false, notFound(shown)
		}
		if err != nil {
			return m, false, err
		}
		version, fixed = a.route(), len(a.Weights) == 0
	}
	if version == Latest {
		return m, fixed, nil
	}
	m.function, err = readVersion(ctx, tx, r, version)
	if errors.Is(err, errNoRow) {
		err = notFound(shown)
	}
	return m, fixed, err
}

// folder returns where the code is unpacked, which stays until release is called.
func (s *Service) folder(ctx context.Context, sha string) (dir string, release func(), err error) {
	return s.folders.Get(sha, func() (zip []byte, err error) {
		if s.db.IsPostgres() {
			// Another server may have deleted functions: what is unpacked here of theirs makes room.
			if err := s.sweepCode(ctx); err != nil {
				return nil, err
			}
		}
		err = s.db.Read(ctx, func(tx *db.Tx) error {
			zip, err = readCode(ctx, tx, sha)
			return err
		})
		return zip, err
	})
}

// version says what an environment must know of f.
func (s *Service) version(f Function, folder string) environment.Version {
	level := f.Log.Application
	if level == "" {
		level = "INFO"
	}
	return environment.Version{
		Key: versionKey(f.ARN(), f.Version, f.Revision), Function: f.ARN(), Name: f.Name, Number: f.Version,
		Account: f.Account, Region: f.Region, Role: f.Role,
		Runtime: f.Runtime, Handler: f.Handler, Code: folder, Timeout: time.Duration(f.Timeout) * time.Second,
		Memory: f.Memory, Ephemeral: f.Ephemeral, Variables: f.Environment,
		LogGroup: f.Log.Group, LogFormat: f.Log.Format, LogLevel: level,
	}
}

// admit counts an invocation in, or refuses it when the function's reservation
// or the account's limit is used up. The counts are this server's.
func (s *Service) admit(p config.Place, name string, reserved *int) (done func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	counts := s.running[p]
	if counts == nil {
		counts = map[string]int{}
		s.running[p] = counts
	}
	total := 0
	for _, n := range counts {
		total += n
	}
	switch {
	case reserved != nil && counts[name] >= *reserved:
		return nil, throttled("ReservedFunctionConcurrentInvocationLimitExceeded")
	case reserved == nil && total >= s.o.Concurrency:
		return nil, throttled("ConcurrentInvocationLimitExceeded")
	}
	counts[name]++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if counts[name]--; counts[name] == 0 {
			delete(counts, name)
		}
	}, nil
}

func throttled(reason string) error {
	return lambdaapi.TooManyRequestsException("Rate Exceeded.").With("Reason", reason)
}

// newTrace makes a trace id as X-Ray writes it.
func (s *Service) newTrace() string {
	id := NewID()
	hex := id[:8] + id[9:13] + id[14:18] + id[19:23] + id[24:]
	return fmt.Sprintf("Root=1-%08x-%s;Parent=%s;Sampled=0", s.now().Unix(), hex[:24], hex[8:24])
}
