package environment

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"plumb/internal/lambda/shims"
	"plumb/internal/sandbox"
)

// Options are what a pool is wired to and how much it may use.
type Options struct {
	// Endpoint returns the URL that functions call AWS's services at.
	Endpoint func() string
	// Credentials returns those of a version's role.
	Credentials func(ctx context.Context, v Version) (Credentials, error)
	// Hold has a code folder stay until release is called; may be nil.
	Hold func(folder string) (release func())
	// Pending returns how many requests this program is answering: an environment
	// that waits for it is not helped by another one. May be nil.
	Pending func() int
	// Log receives every line of functions' logs; it must not block. May be nil.
	Log func(Line)

	PerFunction int // environments of one version at a time
	Total       int // environments at a time
	// Eager is how many environments work at once in any case; more do only while
	// those leave the processors idle. 0 is two for each processor.
	Eager int
	Idle  time.Duration // how long one is kept without work
	// Reload has an environment go on with the function's next code, where it can. It
	// is for functions that are being written, and for nothing else.
	Reload bool
	// Shared leaves some environments to other accounts than the busiest one.
	Shared bool
}

// A Pool keeps environments warm. The most recently used is used again first, so
// that those beyond the need grow old and go. It is safe for concurrent use.
type Pool struct {
	log      *slog.Logger
	box      *sandbox.Box
	runtimes *Runtimes
	shims    string // folder
	names    *awsNames
	folder   string // of scratch folders
	options  Options
	grace    time.Duration

	mu      sync.Mutex
	all     map[*environment]bool
	idle    map[string][]*environment // by Version.Key, most recently used last
	count   map[string]int            // environments by Version.Key
	ending  map[string]int            // of those, the ones whose answer is out and that will be idle in a moment
	waiting []*waiter
	settled chan struct{} // closed when none is in ending; nil if nobody waits for that
	granted int           // environments beyond Eager that may come into use now
	pacing  bool          // a goroutine watches whether more may start
	closed  bool
	empty   chan struct{} // closed when the last environment of a closed pool has gone
	stop    chan struct{}
}

// ErrClosed is what Invoke returns when the pool is being closed.
var ErrClosed = errors.New("the server is stopping")

// NewPool returns a pool that keeps scratch folders below dir. What an earlier
// run left there is removed.
func NewPool(log *slog.Logger, box *sandbox.Box, runtimes *Runtimes, dir string, o Options) (*Pool, error) {
	folder, err := shims.Install(dir)
	if err != nil {
		return nil, err
	}
	if o.Eager == 0 {
		o.Eager = 2 * runtime.GOMAXPROCS(0)
	}
	names, err := newNames(filepath.Join(dir, "trust"))
	if err != nil {
		return nil, err
	}
	p := &Pool{
		log: log, box: box, runtimes: runtimes, shims: folder, names: names, folder: filepath.Join(dir, "environments"), options: o, grace: grace,
		all: map[*environment]bool{}, idle: map[string][]*environment{}, count: map[string]int{}, ending: map[string]int{},
		empty: make(chan struct{}), stop: make(chan struct{}),
	}
	if err := removeTree(p.folder); err != nil {
		log.Warn("scratch folders of functions were not removed", "folder", p.folder, "err", err)
	}
	if err := os.MkdirAll(p.folder, 0o755); err != nil {
		return nil, err
	}
	go p.expire()
	go p.watchDisk()
	return p, nil
}

// Invoke runs one event through an environment of the version: a warm one, a new
// one, or, when there are as many as there may be, the next that is free.
func (p *Pool) Invoke(ctx context.Context, v Version, inv Invocation) (Result, error) {
	e, err := p.take(ctx, v)
	if err != nil {
		return Result{}, err
	}
	return e.invoke(ctx, inv, func() { p.giveBack(e) })
}

// Retire takes the environments of a function's older keys out of use: idle ones
// at once, busy ones when they are done.
func (p *Pool) Retire(retired func(v Version) bool) {
	p.mu.Lock()
	var gone []*environment
	for e := range p.all {
		if !retired(e.version) || p.waitsForCode(e) {
			continue
		}
		e.retired = true
		if p.dropIdle(e) {
			gone = append(gone, e)
		}
	}
	p.mu.Unlock()
	p.removeAll(gone)
}

