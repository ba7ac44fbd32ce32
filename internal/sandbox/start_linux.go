package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// platform is what a box needs on Linux.
type platform struct {
	starts chan func()
	groups controlGroups
	uid    int  // user that children become, 0 for none
	scoped bool // Landlock keeps signals inside
}

func (b *Box) open() {
	b.starts = make(chan func())
	b.groups = findControlGroups()
	b.scoped = landlockVersion() >= landlockScopes
	if os.Geteuid() == 0 {
		b.uid = insideUser
	}
	go func() {
		// The kernel kills a child when the thread that started it ends, so all
		// children are started by one thread that stays.
		runtime.LockOSThread()
		for f := range b.starts {
			f()
		}
	}()
}

// Close lets go of what the box holds. Children that still run are not waited
// for.
func (b *Box) Close() {
	close(b.starts)
}

// Start starts a child and returns when it has become the program.
func (b *Box) Start(ctx context.Context, spec Spec) (*Process, error) {
	return b.start(ctx, spec, false)
}

func (b *Box) start(ctx context.Context, spec Spec, check bool) (*Process, error) {
	if !entered.Load() {
		return nil, errNotEntered
	}
	p := &Process{box: b, spec: spec, done: make(chan struct{})}
	o := order{Level: b.level, Root: b.root, Scoped: b.scoped, Check: check}
	if b.level == Namespaces {
		o.UID = b.uid
	}
	if err := p.plan(&o); err != nil {
		return nil, err
	}
	ours, err := p.fork(o)
	if err != nil {
		p.closeListeners()
		return nil, err
	}
	defer ours.Close()
	p.group = b.groups.add(p.Pid(), spec.Limits)
	o.Watched = !p.group.holds && spec.Limits.Memory > 0
	stop := context.AfterFunc(ctx, p.Kill)
	defer stop()
	err = p.instruct(ours, o)
	go p.reap()
	if err != nil {
		p.Kill()
		<-p.done
		return nil, fmt.Errorf("start in sandbox: %w", err)
	}
	if !p.group.holds {
		go p.watchMemory()
	}
	return p, nil
}

// plan decides at which addresses the child finds what it may reach.
func (p *Process) plan(o *order) error {
	o.Spec = p.spec
	if p.box.level == Namespaces {
		if p.spec.Listen != "" {
			address := p.spec.listenInside()
			o.Spec.Env = append(slices.Clip(o.Spec.Env), p.spec.Listen+"="+address)
			o.Listen = append(o.Listen, address)
		}
		for _, f := range p.spec.Forward {
			o.Listen = append(o.Listen, f.Inside)
		}
		o.Resolver = p.spec.Names.resolver()
		return nil
	}
	for _, f := range p.spec.Forward {
		if err := o.connect(f.Outside); err != nil {
			return err
		}
	}
	if p.spec.Listen == "" {
		return nil
	}
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp4", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen for child: %w", err)
	}
	p.Listener = l
	o.Spec.Env = append(slices.Clip(o.Spec.Env), p.spec.Listen+"="+l.Addr().String())
	return o.connect(l.Addr().String())
}

func (o *order) connect(address string) error {
	_, text, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("forward to %s: %w", address, err)
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return fmt.Errorf("forward to %s: %w", address, err)
	}
	o.Connect = append(o.Connect, int(port))
	return nil
}

// fork starts this program again as a child that waits for its order, and
// returns the parent's end of the socket between them.
func (p *Process) fork(o order) (*os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("socket pair: %w", err)
	}
	ours, theirs := os.NewFile(uintptr(fds[0]), "control"), os.NewFile(uintptr(fds[1]), "control")
	defer theirs.Close()
	cmd := &exec.Cmd{
		Path:        "/proc/self/exe",
		Args:        []string{os.Args[0], childArg},
		Env:         []string{},
		Stdout:      p.spec.Output,
		Stderr:      p.spec.Output,
		ExtraFiles:  []*os.File{theirs},
		SysProcAttr: attributes(o),
	}
	started := make(chan error, 1)
	p.box.starts <- func() { started <- cmd.Start() }
	if err := <-started; err != nil {
		ours.Close()
		return nil, fmt.Errorf("start in sandbox: %w", err)
	}
	p.cmd = cmd
	return ours, nil
}

// attributes are the walls that must stand when the child is born.
func attributes(o order) *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if o.Level != Namespaces {
		return a
	}
	a.Cloneflags = unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS
	a.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
	a.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	if o.UID != 0 {
		second := syscall.SysProcIDMap{ContainerID: o.UID, HostID: outsideUser, Size: 1}
		a.UidMappings = append(a.UidMappings, second)
		a.GidMappings = append(a.GidMappings, second)
		a.GidMappingsEnableSetgroups = true
	}
	return a
}

// instruct gives the child its order and takes its listeners.
func (p *Process) instruct(sock *os.File, o order) error {
	if err := giveOrder(sock, o); err != nil {
		return err
	}
	listeners, names, err := hearChild(sock)
	forwards := p.spec.Forward
	p.names = names
	if o.Level != Namespaces {
		return err
	}
	if p.spec.Listen != "" && len(listeners) > 0 {
		p.Listener, listeners = listeners[0], listeners[1:]
	}
	p.forwards = listeners
	if err != nil {
		return err
	}
	if len(listeners) != len(forwards) {
		return errors.New("the child did not hand over its listeners")
	}
	places := make(chan struct{}, maxForwarded)
	for i, l := range listeners {
		go carry(l, forwards[i], places)
	}
	if names != nil {
		go p.spec.Names.serve(names)
	}
	return nil
}
