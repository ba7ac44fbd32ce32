// Package repeat keeps a log readable while something goes on failing: a warning or
// an error is written once, and then hourly for as long as it comes again, with how
// often it came. It knows nothing of its callers, and keeps nothing but in memory.
//
//	log := slog.New(repeat.New(slog.NewTextHandler(os.Stderr, nil)))
package repeat

import (
	"context"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// every is how often a failure that goes on is written.
const every = time.Hour

// maxKnown bounds the failures that are remembered. With more different
// ones within an hour, some of them may be logged twice.
const maxKnown = 4096

// A Handler hands records on, but those that repeat an earlier one.
type Handler struct {
	next   slog.Handler
	before string // the attributes and groups that were added
	known  *known
}

// New returns a handler in front of another.
func New(next slog.Handler) *Handler {
	return &Handler{next: next, known: &known{failures: map[string]*failure{}}}
}

// Enabled asks the next handler.
func (h *Handler) Enabled(ctx context.Context, l slog.Level) bool { return h.next.Enabled(ctx, l) }

// Handle writes a record unless it repeats one of the last hour.
func (h *Handler) Handle(ctx context.Context, r slog.Record) error {
	if r.Level < slog.LevelWarn {
		return h.next.Handle(ctx, r)
	}
	missed, write := h.known.meet(h.key(r), r.Time)
	if !write {
		return nil
	}
	if missed > 0 {
		r = r.Clone()
		r.AddAttrs(slog.Int("repeated", missed))
	}
	return h.next.Handle(ctx, r)
}

// WithAttrs returns a handler that adds attributes, with the same memory.
func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	var b strings.Builder
	for _, a := range attrs {
		b.WriteString(describe(a))
	}
	return &Handler{h.next.WithAttrs(attrs), h.before + b.String(), h.known}
}

// WithGroup returns a handler that opens a group, with the same memory.
func (h *Handler) WithGroup(name string) slog.Handler {
	return &Handler{h.next.WithGroup(name), h.before + "|" + name + ".", h.known}
}

// key is what records of one failure have in common.
func (h *Handler) key(r slog.Record) string {
	var b strings.Builder
	b.WriteString(h.before + "|" + r.Level.String() + "|" + r.Message)
	r.Attrs(func(a slog.Attr) bool {
		b.WriteString(describe(a))
		return true
	})
	return b.String()
}

// passing are the attributes by which two tries at the same thing differ.
var passing = []string{"attempt", "request", "id", "ms", "stack", "trace", "lines", "example"}

func describe(a slog.Attr) string {
	if slices.Contains(passing, a.Key) {
		return ""
	}
	text := a.Value.String()
	if a.Key == "err" {
		text = changing.ReplaceAllString(text, "#")
	}
	return "|" + a.Key + "=" + text
}

// changing is what an error's text has of one try: ports, times, ids of requests.
// An account's or a resource's name stays: twelve digits, or letters that are no
// hexadecimal number.
var changing = regexp.MustCompile(`:\d{4,5}\b|\b\d{1,11}\b|[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}|\d{4}-\d\d-\d\dT[0-9:.]+Z?|\d{8}T\d{6}Z`)

// A failure is one that was written.
type failure struct {
	written time.Time
	missed  int
}

type known struct {
	mu       sync.Mutex
	failures map[string]*failure
}

// meet notes a failure. It says whether it is to be written, and how often it came
// since it last was.
func (k *known) meet(key string, now time.Time) (missed int, write bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	f, ok := k.failures[key]
	if ok && now.Sub(f.written) < every {
		f.missed++
		return 0, false
	}
	if !ok {
		k.makeRoom(now)
		f = &failure{}
		k.failures[key] = f
	}
	missed = f.missed
	*f = failure{written: now}
	return missed, true
}

// makeRoom forgets what has not come for an hour, or else everything.
func (k *known) makeRoom(now time.Time) {
	if len(k.failures) < maxKnown {
		return
	}
	for key, f := range k.failures {
		if now.Sub(f.written) >= every {
			delete(k.failures, key)
		}
	}
	if len(k.failures) >= maxKnown {
		clear(k.failures)
	}
}
