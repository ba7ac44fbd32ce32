package environment

import "time"

// maxCredit is how often a limit is added to itself, at most, for time in which
// the machine had no processor for the process.
const maxCredit = 4

// A deadline is when the time of a process is up. On AWS a function has its
// processor; here others may use it, and time for which a process waits for one
// is not its fault.
type deadline struct {
	up      chan struct{}        // closed when the time is up
	limit   time.Duration        // as it was given
	waited  func() time.Duration // for a processor, in all
	expired func()
	timer   *time.Timer
	ready   chan struct{} // closed when timer is set
	early   bool          // what was waited before does not count: not read yet
	before  time.Duration // what was waited before, and what was added to the limit
	added   time.Duration
}

// newDeadline starts a deadline. When the time is up it calls expired. What was
// waited before is read after an eighth of the time, so that the many processes
// that are done by then cost nothing.
func newDeadline(limit time.Duration, waited func() time.Duration, expired func()) *deadline {
	d := &deadline{up: make(chan struct{}), limit: limit, waited: waited, expired: expired, early: true, ready: make(chan struct{})}
	d.timer = time.AfterFunc(limit/8, d.fire)
	close(d.ready)
	return d
}

func (d *deadline) fire() {
	<-d.ready
	waited := d.waited()
	if d.early {
		d.early, d.before = false, waited
		d.timer.Reset(d.limit - d.limit/8)
		return
	}
	more := min(waited-d.before, maxCredit*d.limit-d.added)
	if more < time.Millisecond {
		close(d.up)
		d.expired()
		return
	}
	d.before, d.added = waited, d.added+more
	d.timer.Reset(more)
}

// stop ends the deadline, which does not expire then.
func (d *deadline) stop() { d.timer.Stop() }
