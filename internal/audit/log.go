package audit

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"time"

	"plumb/internal/db"
	"plumb/internal/job"
)

// Options are what a Log is made of. DB, Jobs, Now and Keep are required.
type Options struct {
	DB    *db.DB
	Jobs  *job.Queue
	Now   func() time.Time
	Level string        // Off, Management or All; empty is Management
	Keep  time.Duration // for how long events are kept
	// Put writes a file, compressed, at a key of the bucket that files go to. Nil: there
	// are no files.
	Put func(ctx context.Context, key string, body io.ReadSeeker, size int64) error
}

// A Log keeps events. It is safe for concurrent use.
type Log struct {
	log *slog.Logger
	o   Options

	mu        sync.Mutex
	waiting   []Event
	lost      int // that did not fit
	strangers budget

	wake    chan struct{}
	writing sync.Mutex // one batch at a time, in order
}

const (
	// writeEvery is how often events are written.
	writeEvery = 200 * time.Millisecond
	// retryEvery is how often it is tried when the store does not take them.
	retryEvery = time.Second
	// maxWaiting is how many events wait at most, some 20 KB each at most and 1 KB as a rule.
	maxWaiting = 10_000
	// maxBatch is how many are written in a transaction.
	maxBatch = 500
)

// New makes a log and registers its job.
func New(log *slog.Logger, o Options) *Log {
	if o.Level == "" {
		o.Level = Management
	}
	l := &Log{log: log, o: o, wake: make(chan struct{}, 1)}
	job.HandlePrepared(o.Jobs, l.deliver, job.Policy{Timeout: deliverTimeout})
	return l
}

// Add takes an event. It never waits: what does not fit while the store is away is
// counted and lost, and so are strangers' refusals beyond their budget. What a stranger
// did, by a link that was somebody's secret, is kept like anybody's.
func (l *Log) Add(e Event) {
	if l == nil || l.o.Level == Off {
		return
	}
	switch {
	case e.ID != "":
	case e.RequestID != "":
		e.ID = idOf(e.RequestID)
	default:
		e.ID = newID()
	}
	if e.At.IsZero() {
		e.At = l.o.Now()
	}
	if e.Kind == "" {
		e.Kind = APICall
	}
	l.mu.Lock()
	if len(l.waiting) >= maxWaiting || e.Code != "" && e.Who.stranger() && !l.strangers.take(time.Now()) {
		l.lost++
	} else {
		l.waiting = append(l.waiting, e)
	}
	l.mu.Unlock()
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// KeepForwarded keeps an event that CloudTrail recorded elsewhere, if calls like it are
// kept here: in the transaction that takes the record, which may come again.
func (l *Log) KeepForwarded(ctx context.Context, tx *db.Tx, e Event) error {
	if l == nil || l.o.Level == Off || l.o.Level != All && e.Data {
		return nil
	}
	if e.Kind == "" {
		e.Kind = APICall
	}
	return l.write(ctx, tx, []Event{e})
}

// Run writes what was added until ctx ends, and then what is left.
func (l *Log) Run(ctx context.Context) {
	pause := writeEvery
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.wake:
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		pause = writeEvery
		if err := l.Flush(ctx); err != nil {
			pause = retryEvery
			select {
			case l.wake <- struct{}{}:
			default:
			}
		}
	}
}

// Flush writes what was added so far. What the store does not take stays.
func (l *Log) Flush(ctx context.Context) error {
	if l == nil {
		return nil
	}
	l.writing.Lock()
	defer l.writing.Unlock()
	for {
		l.mu.Lock()
		batch, lost := l.waiting, l.lost
		if len(batch) > maxBatch {
			batch = batch[:maxBatch]
		}
		l.lost = 0
		l.mu.Unlock()
		if lost > 0 {
			l.log.Warn("calls are not in the audit log: they came faster than it takes them", "calls", lost)
		}
		if len(batch) == 0 {
			return nil
		}
		if err := l.o.DB.Write(ctx, func(tx *db.Tx) error { return l.write(ctx, tx, batch) }); err != nil {
			if ctx.Err() == nil {
				l.log.Error("the audit log was not written, it is tried again", "calls", len(batch), "err", err)
			}
			return err
		}
		l.mu.Lock()
		l.waiting = append([]Event(nil), l.waiting[len(batch):]...)
		l.mu.Unlock()
	}
}

// write keeps events, and has them delivered.
func (l *Log) write(ctx context.Context, tx *db.Tx, all []Event) error {
	waits := false
	for _, e := range all {
		files := l.o.Put != nil && e.Place.Account != "" && e.Forwarder == "" // those of others have their own files
		if err := insert(ctx, tx, e, files); err != nil {
			return err
		}
		waits = waits || files
	}
	if !waits {
		return nil
	}
	return l.planDelivery(ctx, tx)
}

// A budget is how many refusals of strangers are kept: so many at once, and so many each
// second after that.
type budget struct {
	left float64
	at   time.Time
}

const (
	strangersAtOnce = 200
	strangersEach   = 20 // second
)

func (b *budget) take(now time.Time) bool {
	if b.at.IsZero() {
		b.left = strangersAtOnce
	} else {
		b.left = min(strangersAtOnce, b.left+now.Sub(b.at).Seconds()*strangersEach)
	}
	b.at = now
	if b.left < 1 {
		return false
	}
	b.left--
	return true
}
