// Package crashtest kills a server at random moments while resources change, and
// then compares what it has with what it acknowledged.
//
// It is a client of the program and nothing else: it builds plumb, runs
// "plumb serve", and sees what anybody would see through the AWS SDK. A writer
// remembers each call that was answered with success; calls that the kill cut
// off may have happened or not. In the end the server comes to rest, and then:
//
//   - the history of each resource has what was acknowledged, in its order;
//   - each item was announced by the topic, and judged by each rule in scope;
//   - each verdict is the one on the newest item, each change of one was told;
//   - objects, messages and evaluations that were acknowledged are there;
//   - no process of a function outlived its server;
//   - nobody waited for a server that stands still longer than maxBlocked;
//   - stacks end whole, with each resource once;
//   - a topic that failed meanwhile in every way was told all, in the order of each
//     resource, and one that works was told at once;
//   - work was done once: no chain of jobs was forked, no page of an evaluation
//     was evaluated twice.
//
// The tests kill five times; PLUMB_CRASH_KILLS=200 is the long version, and
// PLUMB_CRASH_SEED repeats the moments of one.
package crashtest

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"plumb/internal/db/dbtest"
)

func TestNothingIsLost(t *testing.T) {
	plumb, judge := programs(t)
	t.Run("SQLite", func(t *testing.T) { nothingIsLost(t, plumb, judge, "") })
	t.Run("PostgreSQL", func(t *testing.T) { nothingIsLost(t, plumb, judge, dbtest.PostgresURL(t)) })
}

// number reads a variable of the environment.
func number(name string, byDefault int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return byDefault
}

// folder is where the programs are that the tests run, and build makes them
// when the first test asks.
var (
	folder string
	build  = sync.OnceValue(buildPrograms)
)

func buildPrograms() error {
	for out, pkg := range map[string]string{"plumb": "plumb/cmd/plumb", "judge": "./testdata/judge"} {
		cmd := exec.Command("go", "build", "-o", filepath.Join(folder, out), pkg)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if text, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("build %s: %w\n%s", pkg, err, text)
		}
	}
	return nil
}

func TestMain(m *testing.M) {
	var err error
	if folder, err = os.MkdirTemp("", "plumb-crashtest-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	status := m.Run()
	os.RemoveAll(folder)
	os.Exit(status)
}

// programs returns the paths of the server and of its rules' function.
func programs(t *testing.T) (plumb, judge string) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("what a kill leaves behind is read from /proc")
	}
	if err := build(); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(folder, "plumb"), filepath.Join(folder, "judge")
}

// TestKilledFirstStartIsMadeUpFor kills servers that make their folder and their
// tables.
func TestKilledFirstStartIsMadeUpFor(t *testing.T) {
	plumb, _ := programs(t)
	story := func(t *testing.T, database func() string) {
		for range number("PLUMB_CRASH_KILLS", 5) / 5 {
			s := newServer(plumb, dbtest.Folder(t), freeAddress(t), database())
			for range 5 {
				s.start(t)
				time.Sleep(rand.N(300 * time.Millisecond)) // the moment is the input
				s.kill(t)
			}
			s.start(t)
			if err := s.wait(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := newWorld(s).s3.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("works")}); err != nil {
				t.Errorf("%v\n%s", err, s.tail())
			}
			s.end(t)
		}
	}
	t.Run("SQLite", func(t *testing.T) { story(t, func() string { return "" }) })
	t.Run("PostgreSQL", func(t *testing.T) { story(t, func() string { return dbtest.PostgresURL(t) }) })
}

// freeAddress returns an address on loopback that nobody listens on. Its port is
// none of those that systems give to clients: one of them could take it while
// the server is dead.
func freeAddress(t *testing.T) string {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(20_000)))
		if err == nil {
			defer l.Close()
			return l.Addr().String()
		}
	}
	t.Fatal("no port is free")
	return ""
}