// Close lets running invocations end, until ctx does, and ends all
// environments.
func (p *Pool) Close(ctx context.Context) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return
	}
	p.closed = true
	close(p.stop)
	var gone []*environment
	for e := range p.all {
		if p.dropIdle(e) {
			gone = append(gone, e)
		}
	}
	for _, w := range p.waiting {
		close(w.got)
	}
	p.waiting = nil
	p.mu.Unlock()
	p.removeAll(gone)
	p.mu.Lock()
	left := len(p.all)
	p.mu.Unlock()
	if left == 0 {
		return
	}
	select {
	case <-p.empty:
	case <-ctx.Done():
		p.killAll()
	}
}

// killAll kills the processes of environments that are in use; those who use
// them see them end.
func (p *Pool) killAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for e := range p.all {
		if c := e.child.Load(); c != nil {
			c.Kill()
		}
	}
}

// mayGrow reports whether one more environment of the version may be made and used
// now, and makes room for it by ending one that is idle.
func (p *Pool) mayGrow(v Version) bool {
	if p.count[v.Key] >= p.options.PerFunction || !p.room(v.Account) || len(p.all) >= p.options.Total && !p.replaceIdle() {
		return false
	}
	p.useRoom()
	return true
}

// room reports whether one more environment of an account may be in use.
func (p *Pool) room(account string) bool {
	limit := min(p.options.Eager, p.options.Total)
	if p.granted > 0 {
		limit = p.options.Total
	}
	return p.busy() < limit && (!p.options.Shared || p.busyFor(account) < share(limit))
}

// share returns how many of n environments one account may use at once: a quarter,
// one at least, is left to others.
func share(n int) int { return max(1, n-max(1, n/4)) }

// busyFor counts the environments of an account that are in use.
func (p *Pool) busyFor(account string) (n int) {
	for e := range p.all {
		if e.version.Account == account {
			n++
		}
	}
	for _, list := range p.idle {
		if len(list) > 0 && list[0].version.Account == account {
			n -= len(list)
		}
	}
	return n
}

// useRoom notes that an environment comes into use.
func (p *Pool) useRoom() {
	if p.busy() >= p.options.Eager {
		p.granted--
	}
}

// Counts returns how many environments there are, in use and warm.
func (p *Pool) Counts() (busy, idle int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	busy = p.busy()
	return busy, len(p.all) - busy
}

// busy counts the environments that are in use.
func (p *Pool) busy() int {
	n := len(p.all)
	for _, list := range p.idle {
		n -= len(list)
	}
	return n
}

// replaceIdle makes room by ending the environment that has been idle longest.
func (p *Pool) replaceIdle() bool {
	var oldest *environment
	for _, list := range p.idle {
		if len(list) > 0 && (oldest == nil || list[0].idleSince.Before(oldest.idleSince)) {
			oldest = list[0]
		}
	}
	if oldest == nil {
		return false
	}
	p.dropIdle(oldest)
	go oldest.remove()
	return true
}

// grow makes an environment. It is called with the lock held and lets it go.
func (p *Pool) grow(ctx context.Context, v Version) (*environment, error) {
	e := &environment{pool: p, version: v}
	p.all[e] = true
	p.count[v.Key]++
	p.mu.Unlock()
	if err := e.make(ctx); err != nil {
		e.remove()
		p.forget(e)
		return nil, err
	}
	p.mu.Lock()
	e.made = true
	p.mu.Unlock()
	return e, nil
}

// make gives a new environment its folder and what its processes see.
func (e *environment) make(ctx context.Context) error {
	e.folder = filepath.Join(e.pool.folder, newID())
	return e.begin(ctx)
}

// begin has the environment run the code of its version, with a log stream of its
// own.
func (e *environment) begin(ctx context.Context) error {
	if hold := e.pool.options.Hold; hold != nil {
		e.release = hold(e.version.Code)
	}
	e.stream = fmt.Sprintf("%s/[%s]%s", time.Now().UTC().Format("2006/01/02"), e.version.Number, newID())
	return e.prepare(ctx)
}

// newID returns 32 hexadecimal digits.
func newID() string {
	id := make([]byte, 16)
	rand.Read(id)
	return hex.EncodeToString(id)
}

