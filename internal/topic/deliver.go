package topic

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"plumb/internal/arn"
	"plumb/internal/caller"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/model"
	"plumb/internal/model/snsapi"
	"plumb/internal/model/sqsapi"
)

// deliver is the job that gives messages to the subscribers of a topic.
type deliver struct {
	Topic     string    `json:"topic"`
	Published int64     `json:"published"`
	Messages  []message `json:"messages"`
}

// Kind names the job.
func (deliver) Kind() string { return "topic.deliver" }

// Owner is the topic's account.
func (d deliver) Owner() string { return accountOf(d.Topic) }

func accountOf(resource string) string {
	a, _ := arn.Parse(resource) // our own
	return a.Account
}

func (s *Store) handleDeliver() {
	job.HandlePrepared(s.jobs, func(ctx context.Context, j job.Job[deliver]) (job.Commit, error) {
		var t Topic
		var subs []Subscription
		err := s.db.Read(ctx, func(tx *db.Tx) (err error) {
			if t, err = Find(ctx, tx, j.Args.Topic); err != nil {
				return err
			}
			subs, err = subscribers(ctx, tx, t, j.Args.Published)
			return err
		})
		if isNotFound(err) {
			return nil, nil // deleted since: there is no subscriber
		}
		if err != nil {
			return nil, err
		}
		all, err := s.compare(ctx, subs, j.Args.Messages).deliveries(t, subs, j.Args)
		s.signAhead(ctx, all)
		return func(ctx context.Context, tx *db.Tx) error { return s.handAll(ctx, tx, all) }, err
	}, job.Policy{})
}

// A delivery is one message on its way to one subscription.
type delivery struct {
	Subscription
	m         message
	published time.Time
	version   string // of the signature
	policy    deliveryPolicy
}

// A comparison says which messages of a list pass the filters of subscriptions.
type comparison map[compared][]bool

// compared is a subscription with its filter as it was compared.
type compared struct{ id, policy, scope string }

func (s Subscription) compared() compared {
	return compared{s.ID, s.Attributes["FilterPolicy"], s.Attributes["FilterPolicyScope"]}
}

// compare compares messages with filters. It takes time, and no transaction.
func (s *Store) compare(ctx context.Context, subs []Subscription, messages []message) comparison {
	out := make(comparison, len(subs))
	for _, sub := range subs {
		passes := make([]bool, len(messages))
		out[sub.compared()] = passes
		f, err := filterOf(sub.Attributes)
		if err != nil {
			s.log.WarnContext(ctx, "subscription has a filter that cannot be read", "topic", sub.TopicARN(), "subscription", sub.ARN(), "err", err)
			continue
		}
		for i, m := range messages {
			passes[i] = f.matches(m)
		}
	}
	return out
}

// deliveries returns what is to be delivered: each message to the subscriptions
// whose filters it passes. The error is errChanged if there is a subscription that
// was not compared.
func (c comparison) deliveries(t Topic, subs []Subscription, d deliver) (all []delivery, err error) {
	for _, sub := range subs {
		passes, ok := c[sub.compared()]
		if !ok {
			return nil, errChanged
		}
		for i, m := range d.Messages {
			if passes[i] {
				policy := effective(t.Attributes["DeliveryPolicy"], sub.Attributes["DeliveryPolicy"])
				all = append(all, delivery{sub, m, db.Time(d.Published), t.Attributes["SignatureVersion"], policy})
			}
		}
	}
	return all, nil
}

func (s *Store) handAll(ctx context.Context, tx *db.Tx, all []delivery) error {
	for _, d := range all {
		if err := s.hand(ctx, tx, d); err != nil {
			return err
		}
	}
	return nil
}

// subscribers returns the subscriptions that were confirmed when something was
// published.
func subscribers(ctx context.Context, tx *db.Tx, t Topic, published int64) (out []Subscription, err error) {
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		sub, err := scanSubscription(scan)
		out = append(out, sub)
		return err
	}, `SELECT `+subscriptionColumns+` FROM topic_subscriptions WHERE account = ? AND region = ? AND topic = ? AND confirmed > 0 AND confirmed <= ?
		ORDER BY id`, t.Account, t.Region, t.Name, published)
	if err != nil {
		return nil, fmt.Errorf("read subscriptions of %s: %w", t.Name, err)
	}
	return out, nil
}

