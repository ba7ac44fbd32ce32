//go:build !unix

package environment

// readAll takes in what comes until the pipe is closed.
func (j *journal) readAll() {
	for {
		n, err := j.read.Read(j.scratch)
		j.mu.Lock()
		j.add(j.scratch[:n])
		j.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// drain would take in what the process has written so far, but a pipe cannot be read
// here without waiting.
func (j *journal) drain() {}
