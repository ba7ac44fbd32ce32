package automation

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"plumb/internal/arn"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
)

// Options are what an Engine is made of. All are required.
type Options struct {
	DB   *db.DB
	Jobs *job.Queue
	Services
	Catalogue Catalogue // documents that are there for everybody
	// Ended is called in the transaction that ends an execution.
	Ended func(ctx context.Context, tx *db.Tx, e Execution) error
	Now   func() time.Time
}

// An Engine runs executions. It is safe for concurrent use, and servers that
// share a store share the work.
type Engine struct {
	log *slog.Logger
	Options
}

// New returns an engine and registers its job.
func New(log *slog.Logger, o Options) *Engine {
	e := &Engine{log, o}
	job.HandlePrepared(e.Jobs, e.prepare, job.Policy{Timeout: maxAttempt + time.Minute})
	return e
}

// step is the job that makes an attempt at a step.
type step struct {
	Execution string `json:"execution"`
	Number    int    `json:"number"`
}

// Kind names the job.
func (step) Kind() string { return "automation.step" }

// maxRuns is how many steps one execution may take: a document may lead back.
const maxRuns = 1000

// A Request asks for an execution.
type Request struct {
	config.Place
	Document   string // name
	Version    string // number, $DEFAULT or $LATEST; empty is $DEFAULT
	Parameters map[string][]string
	Note       string // given back to Ended
	Token      string // the caller's, a UUID: the same token is the same execution
	By         string
}

// Start begins an execution in tx and returns its id. The error is ErrNotFound
// where there is no such document, and a ParameterError for parameters that it
// does not take.
func (e *Engine) Start(ctx context.Context, tx *db.Tx, r Request) (string, error) {
	found, err := e.Document(ctx, tx, r.Place, r.Document, r.Version)
	if err != nil {
		return "", err
	}
	if found.Kind != Automation {
		return "", ErrNotFound
	}
	d, err := Parse(found.Content)
	if err != nil {
		return "", fmt.Errorf("document %s: %w", r.Document, err)
	}
	values, err := d.Bind(r.Parameters)
	if err != nil {
		return "", err
	}
	if r.Token != "" {
		if before, err := e.started(ctx, tx, r); !errors.Is(err, ErrNotFound) {
			return before, err
		}
	}
	now := e.Now()
	x := Execution{
		Place: r.Place, ID: newID(), Document: r.Document, Version: fmt.Sprint(found.Version), Content: found.Content,
		Parameters: r.Parameters, Note: r.Note, By: r.By, Status: InProgress, Started: now, values: values,
	}
	if r.Token != "" {
		x.ID = tokenID(r)
	}
	maps.Copy(x.values, globals(x, now))
	role, err := x.values.fill(d.AssumeRole)
	if err != nil {
		return "", wrongParameter("assumeRole: %s", err)
	}
	x.Role = text(role)
	if arn.Foreign(x.Role, r.Account) {
		return "", wrongParameter("The defined assume role is unable to be assumed.")
	}
	if err := addExecution(ctx, tx, x); err != nil {
		return "", err
	}
	return x.ID, e.begin(ctx, tx, x, d.Steps[0])
}

// ErrToken says that a caller's token was used for something else.
var ErrToken = errors.New("the token was used with other parameters")

