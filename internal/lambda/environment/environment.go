package environment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
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
	release func()     // lets go of the code; nil if it is not held
	renews  bool       // its process can load other code of the function
	unready bool       // its process has not loaded the function: init failed, or the code is another

	proc    *process
	journal *journal
	child   atomic.Pointer[sandbox.Process] // of proc, for the pool to kill

	starting atomic.Bool // a process is in its init
	filled   atomic.Bool // it has more in its /tmp than it may
	nextLook time.Time   // at its /tmp, of watchDisk alone

	// Guarded by the pool.
	made      bool // its folder is there
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
	peak      int64         // memory in bytes, of a process that is gone
	listened  bool          // somebody will read it
}

// start starts a process, or has the one that is there load the function, and
// waits for its init.
func (e *environment) start(ctx context.Context, limit time.Duration, requestID string) error {
	if e.unready {
		if err := e.loadAnew(ctx, limit, requestID); err == nil || e.unready {
			return err
		}
	}
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
	e.starting.Store(true)
	defer e.starting.Store(false)
	p, err := launch(ctx, e.pool.box, e.spec, w)
	if err != nil {
		return err
	}
	p.stays = e.renews
	e.proc = p
	e.child.Store(p.child)
	return p.init(ctx, limit)
}

// stop ends the process. The environment can start another one.
func (e *environment) stop() {
	e.unready = false
	if e.proc != nil {
		e.proc.kill()
		e.proc = nil
	}
	if e.journal != nil {
		e.journal.drain()
	}
}

// A turn is one invocation in an environment.
type turn struct {
	*exchange
	env     *environment
	proc    atomic.Pointer[process] // that has the event
	report  report
	time    *deadline
	idle    func()        // gives the environment back
	settled chan struct{} // closed when it is over
	log     []byte        // the end of the log, when settled
}

// invoke hands one event to the function and returns its answer. It calls idle
// once, when the environment is ready for another event, which may be after the
// answer.
func (e *environment) invoke(ctx context.Context, inv Invocation, idle func()) (Result, error) {
	t := &turn{env: e, idle: idle, settled: make(chan struct{})}
	t.report = report{requestID: inv.RequestID, listened: inv.Tail || e.pool.options.Log != nil}
	if e.proc != nil && e.proc.gone() {
		e.stop() // it left while idle: silently
	}
	if e.proc == nil || e.unready {
		began := time.Now()
		if err := e.coldStart(ctx, inv.RequestID); err != nil {
			idle()
			return Result{}, err
		}
		if e.proc != nil && !e.unready {
			t.report.init = time.Since(began)
		}
	}
	if t.report.listened {
		e.journal.drain()
		e.journal.begin(inv.RequestID)
		e.journal.print(fmt.Sprintf("START RequestId: %s Version: %s\n", inv.RequestID, e.version.Number))
	}
	t.report.began = time.Now()
	t.exchange = &exchange{
		Invocation: inv, deadline: t.report.began.Add(e.version.Timeout).UnixMilli(), answer: make(chan answer, 1),
		answering: func() { e.pool.answering(e) }, over: t.over,
	}
	t.time = newDeadline(e.version.Timeout, t.processorWait, t.stopWorking)
	res, answered, err := t.run(ctx)
	if err != nil {
		t.time.stop()
		e.stop()
		idle()
		return Result{}, err
	}
	if !answered {
		t.over() // nothing more will come of it
	}
	if inv.Tail {
		<-t.settled
		res.Log = t.log
	}
	return res, nil
}

// processorWait returns how long the process that has the event waited for a
// processor.
func (t *turn) processorWait() time.Duration {
	if p := t.proc.Load(); p != nil {
		return p.child.Schedule().Waited
	}
	return 0
}

// stopWorking kills a process that works on after its answer, when the time is
// up. One that has not answered, run kills.
func (t *turn) stopWorking() {
	if p := t.proc.Load(); p != nil && p.api.working(t.exchange) {
		p.child.Kill()
	}
}

