package sandbox

import (
	"fmt"
	"os"
	"syscall"
	"unsafe"

	seccomp "github.com/elastic/go-seccomp-bpf"
	"github.com/elastic/go-seccomp-bpf/arch"
	"golang.org/x/sys/unix"
)

// forbidden are the system calls that a function has no business with: they
// change the machine, look into other processes, or have led into the
// kernel.
var forbidden = []string{
	"acct", "add_key", "adjtimex", "bpf", "clock_adjtime", "clock_settime", "create_module", "delete_module", "finit_module",
	"fsconfig", "fsmount", "fsopen", "fspick", "get_kernel_syms", "init_module", "io_uring_enter", "io_uring_register",
	"io_uring_setup", "ioperm", "iopl", "kcmp", "kexec_file_load", "kexec_load", "keyctl", "lookup_dcookie", "mbind",
	"migrate_pages", "mount", "mount_setattr", "move_mount", "move_pages", "name_to_handle_at", "nfsservctl",
	"open_by_handle_at", "open_tree", "perf_event_open", "personality", "pivot_root", "process_madvise", "process_vm_readv",
	"process_vm_writev", "ptrace", "query_module", "quotactl", "quotactl_fd", "reboot", "request_key", "setdomainname",
	"sethostname", "setns", "settimeofday", "stime", "swapoff", "swapon", "sysfs", "syslog", "umount", "umount2", "unshare",
	"uselib", "userfaultfd", "ustat", "vm86", "vm86old",
}

// shared are the calls that reach what is named by a number of the whole machine,
// where a child has no such names of its own.
var shared = []string{
	"mq_open", "mq_unlink", "msgctl", "msgget", "msgrcv", "msgsnd", "semctl", "semget", "semop", "semtimedop", "shmat", "shmctl", "shmdt", "shmget",
}

// unwatched are the calls that make memory which no process need have mapped: only
// a control group sees it.
var unwatched = []string{"memfd_create", "memfd_secret", "shmget"}

// modes are the calls that change a file without opening it for writing, for which
// Landlock has no rule. Numbers of later ones, which the library does not know,
// are the same on all machines.
var (
	modes = []string{
		"chmod", "chown", "fchmod", "fchmodat", "fchown", "fchownat", "fremovexattr", "fsetxattr", "futimesat", "lchown", "lremovexattr",
		"lsetxattr", "removexattr", "setxattr", "utime", "utimensat", "utimes",
	}
	laterModes = []int{452, 463, 466, 469} // fchmodat2, setxattrat, removexattrat, file_setattr
)

// filterCalls installs the filter. It must be the last thing before the program
// is executed.
func filterCalls(o order) error {
	info, err := arch.GetInfo("")
	if err != nil {
		return fmt.Errorf("filter system calls: %w", err)
	}
	if err := refuseForeign(uint32(info.ID)); err != nil {
		return fmt.Errorf("filter system calls: %w", err)
	}
	if o.Level == Landlock {
		if err := pretend(info, modes, laterModes); err != nil {
			return fmt.Errorf("filter system calls: %w", err)
		}
	}
	groups := []seccomp.SyscallGroup{
		{Names: known(info, forbidden), Action: seccomp.ActionErrno},
		// Its flags lie in memory where no filter can look. Libraries go on
		// with clone when a kernel has no clone3.
		{Names: known(info, []string{"clone3"}), Action: seccomp.ActionErrno | seccomp.Action(unix.ENOSYS)},
		{NamesWithCondtions: withArguments(o), Action: seccomp.ActionErrno},
	}
	if o.Level == Landlock {
		// A group of processes is killed together, so none may leave it.
		groups = append(groups, seccomp.SyscallGroup{Names: known(info, []string{"setsid", "setpgid"}), Action: seccomp.ActionErrno},
			seccomp.SyscallGroup{Names: known(info, shared), Action: seccomp.ActionErrno})
	}
	if o.Watched {
		groups = append(groups, seccomp.SyscallGroup{Names: known(info, unwatched), Action: seccomp.ActionErrno | seccomp.Action(unix.ENOSYS)})
	}
	return seccomp.LoadFilter(seccomp.Filter{
		NoNewPrivs: true,
		Policy:     seccomp.Policy{DefaultAction: seccomp.ActionAllow, Syscalls: groups},
	})
}

