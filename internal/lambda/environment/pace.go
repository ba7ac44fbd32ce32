package environment

import (
	"runtime"
	"time"

	"plumb/internal/sandbox"
)

// A pool has a few environments work at once, and more only while those wait for
// something else than a processor: a function that sleeps or waits for an answer
// leaves room, a burst of starts does not. Otherwise a burst makes each of its own
// invocations so slow that its time is up.

// paceInterval is how often the pool looks whether more may work.
const paceInterval = 100 * time.Millisecond

// busyShare is the share of the processors that may be asked for when more
// environments begin to work.
const busyShare = 0.5

// blindWait is how long an invocation waits for a running environment where the
// demand for the processors is not known.
const blindWait = time.Second

// pace watches while invocations wait. It is called with the lock held.
func (p *Pool) pace() {
	if p.pacing || p.closed {
		return
	}
	p.pacing = true
	go p.allowMore()
}

// allowMore lets as many environments work, at each look, as there are
// processors, until nobody waits.
func (p *Pool) allowMore() {
	tick := time.NewTicker(paceInterval)
	defer tick.Stop()
	load := p.newLoad()
	for {
		select {
		case <-p.stop:
			return
		case <-tick.C:
		}
		free := load.free()
		p.mu.Lock()
		p.granted = 0
		if len(p.waiting) == 0 {
			p.pacing = false
			p.mu.Unlock()
			return
		}
		if free {
			p.granted = runtime.GOMAXPROCS(0)
			for range p.granted {
				p.wake()
			}
		}
		p.mu.Unlock()
	}
}

// A load is how much of the processors was asked for in the last moments.
type load struct {
	pool  *Pool
	began time.Time
	last  demand
	share float64 // a mean of the latest looks, in which the newest counts most
}

func (p *Pool) newLoad() *load { return &load{pool: p, began: time.Now(), last: p.demand(), share: 1} }

// free looks once more, and reports whether there is room for more work.
func (l *load) free() bool {
	const newest = 0.25
	now := l.pool.demand()
	share, known := now.since(l.last)
	l.last = now
	l.share += newest * (min(share, 2) - l.share)
	if !known {
		return time.Since(l.began) > blindWait
	}
	return l.share < busyShare
}

// A demand is what the environments of a pool, and the program that answers
// them, asked of the processors up to a moment.
type demand struct {
	at   time.Time
	each map[any]time.Duration // by process, and by thread of this program
	own  bool                  // its threads are in it
	more int                   // environments that start, requests that are being answered
}

func (p *Pool) demand() demand {
	p.mu.Lock()
	var children []*sandbox.Process
	d := demand{at: time.Now(), each: map[any]time.Duration{}}
	for e := range p.all {
		if c := e.child.Load(); c != nil {
			children = append(children, c)
		}
		if e.starting.Load() {
			d.more++
		}
	}
	p.mu.Unlock()
	if p.options.Pending != nil {
		d.more += p.options.Pending()
	}
	for thread, s := range sandbox.OwnSchedule() {
		d.each[thread], d.own = s.Ran+s.Waited, true
	}
	for _, c := range children {
		s := c.Schedule()
		d.each[c] = s.Ran + s.Waited
	}
	return d
}

// since returns the share of the processors that was asked for since then. What
// others do on the machine is not in it: an environment that cannot run for them
// asks all the same.
func (d demand) since(then demand) (share float64, known bool) {
	if !d.own {
		return 0, false
	}
	var asked time.Duration
	for c, t := range d.each {
		asked += max(0, t-then.each[c])
	}
	asked += time.Duration(d.more) * d.at.Sub(then.at)
	there := d.at.Sub(then.at) * time.Duration(runtime.GOMAXPROCS(0))
	return float64(asked) / float64(max(there, 1)), true
}
