package crashtest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"plumb/internal/db/dbtest"
)

// TestThreeServersShareOneStore has three servers on one PostgreSQL, each with its
// own writers, and does to them and to the database what happens to machines.
// Objects, rules, messages and items that one acknowledged are read on another.
func TestThreeServersShareOneStore(t *testing.T) {
	if os.Getenv("PLUMB_TEST_REAL") == "" {
		t.Skip("it takes minutes, and runs with PLUMB_TEST_REAL=1")
	}
	plumb, judge := programs(t)
	database := newDatabase(t)
	var worlds []*world
	for n := range 3 {
		s := newServer(plumb, dbtest.Folder(t), freeAddress(t), database.url)
		s.bare = true // it will be without its database for a while, and others wait for its locks
		s.start(t)
		t.Cleanup(func() { s.end(t) })
		if err := s.wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		w := newWorld(s)
		if n == 0 {
			w.build(t, judge)
		} else {
			w.share(worlds[0])
		}
		worlds = append(worlds, w)
	}
	first := worlds[0]
	l, r := newLedger(), newReader(t, first)
	writing, stopWriting := context.WithCancel(t.Context())
	reading, stopReading := context.WithCancel(t.Context())
	defer stopReading()
	defer stopWriting()
	var readers sync.WaitGroup
	r.follow(reading, &readers, first.inbox, r.hearNews)
	r.follow(reading, &readers, first.judged, r.hearJudged)
	var all []*writers
	for n, w := range worlds {
		ws := &writers{world: w, ledger: l, t: t, name: fmt.Sprintf("%c-", 'a'+n), pace: 60 * time.Millisecond, mayBeAway: true, stop: writing}
		ws.startAll()
		all = append(all, ws)
	}
	all[0].functions()

	began := time.Now()
	trouble(t, worlds, database)
	stopWriting()
	for _, ws := range all {
		ws.wg.Wait()
	}
	wrote := time.Since(began)
	settleAll(t, worlds)
	stopReading()
	readers.Wait()
	first.clients = newClients(first.url(), 5)
	r.rest(first.inbox, r.hearNews)
	r.rest(first.judged, r.hearJudged)
	c := &check{world: worlds[2], ledger: l, reader: r, t: t, items: map[version]configItem{}, count: map[string]int{}}
	c.clients = newClients(worlds[2].url(), 5)
	c.all()
	t.Logf("trouble for %s; at rest after another %s", wrote.Round(time.Second), (time.Since(began) - wrote).Round(time.Second))
	for _, w := range worlds[:2] { // the check reports those of the third
		for line := range w.lines {
			t.Errorf("log: %s", line)
		}
	}
	c.report()
}

// share makes what another world has built this one's too.
func (w *world) share(of *world) {
	w.function, w.inbox, w.judged, w.letters, w.token, w.ruled = of.function, of.inbox, of.judged, of.letters, of.token, of.ruled
}

// trouble pauses, kills, restarts.
func trouble(t *testing.T, worlds []*world, database *database) {
	any := func() *world { return worlds[rand.IntN(len(worlds))] }
	pause := func(w *world, d time.Duration) {
		w.pause()
		time.Sleep(d) // how long it stands still is the input
		w.resume()
	}
	for range 10 {
		pause(any(), rand.N(2*time.Second))
	}
	for range number("PLUMB_CRASH_KILLS", 5) {
		w := any()
		if err := w.wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(rand.N(time.Second)) // the moment is the input
		w.kill(t)
		w.start(t)
	}
	for _, w := range worlds {
		if err := w.wait(t.Context()); err != nil { // a start without a database fails
			t.Fatal(err)
		}
	}
	pause(any(), maxBlocked+10*time.Second) // the database ends its transactions, and what waits for their locks gives up
	database.restart(t)
	for _, w := range worlds {
		awaitReady(t, w)
	}
	for _, w := range worlds {
		w.restart(t)
	}
}

// awaitReady waits until a server has its database again.
func awaitReady(t *testing.T, w *world) {
	t.Helper()
	for deadline := time.Now().Add(maxBlocked); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if resp, err := http.Get(w.url() + "/readyz"); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
	}
	t.Errorf("the server does not find its database again\n%s", w.tail())
}

// settleAll brings all servers to rest: one may be at work on what another waits
// for.
func settleAll(t *testing.T, worlds []*world) {
	t.Helper()
	for _, w := range append(worlds, worlds[0]) {
		w.settle(t)
	}
}

// A database is a PostgreSQL of a test alone, which may be restarted.
type database struct{ dir, url string }

func newDatabase(t *testing.T) *database {
	t.Helper()
	// The superuser of the machine hands the folder to another user, who has to reach it.
	dir, err := os.MkdirTemp("", "plumb-crashtest-postgres-")
	if err != nil {
		t.Fatal(err)
	}
	d := &database{dir: dir}
	t.Cleanup(func() {
		if d.url != "" {
			d.control(t, "stop", "immediate")
		}
		os.RemoveAll(dir)
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("bash", filepath.Join("..", "..", ".ci", "postgres"), dir).CombinedOutput()
	if err != nil {
		t.Fatalf("start PostgreSQL: %v\n%s", err, out)
	}
	if d.url = strings.TrimSpace(string(out)); d.url == "" {
		t.Skip("PostgreSQL is not installed")
	}
	return d
}

// restart crashes the database and starts it again.
func (d *database) restart(t *testing.T) { d.control(t, "restart", "immediate") }

func (d *database) control(t *testing.T, what, mode string) {
	t.Helper()
	out, err := exec.Command("bash", filepath.Join("..", "..", ".ci", "postgres"), d.dir, what, mode).CombinedOutput()
	if err != nil {
		t.Fatalf("%s PostgreSQL: %v\n%s", what, err, out)
	}
}