// over ends the turn: the last lines of the log are written, and the environment
// is given back.
func (t *turn) over() {
	t.time.stop()
	if t.answered && t.posted.failed {
		t.report.status, t.report.kind = "error", t.posted.kind
	}
	t.log = t.env.finish(t.report)
	close(t.settled)
	t.idle()
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
	e.initEnded(err)
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
// the end of the time. It reports whether there was an answer: then over follows
// by itself.
func (t *turn) run(ctx context.Context) (res Result, answered bool, err error) {
	e := t.env
	if e.proc == nil || e.unready {
		if err := e.start(ctx, e.version.Timeout, t.RequestID); err != nil {
			res, err := t.notStarted(err)
			return res, false, err
		}
	}
	p := e.proc
	t.proc.Store(p)
	select {
	case p.api.next <- t.exchange:
	case <-p.child.Done():
		// It left before it took the event: no fault of this invocation.
		e.stop()
		return t.run(ctx)
	case <-t.time.up:
		return e.timedOut(t.RequestID, &t.report), false, nil
	}
	select {
	case a := <-t.answer:
		return t.take(a), true, nil
	case <-p.child.Done():
		if !p.api.abandon(t.exchange) {
			return t.take(<-t.answer), true, nil // it answered, then left
		}
		return e.left(t.RequestID, &t.report), false, nil
	case <-t.time.up:
		if !p.api.abandon(t.exchange) {
			return t.take(<-t.answer), true, nil // just in time
		}
		return e.timedOut(t.RequestID, &t.report), false, nil
	}
}

// take makes a result of an answer.
func (t *turn) take(a answer) Result {
	select {
	case <-t.time.up:
		t.stopWorking()
	default:
	}
	if a.failed {
		return Result{Payload: a.payload, FunctionError: Unhandled}
	}
	return Result{Payload: a.payload}
}

// notStarted is the result of a process whose init failed within the
// invocation's own time.
func (t *turn) notStarted(err error) (Result, error) {
	e := t.env
	if errors.Is(err, errInitTimeout) {
		return e.timedOut(t.RequestID, &t.report), nil
	}
	f, ok := errors.AsType[*initFault](err)
	if !ok {
		return Result{}, err
	}
	t.report.status, t.report.kind = "error", f.kind
	cause := e.note(&t.report)
	e.initEnded(err)
	if f.object == nil {
		e.journal.print(fmt.Sprintf("RequestId: %s Error: %s\n%s\n", t.RequestID, f.message, f.kind))
	}
	return Result{Payload: f.payload(t.RequestID), FunctionError: Unhandled, Cause: cause}, nil
}

// timedOut kills the process, whose function took too long.
func (e *environment) timedOut(requestID string, r *report) Result {
	seconds := e.version.Timeout.Seconds()
	r.status = "timeout"
	if e.proc != nil {
		r.peak = e.proc.child.PeakMemory()
	}
	e.stop()
	e.journal.print(fmt.Sprintf("%s %s Task timed out after %.2f seconds\n\n",
		time.Now().UTC().Format("2006-01-02T15:04:05.000Z"), requestID, seconds))
	text := fmt.Sprintf("RequestId: %s Error: Task timed out after %.2f seconds", requestID, seconds)
	return Result{Payload: fault("Sandbox.Timedout", text), FunctionError: Unhandled}
}

// left says how the process left during the invocation.
func (e *environment) left(requestID string, r *report) Result {
	kind, message := e.proc.ending()
	r.status, r.kind = "error", kind
	cause := e.note(r)
	e.stop()
	text := fmt.Sprintf("RequestId: %s Error: %s", requestID, message)
	e.journal.print(text + "\n" + kind + "\n")
	return Result{Payload: fault(kind, text), FunctionError: Unhandled, Cause: cause}
}

// note has a report say what is known of a process that left, and returns why it
// did: AWS says "signal: killed" whatever the reason. A process that is still
// there changes nothing.
func (e *environment) note(r *report) (cause string) {
	if e.proc == nil || !e.proc.gone() {
		return ""
	}
	r.peak = e.proc.child.PeakMemory()
	_, err := e.proc.child.Wait()
	switch {
	case errors.Is(err, sandbox.ErrMemory):
		r.kind = outOfMemory
		return fmt.Sprintf("the function needs more than its memory of %d MB", e.version.Memory)
	case e.filled.Load():
		return fmt.Sprintf("the function has more in /tmp than the %d MB that it may", e.version.Ephemeral)
	}
	return ""
}

// outOfMemory is the error type in the report of a function that outgrew its
// memory. In its answer it is Runtime.ExitError, as with AWS.
const outOfMemory = "Runtime.OutOfMemory"

// finish writes the last lines of the invocation's log and returns the end of
// it.
func (e *environment) finish(r report) []byte {
	if !r.listened {
		return nil
	}
	took := time.Since(r.began)
	e.journal.drain()
	if e.proc != nil {
		r.peak = e.proc.child.PeakMemory()
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
	if err := removeTree(e.folder); err != nil {
		e.pool.log.Warn("the scratch folder of a function was not removed", "function", e.version.Function, "err", err)
	}
	if e.release != nil {
		e.release()
		e.release = nil
	}
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
