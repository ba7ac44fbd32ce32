package core

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"plumb/internal/arn"
	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/eventbus"
	"plumb/internal/lambda"
	"plumb/internal/model/sqsapi"
	"plumb/internal/outside"
	"plumb/internal/scheduler"
	"plumb/internal/source/awsconfig"
)

// addEvents makes the event buses, and what tells them of AWS Config.
func (m *Machine) addEvents() {
	reach := outside.NewRecipients(m.Outside)
	m.Events = eventbus.New(m.log, m.DB, m.Jobs, m.Clock.Now, eventbus.Options{
		Came: m.callsOf,
		Hand: m.handEvent, Letter: m.deadLetter, HandAway: reach.Hand,
		Away: func(p config.Place, targetARN string) bool {
			a, err := arn.Parse(targetARN)
			return err == nil && a.Account == p.Account && reach.Away(p, a.Service)
		},
	})
	m.announcer = awsconfig.New(m.DB, m.Jobs, m.Events, m.Clock.Now)
	m.Scheduler = scheduler.New(m.DB, m.Jobs, m.Clock.Now, m.invokeScheduled)
}

// invokeScheduled has a schedule's target handed its input, as the schedule's role and
// with EventBridge's retries.
func (m *Machine) invokeScheduled(ctx context.Context, tx *db.Tx, i scheduler.Invocation) error {
	s := i.Schedule
	out := eventbus.Sending{
		Place: s.Place, Source: s.ARN(), Target: eventbus.Target{ARN: s.Target.ARN, Role: s.Target.Role, Group: s.Target.Group, DeadLetters: s.Target.DeadLetters,
			GivenRetries: s.Target.Retries, GivenAge: s.Target.Age},
		Body: i.Input, Attempt: scheduler.AttemptNumber,
		Letter: map[string]string{"SCHEDULE_ARN": s.ARN(), "EXECUTION_ID": i.ID, "SCHEDULED_TIME": eventbus.FormatTime(i.Due)},
	}
	if i.Event != nil {
		out.Event = &eventbus.Event{Source: i.Event.Source, DetailType: i.Event.DetailType, Detail: json.RawMessage(i.Event.Detail)}
	}
	return m.Events.Send(ctx, tx, out)
}

// handEvent gives the target of a rule its input. A rule needs a permission of what it
// sends to, in its own account too.
func (m *Machine) handEvent(ctx context.Context, tx *db.Tx, from caller.Sender, to eventbus.Recipient) error {
	if err := outside.MayAsService(ctx, tx, from, to.ARN); err != nil {
		return err
	}
	a, err := arn.Parse(to.ARN)
	if err != nil {
		return err
	}
	switch a.Service {
	case "lambda":
		ref, err := lambda.ParseARN(to.ARN)
		if err != nil {
			return err
		}
		_, err = m.Functions.InvokeAsync(ctx, tx, lambda.Event{Ref: ref, Payload: []byte(to.Body)})
		return err
	case "sqs":
		in := sqsapi.SendMessageInput{MessageBody: &to.Body}
		if to.Group != "" {
			in.MessageGroupId = &to.Group
		}
		return m.Queues.Deliver(ctx, tx, to.ARN, in)
	case "sns":
		_, err := m.Topics.Publish(ctx, tx, to.ARN, "", to.Body, nil)
		return err
	case "logs":
		group := strings.TrimSuffix(strings.TrimPrefix(a.Resource, "log-group:"), ":*")
		return m.Logs.Append(ctx, tx, config.Place{Account: a.Account, Region: a.Region}, group, streamOf(from), to.Body)
	case "events":
		return m.Events.Forward(ctx, tx, to.ARN, to)
	}
	return fmt.Errorf("no event is sent to %s", to.ARN)
}

// streamOf is the stream that a rule writes to, of whatever group.
func streamOf(from caller.Sender) string {
	sum := sha256.Sum256([]byte(from.ARN))
	text := hex.EncodeToString(sum[:16])
	return strings.Join([]string{text[:8], text[8:12], text[12:16], text[16:20], text[20:]}, "-")
}

// deadLetter puts what could not be delivered into a queue.
func (m *Machine) deadLetter(ctx context.Context, tx *db.Tx, from caller.Sender, queueARN, body string, attributes map[string]string) error {
	if err := outside.MayAsService(ctx, tx, from, queueARN); err != nil {
		return err
	}
	in := sqsapi.SendMessageInput{MessageBody: &body, MessageAttributes: map[string]sqsapi.MessageAttributeValue{}}
	for name, value := range attributes {
		in.MessageAttributes[name] = sqsapi.MessageAttributeValue{DataType: new("String"), StringValue: new(value)}
	}
	return m.Queues.Deliver(ctx, tx, queueARN, in)
}
