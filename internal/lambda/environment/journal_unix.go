//go:build unix

package environment

import "syscall"

// readAll takes in what comes until the pipe is closed.
func (j *journal) readAll() {
	for open := true; open; {
		err := j.raw.Read(func(fd uintptr) bool {
			var some bool
			some, open = j.take(fd)
			return some || !open
		})
		if err != nil {
			break
		}
	}
}

// take reads all that is in the pipe now. It reports whether there was anything,
// and whether more may come.
func (j *journal) take(fd uintptr) (some, open bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return false, false
	}
	for {
		n, err := syscall.Read(int(fd), j.scratch)
		switch {
		case n > 0:
			some = true
			j.add(j.scratch[:n])
		case err == syscall.EINTR:
		case err == syscall.EAGAIN:
			return some, true
		default:
			j.closed = true
			return some, false
		}
	}
}

// drain takes in what the process has written so far.
func (j *journal) drain() {
	j.raw.Control(func(fd uintptr) { j.take(fd) })
}
