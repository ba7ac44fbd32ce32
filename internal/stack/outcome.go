package stack

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"plumb/internal/awsclient"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/stack/kind"
)

// endOrTry ends a task with what a service answered. What is our own failure has
// the job tried again.
func (s *Stacks) endOrTry(ctx context.Context, st Stack, r Resource, err error) error {
	_, answered := errors.AsType[*awsclient.Error](err)
	_, refused := errors.AsType[*kind.Refusal](err)
	if answered || refused {
		return s.end(ctx, st, r, err)
	}
	return err
}

// A service is asked that often, and not longer than that, whether it is ready.
const (
	checkEvery = 2 * time.Second
	checkFor   = time.Hour
)

// wait ends a task once the service is ready. Else it is asked again, if nobody
// else does.
func (s *Stacks) wait(ctx context.Context, st Stack, r Resource, once bool) error {
	t, _ := s.kinds.Type(r.Type)
	ready := t.Settled
	if r.Do == doDelete {
		ready = t.Absent
	}
	if ready == nil {
		return s.end(ctx, st, r, nil)
	}
	ok, err := ready(ctx, s.request(st, r, false))
	if err != nil && ctx.Err() == nil {
		return s.endOrTry(ctx, st, r, err)
	}
	if err != nil {
		return err
	}
	switch {
	case ok:
		return s.end(ctx, st, r, nil)
	case !r.Since.IsZero() && s.Now().Sub(r.Since) > checkFor:
		return s.end(ctx, st, r, &kind.Refusal{Code: "NotStabilized", Message: "Exceeded attempts to wait"})
	case once:
		return nil
	}
	return s.DB.Write(ctx, func(tx *db.Tx) error {
		ok, err := s.holds(ctx, tx, &st, r)
		if err != nil || !ok {
			return err
		}
		if r.State = settling; r.Since.IsZero() {
			r.Since = s.Now()
		}
		if err := putResource(ctx, tx, st, r); err != nil {
			return err
		}
		return s.begin(ctx, tx, st, r, checkEvery)
	})
}

// Wake has a resource looked at whose service says that it ended what it was at.
func (s *Stacks) Wake(ctx context.Context, tx *db.Tx, p config.Place, typ, physical string) error {
	rows, err := resourcesWhere(ctx, tx, `account = ? AND region = ? AND physical = ? AND type = ? AND state = ?`,
		p.Account, p.Region, physical, typ, string(settling))
	if err != nil {
		return err
	}
	for _, r := range rows {
		w := work{Stack: r.Stack, ID: r.ID, Generation: r.Generation, Mark: r.Mark, Once: true}
		if err := s.Jobs.Insert(ctx, tx, w, job.Options{Queue: job.Delivery}); err != nil {
			return err
		}
	}
	return nil
}

// end notes the outcome of a task and has the operation looked at.
func (s *Stacks) end(ctx context.Context, st Stack, r Resource, failure error) error {
	return s.DB.Write(ctx, func(tx *db.Tx) error {
		ok, err := s.holds(ctx, tx, &st, r)
		if err != nil || !ok {
			return err
		}
		return s.endIn(ctx, tx, st, r, failure)
	})
}

func (s *Stacks) endIn(ctx context.Context, tx *db.Tx, st Stack, r Resource, failure error) error {
	word := verbOf(r)
	if r.Do == doDelete {
		word = deleteWord
	}
	r.State, r.Status, r.Reason, r.Updated = done, word+complete, "", s.Now()
	switch {
	case failure != nil:
		r.State, r.Status, r.Reason = broken, word+failed, s.words(r, failure)
		if st.Operation.Phase == Making && !st.Operation.Failed {
			st.Operation.Failed, st.Operation.Reason = true, r.Reason
			if err := putStack(ctx, tx, st); err != nil {
				return err
			}
		}
	case r.Do == doRevert:
		r.Made, r.Previous = *r.Previous, nil
	}
	if err := s.resourceEvent(ctx, tx, st, r); err != nil {
		return err
	}
	if err := putResource(ctx, tx, st, r); err != nil {
		return err
	}
	if r.Do == doDelete && r.Generation > 0 && failure == nil {
		if err := dropResource(ctx, tx, r); err != nil {
			return err
		}
	}
	return s.next(ctx, tx, st)
}

// words are AWS's for why a resource failed.
func (s *Stacks) words(r Resource, err error) string {
	t, _ := s.kinds.Type(r.Type)
	if e, ok := errors.AsType[*awsclient.Error](err); ok {
		text := fmt.Sprintf("%s (Service: %s, Status Code: %d, Request ID: %s)", e.Message, t.Service, e.Status, e.RequestID)
		return fmt.Sprintf("Resource handler returned message: %q (RequestToken: %s, HandlerErrorCode: %s)", text, r.Token, handlerCode(e))
	}
	if e, ok := errors.AsType[*kind.Refusal](err); ok {
		return fmt.Sprintf("Resource handler returned message: %q (RequestToken: %s, HandlerErrorCode: %s)", e.Message, r.Token, e.Code)
	}
	return err.Error()
}

// handlerCode is the code by which CloudFormation knows an error of a service.
func handlerCode(e *awsclient.Error) string {
	switch {
	case strings.Contains(e.Code, "AlreadyExist") || e.Status == 409:
		return kind.AlreadyExists
	case strings.HasPrefix(e.Code, "AccessDenied") || e.Status == 403:
		return "AccessDenied"
	case strings.HasPrefix(e.Code, "Throttling") || e.Status == 429:
		return "Throttling"
	case strings.Contains(e.Code, "LimitExceeded") || strings.HasPrefix(e.Code, "MaxNumberOf"):
		return "ServiceLimitExceeded"
	case e.Status == 404 || strings.Contains(e.Code, "NotFound") || strings.HasPrefix(e.Code, "NoSuch"):
		return kind.NotFound
	case e.Status >= 500:
		return "ServiceInternalError"
	}
	return kind.InvalidRequest
}