// hand gives a message to a queue or function, or to a job of its own for an
// endpoint that is not here. What AWS's errors say will never work goes to the
// subscription's dead letter queue.
func (s *Store) hand(ctx context.Context, tx *db.Tx, d delivery) error {
	var err error
	switch d.Protocol {
	case "sqs":
		err = s.toQueue(ctx, tx, d)
	case "lambda":
		err = s.toFunction(ctx, tx, d)
	default:
		at, err := s.throttle(ctx, tx, d)
		if err != nil {
			return err
		}
		p := push{Subscription: d.ARN(), Message: d.m, Published: db.Micros(d.published), Version: d.version}
		return s.jobs.Insert(ctx, tx, p, job.Options{Queue: job.Push, At: at})
	}
	var refused *model.Error
	if !errors.As(err, &refused) {
		return err
	}
	return s.toDeadLetters(ctx, tx, d, refused)
}

// sender is the topic, as the policies of queues and functions know it.
func (d delivery) sender() caller.Sender {
	return caller.Sender{Account: d.Account, Region: d.Region, Service: "sns.amazonaws.com", ARN: d.TopicARN()}
}

// shown is an endpoint without its password.
func shown(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil {
		return "not a URL"
	}
	return u.Redacted()
}

// toDeadLetters puts a message that cannot be delivered into the subscription's dead
// letter queue, if it has one.
func (s *Store) toDeadLetters(ctx context.Context, tx *db.Tx, d delivery, reason error) error {
	target := deadLetterTarget(d.Attributes["RedrivePolicy"])
	s.log.WarnContext(ctx, "message was not delivered", "topic", d.TopicARN(), "subscription", d.ARN(), "endpoint", shown(d.Endpoint),
		"dead letters", target, "err", reason)
	if target == "" {
		return nil
	}
	body, err := s.envelope(ctx, tx, d)
	if err != nil {
		return err
	}
	in := sqsapi.SendMessageInput{MessageBody: new(string(body)), MessageAttributes: map[string]sqsapi.MessageAttributeValue{
		"ErrorMessage": {DataType: new("String"), StringValue: new(reason.Error())},
	}}
	if strings.HasSuffix(target, ".fifo") {
		in.MessageGroupId, in.MessageDeduplicationId = textOrNil(d.m.Group), textOrNil(d.m.Dedup)
	}
	err = s.o.Queue(ctx, tx, d.sender(), target, in)
	var refused *model.Error
	if errors.As(err, &refused) {
		s.log.ErrorContext(ctx, "dead letter was not taken", "queue", target, "subscription", d.ARN(), "err", err)
		return nil
	}
	return err
}

func (s *Store) toQueue(ctx context.Context, tx *db.Tx, d delivery) error {
	in := sqsapi.SendMessageInput{}
	if strings.HasSuffix(d.Endpoint, ".fifo") {
		in.MessageGroupId, in.MessageDeduplicationId = textOrNil(d.m.Group), textOrNil(d.m.Dedup)
	}
	if d.Attributes["RawMessageDelivery"] == "true" {
		in.MessageBody, in.MessageAttributes = new(d.m.bodyFor("sqs")), queueAttributes(d.m.Attributes)
		return s.o.Queue(ctx, tx, d.sender(), d.Endpoint, in)
	}
	body, err := s.envelope(ctx, tx, d)
	if err != nil {
		return err
	}
	in.MessageBody = new(string(body))
	return s.o.Queue(ctx, tx, d.sender(), d.Endpoint, in)
}

func queueAttributes(a map[string]snsapi.MessageAttributeValue) map[string]sqsapi.MessageAttributeValue {
	out := map[string]sqsapi.MessageAttributeValue{}
	for name, v := range a {
		out[name] = sqsapi.MessageAttributeValue{DataType: v.DataType, StringValue: v.StringValue, BinaryValue: v.BinaryValue}
	}
	return out
}

func (s *Store) toFunction(ctx context.Context, tx *db.Tx, d delivery) error {
	event, err := s.functionEvent(ctx, tx, d)
	if err != nil {
		return err
	}
	return s.o.Function(ctx, tx, d.sender(), d.Endpoint, event)
}
