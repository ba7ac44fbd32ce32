package stream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"plumb/internal/arn"
	"plumb/internal/awsclient"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/lambda"
	"plumb/internal/model"
	"plumb/internal/model/lambdaapi"
	"plumb/internal/source/mapping"
)

// A Client returns who calls a service for a place; nil where there is none.
type Client func(ctx context.Context, p config.Place, service string) (*awsclient.Client, error)

// A Poller polls streams.
type Poller struct {
	log       *slog.Logger
	db        *db.DB
	jobs      *job.Queue
	functions *lambda.Service
	targets   lambda.Targets // what was given up is told to them
	client    Client
	now       func() time.Time
	stopping  <-chan struct{} // closed when the server is to end
}

// New returns the poller of streams and registers its jobs. When stopping is closed, each
// shard is left after the batch that is under way.
func New(
	log *slog.Logger, d *db.DB, jobs *job.Queue, functions *lambda.Service, targets lambda.Targets, client Client, now func() time.Time,
	stopping <-chan struct{},
) *Poller {
	p := &Poller{log, d, jobs, functions, targets, client, now, stopping}
	job.Handle(jobs, p.discover, job.Policy{Timeout: 3 * time.Minute})
	job.Handle(jobs, p.read, job.Policy{Timeout: 30 * time.Minute})
	return p
}

func gone(err error) error {
	if model.IsCode(err, "ResourceNotFoundException") {
		return nil
	}
	return err
}

func invalid(format string, args ...any) error {
	return lambdaapi.InvalidParameterValueException(format, args...)
}

// errNoTarget is that there is nobody to ask for a stream.
var errNoTarget = errors.New("the account has no target and no outside service that has streams")

func (p *Poller) clientOf(ctx context.Context, m mapping.Mapping) (*awsclient.Client, error) {
	c, err := p.client(ctx, m.Place, m.Service())
	if err == nil && c == nil {
		err = errNoTarget
	}
	return c, err
}

