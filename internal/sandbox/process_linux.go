package sandbox

import (
	"net"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// A Process is a child that was started.
type Process struct {
	// Listener accepts what the child connects to the address in the variable that
	// Spec.Listen names; nil without one. It closes when the child ends.
	Listener net.Listener

	box      *Box
	spec     Spec
	cmd      *exec.Cmd
	group    controlGroup
	forwards []net.Listener
	names    net.PacketConn // where the child looks names up, nil without any

	done      chan struct{} // closed when the child has ended
	outgrown  atomic.Bool
	peak      atomic.Int64 // most memory in bytes, as far as it is known when the child has ended
	state     *os.ProcessState
	reapMutex sync.Mutex // guards against a signal to a process id that was given to another
	reaped    bool
}

// reap waits for the child and then takes away everything that it leaves.
func (p *Process) reap() {
	pid := p.cmd.Process.Pid
	// Look without reaping, so that the process id is still the child's while
	// its group is killed.
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if err != unix.EINTR {
			break
		}
	}
	p.reapMutex.Lock()
	unix.Kill(-pid, unix.SIGKILL)
	p.cmd.Wait()
	p.reaped = true
	p.reapMutex.Unlock()
	p.state = p.cmd.ProcessState
	p.peak.Store(max(p.peak.Load(), p.group.peak()))
	if p.group.outgrown() {
		p.outgrown.Store(true)
	}
	if p.outgrown.Load() {
		p.peak.Store(max(p.peak.Load(), p.spec.Limits.Memory)) // it wanted more
	}
	p.group.remove()
	p.closeListeners()
	close(p.done)
}

// Kill ends the child and all processes that it started.
func (p *Process) Kill() {
	p.reapMutex.Lock()
	defer p.reapMutex.Unlock()
	if p.reaped {
		return
	}
	pid := p.cmd.Process.Pid
	unix.Kill(-pid, unix.SIGKILL)
	unix.Kill(pid, unix.SIGKILL)
	p.group.kill()
}

// Done is closed when the child has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Wait returns how the child ended, and ErrMemory if it outgrew its memory.
func (p *Process) Wait() (*os.ProcessState, error) {
	<-p.done
	if p.outgrown.Load() {
		return p.state, ErrMemory
	}
	return p.state, nil
}

// Pid returns the child's process id on the host.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

func (p *Process) closeListeners() {
	if p.Listener != nil {
		p.Listener.Close()
	}
	for _, l := range p.forwards {
		l.Close()
	}
	if p.names != nil {
		p.names.Close()
	}
}
