package walltest

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"plumb/internal/db/dbtest"
)

// needReal skips tests that take minutes.
func needReal(t *testing.T) {
	t.Helper()
	if os.Getenv("PLUMB_TEST_REAL") == "" {
		t.Skip("it takes minutes: set PLUMB_TEST_REAL=1 to run it")
	}
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("processes are measured by Linux's /proc")
	}
}

// needPython skips tests whose functions are in Python.
func needPython(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("this machine has no python3")
	}
}

// A process is plumb serve by itself, so that what it takes can be measured.
type process struct {
	t         *testing.T
	pid       int
	url, data string
	tmp       string // its folder for temporary files
	client    *http.Client
}

// serve builds and starts a server that ends with the test. Its settings are YAML.
func serve(t *testing.T, settings string) *process {
	t.Helper()
	dir := dbtest.Folder(t)
	bin, file := filepath.Join(dir, "plumb"), filepath.Join(dir, "plumb.yaml")
	if out, err := exec.Command("go", "build", "-o", bin, "plumb/cmd/plumb").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listen := l.Addr().String()
	l.Close()
	p := &process{t: t, url: "http://" + listen, data: filepath.Join(dir, "data"), tmp: filepath.Join(dir, "tmp"), client: &http.Client{Timeout: 5 * time.Second}}
	if err := os.Mkdir(p.tmp, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(settings+"\nlisten: "+listen+"\ndata: "+p.data+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(bin, "serve", "--settings", file)
	cmd.Env = append(os.Environ(), "TMPDIR="+p.tmp)
	log, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	p.pid = cmd.Process.Pid
	ready := make(chan struct{})
	go func() {
		for in := bufio.NewScanner(log); in.Scan(); {
			if strings.HasPrefix(in.Text(), "ready ") {
				close(ready)
			}
			if strings.Contains(in.Text(), "panic") {
				t.Errorf("the server's log: %s", in.Text())
			}
		}
	}()
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("the server's end: %v", err)
		}
	})
	select {
	case <-ready:
	case <-time.After(30 * time.Second):
		t.Fatal("the server is not ready")
	}
	return p
}

// resident is the memory that the server has, in bytes.
func (p *process) resident() int64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.pid))
	if err != nil {
		p.t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if fields := strings.Fields(line); fields[0] == "VmRSS:" {
			n, _ := strconv.ParseInt(fields[1], 10, 64)
			return n << 10
		}
	}
	p.t.Fatal("no VmRSS")
	return 0
}

// descriptors counts the server's open files.
func (p *process) descriptors() int {
	all, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.pid))
	if err != nil {
		p.t.Fatal(err)
	}
	return len(all)
}

// children counts the processes below the server's.
func (p *process) children() (n int) {
	parents := map[int][]int{}
	all, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range all {
		b, err := os.ReadFile(path)
		if err != nil {
			continue // ended
		}
		fields := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		parent, _ := strconv.Atoi(fields[1])
		parents[parent] = append(parents[parent], pid)
	}
	for queue := parents[p.pid]; len(queue) > 0; queue = queue[1:] {
		n++
		queue = append(queue, parents[queue[0]]...)
	}
	return n
}

// disk is what the data folder takes beside the database, in bytes.
func (p *process) disk() (n int64) {
	filepath.WalkDir(p.data, func(path string, d os.DirEntry, err error) error {
		if err != nil || strings.Contains(filepath.Base(path), "plumb.db") {
			return nil // gone meanwhile
		}
		if info, err := d.Info(); err == nil {
			n += info.Size()
		}
		return nil
	})
	return n
}

func (p *process) healthy() {
	p.t.Helper()
	res, err := p.client.Get(p.url + "/readyz")
	if err != nil {
		p.t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		p.t.Fatalf("/readyz: %d", res.StatusCode)
	}
}
