package lambda

import (
	"context"
	"strings"

	"plumb/internal/arn"
	"plumb/internal/caller"
	"plumb/internal/db"
	"plumb/internal/model/lambdaapi"
)

// checkTarget refuses a dead letter target that is not there, or that the role may not
// send to.
func (s *Service) checkTarget(ctx context.Context, tx *db.Tx, f Function) error {
	if f.DeadLetter == "" {
		return nil
	}
	missing := lambdaapi.InvalidParameterValueException("The provided dead letter target %s does not exist.", f.DeadLetter)
	a, err := arn.Parse(f.DeadLetter)
	if err != nil || a.Service != "sqs" && a.Service != "sns" {
		return missing
	}
	ok, err := s.o.Targets.Exists(ctx, tx, f.sender(), f.DeadLetter)
	if err != nil {
		return err
	}
	if !ok {
		return missing
	}
	call, err := s.o.Targets.Lacks(ctx, tx, f.sender(), f.DeadLetter)
	if err == nil && call != "" {
		err = noPermission(call, a.Service)
	}
	return err
}

// takesResults reports whether a resource is of a kind that takes results of events:
// queues and topics that keep an order do not.
func takesResults(a arn.ARN) bool {
	switch a.Service {
	case "sqs", "sns":
		return !strings.HasSuffix(a.Resource, ".fifo")
	case "events":
		return strings.HasPrefix(a.Resource, "event-bus/")
	case "s3":
		return a.Account == "" && a.Resource != "" && !strings.Contains(a.Resource, "/")
	}
	return a.Service == "lambda"
}

// reaches returns Lambda's answer to a target that is not there for a function, and else
// the call to it that the function's role does not allow.
func (s *Service) reaches(ctx context.Context, tx *db.Tx, from caller.Sender, target arn.ARN) (call string, err error) {
	ok, err := s.exists(ctx, tx, from, target.Service, target.String())
	if err != nil {
		return "", err
	}
	if !ok {
		return "", lambdaapi.InvalidParameterValueException("The destination ARN %s is invalid.", target)
	}
	return s.o.Targets.Lacks(ctx, tx, from, target.String())
}

// CheckStreamDestination returns Lambda's answer to a target that cannot take the
// records of batches which a function did not take.
func (s *Service) CheckStreamDestination(ctx context.Context, r Ref, target string) error {
	a, err := arn.Parse(target)
	if err != nil || a.Service != "sqs" && a.Service != "sns" && a.Service != "s3" || !takesResults(a) {
		return lambdaapi.InvalidParameterValueException("The destination ARN %s is invalid.", target)
	}
	return s.db.Read(ctx, func(tx *db.Tx) error {
		f, err := resolve(ctx, tx, r)
		if err != nil {
			return err
		}
		call, err := s.reaches(ctx, tx, f.sender(), a)
		if err == nil && call != "" {
			err = noPermission(call, a.Service)
		}
		return err
	})
}

// noPermission is the error of a role that may not make a call to a service.
func noPermission(call, service string) error {
	return lambdaapi.InvalidParameterValueException("The provided execution role does not have permissions to call %s on %s", call, strings.ToUpper(service))
}

func (s *Service) exists(ctx context.Context, tx *db.Tx, from caller.Sender, service, target string) (bool, error) {
	if service != "lambda" {
		return s.o.Targets.Exists(ctx, tx, from, target)
	}
	r, err := ParseARN(target)
	if err != nil {
		return false, nil
	}
	_, err = resolve(ctx, tx, r)
	return err == nil, nil
}
