package outside

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"plumb/internal/arn"
	"plumb/internal/bucket"
	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/eventbus"
	"plumb/internal/lambda"
	"plumb/internal/model"
	"plumb/internal/policy"
	"plumb/internal/queue"
	"plumb/internal/topic"
)

// ErrMayNot says that a resource of another account does not let a sender in.
var ErrMayNot = &model.Error{Code: "AuthorizationError", Status: 403, Message: "The resource's policy does not let the sender send to it."}

// May returns nil if a sender may hand something to a queue, topic or function that
// is embedded here: one of its own account, or one whose policy lets it. Else it is
// ErrMayNot. It is asked when something is handed over, and not when that was
// arranged: policies change.
func May(ctx context.Context, tx *db.Tx, from caller.Sender, target string) error {
	a, err := arn.Parse(target)
	if err != nil {
		return fmt.Errorf("target %q: %w", target, err)
	}
	if a.Account == from.Account {
		return nil
	}
	text, action, err := policyOf(ctx, tx, a)
	if err = absent(err); err != nil {
		return err
	}
	return granted(from, text, action, target)
}

// MayAsService is May for senders whose service AWS asks for a permission in their
// own account, too: a rule of EventBridge has none by belonging to the account that
// the queue belongs to. A sender that acts with a role, log groups and event buses of
// the own account are May's.
func MayAsService(ctx context.Context, tx *db.Tx, from caller.Sender, target string) error {
	a, err := arn.Parse(target)
	if err != nil {
		return fmt.Errorf("target %q: %w", target, err)
	}
	if from.Service == "" || a.Account != from.Account || a.Service == "logs" || a.Service == "events" {
		return May(ctx, tx, from, target)
	}
	text, action, err := policyOf(ctx, tx, a)
	if err != nil {
		return err
	}
	return granted(from, text, action, target)
}

// granted returns ErrMayNot unless a policy lets a sender do an action.
func granted(from caller.Sender, text, action, target string) error {
	d, err := policy.Parse(text)
	if err != nil || !d.Evaluate(request(from, action, target)).Allowed {
		return ErrMayNot
	}
	return nil
}

// ResourcePolicy returns the policy of a queue, topic, function or bucket that is
// embedded here; empty if it has none or is not there.
func ResourcePolicy(ctx context.Context, tx *db.Tx, resource string) (string, error) {
	a, err := arn.Parse(resource)
	if err != nil {
		return "", nil
	}
	if a.Service == "s3" {
		name, _, _ := strings.Cut(a.Resource, "/")
		text, _, err := bucket.ReadConfiguration(ctx, tx, name, bucket.KindPolicy, "")
		return text, err
	}
	text, _, err := policyOf(ctx, tx, a)
	if err = absent(err); errors.Is(err, ErrMayNot) {
		return "", nil
	}
	return text, err
}

// policyOf returns the policy of a resource, and the action that sending to it is.
// A resource that is not there has none, and says so when it is sent to.
func policyOf(ctx context.Context, tx *db.Tx, a arn.ARN) (text, action string, err error) {
	switch a.Service {
	case "sqs":
		q, err := queue.Asked(ctx, tx, a.String())
		return q.Attributes["Policy"], "sqs:SendMessage", err
	case "sns":
		t, err := topic.Find(ctx, tx, a.String())
		return topic.PolicyOf(t), "sns:Publish", err
	case "lambda":
		text, err := lambda.PolicyText(ctx, tx, a.String())
		return text, "lambda:InvokeFunction", err
	case "events":
		p, name, err := eventbus.ParseBus(config.Place{}, a.String())
		if err != nil {
			return "", "", err
		}
		b, err := eventbus.FindBus(ctx, tx, p, name)
		return b.Policy, "events:PutEvents", err
	}
	return "", "", ErrMayNot
}

// absent hides from another account whether a resource is there.
func absent(err error) error {
	if _, named := errors.AsType[*model.Error](err); named {
		return ErrMayNot
	}
	return err
}

func request(from caller.Sender, action, target string) policy.Request {
	r := policy.Request{Action: action, Resource: target, Context: policy.Context{"aws:sourceaccount": {from.Account}}}
	if from.ARN != "" {
		r.Context["aws:sourcearn"] = []string{from.ARN}
	}
	if from.Service != "" {
		r.Principals = []policy.Principal{{Type: "Service", ID: from.Service}}
		return r
	}
	r.Context["aws:principalaccount"] = []string{from.Account}
	role := from.Role
	if a, err := arn.Parse(role); err != nil || a.Account != from.Account {
		role = "" // who names another account's role does not act with it
	}
	for _, id := range []string{role, from.Account, "arn:aws:iam::" + from.Account + ":root"} {
		if id != "" {
			r.Principals = append(r.Principals, policy.Principal{Type: "AWS", ID: id})
		}
	}
	return r
}
