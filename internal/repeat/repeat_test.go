package repeat_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"plumb/internal/repeat"
)

// A bench hands records to a handler at times of its own.
type bench struct {
	handler slog.Handler
	out     bytes.Buffer
	now     time.Time
}

func newBench() *bench {
	b := &bench{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	b.handler = repeat.New(slog.NewTextHandler(&b.out, nil))
	return b
}

func (b *bench) log(t *testing.T, l slog.Level, text string, args ...any) {
	t.Helper()
	r := slog.NewRecord(b.now, l, text, 0)
	r.Add(args...)
	if err := b.handler.Handle(context.Background(), r); err != nil {
		t.Fatal(err)
	}
}

func (b *bench) lines() int { return strings.Count(b.out.String(), "\n") }

func TestRepeatedFailureIsWrittenOnceAndThenHourly(t *testing.T) {
	b := newBench()
	for i := range 180 {
		err := fmt.Errorf("dial tcp 127.0.0.1:%d: connection refused", 30000+i)
		b.log(t, slog.LevelWarn, "job failed", "job", "delivery", "id", i, "attempt", i, "err", err)
		b.now = b.now.Add(time.Minute)
	}
	if b.lines() != 3 || strings.Count(b.out.String(), "repeated=59") != 2 {
		t.Errorf("three hours of one failure are\n%s", b.out.String())
	}
}

func TestAFileThatIsNamedByItsTimeIsTheSameFailure(t *testing.T) {
	b := newBench()
	for i := range 3 {
		err := fmt.Errorf("put AWSLogs/123456789012/Config/us-east-1/2026/11/30/ConfigSnapshot/123456789012_Config_us-east-1_ConfigSnapshot_20261130T12265%dZ_%08x-7fdb-46ac-9e7f-727793b4d94e.json.gz", i, i)
		b.log(t, slog.LevelWarn, "a snapshot was not taken", "err", err)
	}
	if b.lines() != 1 {
		t.Errorf("one failure three times is\n%s", b.out.String())
	}
}

func TestOtherFailuresAreWritten(t *testing.T) {
	b := newBench()
	refused, denied := errors.New("refused"), errors.New("denied")
	b.log(t, slog.LevelWarn, "job failed", "job", "a", "err", refused)
	b.log(t, slog.LevelWarn, "job failed", "job", "b", "err", refused)
	b.log(t, slog.LevelWarn, "job failed", "job", "a", "err", denied)
	b.log(t, slog.LevelError, "job failed", "job", "a", "err", denied)
	b.log(t, slog.LevelWarn, "delivery failed", "account", "111111111111", "err", errors.New("bucket of 111111111111"))
	b.log(t, slog.LevelWarn, "delivery failed", "account", "111111111111", "err", errors.New("bucket of 222222222222"))
	if b.lines() != 6 {
		t.Errorf("six failures are\n%s", b.out.String())
	}
}

func TestWhatIsNoFailureIsAlwaysWritten(t *testing.T) {
	b := newBench()
	for range 3 {
		b.log(t, slog.LevelInfo, "request", "service", "config")
	}
	if b.lines() != 3 {
		t.Errorf("three requests are\n%s", b.out.String())
	}
}

func TestAddedAttributesTellFailuresApart(t *testing.T) {
	b := newBench()
	one, two := b.handler.WithAttrs([]slog.Attr{slog.String("region", "a")}), b.handler.WithAttrs([]slog.Attr{slog.String("region", "b")})
	for range 2 {
		for _, b.handler = range []slog.Handler{one, two} {
			b.log(t, slog.LevelWarn, "resources cannot be read")
		}
	}
	if b.lines() != 2 {
		t.Errorf("two regions are\n%s", b.out.String())
	}
}

func TestMemoryIsBounded(t *testing.T) {
	b := newBench()
	for i := range 20000 {
		b.log(t, slog.LevelWarn, fmt.Sprintf("failure %d", i))
	}
	if b.lines() != 20000 {
		t.Errorf("%d of 20000 failures were written", b.lines())
	}
}
