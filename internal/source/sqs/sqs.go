package sqs

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"plumb/internal/arn"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/lambda"
	"plumb/internal/model"
	"plumb/internal/model/lambdaapi"
	"plumb/internal/queue"
	"plumb/internal/source/mapping"
)

// A Poller polls queues.
type Poller struct {
	log       *slog.Logger
	db        *db.DB
	jobs      *job.Queue
	queues    *queue.Store
	functions *lambda.Service
	now       func() time.Time
}

// New returns the poller of the queues and registers the job that handles a batch.
func New(log *slog.Logger, d *db.DB, jobs *job.Queue, queues *queue.Store, functions *lambda.Service, now func() time.Time) *Poller {
	p := &Poller{log, d, jobs, queues, functions, now}
	job.Handle(jobs, p.look, job.Policy{Timeout: 16 * time.Minute})
	return p
}

// look is the job that looks at a queue and handles one batch of it.
type look struct {
	config.Place
	Mapping string `json:"mapping"`
	At      int64  `json:"at"` // microseconds: names the row in source_wake
}

func (look) Kind() string { return "source.sqs.look" }

// Owner is the mapping's account.
func (l look) Owner() string { return l.Account }

// Check returns Lambda's answer to a queue that cannot be polled.
func (p *Poller) Check(ctx context.Context, m mapping.Mapping) error {
	if err := mapping.CheckQueue(m); err != nil {
		return err
	}
	return p.db.Read(ctx, func(tx *db.Tx) error {
		_, found, err := p.queue(ctx, tx, m)
		if err == nil && !found {
			return lambdaapi.InvalidParameterValueException("Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. " +
				"SQS Error Message: The specified queue does not exist.")
		}
		return err
	})
}

// queue returns a mapping's queue, if it is there. Those of other places are not
// reached.
func (p *Poller) queue(ctx context.Context, tx *db.Tx, m mapping.Mapping) (q queue.Queue, found bool, err error) {
	a, err := arn.Parse(m.Source)
	if err != nil || a.Account != m.Account || a.Region != m.Region {
		return q, false, nil
	}
	q, err = queue.ByARN(ctx, tx, m.Source)
	if model.IsCode(err, "QueueDoesNotExist") {
		return q, false, nil
	}
	return q, err == nil, err
}

// settled is when every message is seen that was being sent while a mapping was not yet
// enabled: its sender did not plan a look.
const settled = 30 * time.Second

// Enable has the queue looked at, now and once more.
func (p *Poller) Enable(ctx context.Context, tx *db.Tx, m mapping.Mapping) error {
	if err := p.wake(ctx, tx, m, p.now().Add(settled)); err != nil {
		return err
	}
	return p.wake(ctx, tx, m, p.now())
}

// gone hides that a mapping was deleted meanwhile: there is nothing left to do.
func gone(err error) error {
	if model.IsCode(err, "ResourceNotFoundException") {
		return nil
	}
	return err
}

// look handles one batch.
func (p *Poller) look(ctx context.Context, j job.Job[look]) error {
	m, ok, err := p.begin(ctx, j)
	if err != nil || !ok {
		return err
	}
	batch, q, err := p.receive(ctx, m)
	if err != nil {
		return err
	}
	done, err := p.handle(ctx, m, q, batch)
	if err != nil {
		return err
	}
	return p.db.Write(ctx, func(tx *db.Tx) error {
		for _, msg := range done {
			// A receipt that has expired is another receiver's by now.
			if err := p.queues.DeleteMessage(ctx, tx, q, msg.Receipt); err != nil && !isNamed(err) {
				return fmt.Errorf("delete message: %w", err)
			}
		}
		return p.end(ctx, tx, m, j.ID, len(batch) > 0)
	})
}

func isNamed(err error) bool {
	_, named := model.Named(err)
	return named
}

// receive takes a batch from the queue, if one is there that is large or old
// enough. Other messages that can be received already are another job's.
func (p *Poller) receive(ctx context.Context, m mapping.Mapping) (batch []queue.Message, q queue.Queue, err error) {
	var w queue.Waiting
	found := false
	err = p.db.Read(ctx, func(tx *db.Tx) error {
		if q, found, err = p.queue(ctx, tx, m); err != nil || !found {
			return err
		}
		w, err = p.queues.Waits(ctx, tx, q, m.BatchSize+1)
		return err
	})
	if err != nil || !found || w.Visible == 0 {
		return nil, q, err
	}
	full := w.Oldest.Add(time.Duration(m.Window) * time.Second)
	if w.Visible < m.BatchSize && full.After(p.now()) {
		return nil, q, p.db.Write(ctx, func(tx *db.Tx) error { return p.wake(ctx, tx, m, full) })
	}
	size := 0
	batch, err = p.queues.Receive(ctx, q, queue.ReceiveRequest{Max: m.BatchSize, Visibility: -1, Take: func(msg queue.Message) bool {
		size += sizeOf(msg)
		return size <= maxBatch
	}})
	if err != nil || len(batch) == 0 || w.Visible <= len(batch) {
		return batch, q, err
	}
	return batch, q, p.db.Write(ctx, func(tx *db.Tx) error { return p.wake(ctx, tx, m, p.now()) })
}

// handle hands a batch to the function and returns the messages that are done
// with. The others come back by themselves.
func (p *Poller) handle(ctx context.Context, m mapping.Mapping, q queue.Queue, batch []queue.Message) (done []queue.Message, err error) {
	if len(batch) == 0 {
		return nil, nil
	}
	wanted, done, err := filter(m, batch)
	if err != nil || len(wanted) == 0 {
		return done, err
	}
	payload, err := event(m, wanted)
	if err != nil {
		return nil, err
	}
	a, err := p.functions.Invoke(ctx, m.Function, lambda.Call{Payload: payload})
	switch {
	case err != nil:
		p.log.Warn("batch of a queue could not be handed over, its messages come back", "function", m.Function.ARN(), "queue", q.Name, "err", err)
		return done, nil
	case a.FunctionError != "":
		return done, nil
	case !m.Partial:
		return append(done, wanted...), nil
	}
	return append(done, succeeded(a.Payload, wanted)...), nil
}
