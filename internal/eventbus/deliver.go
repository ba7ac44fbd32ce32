package eventbus

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"

	"plumb/internal/arn"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/model"
)

// A delivery is an event on its way to a target. It is also the job that tries
// again, or that reaches a target which is not embedded here.
type delivery struct {
	Place       config.Place `json:"place"` // of the rule
	Rule        string       `json:"rule"`
	Target      string       `json:"target"`
	Role        string       `json:"role,omitempty"`
	Group       string       `json:"group,omitempty"`
	DeadLetters string       `json:"deadLetters,omitempty"`
	Retries     int          `json:"retries"`
	Age         int64        `json:"age"` // the most, in seconds
	Event       string       `json:"event"`
	Body        string       `json:"body"`
	From        string       `json:"from"`
	Hops        int          `json:"hops,omitempty"`
	Put         int64        `json:"put"`
	Tries       int          `json:"tries,omitempty"` // that failed so far

	Attempt string            `json:"attempt,omitempty"` // what the body has instead of the attempt's number
	Letter  map[string]string `json:"letter,omitempty"`  // attributes of dead letters, which say what the sender is

	broken error // the body could not be made
}

// Kind names the job.
func (delivery) Kind() string { return "eventbus.deliver" }

// Owner is the rule's account.
func (d delivery) Owner() string { return d.Place.Account }

func (d delivery) recipient() Recipient {
	return Recipient{ARN: d.Target, Body: d.body(), Group: d.Group, Event: d.Event, From: d.From, Hops: d.Hops}
}

// body is what a try hands over.
func (d delivery) body() string {
	if d.Attempt == "" {
		return d.Body
	}
	return strings.ReplaceAll(d.Body, d.Attempt, strconv.Itoa(d.Tries+1))
}

// A Sending is what somebody else than a rule sends to a target, with a rule's retries
// and dead letters.
type Sending struct {
	Place   config.Place
	Source  string // the ARN of what sends
	Target  Target
	Body    string
	Event   *Event            // for an event bus, instead of the body
	Attempt string            // a text that stands in the body for the number of the attempt
	Letter  map[string]string // attributes of dead letters
}

// Send hands a target its input, in the caller's transaction, or sees to it that this
// is tried again.
func (b *Bus) Send(ctx context.Context, tx *db.Tx, s Sending) error {
	t := storeTarget(s.Target).target("", s.Target.ARN)
	now := b.now()
	d := delivery{Place: s.Place, Rule: s.Source, Target: t.ARN, Role: t.Role, Group: t.Group, DeadLetters: t.DeadLetters, Retries: t.MaxRetries,
		Age: int64(t.MaxAge.Seconds()), Event: s.Body, Body: s.Body, From: s.Place.Account, Put: db.Micros(now), Attempt: s.Attempt, Letter: s.Letter}
	if s.Event != nil {
		e := *s.Event
		e.ID, e.Time = newID(), now
		body, err := e.body(s.Place.Account, s.Place.Region)
		if err != nil {
			return err
		}
		d.Event, d.Body = string(body), string(body)
	}
	return b.hand(ctx, tx, d)
}

// maxHops bounds how many buses an event passes: rules can lead in a circle.
const maxHops = 8

func (b *Bus) handAll(ctx context.Context, tx *db.Tx, all []delivery) error {
	for _, d := range all {
		if err := b.hand(ctx, tx, d); err != nil {
			return err
		}
	}
	return nil
}

// hand gives a target its input, or leaves a job that does so outside.
func (b *Bus) hand(ctx context.Context, tx *db.Tx, d delivery) error {
	if reason := d.stopped(); reason != nil {
		return b.toDeadLetters(ctx, tx, d, reason, "")
	}
	if b.o.Away(d.Place, d.Target) {
		return b.jobs.Insert(ctx, tx, d, job.Options{Queue: job.Delivery})
	}
	return b.settle(ctx, tx, d, b.o.Hand(ctx, tx, d.sender(), d.recipient()))
}

// stopped returns why an event is not sent at all.
func (d delivery) stopped() error {
	if d.broken != nil {
		return &model.Error{Code: "INVALID_JSON", Message: d.broken.Error()}
	}
	a, err := arn.Parse(d.Target)
	if err != nil || a.Service != "events" {
		return nil
	}
	if a.Account != d.Place.Account && d.From != d.Place.Account {
		return &model.Error{Code: "THIRD_ACCOUNT_HOP_DETECTED", Message: "Events that came from another account are not sent to a third one."}
	}
	if d.Hops >= maxHops {
		return &model.Error{Code: "TOO_MANY_HOPS", Message: fmt.Sprintf("The event passed %d event buses.", d.Hops)}
	}
	return nil
}

