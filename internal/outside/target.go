package outside

import (
	"context"
	"errors"
	"fmt"
	"time"

	"plumb/internal/arn"
	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/lambda"
	"plumb/internal/model"
	"plumb/internal/model/snsapi"
	"plumb/internal/model/sqsapi"
	"plumb/internal/queue"
	"plumb/internal/topic"
)

// Targets are where dead letters and results of functions go: queues and topics,
// embedded or of an outside service.
type Targets struct {
	clients *Clients
	jobs    *job.Queue
	queues  *queue.Store
	topics  *topic.Store
}

// NewTargets returns the targets, and registers the job that sends to an outside
// one.
func NewTargets(c *Clients, jobs *job.Queue, queues *queue.Store, topics *topic.Store) *Targets {
	t := &Targets{c, jobs, queues, topics}
	job.Handle(jobs, t.send, job.Policy{Timeout: time.Minute})
	return t
}

// Exists reports whether a target is there for a sender. An outside one is taken at
// its word: the sender's own credentials will be asked.
func (t *Targets) Exists(ctx context.Context, tx *db.Tx, from caller.Sender, target string) (bool, error) {
	a, err := arn.Parse(target)
	if err != nil {
		return false, nil
	}
	if t.clients.Replaces(place(from), a.Service) {
		return true, nil
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
	}
	return false, nil
}

// place is whose outside services and credentials a sender uses: its own.
func place(from caller.Sender) config.Place {
	return config.Place{Account: from.Account, Region: from.Region}
}

// May returns ErrMayNot unless a function may invoke another.
func (t *Targets) May(ctx context.Context, tx *db.Tx, from caller.Sender, target string) error {
	return May(ctx, tx, from, target)
}

// Send gives a message to a target, or leaves a job that does so outside, as the
// sender and with its credentials.
func (t *Targets) Send(ctx context.Context, tx *db.Tx, from caller.Sender, m lambda.Message) error {
	a, err := arn.Parse(m.Target)
	if err != nil {
		return fmt.Errorf("target %q: %w", m.Target, err)
	}
	if t.clients.Replaces(place(from), a.Service) {
		return t.jobs.Insert(ctx, tx, message{place(from), a.Service, a.Resource, m}, callOptions())
	}
	if err := May(ctx, tx, from, m.Target); err != nil {
		return err
	}
	switch a.Service {
	case "sns":
		_, err := t.topics.Publish(ctx, tx, m.Target, m.Subject, m.Body, topicAttributes(m))
		return err
	case "sqs":
		return t.queues.Send(ctx, tx, m.Target, m.Body, queueAttributes(m))
	}
	return fmt.Errorf("target %s is neither a queue nor a topic", m.Target)
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
	client, err := t.clients.Service(ctx, a.Place, a.Service)
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
