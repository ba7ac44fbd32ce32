package job

import (
	"context"
	"database/sql"
	"sync"

	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riversqlite"
)

// A SQLite store has one server, so telling it of new jobs needs no table and no
// polling: a bell in the process rings after the commit. liteDriver is River's
// driver with that bell in place of its outbox.
type liteDriver struct {
	*riversqlite.Driver
	bell *bell
}

// GetExecutor returns River's executor with the bell.
func (d liteDriver) GetExecutor() riverdriver.Executor {
	return liteExecutor{d.Driver.GetExecutor(), d.bell}
}

// GetListener returns an ear for the bell.
func (d liteDriver) GetListener(*riverdriver.GetListenenerParams) riverdriver.Listener {
	return &ear{bell: d.bell, topics: map[string]bool{}, rung: make(chan *riverdriver.Notification, 256)}
}

// UnwrapExecutor returns an executor on a transaction of ours.
func (d liteDriver) UnwrapExecutor(tx *sql.Tx) riverdriver.ExecutorTx {
	return liteTx{d.Driver.UnwrapExecutor(tx), d.bell}
}

// UnwrapTx returns the transaction behind an executor.
func (d liteDriver) UnwrapTx(tx riverdriver.ExecutorTx) *sql.Tx {
	if t, ok := tx.(liteTx); ok {
		tx = t.ExecutorTx
	}
	return d.Driver.UnwrapTx(tx)
}

type liteExecutor struct {
	riverdriver.Executor
	bell *bell
}

// Begin opens a transaction.
func (e liteExecutor) Begin(ctx context.Context) (riverdriver.ExecutorTx, error) {
	tx, err := e.Executor.Begin(ctx)
	if err != nil {
		return nil, err
	}
	return liteTx{tx, e.bell}, nil
}

// NotifyMany rings.
func (e liteExecutor) NotifyMany(_ context.Context, p *riverdriver.NotifyManyParams) error {
	e.bell.notify(p)
	return nil
}

type liteTx struct {
	riverdriver.ExecutorTx
	bell *bell
}

// NotifyMany rings for control messages. For new jobs Insert rings after the
// commit; before it there would be nothing to see.
func (t liteTx) NotifyMany(_ context.Context, p *riverdriver.NotifyManyParams) error {
	if p.Topic != topicInsert {
		t.bell.notify(p)
	}
	return nil
}

// topicInsert is River's topic for new jobs; its payload names the queue.
const topicInsert = "river_insert"

// A bell tells every ear what was notified. Ears that are full miss it: River
// polls once a second all the same.
type bell struct {
	mu   sync.Mutex
	ears map[*ear]bool
}

func newBell() *bell { return &bell{ears: map[*ear]bool{}} }

func (b *bell) ring(queue string) {
	b.notify(&riverdriver.NotifyManyParams{Topic: topicInsert, Payload: []string{`{"queue":"` + queue + `"}`}})
}

func (b *bell) notify(p *riverdriver.NotifyManyParams) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for e := range b.ears {
		if !e.topics[p.Topic] {
			continue
		}
		for _, payload := range p.Payload {
			select {
			case e.rung <- &riverdriver.Notification{Topic: p.Topic, Payload: payload}:
			default:
			}
		}
	}
}

// An ear is River's listener.
type ear struct {
	bell   *bell
	topics map[string]bool // guarded by bell.mu
	rung   chan *riverdriver.Notification
}

func (e *ear) Connect(context.Context) error {
	e.bell.mu.Lock()
	defer e.bell.mu.Unlock()
	e.bell.ears[e] = true
	return nil
}

func (e *ear) Close(context.Context) error {
	e.bell.mu.Lock()
	defer e.bell.mu.Unlock()
	delete(e.bell.ears, e)
	clear(e.topics)
	return nil
}

func (e *ear) Listen(_ context.Context, topic string) error {
	e.bell.mu.Lock()
	defer e.bell.mu.Unlock()
	e.topics[topic] = true
	return nil
}

func (e *ear) Unlisten(_ context.Context, topic string) error {
	e.bell.mu.Lock()
	defer e.bell.mu.Unlock()
	delete(e.topics, topic)
	return nil
}

func (e *ear) WaitForNotification(ctx context.Context) (*riverdriver.Notification, error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case n := <-e.rung:
		return n, nil
	}
}

func (e *ear) Ping(context.Context) error   { return nil }
func (e *ear) Schema() string               { return "" }
func (e *ear) SetAfterConnectExec(_ string) {}
