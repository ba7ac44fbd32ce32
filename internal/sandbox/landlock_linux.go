package sandbox

import (
	"fmt"
	"os"

	"github.com/landlock-lsm/go-landlock/landlock"
	"golang.org/x/sys/unix"
)

// Versions of the kernel's interface at which Landlock learned what matters
// here.
const (
	landlockNetwork = 4
	landlockScopes  = 6
)

// landlockVersion asks the kernel which version it speaks; 0 is none.
func landlockVersion() int {
	v, _, e := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if e != 0 {
		return 0
	}
	return int(v)
}

// plain are the files of the host's /etc and /proc that a program without a root
// of its own may read besides the shown ones.
var plain = []string{
	"/etc/passwd", "/etc/group", "/etc/hosts", "/etc/resolv.conf", "/etc/nsswitch.conf",
	"/proc/self", "/proc/meminfo", "/proc/cpuinfo", "/proc/stat", "/proc/filesystems", "/proc/sys/vm/overcommit_memory",
}

// landlocked shuts this process in: what is not named cannot be opened, and TCP
// goes to the named ports only.
func landlocked(o order) error {
	var rules []landlock.Rule
	for _, p := range append(shown, plain...) {
		rules = append(rules, readable(p)...)
	}
	for _, d := range devices {
		rules = append(rules, landlock.RWFiles("/dev/"+d).IgnoreIfMissing())
	}
	for _, m := range o.Spec.Mounts {
		if m.Write {
			rules = append(rules, landlock.RWDirs(m.Source).WithRefer())
			continue
		}
		rules = append(rules, readable(m.Source)...)
	}
	for _, port := range o.Connect {
		rules = append(rules, landlock.ConnectTCP(uint16(port)))
	}
	if err := landlock.V6.BestEffort().Restrict(rules...); err != nil {
		return fmt.Errorf("restrict by Landlock: %w", err)
	}
	return nil
}

func readable(path string) []landlock.Rule {
	info, err := os.Stat(path)
	if err != nil {
		return nil
	}
	if info.IsDir() {
		return []landlock.Rule{landlock.RODirs(path)}
	}
	return []landlock.Rule{landlock.ROFiles(path)}
}
