package outside

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"plumb/internal/arn"
	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/eventbus"
	"plumb/internal/job"
	"plumb/internal/lambda"
	"plumb/internal/model"
	"plumb/internal/model/snsapi"
	"plumb/internal/model/sqsapi"
	"plumb/internal/queue"
	"plumb/internal/topic"
)

// TargetOptions are what Targets are made of.
type TargetOptions struct {
	Clients *Clients
	Jobs    *job.Queue
	Queues  *queue.Store
	Topics  *topic.Store
	Buckets *Buckets
	// Bus puts an event on an event bus, which is there, for an account.
	Bus func(ctx context.Context, tx *db.Tx, from string, busARN string, e eventbus.Event) error
	// RoleMay returns AccessDeniedException unless a role's policies let it do an action
	// with a resource. It is nil where policies are not asked.
	RoleMay func(ctx context.Context, tx *db.Tx, roleARN, region, action, resource string) error
}

// Targets are where dead letters and results of functions go: queues, topics and
// buckets, embedded or of an outside service, and event buses.
type Targets struct {
	TargetOptions
	log *slog.Logger
}

// NewTargets returns the targets, and registers the jobs that send to an outside one
// and that write to a bucket.
func NewTargets(log *slog.Logger, o TargetOptions) *Targets {
	t := &Targets{o, log}
	job.Handle(o.Jobs, t.send, job.Policy{Timeout: time.Minute})
	job.Handle(o.Jobs, t.write, job.Policy{Timeout: 5 * time.Minute})
	return t
}

// replaces reports whether an outside service takes the place of the embedded one.
// Event buses are those embedded here.
func (t *Targets) replaces(from caller.Sender, service string) bool {
	return service != "events" && t.Clients.Replaces(place(from), service)
}

// Exists reports whether a target is there for a sender. An outside one is taken at
// its word: the sender's own credentials will be asked.
func (t *Targets) Exists(ctx context.Context, tx *db.Tx, from caller.Sender, target string) (bool, error) {
	a, err := arn.Parse(target)
	if err != nil {
		return false, nil
	}
	if t.replaces(from, a.Service) {
		return true, nil
	}
	if from.Service != "" && a.Service != "sqs" && a.Service != "sns" {
		return false, nil // services send to queues and topics only
	}
	if a.Service == "s3" {
		return t.bucketExists(ctx, tx, from, a.Resource)
	}
	if err := May(ctx, tx, from, target); errors.Is(err, ErrMayNot) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	switch a.Service {
	case "sns":
		return topic.Exists(ctx, tx, target)
	case "sqs":
		_, err := queue.ByARN(ctx, tx, target)
		if _, named := errors.AsType[*model.Error](err); named {
			return false, nil
		}
		return err == nil, err
	case "events":
		p, name, err := eventbus.ParseBus(config.Place{}, target)
		if err == nil {
			_, err = eventbus.FindBus(ctx, tx, p, name)
		}
		if _, named := errors.AsType[*model.Error](err); named {
			return false, nil
		}
		return err == nil, err
	}
	return false, nil
}

// place is whose outside services and credentials a sender uses: its own.
func place(from caller.Sender) config.Place {
	return config.Place{Account: from.Account, Region: from.Region}
}

// May returns ErrMayNot unless a function may invoke another.
func (t *Targets) May(ctx context.Context, tx *db.Tx, from caller.Sender, target string) error {
	if err := May(ctx, tx, from, target); err != nil {
		return err
	}
	a, err := arn.Parse(target)
	if err != nil {
		return err
	}
	return t.roleMay(ctx, tx, from, a)
}

