package environment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"plumb/internal/sandbox"
)

// initLimit is how long init may take before it is tried once more within the
// first invocation's own time.
const initLimit = 10 * time.Second

// An environment runs one version of a function, one event at a time, in one
// process after another. Whoever took it from the pool owns it until it is given
// back.
type environment struct {
	pool    *Pool
	version Version
	folder  string // its /tmp, kept when a process ends
	spec    sandbox.Spec
	broken  *initFault // why it cannot start, known beforehand
	expires time.Time  // its credentials; zero for never
	stream  string     // of the log

	proc    *process
	journal *journal
	child   atomic.Pointer[sandbox.Process] // of proc, for the pool to kill

	// Guarded by the pool.
	retired   bool // not to be used again
	ending    bool // counted in the pool's ending
	idleSince time.Time
}

// A report is what the REPORT line of an invocation says.
type report struct {
	requestID string
	began     time.Time
	init      time.Duration // of a cold start before the invocation
	status    string        // "timeout", "error" or empty
	kind      string        // error type
	peak      int64         // memory, bytes
	listened  bool          // somebody will read it
}

// start starts a process and waits for its init.
func (e *environment) start(ctx context.Context, limit time.Duration, requestID string) error {
	line := Line{Function: e.version.Function, Group: e.version.LogGroup, Stream: e.stream, RequestID: requestID}
	j, w, err := newJournal(line, e.pool.options.Log)
	if err != nil {
		return fmt.Errorf("log pipe: %w", err)
	}
	defer w.Close()
	if e.journal != nil {
		j.goOn(e.journal)
	}
	e.journal = j
	if e.broken != nil {
		return e.broken
	}
	p, err := launch(ctx, e.pool.box, e.spec, w)
	if err != nil {
		return err
	}
	e.proc = p
	e.child.Store(p.child)
	return p.init(ctx, limit)
}

// stop ends the process. The environment can start another one.
func (e *environment) stop() {
	if e.proc != nil {
		e.proc.kill()
		e.proc = nil
	}
	if e.journal != nil {
		e.journal.drain()
	}
}

// invoke hands one event to the function and returns its answer. It calls idle
// once, when the environment is ready for another event, which may be after the
// answer.
func (e *environment) invoke(ctx context.Context, inv Invocation, idle func()) (Result, error) {
	r := report{requestID: inv.RequestID, listened: inv.Tail || e.pool.options.Log != nil}
	if e.proc != nil && e.proc.gone() {
		e.stop() // it left while idle: silently
	}
	if e.proc == nil {
		began := time.Now()
		if err := e.coldStart(ctx, inv.RequestID); err != nil {
			idle()
			return Result{}, err
		}
		if e.proc != nil {
			r.init = time.Since(began)
		}
	}
	e.journal.drain()
	e.journal.begin(inv.RequestID)
	e.journal.print(fmt.Sprintf("START RequestId: %s Version: %s\n", inv.RequestID, e.version.Number))
	r.began = time.Now()
	timer := time.NewTimer(e.version.Timeout)
	x := &exchange{Invocation: inv, deadline: r.began.Add(e.version.Timeout).UnixMilli(), answer: make(chan answer, 1)}
	res, again, err := e.run(ctx, x, timer, &r)
	if err != nil {
		timer.Stop()
		e.stop()
		idle()
		return Result{}, err
	}
	e.pool.answering(e)
	settled := make(chan struct{})
	go func() {
		defer timer.Stop()
		if again {
			e.settle(timer)
		}
		tail := e.finish(r)
		if inv.Tail {
			res.Log = tail
		}
		close(settled)
		idle()
	}()
	if inv.Tail {
		<-settled
	}
	return res, nil
}

// coldStart starts a process ahead of the invocation. A function whose init
// fails or takes too long is left without a process: run tries once more, in the
// invocation's own time.
func (e *environment) coldStart(ctx context.Context, requestID string) error {
	began := time.Now()
	err := e.start(ctx, initLimit, requestID)
	if err == nil {
		return nil
	}
	e.stop()
	f, failed := errors.AsType[*initFault](err)
	if !failed && !errors.Is(err, errInitTimeout) {
		return err
	}
	status := "timeout"
	if failed {
		status = "error\tError Type: " + f.kind
	}
	e.journal.print(fmt.Sprintf("INIT_REPORT Init Duration: %.2f ms\tPhase: init\tStatus: %s\n", millis(time.Since(began)), status))
	return nil
}

