package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"strconv"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// childArg is the hidden argument under which this program starts as a child.
const childArg = "__sandbox"

// entered says that this process called Main. It is the one piece of state that
// the package keeps: a child is a copy of this program, and a copy that never
// calls Main would do all that its parent does, start children included, without
// an end.
var entered atomic.Bool

// errNotEntered is what starting a child gives in such a program.
var errNotEntered = errors.New("this program does not begin with sandbox.Main(): call it first in main, and in a test's TestMain")

// Main must be the first thing that the program's main does, and a test's
// TestMain. In an ordinary run it returns at once. In a process that Start made
// it builds the walls and becomes the program that is to be held; it does not
// return.
func Main() {
	entered.Store(true)
	if len(os.Args) != 2 || os.Args[1] != childArg {
		return
	}
	// Privileges, filters and the parent's death signal belong to a thread, and
	// the thread that executes the program is the one that counts.
	runtime.LockOSThread()
	control := os.NewFile(controlFD, "control")
	err := beChild(control)
	if err == nil {
		os.Exit(0)
	}
	say := byte(sayError)
	if _, ok := errors.AsType[*ProgramError](err); ok {
		say = sayProgram
	}
	unix.Write(controlFD, append([]byte{say}, err.Error()...))
	// Otherwise the garbage collector may close it on the way, and the parent
	// would take that for the child's end.
	runtime.KeepAlive(control)
	os.Exit(1)
}

// beChild takes the order and returns only if it cannot be carried out.
func beChild(control *os.File) error {
	if err := closeDescriptors(); err != nil {
		return fmt.Errorf("close descriptors: %w", err)
	}
	var o order
	if err := json.NewDecoder(control).Decode(&o); err != nil {
		return fmt.Errorf("take order: %w", err)
	}
	if o.Level == Namespaces {
		if err := buildRoot(o); err != nil {
			return err
		}
		if err := openNetwork(o.Listen, o.Resolver); err != nil {
			return err
		}
	}
	if err := bound(o); err != nil {
		return err
	}
	if err := dropPrivileges(o); err != nil {
		return err
	}
	if o.Spec.Dir != "" {
		if err := os.Chdir(o.Spec.Dir); err != nil {
			return fmt.Errorf("enter folder: %w", err)
		}
	}
	if o.Level == Landlock {
		if err := landlocked(o); err != nil {
			return err
		}
	}
	return become(o)
}

// become reports that all is ready, drops its rights and executes the
// program.
func become(o order) error {
	if o.Level >= Landlock {
		if err := filterCalls(o); err != nil {
			return err
		}
	}
	if _, err := unix.Write(controlFD, []byte{sayReady}); err != nil {
		return fmt.Errorf("say ready: %w", err)
	}
	if o.Check {
		return nil
	}
	err := syscall.Exec(o.Spec.Args[0], o.Spec.Args, o.Spec.Env)
	return &ProgramError{fmt.Sprintf("fork/exec %s: %v", o.Spec.Args[0], err)}
}

// closeDescriptors has all descriptors but input and output closed when the
// program is executed. The server may have been started with some that are open
// for no reason, and a folder among them would lead out of every file system.
func closeDescriptors() error {
	err := unix.CloseRange(controlFD, math.MaxInt32, unix.CLOSE_RANGE_CLOEXEC)
	if !errors.Is(err, unix.ENOSYS) && !errors.Is(err, unix.EINVAL) {
		return err
	}
	// Before Linux 5.11.
	open, err := os.ReadDir("/proc/self/fd")
	for _, e := range open {
		if fd, err := strconv.Atoi(e.Name()); err == nil && fd >= controlFD {
			unix.CloseOnExec(fd)
		}
	}
	return err
}

// bound sets the resource limits of the process. Memory is held from outside,
// by a control group or a watch: the limits on address space and data are of no
// use with runtimes that reserve gigabytes. The one on data only stops a child
// that allocates faster than the watch looks.
func bound(o order) error {
	const headroom = 1 << 30
	r := o.Spec.Limits
	set := func(what int, n uint64) error {
		if n == 0 {
			return nil
		}
		return syscall.Setrlimit(what, &syscall.Rlimit{Cur: n, Max: n})
	}
	if err := syscall.Setrlimit(unix.RLIMIT_CORE, &syscall.Rlimit{}); err != nil {
		return fmt.Errorf("limit core files: %w", err)
	}
	if err := set(unix.RLIMIT_NOFILE, r.OpenFiles); err != nil {
		return fmt.Errorf("limit open files: %w", err)
	}
	if err := set(unix.RLIMIT_FSIZE, uint64(r.FileSize)); err != nil {
		return fmt.Errorf("limit file size: %w", err)
	}
	if r.Memory > 0 {
		if err := set(unix.RLIMIT_DATA, uint64(r.Memory)+headroom); err != nil {
			return fmt.Errorf("limit data: %w", err)
		}
	}
	if o.Level != Namespaces {
		// Processes whose parent has ended become this one's, as in a namespace of
		// their own, where they are found.
		if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
			return fmt.Errorf("become the parent of orphans: %w", err)
		}
		// Outside of a user namespace the number counts everything that the
		// user runs.
		return nil
	}
	if err := set(unix.RLIMIT_NPROC, r.Processes); err != nil {
		return fmt.Errorf("limit processes: %w", err)
	}
	return nil
}
