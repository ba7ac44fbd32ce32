package cloudformation

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"

	"plumb/internal/stack"
)

// maxBody is how much of an answer is read. One that is longer than CloudFormation
// takes fails the resource; one that is longer than this is cut off.
const maxBody = 64 << 10

// IsAnswer reports whether a request answers for a custom resource. It carries no
// signature: the address is the secret.
func IsAnswer(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, stack.AnswerPath) }

// Answers takes the answers for custom resources.
func Answers(log *slog.Logger, stacks *stack.Stacks) http.Handler {
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
		err = stacks.Answer(r.Context(), strings.TrimPrefix(r.URL.Path, stack.AnswerPath), body)
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
