//go:build !linux

package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"sync"
)

// Main does nothing where children start without a sandbox.
func Main() {}

// Probe reports that only Linux has the means.
func Probe(string) Report {
	return Report{Level: None, Memory: "none", Reasons: []string{"only Linux can hold functions: run trusted code only"}}
}

type platform struct{}

func (b *Box) open() {}

// Close lets go of what the box holds.
func (b *Box) Close() {}

// A Process is a child that was started.
type Process struct {
	Listener net.Listener

	cmd   *exec.Cmd
	done  chan struct{}
	mu    sync.Mutex
	ended bool
}

// Start starts a child in a process group of its own.
func (b *Box) Start(ctx context.Context, spec Spec) (*Process, error) {
	if len(spec.Args) == 0 {
		return nil, errors.New("start: no program")
	}
	p := &Process{done: make(chan struct{})}
	env := spec.Env
	if spec.Listen != "" {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp4", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("listen for child: %w", err)
		}
		p.Listener = l
		env = append(env[:len(env):len(env)], spec.Listen+"="+l.Addr().String())
	}
	p.cmd = &exec.Cmd{Path: spec.Args[0], Args: spec.Args, Env: env, Dir: spec.Dir, Stdout: spec.Output, Stderr: spec.Output,
		SysProcAttr: ownGroup()}
	if err := p.cmd.Start(); err != nil {
		if p.Listener != nil {
			p.Listener.Close()
		}
		return nil, fmt.Errorf("start: %w", err)
	}
	go p.reap()
	return p, nil
}

func (p *Process) reap() {
	p.cmd.Wait()
	p.mu.Lock()
	p.ended = true
	p.mu.Unlock()
	if p.Listener != nil {
		p.Listener.Close()
	}
	close(p.done)
}

// Kill ends the child and its process group.
func (p *Process) Kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.ended {
		killGroup(p.cmd.Process)
	}
}

// Done is closed when the child has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Wait returns how the child ended.
func (p *Process) Wait() (*os.ProcessState, error) {
	<-p.done
	return p.cmd.ProcessState, nil
}

// Pid returns the child's process id.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Unlinked is not known here.
func (p *Process) Unlinked(string) int64 { return 0 }

// PeakMemory is not known here.
func (p *Process) PeakMemory() int64 { return 0 }
