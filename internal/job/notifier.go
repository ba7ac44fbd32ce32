package job

import (
	"context"
	"errors"
	"sync"

	"github.com/riverqueue/river/riverdriver"
)

// topicInsert is River's topic for new jobs; its payload names the queue.
const topicInsert = "river_insert"

// A notifier tells River's listeners in this process about new jobs. A SQLite
// store has one server, so it needs no table for this and no polling. With
// PostgreSQL it spares this server the wait for a poll when River's own
// notification falls into a cooldown. A listener whose buffer is full misses a
// notification: River polls anyway.
type notifier struct {
	mu        sync.Mutex
	listeners map[*listener]bool
}

func newNotifier() *notifier { return &notifier{listeners: map[*listener]bool{}} }

// inserted announces new jobs in a queue.
func (n *notifier) inserted(queue string) {
	n.notify(&riverdriver.NotifyManyParams{Topic: topicInsert, Payload: []string{`{"queue":"` + queue + `"}`}})
}

func (n *notifier) notify(p *riverdriver.NotifyManyParams) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for l := range n.listeners {
		if !l.topics[p.Topic] {
			continue
		}
		for _, payload := range p.Payload {
			l.receive(&riverdriver.Notification{Topic: p.Topic, Payload: payload})
		}
	}
}

// A listener is River's listener on a notifier.
type listener struct {
	notifier      *notifier
	topics        map[string]bool // guarded by notifier.mu
	notifications chan *riverdriver.Notification
}

func newListener(n *notifier) *listener {
	return &listener{notifier: n, topics: map[string]bool{}, notifications: make(chan *riverdriver.Notification, 256)}
}

func (l *listener) Connect(context.Context) error {
	l.notifier.mu.Lock()
	defer l.notifier.mu.Unlock()
	l.notifier.listeners[l] = true
	return nil
}

func (l *listener) Close(context.Context) error {
	l.notifier.mu.Lock()
	defer l.notifier.mu.Unlock()
	delete(l.notifier.listeners, l)
	clear(l.topics)
	return nil
}

func (l *listener) Listen(_ context.Context, topic string) error {
	l.notifier.mu.Lock()
	defer l.notifier.mu.Unlock()
	l.topics[topic] = true
	return nil
}

func (l *listener) Unlisten(_ context.Context, topic string) error {
	l.notifier.mu.Lock()
	defer l.notifier.mu.Unlock()
	delete(l.topics, topic)
	return nil
}

func (l *listener) WaitForNotification(ctx context.Context) (*riverdriver.Notification, error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case n := <-l.notifications:
		return n, nil
	}
}

// receive keeps n for the next wait.
func (l *listener) receive(n *riverdriver.Notification) {
	select {
	case l.notifications <- n:
	default:
	}
}

func (l *listener) Ping(context.Context) error   { return nil }
func (l *listener) Schema() string               { return "" }
func (l *listener) SetAfterConnectExec(_ string) {}

// A bothListener listens to PostgreSQL, which tells of the jobs of all servers, and
// to a notifier.
type bothListener struct {
	riverdriver.Listener // PostgreSQL's
	local                *listener
}

func (l bothListener) Connect(ctx context.Context) error {
	if err := l.Listener.Connect(ctx); err != nil {
		return err
	}
	return l.local.Connect(ctx)
}

func (l bothListener) Close(ctx context.Context) error {
	return errors.Join(l.local.Close(ctx), l.Listener.Close(ctx))
}

func (l bothListener) Listen(ctx context.Context, topic string) error {
	if err := l.Listener.Listen(ctx, topic); err != nil {
		return err
	}
	return l.local.Listen(ctx, topic)
}

func (l bothListener) Unlisten(ctx context.Context, topic string) error {
	return errors.Join(l.local.Unlisten(ctx, topic), l.Listener.Unlisten(ctx, topic))
}

// WaitForNotification returns the first of either. PostgreSQL's wait can be
// interrupted without harm to the connection.
func (l bothListener) WaitForNotification(ctx context.Context) (*riverdriver.Notification, error) {
	ctx, interrupt := context.WithCancel(ctx)
	defer interrupt()
	local := make(chan *riverdriver.Notification, 1)
	go func() {
		n, err := l.local.WaitForNotification(ctx)
		if err == nil {
			interrupt()
		}
		local <- n
	}()
	n, err := l.Listener.WaitForNotification(ctx)
	interrupt()
	own := <-local
	switch {
	case own == nil:
		return n, err
	case n != nil || err != nil && !errors.Is(err, context.Canceled):
		l.local.receive(own)
		return n, err
	}
	return own, nil
}
