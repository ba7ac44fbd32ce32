package crashtest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"plumb/internal/db/dbtest"
)

// TestJobsOfADeadServerAreTakenUpByAnother has two servers on one store, and
// kills one of them for good while its functions are at work.
func TestJobsOfADeadServerAreTakenUpByAnother(t *testing.T) {
	database := dbtest.PostgresURL(t)
	plumb, judge := programs(t)
	doomed := newServer(plumb, dbtest.Folder(t), freeAddress(t), database)
	heir := newServer(plumb, dbtest.Folder(t), freeAddress(t), database)
	for _, s := range []*server{doomed, heir} {
		s.start(t)
		if err := s.wait(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { heir.end(t) })
	w := newWorld(heir)
	w.build(t, judge)

	l := newLedger()
	enough, bursts := bursts(t, newWorld(doomed), l)
	select {
	case <-enough:
	case <-time.After(time.Minute):
		t.Error("the server takes too long")
	}
	doomed.kill(t)
	killed := time.Now()
	bursts.Wait()
	r := newReader(t, w)
	c := &check{world: w, ledger: l, reader: r, t: t, items: map[version]configItem{}, count: map[string]int{}}
	c.histories()
	missing := func() (n int) {
		r.rest(w.judged, r.hearJudged)
		r.rest(w.inbox, r.hearNews)
		for v := range c.items {
			if r.judgements[v] == 0 || r.announced[v] == 0 {
				n++
			}
		}
		return n
	}
	last, at := -1, time.Duration(0)
	for time.Since(killed) < time.Minute {
		n := missing()
		if n != last {
			last, at = n, time.Since(killed)
			t.Logf("%5.1f s after the kill: %d of %d items wait", at.Seconds(), n, len(c.items))
		}
		if n == 0 {
			break
		}
		time.Sleep(time.Second) // another server's clock is what the test is about
	}
	if last != 0 {
		t.Errorf("%d items were not judged and announced within a minute", last)
	}
	w.settle(t)
	missing()
	c.announcements()
	c.judgementsOfItems()
	c.verdicts()
	c.report()
}

// bursts changes 40 resources at once through a server until it is killed, so
// that the kill finds jobs that run. enough is closed when 120 changes were
// acknowledged.
func bursts(t *testing.T, w *world, l *ledger) (enough chan struct{}, running *sync.WaitGroup) {
	enough, running = make(chan struct{}), &sync.WaitGroup{}
	writers := &writers{world: w, ledger: l, t: t, stop: t.Context()}
	var acked atomic.Int64
	for _, s := range writers.subjects(typePart, true, ids("part-", 40)...) {
		running.Go(func() {
			for serial := 1; ; serial++ {
				_, err := w.config.PutResourceConfig(t.Context(), pushed(typePart, s.id, fmt.Sprintf(`{"serial": %d}`, serial)))
				s.attempts = append(s.attempts, attempt{serial, err == nil})
				if err != nil {
					return // it was killed
				}
				if acked.Add(1) == 120 {
					close(enough)
				}
			}
		})
	}
	return enough, running
}