// Send gives a message to a target, or leaves a job that does so outside, as the
// sender and with its credentials.
func (t *Targets) Send(ctx context.Context, tx *db.Tx, from caller.Sender, m lambda.Message) error {
	a, err := arn.Parse(m.Target)
	if err != nil {
		return fmt.Errorf("target %q: %w", m.Target, err)
	}
	if a.Service == "s3" {
		return t.sendObject(ctx, tx, from, a.Resource, m)
	}
	if t.replaces(from, a.Service) {
		return t.Jobs.Insert(ctx, tx, message{place(from), a.Service, a.Resource, m}, callOptions())
	}
	if err := May(ctx, tx, from, m.Target); err != nil {
		return err
	}
	if err := t.roleMay(ctx, tx, from, a); err != nil {
		return err
	}
	switch {
	case a.Service == "sns":
		_, err := t.Topics.Publish(ctx, tx, m.Target, m.Subject, m.Body, topicAttributes(m))
		return err
	case a.Service == "sqs":
		return t.Queues.Send(ctx, tx, m.Target, m.Body, queueAttributes(m))
	case a.Service == "events" && m.Event != nil:
		return t.putEvent(ctx, tx, from, m)
	}
	return fmt.Errorf("target %s does not take messages", m.Target)
}

// maxEvent is how many bytes an event may have that is put on a bus.
const maxEvent = 256 << 10

func (t *Targets) putEvent(ctx context.Context, tx *db.Tx, from caller.Sender, m lambda.Message) error {
	if len(m.Body) > maxEvent {
		return fmt.Errorf("a record of %d bytes is too large for an event bus", len(m.Body))
	}
	e := eventbus.Event{Source: m.Event.Source, DetailType: m.Event.DetailType, Resources: m.Event.Resources, Detail: json.RawMessage(m.Body)}
	return t.Bus(ctx, tx, from.Account, m.Target, e)
}

func topicAttributes(m lambda.Message) topic.Attributes {
	out := topic.Attributes{}
	for name, a := range m.Attributes {
		out[name] = snsapi.MessageAttributeValue{DataType: new(a.Type), StringValue: new(a.Value)}
	}
	return out
}

func queueAttributes(m lambda.Message) queue.Attributes {
	out := queue.Attributes{}
	for name, a := range m.Attributes {
		out[name] = sqsapi.MessageAttributeValue{DataType: new(a.Type), StringValue: new(a.Value)}
	}
	return out
}

// A message is the job that sends to an outside queue or topic, once what it
// tells is durable.
type message struct {
	Place   config.Place   `json:"place"`
	Service string         `json:"service"`
	Name    string         `json:"name"`
	Message lambda.Message `json:"message"`
}

func (message) Kind() string { return "outside.message" }

// Owner is the place's account.
func (j message) Owner() string { return j.Place.Account }

// callOptions have a call tried for some hours.
func callOptions() job.Options { return job.Options{Queue: job.Delivery, MaxAttempts: 60} }

func (t *Targets) send(ctx context.Context, j job.Job[message]) error {
	a := j.Args
	client, err := t.Clients.Service(ctx, a.Place, a.Service)
	if err != nil {
		return err
	}
	if client == nil {
		return job.Discard(fmt.Errorf("the settings name no %s for %s any more", a.Service, a.Place))
	}
	attributes := map[string]any{}
	for name, v := range a.Message.Attributes {
		attributes[name] = map[string]any{"DataType": v.Type, "StringValue": v.Value}
	}
	if a.Service == "sns" {
		in := map[string]any{"TopicArn": a.Message.Target, "Message": a.Message.Body, "MessageAttributes": attributes}
		if a.Message.Subject != "" {
			in["Subject"] = a.Message.Subject
		}
		_, err := client.Call(ctx, "sns", "Publish", in)
		return err
	}
	found, err := client.Call(ctx, "sqs", "GetQueueUrl", map[string]any{"QueueName": a.Name, "QueueOwnerAWSAccountId": owner(a.Message.Target)})
	if err != nil {
		return err
	}
	_, err = client.Call(ctx, "sqs", "SendMessage", map[string]any{
		"QueueUrl": found["QueueUrl"], "MessageBody": a.Message.Body, "MessageAttributes": attributes,
	})
	return err
}

// owner is the account in an ARN.
func owner(target string) string {
	a, err := arn.Parse(target)
	if err != nil {
		return ""
	}
	return a.Account
}
