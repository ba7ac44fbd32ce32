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
		if resident(p.Pid(), 0) > limit {
			p.outgrown.Store(true)
			p.Kill()
			return
		}
	}
}

// resident adds up what a process and its descendants hold, in bytes.
func resident(pid, depth int) int64 {
	const deepest = 32 // a process list that changes while it is read has no loops, but no promise either
	if depth > deepest {
		return 0
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(fields[1], 10, 64)
	sum := pages * int64(os.Getpagesize())
	children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	for _, c := range strings.Fields(string(children)) {
		if n, err := strconv.Atoi(c); err == nil {
			sum += resident(n, depth+1)
		}
	}
	return sum
}

// PeakMemory returns the most memory that the program itself held so far, in
// bytes; 0 after it has ended.
func (p *Process) PeakMemory() int64 {
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
