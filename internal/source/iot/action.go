package iot

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"

	"plumb/internal/caller"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/lambda"
	"plumb/internal/model"
	"plumb/internal/source/iot/sql"
)

// service is IoT's name in the policies of functions.
const service = "iot.amazonaws.com"

// A step is an action with what it is done with.
type step struct {
	Message  message      `json:"message"`
	Rule     string       `json:"rule"`
	RuleARN  string       `json:"ruleArn"`
	Action   storedAction `json:"action"` // its texts filled in
	Body     []byte       `json:"body"`
	Fallback *Action      `json:"-"` // the rule's error action; nil for none, and for what is one

	broken error // the texts could not be filled in
}

// steps returns what a rule does with a message.
func (m message) steps(r Rule) (out []step) {
	q, err := sql.Parse(r.SQL)
	if err != nil {
		return nil // it was checked when the rule was made
	}
	body, ok := q.Run(m.asked())
	if !ok {
		return nil
	}
	for _, a := range r.Actions {
		out = append(out, m.step(r.Name, r.ARN(), a, body, r.ErrorAction))
	}
	return out
}

func (m message) step(rule, ruleARN string, a Action, body []byte, fallback *Action) step {
	s := step{Message: m, Rule: rule, RuleARN: ruleARN, Action: storedAction(a), Body: body, Fallback: fallback}
	for _, text := range []*string{&s.Action.Target, &s.Action.Key} {
		t, err := sql.ParseTemplate(*text)
		if err == nil {
			*text, err = t.Fill(m.asked())
		}
		if err != nil {
			s.broken = &model.Error{Code: "SubstitutionFailed", Status: http.StatusBadRequest, Message: err.Error()}
		}
	}
	return s
}

// take takes an action, in the transaction. What is refused is logged and goes to the
// error action. An error that AWS does not name is one of the store, and undoes all.
func (e *Engine) take(ctx context.Context, tx *db.Tx, s step) error {
	err := s.broken
	if err == nil {
		err = e.hand(ctx, tx, s)
	}
	named, ok := model.Named(err)
	if err == nil || !ok {
		return err
	}
	return e.refused(ctx, tx, s, named)
}

func (e *Engine) refused(ctx context.Context, tx *db.Tx, s step, why *model.Error) error {
	m := s.Message
	e.log.Warn("an action of a topic rule failed", "account", m.Place.Account, "region", m.Place.Region, "rule", s.Rule, "action", s.Action.Type,
		"target", s.Action.Target, "err", why)
	if s.Fallback == nil {
		return nil
	}
	body, err := json.Marshal(failureOf(s, why))
	if err != nil {
		return err
	}
	return e.take(ctx, tx, m.step(s.Rule, s.RuleARN, *s.Fallback, body, nil))
}

// A failureNote is what an error action gets.
type failureNote struct {
	RuleName string    `json:"ruleName"`
	Topic    string    `json:"topic"`
	TraceID  string    `json:"cloudwatchTraceId"`
	ClientID string    `json:"clientId"`
	Payload  []byte    `json:"base64OriginalPayload"`
	Failures []failure `json:"failures"`
}

type failure struct {
	Action   string `json:"failedAction"`
	Resource string `json:"failedResource"`
	Message  string `json:"errorMessage"`
}

func failureOf(s step, why *model.Error) failureNote {
	m := s.Message
	client := m.Client
	if client == "" {
		client = "N/A"
	}
	return failureNote{s.Rule, m.Topic, m.Trace, client, m.Payload, []failure{{s.Action.Type, s.Action.Target, why.Code + ": " + why.Message}}}
}

// sender is who an action sends as: its role.
func (s step) sender() caller.Sender {
	p := s.Message.Place
	return caller.Sender{Account: p.Account, Region: p.Region, ARN: s.RuleARN, Role: s.Action.Role}
}

// hand gives what was selected to where it goes, or leaves a job that writes an object.
func (e *Engine) hand(ctx context.Context, tx *db.Tx, s step) error {
	switch s.Action.Type {
	case ActionLambda:
		return e.invoke(ctx, tx, s)
	case ActionS3:
		o := object{step: s}
		if s.Fallback != nil {
			o.Fallback = new(storedAction(*s.Fallback))
		}
		return e.jobs.Insert(ctx, tx, o, job.Options{Queue: job.Delivery})
	}
	target := s.Action.Target
	if s.Action.Type == ActionSQS {
		var err error
		if target, err = queueARN(s.Message.Place, target); err != nil {
			return err
		}
	}
	body := strings.ToValidUTF8(string(s.Body), "\uFFFD")
	if s.Action.Base64 {
		body = base64.StdEncoding.EncodeToString(s.Body)
	}
	return e.o.Send(ctx, tx, s.sender(), target, body)
}

// errMayNot is the refusal of a function whose policy does not let the rule in.
var errMayNot = &model.Error{Code: "AccessDeniedException", Status: http.StatusForbidden,
	Message: "The function is gone or its policy does not let the topic rule invoke it."}

// invoke has a function invoked, if its policy lets the rule in.
func (e *Engine) invoke(ctx context.Context, tx *db.Tx, s step) error {
	ref, err := lambda.ParseARN(s.Action.Target)
	if err != nil {
		return errMayNot
	}
	may, err := lambda.MayInvoke(ctx, tx, s.Action.Target, service, s.RuleARN, s.Message.Place.Account)
	if err != nil {
		return err
	}
	if !may {
		return errMayNot
	}
	_, err = e.o.Functions.InvokeAsync(ctx, tx, lambda.Event{Ref: ref, Payload: bytes.Clone(s.Body)})
	return err
}

// object is the job that writes an object: a bucket may be elsewhere.
type object struct {
	step
	Fallback *storedAction `json:"fallback,omitempty"`
}

func (object) Kind() string { return "source.iot.object" }

// Owner is the rule's account.
func (o object) Owner() string { return o.Message.Place.Account }

// write writes an object, under the same key again if the server is killed meanwhile.
func (e *Engine) write(ctx context.Context, j job.Job[object]) (job.Commit, error) {
	s := j.Args.step
	if f := j.Args.Fallback; f != nil {
		s.Fallback = new(Action(*f))
	}
	err := e.o.Put(ctx, s.sender(), s.Action.Target, s.Action.Key, s.Body)
	named, ok := model.Named(err)
	switch {
	case err == nil:
		return nil, nil
	case !ok, named.Status >= http.StatusInternalServerError, ctx.Err() != nil:
		return nil, err // it is tried again
	}
	return func(ctx context.Context, tx *db.Tx) error { return e.refused(ctx, tx, s, named) }, nil
}