// deliver tries again, or reaches a target outside.
func (b *Bus) deliver(ctx context.Context, j job.Job[delivery]) (job.Commit, error) {
	d := j.Args
	if !b.o.Away(d.Place, d.Target) {
		return func(ctx context.Context, tx *db.Tx) error {
			return b.settle(ctx, tx, d, b.o.Hand(ctx, tx, d.sender(), d.recipient()))
		}, nil
	}
	went := b.o.HandAway(ctx, d.sender(), d.recipient())
	if went != nil && ctx.Err() != nil {
		return nil, went // the server is being stopped
	}
	return func(ctx context.Context, tx *db.Tx) error { return b.settle(ctx, tx, d, outsideError(went)) }, nil
}

// outsideError makes an error without an AWS name one that is tried again.
func outsideError(err error) error {
	if _, named := errors.AsType[*model.Error](err); err == nil || named {
		return err
	}
	return &model.Error{Code: "ERROR_FROM_TARGET", Message: err.Error(), Status: http.StatusBadGateway}
}

// settle records how a try went: it was the last one, or another one follows. An
// error that AWS does not name is one of the store, and undoes the try.
func (b *Bus) settle(ctx context.Context, tx *db.Tx, d delivery, went error) error {
	named, ok := errors.AsType[*model.Error](went)
	if !ok {
		return went
	}
	if !passes(named) {
		return b.toDeadLetters(ctx, tx, d, named, "")
	}
	next := b.now().Add(wait(d.Tries))
	switch {
	case d.Tries >= d.Retries:
		return b.toDeadLetters(ctx, tx, d, named, "MaximumRetryAttempts")
	case next.Sub(db.Time(d.Put)) > time.Duration(d.Age)*time.Second:
		return b.toDeadLetters(ctx, tx, d, named, "MaximumEventAgeInSeconds")
	}
	d.Tries++
	return b.jobs.Insert(ctx, tx, d, job.Options{Queue: job.Delivery, At: next})
}

// passes reports whether a failure may pass: the service's fault, or a throttle.
func passes(e *model.Error) bool {
	return e.Status >= http.StatusInternalServerError || e.Status == http.StatusTooManyRequests ||
		strings.Contains(e.Code, "Throttl") || strings.HasPrefix(e.Code, "TooManyRequests")
}

// wait is how long after a failed try the next one begins. With the default of
// 185 retries they last a day.
func wait(tries int) time.Duration { return min(time.Second<<min(tries, 9), 8*time.Minute) }

// toDeadLetters puts an event that was given up into the target's dead letter queue,
// if it has one.
func (b *Bus) toDeadLetters(ctx context.Context, tx *db.Tx, d delivery, reason error, exhausted string) error {
	b.log.WarnContext(ctx, "event was not delivered", "rule", d.Rule, "target", d.Target, "dead letters", d.DeadLetters, "err", reason)
	if d.DeadLetters == "" || b.o.Letter == nil {
		return nil
	}
	code, message := errorOf(reason)
	attributes := map[string]string{"TARGET_ARN": d.Target, "ERROR_CODE": code, "ERROR_MESSAGE": message}
	maps.Copy(attributes, d.Letter)
	if d.Letter == nil {
		attributes["RULE_ARN"] = d.Rule
	}
	if exhausted != "" {
		attributes["EXHAUSTED_RETRY_CONDITION"] = exhausted
		attributes["RETRY_ATTEMPTS"] = strconv.Itoa(d.Tries)
	}
	from := d.sender()
	if d.Letter == nil { // a rule's role is not asked for its dead letters
		from.Service, from.Role = "events.amazonaws.com", ""
	}
	err := b.o.Letter(ctx, tx, from, d.DeadLetters, d.Event, attributes)
	if _, named := errors.AsType[*model.Error](err); named {
		b.log.ErrorContext(ctx, "dead letter was not taken", "queue", d.DeadLetters, "rule", d.Rule, "err", err)
		return nil
	}
	return err
}

// codes are EventBridge's words for errors of targets.
var codes = map[string]string{
	"AuthorizationError": "NO_PERMISSIONS", "AccessDenied": "NO_PERMISSIONS", "AccessDeniedException": "NO_PERMISSIONS",
	"ResourceNotFoundException": "NO_RESOURCE", "NotFound": "NO_RESOURCE", "NotFoundException": "NO_RESOURCE",
	"AWS.SimpleQueueService.NonExistentQueue": "NO_RESOURCE", "QueueDoesNotExist": "NO_RESOURCE",
}

func errorOf(reason error) (code, message string) {
	e, ok := errors.AsType[*model.Error](reason)
	if !ok {
		return "INTERNAL_ERROR", reason.Error()
	}
	message = e.Message
	if message == "" {
		message = e.Code
	}
	switch known := codes[e.Code]; {
	case known != "":
		return known, message
	case e.Code == strings.ToUpper(e.Code):
		return e.Code, message
	case passes(e) && e.Status < http.StatusInternalServerError:
		return "THROTTLING", message
	case passes(e):
		return "ERROR_FROM_TARGET", message
	}
	return "SDK_CLIENT_ERROR", message
}
