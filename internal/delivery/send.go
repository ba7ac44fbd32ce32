package delivery

import (
	"context"
	"errors"
	"sync"
	"time"
)

// A Message is what a topic is given. Of the messages with one key, each is sent
// after the one before it.
type Message struct {
	Key     string
	Subject string
	Body    string
}

// maxFailures is after how many failures in a row the rest of a batch waits. More
// than one, so that a message which can never be sent does not hold up the
// others.
const maxFailures = 3

// sendTimeout is how long one message may take.
const sendTimeout = 20 * time.Second

// SendEach sends messages one by one, several at a time but in order by their keys,
// and returns how each of them went. It stops when the service refuses, or after
// some failures in a row; a message that was not sent has an error, too. The first
// message goes alone, so that a service that is away is called once.
func SendEach(ctx context.Context, all []Message, atOnce int, send func(context.Context, Message) error) []error {
	s := &sender{ctx: ctx, send: send, all: all, went: make([]error, len(all))}
	queues := map[string][]int{}
	var order []string
	for i, m := range all {
		if queues[m.Key] == nil {
			order = append(order, m.Key)
		}
		queues[m.Key] = append(queues[m.Key], i)
	}
	if atOnce <= 1 {
		failed := map[string]bool{}
		for i, m := range all {
			failed[m.Key] = !s.one(i, failed[m.Key]) || failed[m.Key]
		}
		return s.went
	}
	if len(order) > 0 {
		s.queue(queues[order[0]])
		order = order[1:]
	}
	next := make(chan []int, len(order))
	for _, key := range order {
		next <- queues[key]
	}
	close(next)
	var workers sync.WaitGroup
	for range min(atOnce, len(order)) {
		workers.Go(func() {
			for q := range next {
				s.queue(q)
			}
		})
	}
	workers.Wait()
	return s.went
}

type sender struct {
	ctx  context.Context
	send func(context.Context, Message) error
	all  []Message
	went []error

	mu       sync.Mutex
	failures int // in a row
}

// queue sends messages in order, up to the first that fails.
func (s *sender) queue(at []int) {
	failed := false
	for _, i := range at {
		failed = !s.one(i, failed) || failed
	}
}

// one sends a message and reports whether it was taken.
func (s *sender) one(i int, behind bool) bool {
	s.mu.Lock()
	stopped := s.failures >= maxFailures
	s.mu.Unlock()
	if behind || stopped || s.ctx.Err() != nil {
		s.went[i] = errNotTried
		return false
	}
	ctx, cancel := context.WithTimeout(s.ctx, sendTimeout)
	defer cancel()
	err := s.send(ctx, s.all[i])
	if err != nil && s.ctx.Err() != nil {
		err = errors.Join(errNotTried, err) // the time was up: that says nothing of the service
	}
	s.went[i] = err
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err == nil:
		s.failures = 0
	case refused(err):
		s.failures = maxFailures
	case errors.Is(err, ErrInvalid): // says nothing of the others
	default:
		s.failures++
	}
	return err == nil
}