// Check returns Lambda's answer to a stream that cannot be polled.
func (p *Poller) Check(ctx context.Context, m mapping.Mapping) error {
	a, err := arn.Parse(m.Source)
	switch {
	case err != nil || a.Account != m.Account || a.Region != m.Region:
		return invalid("Stream not found: %s", m.Source)
	case m.Position == "":
		return model.ValidationException("1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must not be null.")
	case m.Position == mapping.AtTimestamp && a.Service == "dynamodb":
		return invalid("Unsupported starting position for arn type: %s", m.Source)
	case m.Position == mapping.AtTimestamp && m.Timestamp.IsZero():
		return invalid("StartingPositionTimestamp is required when StartingPosition is AT_TIMESTAMP.")
	case m.MaxConcurrency != 0:
		return invalid("Unsupported ScalingConfig parameter for given event source mapping type.")
	case m.Tumbling > 0 && m.Factor > 1:
		return invalid("Tumbling windows are not supported with a parallelization factor of more than 1.")
	case m.MaxAge != -1 && m.MaxAge < 60:
		return invalid("MaximumRecordAgeInSeconds must be -1 or at least 60.")
	}
	_, err = p.shards(ctx, m)
	if errors.Is(err, errNoTarget) || awsclient.Code(err) == "ResourceNotFoundException" {
		return invalid("Stream not found: %s", m.Source)
	}
	if err != nil {
		return invalid("The stream %s could not be read: %s", m.Source, firstOf(awsclient.Code(err), "no answer"))
	}
	return nil
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func (p *Poller) shards(ctx context.Context, m mapping.Mapping) ([]shard, error) {
	c, err := p.clientOf(ctx, m)
	if err != nil {
		return nil, err
	}
	return readerOf(m).shards(ctx, c, m)
}

// problem is what a mapping says of an error of its stream.
func problem(err error) string {
	if awsclient.Code(err) == "" {
		return "PROBLEM: Connection error. Please check the event source connectivity."
	}
	return "PROBLEM: " + awsclient.Code(err)
}

// A reading is one job's work on a shard.
type reading struct {
	*Poller
	m       mapping.Mapping
	at      kept
	id      int64 // of the job
	role    string
	filters mapping.Filters
	wait    time.Duration // until the next one, if something failed
	until   time.Time     // when the next job goes on, by the machine's clock
}

// maxReading is how long one job reads a shard that always has more.
const maxReading = 5 * time.Minute

// errLost ends a reading whose shard is not its any more.
var errLost = errors.New("the shard is read by another job, or the mapping is gone")

// read reads a shard until there is nothing new, and leaves its successor.
func (p *Poller) read(ctx context.Context, j job.Job[read]) error {
	r, busy, err := p.begin(ctx, j)
	switch {
	case busy:
		return job.Snooze(time.Second)
	case err != nil || r == nil:
		return err
	}
	err = r.all(ctx)
	if errors.Is(err, errLost) {
		return nil
	}
	if err != nil {
		r.log.Warn("shard could not be read, will retry", "source", r.m.Source, "shard", r.at.Shard, "err", err)
		r.wait = max(r.wait, 5*time.Second)
	}
	return r.end(ctx, j.Args, err)
}

// begin makes a shard this job's, unless another one reads it.
func (p *Poller) begin(ctx context.Context, j job.Job[read]) (r *reading, busy bool, err error) {
	err = p.db.Write(ctx, func(tx *db.Tx) error {
		r, busy = nil, false
		if err := tx.Lock(ctx, "shard "+j.Args.Mapping+" "+j.Args.Shard); err != nil {
			return err
		}
		m, err := mapping.Read(ctx, tx, j.Args.Place, j.Args.Mapping)
		if err != nil {
			return gone(err)
		}
		k, found, err := readShard(ctx, tx, m.ID, j.Args.Shard)
		if err != nil || !found {
			return err
		}
		own, _, err := readShard(ctx, tx, m.ID, "")
		switch {
		case err != nil:
			return err
		case k.Done || k.Round != j.Args.Round || own.Round != j.Args.Round || !m.Polls():
			if k.Job == j.ID { // it was cut off before
				k.Job = 0
				return writeShard(ctx, tx, m.ID, k)
			}
			return nil
		case k.Job != 0 && k.Job != j.ID:
			busy = true
			return nil
		}
		k.Job = j.ID
		k.fit(max(m.Factor, 1))
		r = &reading{Poller: p, m: m, at: k, id: j.ID}
		if f, err := lambda.Find(ctx, tx, m.Function); err == nil {
			r.role = f.Role
		}
		return writeShard(ctx, tx, m.ID, k)
	})
	if err == nil && r != nil {
		r.filters, err = mapping.ParseFilters(r.m.Filters)
	}
	return r, busy, err
}

// save keeps how far the shard is, as long as it is this job's.
func (r *reading) save(ctx context.Context, also func(tx *db.Tx) error) error {
	return r.db.Write(ctx, func(tx *db.Tx) error {
		now, found, err := readShard(ctx, tx, r.m.ID, r.at.Shard)
		if err != nil {
			return err
		}
		if !found || now.Job != r.id {
			return errLost
		}
		k := r.at
		k.Round = now.Round
		if err := writeShard(ctx, tx, r.m.ID, k); err != nil || also == nil {
			return err
		}
		return also(tx)
	})
}

// end gives the shard back and plans the next reading, or that of the shards that follow.
func (r *reading) end(ctx context.Context, a read, failed error) error {
	r.at.Job = 0
	return r.db.Write(ctx, func(tx *db.Tx) error {
		if err := tx.Lock(ctx, "shard "+a.Mapping+" "+a.Shard); err != nil {
			return err
		}
		now, found, err := readShard(ctx, tx, a.Mapping, a.Shard)
		if err != nil || !found || now.Job != r.id {
			return err
		}
		k := r.at
		k.Round = now.Round
		if err := writeShard(ctx, tx, a.Mapping, k); err != nil {
			return err
		}
		if failed != nil {
			if err := mapping.Note(ctx, tx, r.m, problem(failed)); err != nil {
				return err
			}
		}
		if now.Round != a.Round {
			return nil // the round that began meanwhile has its own job
		}
		if k.Done {
			return r.jobs.Insert(ctx, tx, discover{Place: a.Place, Mapping: a.Mapping, Round: a.Round, Once: true}, job.Options{Queue: job.Collect})
		}
		return r.jobs.Insert(ctx, tx, a, job.Options{At: r.now().Add(max(r.wait, readerOf(r.m).interval())), Queue: job.Function})
	})
}

// all reads and hands over until there is nothing new.
func (r *reading) all(ctx context.Context) error {
	c, err := r.clientOf(ctx, r.m)
	if err != nil {
		return err
	}
	for r.until = time.Now().Add(maxReading); !r.over(); {
		chunk, next, err := r.fetch(ctx, c)
		if err != nil {
			return err
		}
		done, err := r.handle(ctx, chunk, next == "")
		if err != nil || !done {
			r.at.Iterator = ""
			return err
		}
		r.at.Iterator, r.at.Read, r.at.Done = next, time.Now().UnixMicro(), next == ""
		if len(chunk) > 0 || r.at.Done {
			if err := r.save(ctx, nil); err != nil {
				return err
			}
		}
		if len(chunk) == 0 || r.at.Done {
			return nil
		}
		if _, goesOn, err := r.polled(ctx, r.m.Place, r.m.ID, r.at.Round); err != nil || !goesOn {
			return err
		}
	}
	return nil
}

// over reports whether another job, perhaps of another server, is to go on.
func (r *reading) over() bool {
	select {
	case <-r.stopping:
		return true
	default:
		return time.Now().After(r.until)
	}
}

// fetch reads what follows what is handled.
func (r *reading) fetch(ctx context.Context, c *awsclient.Client) (chunk []record, next string, err error) {
	reader := readerOf(r.m)
	for try := 0; ; try++ {
		if r.at.Iterator == "" {
			at := r.at.start()
			if at.After == "" && at.Begin == mapping.Latest && r.at.Read != 0 && r.m.Service() == "kinesis" {
				at = position{Begin: mapping.AtTimestamp, Time: time.UnixMicro(r.at.Read)} // nothing came so far
			}
			if r.at.Iterator, err = reader.iterator(ctx, c, r.m, r.at.Shard, at); err != nil {
				return nil, "", fmt.Errorf("begin to read shard %s: %w", r.at.Shard, err)
			}
		}
		chunk, next, err = reader.records(ctx, c, r.m, r.role, r.at.Shard, r.at.Iterator)
		if awsclient.Code(err) == "ExpiredIteratorException" && try == 0 {
			r.at.Iterator = ""
			continue
		}
		return chunk, next, err
	}
}
