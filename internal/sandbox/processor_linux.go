package sandbox

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"
)

// A Schedule is what the kernel's scheduler counts for a program.
type Schedule struct {
	Ran    time.Duration // on a processor
	Waited time.Duration // for a processor, ready to run
}

// Schedule returns what the scheduler counted for the child's first thread; zero
// if that is not known.
func (p *Process) Schedule() Schedule {
	s, _ := readSchedule(strconv.Itoa(p.Pid()))
	return s
}

// OwnSchedule returns what the scheduler counted for all threads of this
// program, by thread; nil if that is not known.
func OwnSchedule() map[string]Schedule {
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return nil
	}
	var out map[string]Schedule
	for _, t := range threads {
		s, err := readSchedule("self/task/" + t.Name())
		if err != nil {
			continue // it ended, or the kernel does not count
		}
		if out == nil {
			out = make(map[string]Schedule, len(threads))
		}
		out[t.Name()] = s
	}
	return out
}

// readSchedule reads the times of a process or thread below /proc.
func readSchedule(path string) (s Schedule, err error) {
	text, err := os.ReadFile("/proc/" + path + "/schedstat")
	if err != nil {
		return s, err
	}
	fields := bytes.Fields(text)
	if len(fields) < 2 {
		return s, fmt.Errorf("schedstat %q", text)
	}
	ran, err := strconv.ParseInt(string(fields[0]), 10, 64)
	if err != nil {
		return s, err
	}
	waited, err := strconv.ParseInt(string(fields[1]), 10, 64)
	return Schedule{time.Duration(ran), time.Duration(waited)}, err
}