// tokenID returns the id of the execution that a place's token stands for.
func tokenID(r Request) string {
	sum := sha256.Sum256([]byte(r.Place.String() + "\x00" + r.Token))
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

// started returns the execution that a request with that token began.
func (e *Engine) started(ctx context.Context, tx *db.Tx, r Request) (string, error) {
	id := tokenID(r)
	if err := lock(ctx, tx, id); err != nil {
		return "", err
	}
	x, err := Get(ctx, tx, id)
	if err != nil {
		return "", err
	}
	if x.Document != r.Document || !maps.EqualFunc(x.Parameters, r.Parameters, slices.Equal) {
		return "", ErrToken
	}
	return id, nil
}

func globals(x Execution, now time.Time) Values {
	return Values{
		"global:REGION": x.Region, "global:ACCOUNT_ID": x.Account, "global:AWS_PARTITION": "aws", "automation:EXECUTION_ID": x.ID,
		"global:DATE": now.UTC().Format("2006-01-02"), "global:DATE_TIME": now.UTC().Format("2006-01-02_15.04.05"),
	}
}

// begin has a step run next.
func (e *Engine) begin(ctx context.Context, tx *db.Tx, x Execution, s Step) error {
	if err := putStep(ctx, tx, x.ID, StepRun{Number: x.step, Name: s.Name, Action: s.Action, Status: Pending}); err != nil {
		return err
	}
	return e.again(ctx, tx, x, 0)
}

func (e *Engine) again(ctx context.Context, tx *db.Tx, x Execution, after time.Duration) error {
	o := job.Options{Queue: job.Function}
	if after > 0 {
		o.At = e.Now().Add(after)
	}
	return e.Jobs.Insert(ctx, tx, step{x.ID, x.step}, o)
}

// newID returns a random UUID.
func newID() string {
	b := make([]byte, 16)
	rand.Read(b)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// prepare makes an attempt at a step, and returns what keeps what came of it.
func (e *Engine) prepare(ctx context.Context, j job.Job[step]) (job.Commit, error) {
	x, run, err := e.current(ctx, j.Args)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	d, err := Parse(x.Content)
	if err != nil {
		return nil, job.Discard(err)
	}
	s, ok := d.step(run.Name)
	if !ok {
		return nil, job.Discard(fmt.Errorf("execution %s: there is no step %s", x.ID, run.Name))
	}
	if run.Status == Pending {
		run.Started, run.Status = e.Now(), InProgress
	}
	if run.waited == nil {
		run.Attempts++
	}
	o := e.run(ctx, s, setting{place: x.Place, role: x.Role, values: x.values, started: run.Started, now: e.Now(), waited: run.waited})
	if o.err != nil && ctx.Err() != nil && context.Cause(ctx) != context.DeadlineExceeded {
		return nil, ctx.Err() // the server is being stopped: the attempt is made again
	}
	return func(ctx context.Context, tx *db.Tx) error { return e.commit(ctx, tx, d, s, j.Args, run, o) }, nil
}

// current returns the execution and the step of a job, or ErrNotFound if it has
// been overtaken.
func (e *Engine) current(ctx context.Context, a step) (x Execution, run StepRun, err error) {
	err = e.DB.Read(ctx, func(tx *db.Tx) error {
		x, err = Get(ctx, tx, a.Execution)
		if err != nil {
			return err
		}
		if x.Status != InProgress || x.step != a.Number {
			return ErrNotFound
		}
		steps, err := Steps(ctx, tx, a.Execution)
		if err != nil {
			return err
		}
		for _, s := range steps {
			if s.Number == a.Number {
				run = s
				return nil
			}
		}
		return ErrNotFound
	})
	return x, run, err
}

// commit keeps what an attempt brought, and has the execution go on.
func (e *Engine) commit(ctx context.Context, tx *db.Tx, d *Document, s Step, a step, run StepRun, o outcome) error {
	if err := lock(ctx, tx, a.Execution); err != nil {
		return err
	}
	x, err := Get(ctx, tx, a.Execution)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil || x.Status != InProgress || x.step != a.Number {
		return err // stopped meanwhile
	}
	run.Inputs, run.waited = o.inputs, o.waited
	if o.err == nil && o.again > 0 {
		if err := putStep(ctx, tx, x.ID, run); err != nil {
			return err
		}
		return e.again(ctx, tx, x, o.again)
	}
	run.waited = nil
	if o.err != nil && !o.timeout && run.Attempts < s.MaxAttempts {
		run.Failure = o.err.Error()
		if err := putStep(ctx, tx, x.ID, run); err != nil {
			return err
		}
		return e.again(ctx, tx, x, time.Second<<(run.Attempts-1))
	}
	return e.endStep(ctx, tx, d, s, x, run, o)
}

func lock(ctx context.Context, tx *db.Tx, id string) error {
	return tx.Lock(ctx, "automation execution "+id)
}

// endStep keeps how a step ended, and begins the next one or ends the execution.
func (e *Engine) endStep(ctx context.Context, tx *db.Tx, d *Document, s Step, x Execution, run StepRun, o outcome) error {
	run.Ended, run.Outputs, run.Status, run.Failure = e.Now(), o.outputs, Success, ""
	if o.err != nil {
		run.Status, run.Failure, run.Outputs = Failed, o.err.Error(), nil
		if o.timeout {
			run.Status = TimedOut
		}
	}
	if err := putStep(ctx, tx, x.ID, run); err != nil {
		return err
	}
	maps.Copy(x.values, run.Outputs)
	next, goesOn := d.after(s, o)
	if o.err != nil {
		if x.Failure == "" && s.critical() || !goesOn {
			x.Failure = fmt.Sprintf("Step %s failed: %s", s.Name, o.err)
		}
		x.failing = x.failing || s.critical()
	}
	if goesOn && next != "" && x.step < maxRuns {
		following, _ := d.step(next)
		x.step++
		if err := saveExecution(ctx, tx, x); err != nil {
			return err
		}
		return e.begin(ctx, tx, x, following)
	}
	x.Status = Success
	switch {
	case goesOn && next != "":
		x.Status, x.Failure = Failed, fmt.Sprintf("The execution took %d steps without an end.", maxRuns)
	case !goesOn || x.failing:
		x.Status = Failed
		if o.timeout && !goesOn {
			x.Status = TimedOut
		}
	}
	return e.end(ctx, tx, x)
}

// after returns the step after one, and whether the document goes on at all.
func (d *Document) after(s Step, o outcome) (next string, goesOn bool) {
	switch {
	case o.err == nil && o.next != "":
		return o.next, true
	case o.err == nil, s.OnFailure == "Continue":
		return d.following(s), true
	case len(s.OnFailure) > len("step:") && s.OnFailure[:5] == "step:":
		return s.OnFailure[5:], true
	default:
		return "", false
	}
}

func (e *Engine) end(ctx context.Context, tx *db.Tx, x Execution) error {
	x.Ended = e.Now()
	if err := saveExecution(ctx, tx, x); err != nil {
		return err
	}
	return e.Ended(ctx, tx, x)
}

// Stop ends an execution after the attempt that is under way, whose outcome is
// dropped. One that ended is left alone.
func (e *Engine) Stop(ctx context.Context, tx *db.Tx, id string) error {
	if err := lock(ctx, tx, id); err != nil {
		return err
	}
	x, err := Get(ctx, tx, id)
	if err != nil || x.Status.Ended() {
		return err
	}
	steps, err := Steps(ctx, tx, id)
	if err != nil {
		return err
	}
	for _, s := range steps {
		if !s.Status.Ended() {
			s.Status, s.Ended = Cancelled, e.Now()
			if err := putStep(ctx, tx, id, s); err != nil {
				return err
			}
		}
	}
	x.Status = Cancelled
	return e.end(ctx, tx, x)
}

// kept is how long an execution that ended can be read, as with AWS.
const kept = 30 * 24 * time.Hour

// Sweep deletes up to limit executions that ended long ago, and reports whether
// there may be more.
func (e *Engine) Sweep(ctx context.Context, tx *db.Tx, limit int) (more bool, err error) {
	n, err := deleteExecutions(ctx, tx, e.Now().Add(-kept), limit)
	return n == int64(limit), err
}