// known keeps the calls that this architecture has.
func known(info *arch.Info, names []string) []string {
	var out []string
	for _, n := range names {
		if _, ok := info.SyscallNames[n]; ok {
			out = append(out, n)
		}
	}
	return out
}

func withArguments(o order) []seccomp.NameWithConditions {
	is := func(arg uint32, op seccomp.Operation, v uint64) seccomp.Condition {
		return seccomp.Condition{Argument: arg, Operation: op, Value: v}
	}
	call := func(name string, c ...seccomp.Condition) seccomp.NameWithConditions {
		return seccomp.NameWithConditions{Name: name, Conditions: c}
	}
	rules := []seccomp.NameWithConditions{
		call("clone", is(0, seccomp.BitsSet, unix.CLONE_NEWUSER)),
		call("ioctl", is(1, seccomp.Equal, unix.TIOCSTI)),
		// Unix, IPv4, IPv6 and netlink sockets, and no other kind: a virtual
		// machine's host, for one, listens on a kind of its own.
		call("socket", is(0, seccomp.GreaterThan, unix.AF_NETLINK)),
		call("socket", is(0, seccomp.GreaterThan, unix.AF_INET), is(0, seccomp.LessThan, unix.AF_INET6)),
	}
	if o.Level == Landlock {
		rules = append(rules, sharedNetwork(is, call)...)
	}
	if o.Level == Landlock && !o.Scoped {
		rules = append(rules, ownSignals(is, call)...)
	}
	return rules
}

type (
	condition func(arg uint32, op seccomp.Operation, v uint64) seccomp.Condition
	rule      func(name string, c ...seccomp.Condition) seccomp.NameWithConditions
)

// sharedNetwork closes what Landlock leaves open on the host's network: Unix
// sockets, datagrams (bit 2 is set in SOCK_DGRAM and SOCK_RAW, not in
// SOCK_STREAM), and multipath TCP, which Landlock does not see.
func sharedNetwork(is condition, call rule) []seccomp.NameWithConditions {
	return []seccomp.NameWithConditions{
		call("socket", is(0, seccomp.Equal, unix.AF_UNIX)),
		call("socket", is(0, seccomp.Equal, unix.AF_INET), is(1, seccomp.BitsSet, 2)),
		call("socket", is(0, seccomp.Equal, unix.AF_INET6), is(1, seccomp.BitsSet, 2)),
		call("socket", is(2, seccomp.Equal, unix.IPPROTO_MPTCP)),
	}
}

// ownSignals allows signals to the program itself only, where the kernel does
// not keep them inside. The program's process id is this process's.
func ownSignals(is condition, call rule) []seccomp.NameWithConditions {
	self := uint64(os.Getpid())
	other := is(0, seccomp.NotEqual, self)
	return []seccomp.NameWithConditions{
		call("kill", other, is(0, seccomp.NotEqual, 0)),
		call("tgkill", other),
		call("tkill", other),
		call("rt_sigqueueinfo", other),
		call("rt_tgsigqueueinfo", other),
		call("pidfd_open", other),
	}
}

// refuseForeign refuses system calls in the manner of another architecture
// (32-bit calls on a 64-bit kernel), which have other numbers than those the
// filter looks for.
func refuseForeign(id uint32) error {
	const architecture = 4 // offset in struct seccomp_data
	refuse := uint32(unix.SECCOMP_RET_ERRNO) | uint32(unix.ENOSYS)
	filter := []syscall.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: architecture},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: 1, K: id},
		{Code: unix.BPF_RET | unix.BPF_K, K: refuse},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	return install(filter)
}

// pretend has calls succeed that do nothing. A program that copies a file sets its
// mode too, and need not fail because it may not.
func pretend(info *arch.Info, names []string, numbers []int) error {
	for _, n := range known(info, names) {
		numbers = append(numbers[:len(numbers):len(numbers)], info.SyscallNames[n])
	}
	const number = 0 // offset in struct seccomp_data
	filter := []syscall.SockFilter{{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: number}}
	for i, n := range numbers {
		filter = append(filter, syscall.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: uint8(len(numbers) - i), K: uint32(n)})
	}
	return install(append(filter,
		syscall.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
		syscall.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO}, // errno 0
	))
}

func install(filter []syscall.SockFilter) error {
	program := syscall.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	_, _, e := syscall.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&program)))
	if e != 0 {
		return e
	}
	return nil
}
