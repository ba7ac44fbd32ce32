package s3

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"plumb/internal/arn"
	"plumb/internal/bucket"
	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/lambda"
	"plumb/internal/model"
)

// service is S3's name in the policies of destinations.
const service = "s3.amazonaws.com"

// subject is that of messages to a topic.
const subject = "Amazon S3 Notification"

// Options are what is told.
type Options struct {
	Targets   lambda.Targets // queues and topics
	Functions *lambda.Service
	// Bus puts an event on the default event bus of a place; nil where there is none.
	Bus func(ctx context.Context, tx *db.Tx, p config.Place, e BusEvent) error
}

// Notifications tell what happens to objects.
type Notifications struct {
	log  *slog.Logger
	db   *db.DB
	jobs *job.Queue
	now  func() time.Time
	o    Options
}

// New returns the notifications and registers the job that tells one.
func New(log *slog.Logger, d *db.DB, jobs *job.Queue, now func() time.Time, o Options) *Notifications {
	n := &Notifications{log, d, jobs, now, o}
	job.HandleTx(jobs, n.tell, job.Policy{})
	return n
}

// notice is the job that tells a destination one event.
type notice struct {
	config.Place
	Bucket string `json:"bucket"`
	Target string `json:"target"` // ARN
	Event  []byte `json:"event"`
}

func (notice) Kind() string { return "source.s3.notice" }

// Owner is the bucket's account.
func (n notice) Owner() string { return n.Account }

// Happened decides who is told of an event, in the transaction that makes it true.
func (n *Notifications) Happened(ctx context.Context, tx *db.Tx, e bucket.Event) error {
	text, ok, err := bucket.ReadConfiguration(ctx, tx, e.Bucket.Name, "notification", "")
	if err != nil || !ok {
		return err
	}
	c, err := Parse([]byte(text))
	if err != nil {
		return nil // it was put before configurations were checked
	}
	by := caller.From(ctx)
	r := recordOf(e, by, n.now())
	for _, rule := range c.Rules {
		if !rule.matches("s3:"+e.Name, e.Key) {
			continue
		}
		event, err := told(r, rule)
		if err != nil {
			return fmt.Errorf("event of %s: %w", e.Bucket.Name, err)
		}
		if err := n.jobs.Insert(ctx, tx, notice{e.Bucket.Place, e.Bucket.Name, rule.Target, event}, job.Options{}); err != nil {
			return err
		}
	}
	if !c.Bus || n.o.Bus == nil {
		return nil
	}
	event, err := busEvent(e, by)
	if err != nil {
		return fmt.Errorf("event of %s: %w", e.Bucket.Name, err)
	}
	return n.o.Bus(ctx, tx, e.Bucket.Place, event)
}

// sender is a bucket, as the policies of destinations know it.
func sender(p config.Place, name string) caller.Sender {
	return caller.Sender{Account: p.Account, Region: p.Region, Service: service, ARN: "arn:aws:s3:::" + name}
}

// errRefused ends a notice whose destination is gone or does not let the bucket in.
// S3 does not try again.
var errRefused = errors.New("the destination is gone or does not let the bucket in")

// tell hands an event over, if the destination still lets the bucket in.
func (n *Notifications) tell(ctx context.Context, tx *db.Tx, j job.Job[notice]) error {
	err := n.hand(ctx, tx, j.Args)
	if _, named := model.Named(err); named || errors.Is(err, errRefused) {
		n.log.Warn("event of a bucket was not taken", "bucket", j.Args.Bucket, "target", j.Args.Target, "err", err)
		return nil
	}
	return err
}

func (n *Notifications) hand(ctx context.Context, tx *db.Tx, a notice) error {
	from := sender(a.Place, a.Bucket)
	if reason, err := n.refuses(ctx, tx, from, a.Target); err != nil || reason != "" {
		return errors.Join(err, errRefused)
	}
	if ref, err := lambda.ParseARN(a.Target); err == nil {
		_, err := n.o.Functions.InvokeAsync(ctx, tx, lambda.Event{Ref: ref, Payload: a.Event})
		return err
	}
	return n.o.Targets.Send(ctx, tx, from, lambda.Message{Target: a.Target, Subject: subject, Body: string(a.Event)})
}

// refuses returns why a destination does not let a bucket in; nothing if it does.
func (n *Notifications) refuses(ctx context.Context, tx *db.Tx, from caller.Sender, target string) (reason string, err error) {
	a, err := arn.Parse(target)
	if err != nil {
		return "The ARN could not be parsed", nil
	}
	switch a.Service {
	case "lambda":
		may, err := lambda.MayInvoke(ctx, tx, target, service, from.ARN, from.Account)
		if err != nil || may {
			return "", err
		}
		return "Not authorized to invoke function [" + target + "]", nil
	case "sqs":
		reason = "The destination queue does not exist"
		if strings.HasSuffix(target, ".fifo") {
			return "FIFO queues are not supported", nil
		}
	default:
		reason = "The destination topic does not exist"
	}
	found, err := n.o.Targets.Exists(ctx, tx, from, target)
	if err != nil || found {
		return "", err
	}
	return reason, nil
}

// Check refuses a configuration whose destinations cannot be told anything, unless
// skip is set.
func (n *Notifications) Check(ctx context.Context, b bucket.Bucket, c Configuration, skip bool) error {
	var faults []refusal
	for _, r := range c.Rules {
		if a, err := arn.Parse(r.Target); err != nil || a.Region != b.Region {
			return argument("The notification destination service region is not valid for the bucket location constraint", r.Kind, r.Target)
		}
	}
	if skip {
		return nil
	}
	err := n.db.Read(ctx, func(tx *db.Tx) error {
		for _, r := range c.Rules {
			reason, err := n.refuses(ctx, tx, sender(b.Place, b.Name), r.Target)
			if err != nil {
				return err
			}
			if reason != "" {
				faults = append(faults, refusal{r.Target, reason})
			}
		}
		return nil
	})
	if err != nil || len(faults) == 0 {
		return err
	}
	return invalidTarget(faults)
}

// Configured sends queues and topics the event that shows that they are reached.
func (n *Notifications) Configured(ctx context.Context, b bucket.Bucket, c Configuration) error {
	event, err := testEvent(b, caller.From(ctx), n.now())
	if err != nil {
		return err
	}
	return n.db.Write(ctx, func(tx *db.Tx) error {
		for _, r := range c.Rules {
			if r.Kind == "CloudFunction" {
				continue
			}
			if err := n.jobs.Insert(ctx, tx, notice{b.Place, b.Name, r.Target, event}, job.Options{}); err != nil {
				return err
			}
		}
		return nil
	})
}
