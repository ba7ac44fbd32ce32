package sandbox

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// watchMemory kills the child when it and its children hold more memory than
// their limit, where no control group does it.
func (p *Process) watchMemory() {
	limit := p.spec.Limits.Memory
	if limit == 0 {
		return
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-p.done:
			return
		case <-tick.C:
		}
		held := resident(p.Pid())
		p.peak.Store(max(p.peak.Load(), held))
		if held > limit {
			p.outgrown.Store(true)
			p.Kill()
			return
		}
	}
}

// resident adds up what a process and its descendants hold, in bytes.
func resident(pid int) (sum int64) {
	for _, p := range descendants(pid) {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p))
		if err != nil {
			continue // it has ended
		}
		if fields := strings.Fields(string(text)); len(fields) > 1 {
			pages, _ := strconv.ParseInt(fields[1], 10, 64)
			sum += pages * int64(os.Getpagesize())
		}
	}
	return sum
}

// descendants returns a process and all that it started, each once: a process list
// that changes while it is read makes no promises.
func descendants(pid int) []int {
	all, seen := []int{pid}, map[int]bool{pid: true}
	for i := 0; i < len(all); i++ {
		for _, c := range children(all[i]) {
			if !seen[c] {
				seen[c] = true
				all = append(all, c)
			}
		}
	}
	return all
}

// children returns the processes that a process started, from any of its threads.
func children(pid int) (out []int) {
	tasks, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	for _, t := range tasks {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", pid, t.Name()))
		for _, c := range strings.Fields(string(text)) {
			if n, err := strconv.Atoi(c); err == nil {
				out = append(out, n)
			}
		}
	}
	return out
}

// PeakMemory returns the most memory that the program itself held so far, in
// bytes. Of one that has ended it is what its control group, or the watch of its
// memory, saw of it and of all that it started: 0 if neither did.
func (p *Process) PeakMemory() int64 {
	select {
	case <-p.done:
		return p.peak.Load()
	default:
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Pid()))
	if err != nil {
		return 0
	}
	_, rest, ok := bytes.Cut(text, []byte("VmHWM:"))
	if !ok {
		return 0
	}
	fields := bytes.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kb, _ := strconv.ParseInt(string(fields[0]), 10, 64)
	return kb << 10
}
