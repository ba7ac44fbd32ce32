package environment

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"plumb/internal/sandbox"
)

// Each of them holds its environment until all are there: with a fixed number of
// environments they would wait for ever.
func TestMoreEnvironmentsWorkWhileTheRunningOnesWait(t *testing.T) {
	b := newBenchAt(t, sandbox.Probe(t.TempDir()).Level, Options{PerFunction: 8, Total: 8, Eager: 1})
	v := b.provided()
	v.Timeout = time.Minute
	var all sync.WaitGroup
	var done atomic.Int32
	for range 4 {
		all.Go(func() {
			b.invoke(v, `{"sleep": 2000}`)
			done.Add(1)
		})
	}
	for deadline := time.Now().Add(20 * time.Second); done.Load() == 0; {
		b.pool.mu.Lock()
		n := len(b.pool.all)
		b.pool.mu.Unlock()
		if n > 1 {
			break
		}
		if time.Now().After(deadline) {
			t.Error("one environment worked at a time")
			break
		}
		time.Sleep(time.Millisecond)
	}
	all.Wait()
}

func TestOneAccountLeavesEnvironmentsToOthers(t *testing.T) {
	b := newBenchAt(t, sandbox.Probe(t.TempDir()).Level, Options{PerFunction: 4, Total: 4, Eager: 4, Shared: true})
	busy, other := b.provided(), b.provided()
	busy.Timeout, busy.Account, busy.Key, other.Account = time.Minute, "111111111111", "busy", "222222222222"
	var all sync.WaitGroup
	var done atomic.Int32
	for range 6 {
		all.Go(func() {
			b.invoke(busy, `{"sleep": 3000}`)
			done.Add(1)
		})
	}
	for waiting := 0; waiting < 3; runtime.Gosched() { // three work, three wait
		b.pool.mu.Lock()
		waiting = len(b.pool.waiting)
		b.pool.mu.Unlock()
	}
	b.invoke(other, `{"return": 1}`)
	if n := done.Load(); n > 0 {
		t.Errorf("another account waited for %d invocations", n)
	}
	all.Wait()
}

func TestBusyEnvironmentsKeepOthersFromStarting(t *testing.T) {
	b := newBenchAt(t, sandbox.Probe(t.TempDir()).Level, Options{PerFunction: 30, Total: 30, Eager: 2})
	if sandbox.OwnSchedule() == nil {
		t.Skip("this machine does not count what processes wait for a processor")
	}
	v := b.python(`
import time
def handler(event, context):
    end = time.process_time() + 0.1
    while time.process_time() < end:
        pass
    return "done"
`)
	v.Timeout = 2 * time.Second
	var all sync.WaitGroup
	for i := range 30 {
		all.Go(func() {
			r, err := b.pool.Invoke(t.Context(), v, Invocation{RequestID: fmt.Sprint(i), FunctionARN: v.Function, Payload: []byte(`{}`)})
			if err != nil || string(r.Payload) != `"done"` {
				t.Errorf("got %s, %v", r.Payload, err)
			}
		})
	}
	all.Wait()
	b.pool.mu.Lock()
	defer b.pool.mu.Unlock()
	if n := len(b.pool.all); n > 12 {
		t.Errorf("%d environments for a burst that keeps the processors busy", n)
	}
}

// A process that does not get a processor is not timed out for it.
func TestTimeWithoutAProcessorDoesNotCount(t *testing.T) {
	expired := make(chan struct{})
	var waited atomic.Int64
	began := time.Now()
	d := newDeadline(40*time.Millisecond, func() time.Duration { return time.Duration(waited.Load()) }, func() { close(expired) })
	waited.Store(int64(time.Hour)) // before the first look: of an earlier invocation
	<-expired
	if took := time.Since(began); took < 40*time.Millisecond {
		t.Errorf("expired after %s", took)
	}
	if d.added > maxCredit*d.limit {
		t.Errorf("added %s", d.added)
	}

	began, expired = time.Now(), make(chan struct{})
	var looks atomic.Int64
	newDeadline(40*time.Millisecond, func() time.Duration { return time.Duration(looks.Add(1)) * time.Hour }, func() { close(expired) })
	<-expired
	if took, least := time.Since(began), (1+maxCredit)*40*time.Millisecond; took < least {
		t.Errorf("a process that never ran was timed out after %s, before %s", took, least)
	}
}

func TestWarmEnvironmentsOfManyFunctionsStay(t *testing.T) {
	b := newBenchAt(t, sandbox.Probe(t.TempDir()).Level, Options{PerFunction: 8, Total: 8, Eager: 1})
	b.pool.grace = time.Minute
	v := b.provided()
	for range 2 {
		for i := range 4 {
			v.Key = strings.Repeat("k", i+1)
			b.invoke(v, `{"count": true}`)
		}
	}
	v.Key = "k"
	if r := b.invoke(v, `{"count": true}`); string(r.Payload) != "3" {
		t.Errorf("the first function's environment had %s invocations, want 3", r.Payload)
	}
}
