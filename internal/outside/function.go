package outside

import (
	"context"
	"errors"
	"fmt"
	"time"

	"plumb/internal/awsclient"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/rule"
)

// Functions are those of an outside Lambda that rules name.
type Functions struct {
	clients *Clients
	db      *db.DB
	jobs    *job.Queue
	invoked func(ctx context.Context, tx *db.Tx, o rule.Origin, code, message string) error
}

// NewFunctions returns the functions, and registers the job that invokes one.
// How an invocation ended is handed to invoked.
func NewFunctions(
	c *Clients, d *db.DB, jobs *job.Queue, invoked func(ctx context.Context, tx *db.Tx, o rule.Origin, code, message string) error,
) *Functions {
	f := &Functions{c, d, jobs, invoked}
	job.Handle(jobs, f.call, job.Policy{Timeout: time.Minute})
	return f
}

// An invocation is the job that asks an outside Lambda.
type invocation rule.Invocation

func (invocation) Kind() string { return "outside.invoke" }

// Owner is the place's account.
func (j invocation) Owner() string { return j.Place.Account }

// Invoke inserts the job that invokes a rule's function.
func (f *Functions) Invoke(ctx context.Context, tx *db.Tx, i rule.Invocation) error {
	return f.jobs.Insert(ctx, tx, invocation(i), callOptions())
}

// call asks an outside Lambda for an asynchronous invocation, and tells
// the rule whether it was taken.
func (f *Functions) call(ctx context.Context, j job.Job[invocation]) error {
	i := j.Args
	client, err := f.clients.Service(ctx, i.Place, "lambda")
	if err != nil {
		return err
	}
	if client == nil {
		return job.Discard(fmt.Errorf("the settings name no lambda for %s any more", i.Place))
	}
	_, err = client.Call(ctx, "lambda", "Invoke", map[string]any{
		"FunctionName": i.FunctionARN, "InvocationType": "Event", "Payload": i.Payload,
	})
	refusal, refused := errors.AsType[*awsclient.Error](err)
	if err != nil && (!refused || refusal.Status >= 500 || refusal.Status == 429) && !j.Last() {
		return err
	}
	failure, text := "", ""
	if err != nil {
		failure, text = "InvocationFailed", err.Error()
	}
	i.Origin.Asked = rule.Asked{} // it was asked, and answers later: how that ended is not told
	return f.db.Write(ctx, func(tx *db.Tx) error { return f.invoked(ctx, tx, i.Origin, failure, text) })
}
