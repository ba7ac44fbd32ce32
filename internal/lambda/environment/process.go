package environment

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"syscall"
	"time"

	"plumb/internal/listener"
	"plumb/internal/sandbox"
)

// A process is one run of a runtime: from its start, through the events that it
// handles, to its end.
type process struct {
	api    *runtimeAPI
	server *http.Server
	child  *sandbox.Process
	stays  bool // when init fails, to be told to load the function anew
}

// What one process may have this program hold for it. A runtime uses one or two
// connections, and sends traces of up to a megabyte in headers.
const (
	maxConnections = 8
	maxHeader      = 1<<20 + 64<<10
)

// launch starts a sandboxed runtime whose output goes to w.
func launch(ctx context.Context, box *sandbox.Box, spec sandbox.Spec, w *os.File) (*process, error) {
	p := &process{api: newRuntimeAPI()}
	spec.Listen = "AWS_LAMBDA_RUNTIME_API"
	spec.Output = w
	child, err := box.Start(ctx, spec)
	if e, ok := errors.AsType[*sandbox.ProgramError](err); ok {
		return nil, &initFault{kind: "Runtime.InvalidEntrypoint", message: e.Error()}
	}
	if err != nil {
		return nil, err
	}
	p.child = child
	// A runtime waits in next for hours: no time-outs.
	p.server = &http.Server{Handler: p.api, ErrorLog: log.New(io.Discard, "", 0), MaxHeaderBytes: maxHeader}
	go p.server.Serve(listener.Limit(child.Listener, maxConnections))
	go func() {
		<-child.Done()
		p.api.ended()
	}()
	return p, nil
}

// kill ends the process and waits until it is gone.
func (p *process) kill() {
	p.child.Kill()
	<-p.child.Done()
	p.server.Close()
}

// gone reports whether the process has ended.
func (p *process) gone() bool {
	select {
	case <-p.child.Done():
		return true
	default:
		return false
	}
}

// errInitTimeout is why init did not end in its time.
var errInitTimeout = errors.New("init timed out")

// An initFault is an init that failed. The runtime's own error object is passed
// on; where there is none the platform says what happened.
type initFault struct {
	kind    string
	object  []byte
	message string
}

func (f *initFault) Error() string { return f.kind + ": " + f.message }

// payload is what the caller gets.
func (f *initFault) payload(requestID string) []byte {
	if f.object != nil {
		return f.object
	}
	return fault(f.kind, fmt.Sprintf("RequestId: %s Error: %s", requestID, f.message))
}

// init waits until the runtime asks for its first event.
func (p *process) init(ctx context.Context, limit time.Duration) error {
	d := newDeadline(limit, func() time.Duration { return p.child.Schedule().Waited }, func() {})
	defer d.stop()
	select {
	case <-p.api.arrived:
		return nil
	case payload := <-p.api.initFailed:
		if p.stays {
			return &initFault{kind: kindOf(payload), object: payload}
		}
		// The runtime leaves by itself; what it writes last belongs to the log.
		select {
		case <-p.child.Done():
		case <-time.After(500 * time.Millisecond):
		}
		return &initFault{kind: kindOf(payload), object: payload}
	case <-p.child.Done():
		select {
		case payload := <-p.api.initFailed:
			return &initFault{kind: kindOf(payload), object: payload}
		default:
		}
		kind, message := p.ending()
		return &initFault{kind: kind, message: message}
	case <-d.up:
		return errInitTimeout
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ending says in AWS's words how the process ended.
func (p *process) ending() (kind, message string) {
	state, err := p.child.Wait()
	switch status, _ := state.Sys().(syscall.WaitStatus); {
	case errors.Is(err, sandbox.ErrMemory):
		return "Runtime.ExitError", "Runtime exited with error: signal: killed"
	case status.Signaled():
		return "Runtime.ExitError", "Runtime exited with error: signal: " + status.Signal().String()
	case status.ExitStatus() != 0:
		return "Runtime.ExitError", fmt.Sprintf("Runtime exited with error: exit status %d", status.ExitStatus())
	}
	return "Runtime.ExitError", "Runtime exited without providing a reason"
}
