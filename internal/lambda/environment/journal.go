package environment

import (
	"bytes"
	"os"
	"sync"
	"syscall"
)

// tailSize is how much of the log an invocation can get back.
const tailSize = 4096

// A Line is one line of a function's log.
type Line struct {
	Function  string // ARN
	Group     string
	Stream    string
	RequestID string // empty between invocations
	Text      string
}

// A journal takes in what a process writes to its standard output and error, and
// the platform's own lines, and keeps the end of it for the caller.
//
// Everything that the process wrote before it answered is in the pipe by then,
// so drain, called at that moment, misses nothing where a pipe can be read without
// waiting; elsewhere the last lines may come a moment after the answer.
type journal struct {
	line Line
	emit func(Line)

	mu      sync.Mutex
	read    *os.File
	raw     syscall.RawConn
	tail    []byte
	part    []byte // of a line that is not complete yet
	closed  bool
	scratch []byte
}

// newJournal returns a journal and the end of its pipe that the process writes
// to.
func newJournal(line Line, emit func(Line)) (*journal, *os.File, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	raw, err := r.SyscallConn()
	if err != nil {
		r.Close()
		w.Close()
		return nil, nil, err
	}
	j := &journal{line: line, emit: emit, read: r, raw: raw, scratch: make([]byte, 32<<10)}
	go j.follow()
	return j, w, nil
}

// goOn takes over what the journal of the process before has kept.
func (j *journal) goOn(before *journal) {
	before.mu.Lock()
	defer before.mu.Unlock()
	before.flush()
	j.mu.Lock()
	defer j.mu.Unlock()
	j.tail = append(bytes.Clone(before.tail), j.tail...)
}

// follow takes in what comes, until the last writer has closed the pipe.
func (j *journal) follow() {
	j.readAll()
	j.mu.Lock()
	j.closed = true
	j.flush()
	j.mu.Unlock()
	// Not under the lock: Close waits for a drain that may wait for the lock.
	j.read.Close()
}

// begin starts the log of an invocation.
func (j *journal) begin(requestID string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.flush()
	j.line.RequestID = requestID
	j.tail = j.tail[:0]
}

// print adds a line of the platform's own.
func (j *journal) print(text string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.part) > 0 {
		j.add([]byte("\n"))
	}
	j.add([]byte(text))
}

// end returns the last bytes of the invocation's log.
func (j *journal) end() []byte {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.flush()
	tail := bytes.Clone(last(j.tail, tailSize))
	j.line.RequestID = ""
	return tail
}

// add must be called with the lock held.
func (j *journal) add(b []byte) {
	const keep = 16 * tailSize
	if len(j.tail)+len(b) > keep {
		j.tail = append(j.tail[:0], last(j.tail, tailSize)...)
		b := last(b, keep/2)
		j.tail = append(j.tail, b...)
	} else {
		j.tail = append(j.tail, b...)
	}
	if j.emit == nil {
		return
	}
	j.part = append(j.part, b...)
	for {
		line, rest, ok := bytes.Cut(j.part, []byte("\n"))
		if !ok {
			break
		}
		j.send(line)
		j.part = rest
	}
	// A line of 256 KB is cut there, as AWS does.
	if len(j.part) > 256<<10 {
		j.flush()
	}
}

// flush sends a line that has no end.
func (j *journal) flush() {
	if len(j.part) > 0 {
		j.send(j.part)
		j.part = nil
	}
}

func (j *journal) send(text []byte) {
	l := j.line
	l.Text = string(text)
	j.emit(l)
}

func last(b []byte, n int) []byte {
	return b[max(0, len(b)-n):]
}
