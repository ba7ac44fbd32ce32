package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"plumb/internal/arn"
	"plumb/internal/awsclient"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/lambda"
	"plumb/internal/model"
	"plumb/internal/model/snsapi"
	"plumb/internal/model/sqsapi"
	"plumb/internal/queue"
	"plumb/internal/rule"
	"plumb/internal/topic"
)

// targets are where dead letters and results of functions go: queues and topics,
// embedded or of an outside service.
type targets struct {
	outside *outside
	jobs    *job.Queue
	queues  *queue.Store
	topics  *topic.Store
}

// Exists reports whether a target is there. An outside one is taken at its word.
func (t *targets) Exists(ctx context.Context, tx *db.Tx, target string) (bool, error) {
	a, err := arn.Parse(target)
	if err != nil {
		return false, nil
	}
	if t.outside.replaces(config.Place{Account: a.Account, Region: a.Region}, a.Service) {
		return true, nil
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

// Send gives a message to a target, or leaves a job that does so outside.
func (t *targets) Send(ctx context.Context, tx *db.Tx, m lambda.Message) error {
	a, err := arn.Parse(m.Target)
	if err != nil {
		return fmt.Errorf("target %q: %w", m.Target, err)
	}
	p := config.Place{Account: a.Account, Region: a.Region}
	if t.outside.replaces(p, a.Service) {
		return t.jobs.Insert(ctx, tx, outsideMessage{p, a.Service, a.Resource, m}, outsideOptions())
	}
	switch a.Service {
	case "sns":
		_, err := t.topics.Publish(ctx, tx, m.Target, "", m.Body, topicAttributes(m))
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

// The jobs that reach outside services, once what they tell is durable.
type (
	outsideMessage struct {
		Place   config.Place   `json:"place"`
		Service string         `json:"service"`
		Name    string         `json:"name"`
		Message lambda.Message `json:"message"`
	}
	outsideInvoke rule.Invocation
)

func (outsideMessage) Kind() string { return "outside.message" }
func (outsideInvoke) Kind() string  { return "outside.invoke" }

// outsideOptions have a call tried for some hours.
func outsideOptions() job.Options { return job.Options{Queue: job.Delivery, MaxAttempts: 60} }

// handleOutside registers what does the jobs.
func (m *machine) handleOutside() {
	job.Handle(m.jobs, m.sendOutside, job.Policy{Timeout: time.Minute})
	job.Handle(m.jobs, m.invokeOutside, job.Policy{Timeout: time.Minute})
}

func (m *machine) sendOutside(ctx context.Context, j job.Job[outsideMessage]) error {
	a := j.Args
	client, err := m.outside.service(ctx, a.Place, a.Service)
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
		_, err := client.Call(ctx, "sns", "Publish", map[string]any{
			"TopicArn": a.Message.Target, "Message": a.Message.Body, "MessageAttributes": attributes,
		})
		return err
	}
	found, err := client.Call(ctx, "sqs", "GetQueueUrl", map[string]any{"QueueName": a.Name, "QueueOwnerAWSAccountId": a.Place.Account})
	if err != nil {
		return err
	}
	_, err = client.Call(ctx, "sqs", "SendMessage", map[string]any{
		"QueueUrl": found["QueueUrl"], "MessageBody": a.Message.Body, "MessageAttributes": attributes,
	})
	return err
}

// invokeOutside asks an outside Lambda for an asynchronous invocation, and tells
// the rule whether it was taken.
func (m *machine) invokeOutside(ctx context.Context, j job.Job[outsideInvoke]) error {
	i := j.Args
	client, err := m.outside.service(ctx, i.Place, "lambda")
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
	return m.db.Write(ctx, func(tx *db.Tx) error { return m.rules.Invoked(ctx, tx, i.RuleID, failure, text) })
}