func nothingIsLost(t *testing.T, plumb, judge, database string) {
	kills, seed := number("PLUMB_CRASH_KILLS", 5), number("PLUMB_CRASH_SEED", int(time.Now().UnixNano()%1_000_000))
	t.Logf("%d kills, PLUMB_CRASH_SEED=%d", kills, seed)
	s := newServer(plumb, dbtest.Folder(t), freeAddress(t), database)
	w := newWorld(s)
	s.start(t)
	t.Cleanup(func() { s.end(t) })
	if err := s.wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.build(t, judge)

	l, r := newLedger(), newReader(t, w)
	writing, stopWriting := context.WithCancel(t.Context())
	reading, stopReading := context.WithCancel(t.Context())
	defer stopReading()
	var readers sync.WaitGroup
	r.follow(reading, &readers, w.inbox, r.hearNews)
	r.follow(reading, &readers, w.judged, r.hearJudged)
	writers := &writers{world: w, ledger: l, t: t, pace: time.Duration(number("PLUMB_CRASH_PACE", 20)) * time.Millisecond, stop: writing}
	writers.startAll()
	writers.functions()

	began := time.Now()
	early := killing(t, w, kills, rand.New(rand.NewPCG(uint64(seed), 0)))
	stopWriting()
	writers.wg.Wait()
	killed := time.Since(began)
	w.settle(t)
	stopReading()
	readers.Wait()
	w.clients = newClients(s.url(), 5)
	r.rest(w.inbox, r.hearNews)
	r.rest(w.judged, r.hearJudged)

	c := &check{world: w, ledger: l, reader: r, t: t, items: map[version]configItem{}, count: map[string]int{}}
	c.all()
	t.Logf("%d kills, %d of them during the start, in %s; at rest after another %s", kills, early, killed.Round(time.Second), (time.Since(began) - killed).Round(time.Second))
	c.report()
}

func (w *writers) startAll() {
	configuration := func(serial int) string { return fmt.Sprintf(`{"serial": %d}`, serial) }
	w.pushes(typePart, "part-", 10, configuration)
	w.pushes(typePart, "piece-", 3, configuration)
	w.pushes(typeVolume, "vol-", 5, func(serial int) string {
		return fmt.Sprintf(`{"serial": %d, "encrypted": %t, "attachments": [{"state": "attached", "instanceId": "i-1"}]}`, serial, serial%2 == 0)
	})
	w.buckets(4)
	w.queues(3)
	w.puts()
	w.messages()
	w.evaluations(5)
	w.rules(3)
}

// killing kills the server at random moments and starts it again: mostly while
// it serves, often in the first moments, sometimes before it can answer at all
// or while it ends by itself.
func killing(t *testing.T, w *world, kills int, random *rand.Rand) (early int) {
	for n := range kills {
		moment := min(time.Duration(random.ExpFloat64()*float64(time.Second)), 4*time.Second)
		if random.IntN(4) == 0 {
			moment = time.Duration(random.Int64N(int64(250 * time.Millisecond)))
			early++
		} else if err := w.wait(t.Context()); err != nil {
			t.Fatalf("after %d kills: %v", n, err)
		}
		time.Sleep(moment) // the moment is the input
		if random.IntN(6) == 0 {
			w.terminate() // and does not wait until it has finished
			time.Sleep(time.Duration(random.Int64N(int64(300 * time.Millisecond))))
		}
		w.kill(t)
		if left := orphans(w.function); left != nil {
			t.Errorf("kill %d left processes of the function: %v", n, left)
		}
		w.start(t)
	}
	if err := w.wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	return early
}

// report prints what was compared, and fails for what should not have happened
// at all.
func (c *check) report() {
	for _, list := range []struct {
		title  string
		counts map[string]int
	}{{"acknowledged", c.acked}, {"cut off by a kill", c.unknown}, {"compared", c.count}, {"messages", c.other}} {
		text := ""
		for _, k := range slices.Sorted(maps.Keys(list.counts)) {
			text += fmt.Sprintf("\n  %-50s %7d", k, list.counts[k])
		}
		c.t.Logf("%s:%s", list.title, text)
	}
	slices.Sort(c.starts)
	if n := len(c.starts); n > 0 {
		c.t.Logf("start to ready: median %s, worst %s", c.starts[n/2], c.starts[n-1])
	}
	for k, n := range c.refused {
		c.t.Errorf("%d times answered with an error: %s", n, k)
	}
	for k := range c.lines {
		c.failf("log", "%s", k)
	}

}
