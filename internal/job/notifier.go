package job

import (
	"context"
	"sync"

	"github.com/riverqueue/river/riverdriver"
)

// topicInsert is River's topic for new jobs; its payload names the queue.
const topicInsert = "river_insert"

// A notifier tells River's listeners in this process about new jobs. A SQLite
// store has one server, so it needs no table for this and no polling. A listener
// whose buffer is full misses a notification: River polls once a second anyway.
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
			select {
			case l.notifications <- &riverdriver.Notification{Topic: p.Topic, Payload: payload}:
			default:
			}
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

func (l *listener) Ping(context.Context) error   { return nil }
func (l *listener) Schema() string               { return "" }
func (l *listener) SetAfterConnectExec(_ string) {}
