package cloudformation

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"

	"plumb/internal/arn"
	"plumb/internal/audit"
	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/stack"
)

// maxBody is how much of an answer is read. One that is longer than CloudFormation
// takes fails the resource; one that is longer than this is cut off.
const maxBody = 64 << 10

// IsAnswer reports whether a request answers for a custom resource. It carries no
// signature: the address is the secret.
func IsAnswer(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, stack.AnswerPath) }

// A Note is told of an answer that was taken or refused. A nil one is told nothing.
type Note func(r *http.Request, who caller.Caller, e audit.Event)

// Answers takes the answers for custom resources.
func Answers(log *slog.Logger, stacks *stack.Stacks, note Note) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPut {
			w.Header().Set("Allow", http.MethodPut)
			http.Error(w, "An answer is PUT here.", http.StatusMethodNotAllowed)
			return
		}
		body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
		if err != nil {
			http.Error(w, "The answer could not be read.", http.StatusBadRequest)
			return
		}
		id, err := stacks.Answer(r.Context(), strings.TrimPrefix(r.URL.Path, stack.AnswerPath), body)
		if note != nil {
			note(r, caller.Caller{}, eventOf(id, err))
		}
		switch {
		case errors.Is(err, stack.ErrNoAnswer):
			http.Error(w, "Nobody waits for this answer.", http.StatusForbidden)
		case errors.Is(err, stack.ErrBadAnswer):
			http.Error(w, "A signal is JSON with Status, UniqueId, Reason and Data.", http.StatusBadRequest)
		case err != nil:
			log.ErrorContext(r.Context(), "the answer for a custom resource could not be kept", "err", err)
			http.Error(w, "The answer could not be kept.", http.StatusInternalServerError)
		}
	})
}

// eventOf describes an answer to a stack, whose id is empty where nobody waits for it.
func eventOf(id string, err error) audit.Event {
	e := audit.Event{Service: "cloudformation", Operation: "AnswerCustomResource", Kind: audit.ServerAction}
	if a, err := arn.Parse(id); err == nil {
		e.Place, e.Resources = config.Place{Account: a.Account, Region: a.Region}, []string{id}
	}
	switch {
	case errors.Is(err, stack.ErrNoAnswer):
		e.Code = "AccessDenied"
	case errors.Is(err, stack.ErrBadAnswer):
		e.Code = "ValidationError"
	case err != nil:
		e.Code = "InternalFailure"
	}
	return e
}
