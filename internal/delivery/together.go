package delivery

import (
	"context"
	"errors"
)

// SendTogether sends messages with calls that take several: at most count, and at most
// size bytes of bodies unless one alone has more. Of the messages with one key a call has
// one, and each goes out after the one before it was taken. It stops when the service
// refuses, or after some calls in a row of which nothing was taken; a message that was
// not sent has an error, too.
func SendTogether(ctx context.Context, all []Message, count, size int, send func(context.Context, []Message) []error) []error {
	went := make([]error, len(all))
	failed := map[string]bool{}
	failures := 0 // in a row
	for _, call := range calls(all, count, size) {
		var some []Message
		var at []int
		for _, i := range call {
			went[i] = errNotTried
			if !failed[all[i].Key] {
				some, at = append(some, all[i]), append(at, i)
			}
		}
		if len(some) == 0 || failures >= maxFailures || ctx.Err() != nil {
			continue
		}
		taken := false
		for n, err := range sendCall(ctx, some, send) {
			went[at[n]] = err
			failed[some[n].Key] = err != nil
			taken = taken || err == nil || errors.Is(err, ErrInvalid) // which says nothing of the others
			if refused(err) {
				failures = maxFailures
			}
		}
		switch {
		case taken && failures < maxFailures:
			failures = 0
		case !taken:
			failures++
		}
	}
	return went
}

// sendCall sends messages with one call, which has its time.
func sendCall(ctx context.Context, some []Message, send func(context.Context, []Message) []error) []error {
	within, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	went := send(within, some)
	for i, err := range went {
		if err != nil && ctx.Err() != nil {
			went[i] = errors.Join(errNotTried, err) // the time was up: that says nothing of the service
		}
	}
	return went
}

// calls puts the numbers of messages together that go with one call, in the order of
// the calls.
func calls(all []Message, count, size int) (out [][]int) {
	next := map[string]int{} // the first call that may have a message of a key
	var bytes []int
	for i, m := range all {
		c := next[m.Key]
		for c < len(out) && (len(out[c]) == count || bytes[c]+len(m.Body) > size) {
			c++
		}
		if c == len(out) {
			out, bytes = append(out, nil), append(bytes, 0)
		}
		out[c], bytes[c] = append(out[c], i), bytes[c]+len(m.Body)
		next[m.Key] = c + 1
	}
	return out
}
