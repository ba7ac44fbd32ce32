package crashtest

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A server is plumb serve as a process that is killed and started again on the
// same folder, the same port and the same database.
type server struct {
	bin, dir, database, listen string
	flags                      []string // further ones

	mu     sync.Mutex
	cmd    *exec.Cmd
	exited chan struct{}
	ready  chan struct{}   // closed when this run can answer
	asked  bool            // to end, by SIGTERM
	lines  map[string]int  // of its log, those that tell of errors
	starts []time.Duration // from the start of the process to ready
	free   time.Time       // since when it does not stand still; in the future while it does
	bare   bool            // errors in the log are no surprise, panics are
}

func newServer(bin, dir, listen, database string) *server {
	return &server{bin: bin, dir: dir, database: database, listen: listen, lines: map[string]int{}}
}

func (s *server) url() string { return "http://" + s.listen }

// start starts the process and does not wait until it can answer.
func (s *server) start(t testing.TB) {
	t.Helper()
	args := []string{"serve", "--listen", s.listen, "--data", filepath.Join(s.dir, "data")}
	if s.database != "" {
		args = append(args, "--database", s.database)
	}
	args = append(args, s.flags...)
	cmd := exec.Command(s.bin, args...)
	out, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan struct{})
	ready := make(chan struct{})
	s.mu.Lock()
	s.cmd, s.exited, s.ready, s.asked = cmd, exited, ready, false
	s.mu.Unlock()
	go func() {
		s.follow(bufio.NewScanner(out), began, ready)
		cmd.Wait()
		close(exited)
	}()
}

// follow reads what a run writes to standard error.
func (s *server) follow(in *bufio.Scanner, began time.Time, ready chan struct{}) {
	in.Buffer(nil, 1<<20)
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return
	}
	defer log.Close()
	for in.Scan() {
		fmt.Fprintln(log, in.Text())
		if strings.HasPrefix(in.Text(), "ready ") {
			s.mu.Lock()
			s.starts = append(s.starts, time.Since(began))
			s.mu.Unlock()
			close(ready)
		}
		s.mu.Lock()
		if strings.Contains(in.Text(), "level=ERROR") && !s.bare || strings.Contains(in.Text(), "panic") {
			s.lines[in.Text()]++
		}
		s.mu.Unlock()
	}
}

// terminate asks the process to finish what runs and end.
func (s *server) terminate() {
	s.asked = true
	s.cmd.Process.Signal(syscall.SIGTERM)
}

// kill ends the process, and no other: its children have to go by themselves.
func (s *server) kill(t testing.TB) {
	t.Helper()
	s.mu.Lock()
	cmd, exited := s.cmd, s.exited
	s.mu.Unlock()
	cmd.Process.Signal(syscall.SIGKILL)
	<-exited
	if cmd.ProcessState.Exited() && !(s.asked && cmd.ProcessState.Success()) {
		t.Fatalf("the server ended by itself: %s\n%s", cmd.ProcessState, s.tail())
	}
}

// pause has the process stand still, as a machine that swaps or a virtual one that
// is moved.
func (s *server) pause() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free = time.Now().Add(time.Hour)
	s.cmd.Process.Signal(syscall.SIGSTOP)
}

// resume ends a pause.
func (s *server) resume() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cmd.Process.Signal(syscall.SIGCONT)
	s.free = time.Now()
}

// maxBlocked is how long a call may take while another server stands still with
// locks in its hands, or the database is restarted: 30 seconds, and 10 more on a
// machine that has much else to do.
const maxBlocked = 40 * time.Second

// answered fails if a call took too long that did not meet a server that stood
// still itself.
func (s *server) answered(t *testing.T, operation string, began time.Time) {
	took := time.Since(began)
	s.mu.Lock()
	defer s.mu.Unlock()
	if took > maxBlocked && s.free.Before(began) {
		t.Errorf("%s took %s", operation, took)
	}
}

// restart ends the process as an operator does, and starts it again.
func (s *server) restart(t *testing.T) {
	t.Helper()
	s.terminate()
	select {
	case <-s.exited:
	case <-time.After(time.Minute):
		t.Errorf("the server does not end\n%s", s.tail())
		s.kill(t)
	}
	s.start(t)
	if err := s.wait(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// end kills the server for good, and keeps its folder for those who want to
// look at what it was.
func (s *server) end(t *testing.T) {
	s.kill(t)
	if keep := os.Getenv("PLUMB_CRASH_KEEP"); keep != "" && t.Failed() {
		if err := os.CopyFS(filepath.Join(keep, t.Name()), os.DirFS(s.dir)); err != nil {
			t.Error(err)
		}
	}
}

// wait returns when the server can answer, whichever run of it that is.
func (s *server) wait(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for {
		s.mu.Lock()
		ready, exited := s.ready, s.exited
		s.mu.Unlock()
		select {
		case <-exited: // it was killed, and the next run is about to come
			select {
			case <-time.After(5 * time.Millisecond):
				continue
			case <-ctx.Done():
			}
		default:
		}
		select {
		case <-ready:
			return nil
		case <-exited:
		case <-ctx.Done():
			return fmt.Errorf("the server does not become ready: %s", s.tail())
		}
	}
}

func (s *server) tail() string {
	b, _ := os.ReadFile(filepath.Join(s.dir, "log"))
	return string(b[max(0, len(b)-1000):])
}

// post calls one of the pages for tests.
func (s *server) post(t testing.TB, path, body string) {
	t.Helper()
	resp, err := http.Post(s.url()+path, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", path, resp.Status)
	}
}

// orphans returns the processes that are left of functions of a name, after
// giving the kernel a moment to end them.
func orphans(function string) []string {
	var left []string
	for range 100 {
		if left = processesOf(function); len(left) == 0 {
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return left
}

func processesOf(function string) []string {
	var out []string
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		env, err := os.ReadFile(filepath.Join(dir, "environ"))
		if err != nil || !strings.Contains(string(env), "AWS_LAMBDA_FUNCTION_NAME="+function+"\x00") {
			continue
		}
		pid, _ := strconv.Atoi(filepath.Base(dir))
		name, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
		out = append(out, fmt.Sprintf("%d %s", pid, strings.ReplaceAll(string(name), "\x00", " ")))
	}
	return out
}
