package lambda

import (
	"context"
	"errors"
	"time"

	"plumb/internal/db"
	"plumb/internal/model"
)

// An Invoker is who wants a function invoked without an identity of its own: a service, and
// what of it. A member that is empty does not satisfy a condition on it.
type Invoker struct {
	Service string // cognito-sync.amazonaws.com
	ARN     string // AWS:SourceArn
	Account string // AWS:SourceAccount
	Token   string // lambda:EventSourceToken
}

// May reports whether a function exists and its policy lets it be invoked so.
func (i Invoker) May(ctx context.Context, tx *db.Tx, functionARN string) (bool, error) {
	r, err := ParseARN(functionARN)
	if err != nil {
		return false, nil
	}
	if _, err := resolve(ctx, tx, r); err != nil {
		if model.IsCode(err, "ResourceNotFoundException") {
			return false, nil
		}
		return false, err
	}
	if r.Qualifier == Latest {
		r.Qualifier = ""
	}
	list, _, err := readPolicy(ctx, tx, r)
	if err != nil {
		return false, err
	}
	known := map[string]string{"aws:sourcearn": i.ARN, "aws:sourceaccount": i.Account, "lambda:eventsourcetoken": i.Token}
	for _, st := range list {
		if st.allows("lambda:InvokeFunction", i.Service, known) {
			return true, nil
		}
	}
	return false, nil
}

// What keeps an invoker from an answer, beside the errors of Invoke.
var (
	ErrNotPermitted = errors.New("the function is not there, or its policy does not let it be invoked so")
	ErrTooSlow      = errors.New("the function did not answer in time")
)

// InvokeFor invokes a function for a caller that waits for the answer, if the
// function's policy allows it. A function that takes longer than within runs on, and nobody waits.
func (s *Service) InvokeFor(ctx context.Context, from Invoker, functionARN string, c Call, within time.Duration) (Answer, error) {
	var may bool
	err := s.db.Read(ctx, func(tx *db.Tx) (err error) {
		may, err = from.May(ctx, tx, functionARN)
		return err
	})
	if err != nil {
		return Answer{}, err
	}
	r, err := ParseARN(functionARN)
	if err != nil || !may {
		return Answer{}, ErrNotPermitted
	}
	a, err := s.InvokeWithin(ctx, r, c, within)
	if errors.Is(err, ErrNotInTime) {
		return a, ErrTooSlow
	}
	return a, err
}
