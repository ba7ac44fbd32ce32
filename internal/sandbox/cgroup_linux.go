package sandbox

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// controlGroups makes a control group for each child where this program may:
// as root, or where the service manager delegated a part of the tree to it. The
// zero value makes none.
type controlGroups struct {
	base    string // folder in which this program may make groups
	v2      bool
	counter *atomic.Int64
}

// A controlGroup holds one child. The zero value holds nothing.
type controlGroup struct {
	dir   string
	v2    bool
	holds bool
}

// findControlGroups tries the places where a memory group could be made, by
// making one.
func findControlGroups() controlGroups {
	for _, g := range candidates() {
		g.counter = new(atomic.Int64)
		test := g.add(0, Resource{Memory: 64 << 20})
		test.remove()
		if test.holds {
			g.sweep()
			return g
		}
	}
	return controlGroups{}
}

// sweep removes the groups of programs that were killed. The kernel refuses to
// remove one that still holds a process.
func (g controlGroups) sweep() {
	left, err := filepath.Glob(filepath.Join(g.base, "plumb-*-*"))
	if err != nil {
		return
	}
	for _, dir := range left {
		owner, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), "plumb-"), "-")
		pid, err := strconv.Atoi(owner)
		if err == nil && unix.Kill(pid, 0) == unix.ESRCH {
			unix.Rmdir(dir)
		}
	}
}

// candidates reads from /proc in which groups this program is. In version 2 a
// group with processes can have no children with limits, so a sibling is next.
func candidates() []controlGroups {
	text, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil
	}
	var out []controlGroups
	for line := range strings.Lines(string(text)) {
		part := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(part) != 3 {
			continue
		}
		switch {
		case part[1] == "memory":
			out = append(out, controlGroups{base: filepath.Join("/sys/fs/cgroup/memory", part[2])})
		case part[0] == "0" && part[1] == "":
			own := filepath.Join("/sys/fs/cgroup", part[2])
			out = append(out, controlGroups{base: own, v2: true})
			if part[2] != "/" {
				out = append(out, controlGroups{base: filepath.Dir(own), v2: true})
			}
		}
	}
	return out
}

// add makes a group with the limits and moves pid into it, 0 for nobody. It
// reports in the group whether the limits hold.
func (g controlGroups) add(pid int, r Resource) controlGroup {
	if g.base == "" || r.Memory == 0 {
		return controlGroup{}
	}
	c := controlGroup{
		dir: filepath.Join(g.base, fmt.Sprintf("plumb-%d-%d", os.Getpid(), g.counter.Add(1))),
		v2:  g.v2,
	}
	if err := os.Mkdir(c.dir, 0o755); err != nil {
		return controlGroup{}
	}
	limit := "memory.limit_in_bytes"
	if c.v2 {
		limit = "memory.max"
		// Both are refinements that an old kernel may lack.
		c.write("memory.swap.max", "0")
		c.write("memory.oom.group", "1")
	}
	c.holds = c.write(limit, strconv.FormatInt(r.Memory, 10)) == nil
	if pid != 0 && c.holds {
		c.holds = c.write("cgroup.procs", strconv.Itoa(pid)) == nil
	}
	if !c.holds {
		c.remove()
	}
	return c
}

func (c controlGroup) write(file, text string) error {
	// O_CREATE would make no sense in this file system, but os.WriteFile asks
	// for it; a missing file must be an error.
	f, err := os.OpenFile(filepath.Join(c.dir, file), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteString(text)
	return err
}

// outgrown reports whether the kernel killed for want of memory in the group.
func (c controlGroup) outgrown() bool {
	if !c.holds {
		return false
	}
	file := "memory.oom_control"
	if c.v2 {
		file = "memory.events"
	}
	text, err := os.ReadFile(filepath.Join(c.dir, file))
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(text)) {
		if n, ok := strings.CutPrefix(strings.TrimSpace(line), "oom_kill "); ok {
			return n != "0"
		}
	}
	return false
}

// peak returns the most memory that was held in the group, in bytes; 0 where the
// kernel does not tell.
func (c controlGroup) peak() int64 {
	if !c.holds {
		return 0
	}
	file := "memory.max_usage_in_bytes"
	if c.v2 {
		file = "memory.peak"
	}
	text, err := os.ReadFile(filepath.Join(c.dir, file))
	if err != nil {
		return 0
	}
	n, _ := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	return n
}

// kill kills all that is in the group, where the kernel can do it at once.
func (c controlGroup) kill() {
	if c.holds && c.v2 {
		c.write("cgroup.kill", "1")
	}
}

// remove takes the group away. The kernel may need a moment to let the last
// process go.
func (c controlGroup) remove() {
	if c.dir == "" {
		return
	}
	for wait := time.Millisecond; wait < time.Second; wait *= 2 {
		if err := os.Remove(c.dir); err == nil || os.IsNotExist(err) {
			return
		}
		time.Sleep(wait)
	}
}