// run hands the event over and waits for the answer, the end of the process or
// the end of the time. It reports whether the process is still there to ask
// again.
func (e *environment) run(ctx context.Context, x *exchange, timer *time.Timer, r *report) (res Result, again bool, err error) {
	if e.proc == nil {
		err := e.start(ctx, e.version.Timeout, x.RequestID)
		if errors.Is(err, errInitTimeout) {
			return e.timedOut(x, r), false, nil
		}
		if f, ok := errors.AsType[*initFault](err); ok {
			r.status, r.kind = "error", f.kind
			e.stop()
			if f.object == nil {
				e.journal.print(fmt.Sprintf("RequestId: %s Error: %s\n%s\n", x.RequestID, f.message, f.kind))
			}
			return Result{Payload: f.payload(x.RequestID), FunctionError: Unhandled}, false, nil
		}
		if err != nil {
			return Result{}, false, err
		}
	}
	select {
	case e.proc.api.next <- x:
	case <-e.proc.child.Done():
		// It left before it took the event: no fault of this invocation.
		e.stop()
		return e.run(ctx, x, timer, r)
	case <-timer.C:
		return e.timedOut(x, r), false, nil
	}
	select {
	case a := <-x.answer:
		return e.answered(a, r), true, nil
	case <-e.proc.child.Done():
		select {
		case a := <-x.answer: // it answered, then left
			return e.answered(a, r), true, nil
		default:
		}
		return e.left(x, r), false, nil
	case <-timer.C:
		return e.timedOut(x, r), false, nil
	}
}

func (e *environment) answered(a answer, r *report) Result {
	if r.listened {
		// The process is asked while it certainly still lives.
		r.peak = e.proc.child.PeakMemory()
	}
	if !a.failed {
		return Result{Payload: a.payload}
	}
	r.status, r.kind = "error", a.kind
	return Result{Payload: a.payload, FunctionError: Unhandled}
}

// timedOut kills the process, whose function took too long.
func (e *environment) timedOut(x *exchange, r *report) Result {
	seconds := e.version.Timeout.Seconds()
	r.status = "timeout"
	e.stop()
	e.journal.print(fmt.Sprintf("%s %s Task timed out after %.2f seconds\n\n",
		time.Now().UTC().Format("2006-01-02T15:04:05.000Z"), x.RequestID, seconds))
	text := fmt.Sprintf("RequestId: %s Error: Task timed out after %.2f seconds", x.RequestID, seconds)
	return Result{Payload: fault("Sandbox.Timedout", text), FunctionError: Unhandled}
}

// left says how the process left during the invocation.
func (e *environment) left(x *exchange, r *report) Result {
	kind, message := e.proc.ending()
	r.status, r.kind = "error", kind
	e.stop()
	text := fmt.Sprintf("RequestId: %s Error: %s", x.RequestID, message)
	e.journal.print(text + "\n" + kind + "\n")
	return Result{Payload: fault(kind, text), FunctionError: Unhandled}
}

// settle waits until the runtime asks for the next event: only then is the
// invocation over. A process that works on past its time is killed.
func (e *environment) settle(timer *time.Timer) {
	select {
	case <-e.proc.api.arrived:
	case <-e.proc.child.Done():
	case <-timer.C:
		e.stop()
	}
}

// finish writes the last lines of the invocation's log and returns the end of
// it.
func (e *environment) finish(r report) []byte {
	took := time.Since(r.began)
	e.journal.drain()
	if !r.listened {
		return nil
	}
	held := int64(math.Ceil(float64(r.peak) / (1 << 20)))
	if e.version.Memory > 0 {
		held = min(held, int64(e.version.Memory))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "END RequestId: %s\n", r.requestID)
	fmt.Fprintf(&b, "REPORT RequestId: %s\tDuration: %.2f ms\tBilled Duration: %d ms\tMemory Size: %d MB\tMax Memory Used: %d MB\t",
		r.requestID, millis(took), int64(math.Ceil(millis(took))), e.version.Memory, held)
	if r.init > 0 {
		fmt.Fprintf(&b, "Init Duration: %.2f ms\t", millis(r.init))
	}
	switch {
	case r.status == "error" && r.kind != "":
		fmt.Fprintf(&b, "Status: error\tError Type: %s", r.kind)
	case r.status != "":
		fmt.Fprintf(&b, "Status: %s", r.status)
	}
	b.WriteByte('\n')
	e.journal.print(b.String())
	return e.journal.end()
}

// remove ends the environment and takes its folder away.
func (e *environment) remove() {
	e.stop()
	os.RemoveAll(e.folder)
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// kindOf reads the error type out of an error object.
func kindOf(payload []byte) string {
	var o struct {
		Type string `json:"errorType"`
	}
	if json.Unmarshal(payload, &o) != nil || o.Type == "" {
		return "Runtime.Unknown"
	}
	return o.Type
}
