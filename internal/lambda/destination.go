package lambda

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"plumb/internal/arn"
	"plumb/internal/caller"
	"plumb/internal/db"
)

// A record is what a destination gets of an event's end.
type record struct {
	Version         string           `json:"version"`
	Timestamp       string           `json:"timestamp"`
	RequestContext  requestContext   `json:"requestContext"`
	RequestPayload  json.RawMessage  `json:"requestPayload"`
	ResponseContext *responseContext `json:"responseContext,omitempty"`
	ResponsePayload json.RawMessage  `json:"responsePayload,omitempty"`
}

type requestContext struct {
	RequestID   string `json:"requestId"`
	FunctionARN string `json:"functionArn"`
	Condition   string `json:"condition"`
	Count       int    `json:"approximateInvokeCount"`
}

type responseContext struct {
	StatusCode      int    `json:"statusCode"`
	ExecutedVersion string `json:"executedVersion"`
	FunctionError   string `json:"functionError,omitempty"`
}

// report sends an event that failed to the dead letter target, as it came, and
// the record of its end to the destination. What cannot be sent is lost, as with
// AWS; the log says so.
func (s *Service) report(ctx context.Context, tx *db.Tx, o Outcome, c EventInvoke, f Function) {
	destination := c.OnSuccess
	if o.Condition != Success {
		destination = c.OnFailure
		if !o.Told() {
			s.log.Warn("event failed", "function", o.Ref.ARN(), "request", o.RequestID, "attempt", o.Attempt, "condition", o.Condition, "err", o.Err)
		}
		if f.DeadLetter != "" {
			s.send(ctx, tx, o, f.sender(), deadLetter(f.DeadLetter, o))
		}
	}
	if destination == "" {
		return
	}
	body, err := json.Marshal(s.record(o))
	if err != nil {
		s.log.Warn("result of event cannot be written", "function", o.Ref.ARN(), "request", o.RequestID, "err", err)
		return
	}
	s.send(ctx, tx, o, f.sender(), s.result(destination, o, body))
}

// result is the record of an event's end as its destination takes it.
func (s *Service) result(destination string, o Outcome, body []byte) Message {
	m := Message{Target: destination, Body: string(body)}
	a, err := arn.Parse(destination)
	switch {
	case err != nil: // Send reports it
	case a.Service == "events":
		how := "Success"
		if o.Condition != Success {
			how = "Failure"
		}
		m.Event = &Envelope{
			Source: "lambda", DetailType: "Lambda Function Invocation Result - " + how, Resources: []string{destination, eventRef(o.Ref).ARN()},
		}
	case a.Service == "s3":
		m.Key = ObjectKey("async/"+o.Ref.Name, s.now())
	}
	return m
}

// ObjectKey is where the record of something that failed is written in a bucket. The
// folder says what failed.
func ObjectKey(folder string, at time.Time) string {
	return "aws/lambda/" + folder + at.UTC().Format("/2006/01/02/2006-01-02T15.04.05-") + NewID()
}

// sender is the function, as the policies of its targets know it.
func (f Function) sender() caller.Sender {
	return caller.Sender{Account: f.Account, Region: f.Region, ARN: Ref{Place: f.Place, Name: f.Name}.ARN(), Role: f.Role}
}

// send passes a message on; a function is invoked by it as an event.
func (s *Service) send(ctx context.Context, tx *db.Tx, o Outcome, from caller.Sender, m Message) {
	var err error
	if strings.Contains(m.Target, ":lambda:") {
		var r Ref
		if r, err = ParseARN(m.Target); err == nil {
			err = s.o.Targets.May(ctx, tx, from, m.Target)
		}
		if err == nil {
			_, err = s.InvokeAsync(ctx, tx, Event{Ref: r, Payload: []byte(m.Body), TraceID: o.TraceID})
		}
	} else {
		err = s.o.Targets.Send(ctx, tx, from, m)
	}
	if err != nil {
		s.log.Warn("result of event was not delivered", "function", o.Ref.ARN(), "request", o.RequestID, "target", m.Target, "err", err)
	}
}

func (s *Service) record(o Outcome) record {
	r := record{
		Version:   "1.0",
		Timestamp: s.now().UTC().Format("2006-01-02T15:04:05.000Z"),
		RequestContext: requestContext{
			RequestID: o.RequestID, FunctionARN: eventRef(o.Ref).ARN(), Condition: o.Condition, Count: o.Attempt,
		},
		RequestPayload: o.Payload,
	}
	if o.Answer.Version != "" {
		r.ResponseContext = &responseContext{StatusCode: 200, ExecutedVersion: o.Answer.Version, FunctionError: o.Answer.FunctionError}
		r.ResponsePayload = o.Answer.Payload
		if !json.Valid(o.Answer.Payload) {
			r.ResponsePayload, _ = json.Marshal(string(o.Answer.Payload))
		}
	}
	return r
}

// deadLetter is the event as it came, with what went wrong in attributes.
func deadLetter(target string, o Outcome) Message {
	text := o.Err
	var object struct {
		Message string `json:"errorMessage"`
	}
	if json.Unmarshal(o.Answer.Payload, &object) == nil && object.Message != "" {
		text = object.Message
	}
	return Message{Target: target, Body: string(o.Payload), Attributes: map[string]Attribute{
		"RequestID":    {"String", o.RequestID},
		"ErrorCode":    {"Number", "200"},
		"ErrorMessage": {"String", text[:min(len(text), 1024)]},
	}}
}