// answering notes that an environment's answer is out: it will be idle in a
// moment.
func (p *Pool) answering(e *environment) {
	p.mu.Lock()
	e.ending = true
	p.ending[e.version.Key]++
	p.mu.Unlock()
}

func (p *Pool) anyEnding() bool {
	for _, n := range p.ending {
		if n > 0 {
			return true
		}
	}
	return false
}

// Settle waits until no function works on after its answer: until then the last
// lines of its invocation are not in the log.
func (p *Pool) Settle(ctx context.Context) error {
	p.mu.Lock()
	if !p.anyEnding() {
		p.mu.Unlock()
		return nil
	}
	if p.settled == nil {
		p.settled = make(chan struct{})
	}
	settled := p.settled
	p.mu.Unlock()
	select {
	case <-settled:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("a function works on after its answer: %w", ctx.Err())
	}
}

// giveBack takes an environment back and passes it on to an invocation that waits.
func (p *Pool) giveBack(e *environment) {
	p.mu.Lock()
	if e.ending {
		e.ending = false
		p.ending[e.version.Key]--
		if p.settled != nil && !p.anyEnding() {
			close(p.settled)
			p.settled = nil
		}
	}
	if p.closed || e.retired || e.worn() {
		p.mu.Unlock()
		e.remove()
		p.forget(e)
		return
	}
	defer p.mu.Unlock()
	if w := p.owed(e); w != nil {
		p.rest(e)
		p.granted++ // it passes its place on
		p.waiting = slices.DeleteFunc(p.waiting, func(other *waiter) bool { return other == w })
		w.got <- nil
		return
	}
	if i := slices.IndexFunc(p.waiting, func(w *waiter) bool { return w.key == e.version.Key }); i >= 0 {
		w := p.waiting[i]
		p.waiting = slices.Delete(p.waiting, i, i+1)
		w.got <- e
		return
	}
	p.rest(e)
	if p.options.Shared {
		p.wake() // who waited for its account's share
	}
}

// rest puts an environment among the idle ones.
func (p *Pool) rest(e *environment) {
	e.idleSince = time.Now()
	p.idle[e.version.Key] = append(p.idle[e.version.Key], e)
}

// forget strikes an environment off and lets one who waits make another.
func (p *Pool) forget(e *environment) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.strike(e)
	p.wake()
	if p.closed && len(p.all) == 0 {
		close(p.empty)
	}
}

func (p *Pool) strike(e *environment) {
	if !p.all[e] {
		return
	}
	delete(p.all, e)
	if p.count[e.version.Key]--; p.count[e.version.Key] == 0 {
		delete(p.count, e.version.Key)
		delete(p.idle, e.version.Key)
		delete(p.ending, e.version.Key)
	}
}

func (p *Pool) popIdle(key string) *environment {
	for list := p.idle[key]; len(list) > 0; list = p.idle[key] {
		e := list[len(list)-1]
		p.idle[key] = list[:len(list)-1]
		if !e.worn() {
			return e
		}
		p.strike(e)
		go e.remove()
	}
	return nil
}

// dropIdle strikes an environment off if it is idle.
func (p *Pool) dropIdle(e *environment) bool {
	list := p.idle[e.version.Key]
	i := slices.Index(list, e)
	if i < 0 {
		return false
	}
	p.idle[e.version.Key] = slices.Delete(list, i, i+1)
	p.strike(e)
	return true
}

// worn reports whether the credentials of an environment run out soon.
func (e *environment) worn() bool {
	return !e.expires.IsZero() && time.Until(e.expires) < 15*time.Minute
}

// expire ends environments that have been idle for long.
func (p *Pool) expire() {
	tick := time.NewTicker(max(p.options.Idle/8, 10*time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-p.stop:
			return
		case <-tick.C:
		}
		var gone []*environment
		p.mu.Lock()
		for e := range p.all {
			if !e.idleSince.IsZero() && time.Since(e.idleSince) > p.options.Idle && p.dropIdle(e) {
				gone = append(gone, e)
			}
		}
		p.mu.Unlock()
		p.removeAll(gone)
	}
}

func (p *Pool) removeAll(gone []*environment) {
	for _, e := range gone {
		e.remove()
	}
}
