package environment

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"plumb/internal/sandbox"
)

// provided returns a version of the test function (lambdatest/bootstrap).
func (b *bench) provided() Version {
	b.t.Helper()
	dir := b.code(map[string]string{"README": ""})
	cmd := exec.Command("go", "build", "-ldflags=-s -w", "-o", filepath.Join(dir, "bootstrap"), "plumb/internal/lambda/lambdatest/bootstrap")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		b.t.Fatalf("build bootstrap: %v\n%s", err, text)
	}
	return b.version("provided.al2023", "bootstrap", dir)
}

// levels runs a test at every level that this machine has above none.
func levels(t *testing.T, f func(t *testing.T, b *bench)) {
	for l := sandbox.Limits; l <= sandbox.Probe(t.TempDir()).Level; l++ {
		t.Run(l.String(), func(t *testing.T) { f(t, newBenchAt(t, l, Options{})) })
	}
}

func TestEveryRuntimeRunsAtEveryLevel(t *testing.T) {
	levels(t, func(t *testing.T, b *bench) {
		v := b.provided()
		if r := b.invoke(v, `{"return": "go"}`); string(r.Payload) != `"go"` {
			t.Errorf("provided: %s\n%s", r.Payload, r.Log)
		}
		if b.host.Look(t.Context()).Python != "" {
			v := b.python("import tempfile\ndef handler(e, c):\n    tempfile.TemporaryFile().write(b'x')\n    return 'python'\n")
			if r := b.invoke(v, `{}`); string(r.Payload) != `"python"` {
				t.Errorf("python: %s\n%s", r.Payload, r.Log)
			}
		}
		if b.host.Look(t.Context()).Node != "" {
			v := b.node(`exports.handler = async () => { require("fs").writeFileSync(require("os").tmpdir() + "/x", "x"); return "node" }`)
			if r := b.invoke(v, `{}`); string(r.Payload) != `"node"` {
				t.Errorf("node: %s\n%s", r.Payload, r.Log)
			}
		}
	})
}

func TestFunctionReachesTheEndpointAtEveryLevel(t *testing.T) {
	for l := sandbox.Limits; l <= sandbox.Probe(t.TempDir()).Level; l++ {
		t.Run(l.String(), func(t *testing.T) {
			web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("plumb")) }))
			defer web.Close()
			b := newBenchAt(t, l, Options{Endpoint: func() string { return web.URL }})
			v := b.python(`
import os, urllib.request
def handler(event, context):
    return urllib.request.urlopen(os.environ["AWS_ENDPOINT_URL"]).read().decode()
`)
			if r := b.invoke(v, `{}`); string(r.Payload) != `"plumb"` {
				t.Errorf("%s\n%s", r.Payload, r.Log)
			}
		})
	}
}

func TestFunctionSeesNeitherTheStoreNorOtherFunctions(t *testing.T) {
	levels(t, func(t *testing.T, b *bench) {
		if b.level < sandbox.Landlock {
			t.Skip("this level does not promise it")
		}
		store := filepath.Join(b.dir, "plumb.db")
		if err := os.WriteFile(store, []byte("secret"), 0o644); err != nil {
			t.Fatal(err)
		}
		other := b.code(map[string]string{"secret.py": "secret"})
		elsewhere, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer elsewhere.Close()
		v := b.python(`
import os, signal, socket
def tried(f):
    try:
        return repr(f())
    except OSError as e:
        return "refused"
def handler(e, c):
    host, port = e["address"].split(":")
    return [tried(lambda: open(e["store"]).read()), tried(lambda: open(e["other"] + "/secret.py").read()), tried(lambda: open("/etc/shadow").read()),
        tried(lambda: open(os.path.join(os.environ["LAMBDA_TASK_ROOT"], "new"), "w")), tried(lambda: os.kill(e["pid"], 0)),
        tried(lambda: socket.create_connection((host, int(port)), 1))]
`)
		r := b.invoke(v, fmt.Sprintf(`{"store": %q, "other": %q, "pid": %d, "address": %q}`, store, other, os.Getpid(), elsewhere.Addr()))
		if string(r.Payload) != `["refused", "refused", "refused", "refused", "refused", "refused"]` {
			t.Errorf("got %s\n%s", r.Payload, r.Log)
		}
	})
}

func TestAFunctionHoldsFewConnectionsOfTheServer(t *testing.T) {
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("plumb")) }))
	defer web.Close()
	b := newBenchAt(t, sandbox.Probe(t.TempDir()).Level, Options{Endpoint: func() string { return web.URL }})
	if b.level < sandbox.Namespaces {
		t.Skip("at this level a function connects to the server itself")
	}
	v := b.python(`
import os, select, socket
def answered(address):
    host, port = address.removeprefix("http://").split(":")
    all = [socket.create_connection((host, int(port))) for _ in range(100)]
    for s in all:
        s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    got = set()
    while True:
        ready = select.select([s for s in all if s not in got], [], [], 0.5)[0]
        if not ready:
            return len(got)
        got.update(ready)
def handler(event, context):
    return [answered(os.environ["AWS_LAMBDA_RUNTIME_API"]) <= 8, answered(os.environ["AWS_ENDPOINT_URL"]) <= 64]
`)
	for range 2 { // the first one's connections must not be in the way of the second
		if r := b.invoke(v, `{}`); string(r.Payload) != "[true, true]" {
			t.Errorf("got %s\n%s", r.Payload, r.Log)
		}
	}
}

func TestInvocationsRunSideBySideUpToTheLimit(t *testing.T) {
	b := newBenchAt(t, sandbox.Probe(t.TempDir()).Level, Options{PerFunction: 2, Total: 8})
	v := b.provided()
	var all sync.WaitGroup
	began := time.Now()
	for range 4 {
		all.Go(func() {
			if r := b.invoke(v, `{"sleep": 300, "return": 1}`); string(r.Payload) != "1" {
				t.Errorf("got %s", r.Payload)
			}
		})
	}
	all.Wait()
	if took := time.Since(began); took < 600*time.Millisecond {
		t.Errorf("more than two ran at a time: four took %s", took)
	}
	b.pool.mu.Lock()
	defer b.pool.mu.Unlock()
	if n := len(b.pool.all); n > 2 {
		t.Errorf("%d environments", n)
	}
}

func TestOneAfterTheOtherUsesOneEnvironment(t *testing.T) {
	b := newBench(t)
	b.pool.grace = time.Minute
	v := b.provided()
	for i := 1; i <= 50; i++ {
		r, err := b.pool.Invoke(t.Context(), v, Invocation{RequestID: fmt.Sprint(i), Payload: []byte(`{"count": true}`)})
		if err != nil || string(r.Payload) != fmt.Sprint(i) {
			t.Fatalf("invocation %d: %s, %v", i, r.Payload, err)
		}
	}
}

func TestFullPoolMakesRoomForAnotherFunction(t *testing.T) {
	b := newBenchAt(t, sandbox.Probe(t.TempDir()).Level, Options{PerFunction: 1, Total: 1})
	first := b.provided()
	second := first
	second.Key = "second"
	b.invoke(first, `{}`)
	b.invoke(second, `{}`)

	// Also when those of the first function never stop coming.
	stop := make(chan struct{})
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					b.invoke(first, `{"sleep": 5}`)
				}
			}
		})
	}
	b.invoke(second, `{}`)
	close(stop)
	all.Wait()
}

func TestCallerThatGivesUpLeavesTheQueue(t *testing.T) {
	b := newBenchAt(t, sandbox.Probe(t.TempDir()).Level, Options{PerFunction: 1, Total: 1})
	v := b.provided()
	b.invoke(v, `{}`)
	e, err := b.pool.take(t.Context(), v)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := b.pool.Invoke(ctx, v, Invocation{RequestID: "x"}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	b.pool.giveBack(e)
	b.invoke(v, `{}`)
}

func TestIdleEnvironmentsGo(t *testing.T) {
	b := newBenchAt(t, sandbox.Probe(t.TempDir()).Level, Options{PerFunction: 1, Total: 1, Idle: 50 * time.Millisecond})
	b.invoke(b.provided(), `{}`)
	for deadline := time.Now().Add(10 * time.Second); ; {
		left, err := os.ReadDir(b.pool.folder)
		if err != nil {
			t.Fatal(err)
		}
		if len(left) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("still there: %v", left)
		}
	}
}

func TestFunctionThatFillsItsTmpIsEnded(t *testing.T) {
	b := newBench(t)
	v := b.python(`
import os, tempfile, time
def handler(event, context):
    for i in range(4):
        with open(os.path.join(tempfile.gettempdir(), str(i)), "wb") as f:
            f.write(bytes(1 << 20))
    print("filled", flush=True)
    time.sleep(60)
`)
	v.Ephemeral, v.Timeout = 3, time.Minute
	r := b.invoke(v, `{}`)
	if kind, message, _ := object(t, r); kind != "Runtime.ExitError" || !strings.HasSuffix(message, "signal: killed") {
		t.Errorf("got %s: %s", kind, message)
	}
	if r.Cause != "the function has more in /tmp than the 3 MB that it may" {
		t.Errorf("the cause is %q", r.Cause)
	}
}

func TestLogOfAnInvocationIsWholeWhenThePoolHasSettled(t *testing.T) {
	var mu sync.Mutex
	var log strings.Builder
	b := newBenchAt(t, sandbox.Probe(t.TempDir()).Level, Options{Log: func(l Line) {
		mu.Lock()
		defer mu.Unlock()
		log.WriteString(l.Text)
	}})
	v := b.provided()
	for range 3 {
		if _, err := b.pool.Invoke(t.Context(), v, Invocation{RequestID: newID(), FunctionARN: v.Function, Payload: []byte(`{"after": 200}`)}); err != nil {
			t.Fatal(err)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.pool.Settle(ended); err == nil {
		t.Error("the function works on, and the pool is said to have settled")
	}
	if err := b.pool.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if n := strings.Count(log.String(), "REPORT RequestId: "); n != 3 {
		t.Errorf("the log says\n%s", log.String())
	}
}

func TestRetiredEnvironmentsGo(t *testing.T) {
	b := newBench(t)
	v := b.provided()
	b.invoke(v, `{"count": true}`)
	b.pool.Retire(func(o Version) bool { return o.Key == v.Key })
	if r := b.invoke(v, `{"count": true}`); string(r.Payload) != "1" {
		t.Errorf("got %s", r.Payload)
	}
}

func TestClosedPoolLetsInvocationsEnd(t *testing.T) {
	b := newBench(t)
	v := b.provided()
	b.invoke(v, `{}`)
	idle := func(n int) { // waits until that many environments wait
		for {
			b.pool.mu.Lock()
			now := len(b.pool.idle[v.Key])
			b.pool.mu.Unlock()
			if now == n {
				return
			}
			runtime.Gosched()
		}
	}
	idle(1) // the answer comes before its environment is back
	answered := make(chan Result, 1)
	go func() {
		r, err := b.pool.Invoke(t.Context(), v, Invocation{Payload: []byte(`{"sleep": 200, "return": "ended"}`)})
		if err != nil {
			t.Error(err)
		}
		answered <- r
	}()
	idle(0) // it runs
	b.pool.Close(t.Context())
	if r := <-answered; string(r.Payload) != `"ended"` {
		t.Errorf("got %s", r.Payload)
	}
	if _, err := b.pool.Invoke(t.Context(), v, Invocation{}); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v", err)
	}
	if left, _ := os.ReadDir(b.pool.folder); len(left) != 0 {
		t.Errorf("left %v", left)
	}
}

func TestBootstrapThatCannotRunIsTheFunctionsFault(t *testing.T) {
	b := newBench(t)
	for name, c := range map[string]struct {
		files      map[string]string
		mode       os.FileMode
		kind, text string
	}{
		"missing":        {map[string]string{"other": ""}, 0, "Runtime.InvalidEntrypoint", "Error: Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"},
		"not executable": {map[string]string{"bootstrap": "x"}, 0o644, "Runtime.InvalidEntrypoint", "permission denied"},
		"not a program":  {map[string]string{"bootstrap": "x"}, 0o755, "Runtime.InvalidEntrypoint", "exec format error"},
		"leaves":         {map[string]string{"bootstrap": "#!/bin/sh\nexit 9\n"}, 0o755, "Runtime.ExitError", "Runtime exited with error: exit status 9"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := b.code(c.files)
			if c.mode != 0 {
				if err := os.Chmod(filepath.Join(dir, "bootstrap"), c.mode); err != nil {
					t.Fatal(err)
				}
			}
			kind, message, _ := object(t, b.invoke(b.version("provided.al2", "x", dir), `{}`))
			if kind != c.kind || !strings.Contains(message, c.text) {
				t.Errorf("got %s: %s", kind, message)
			}
		})
	}
}

func TestWrongRequestsOfARuntimeAreRefused(t *testing.T) {
	a := newRuntimeAPI()
	web := httptest.NewServer(a)
	defer web.Close()
	base := web.URL + "/2018-06-01/runtime/"
	post := func(path, body string) int {
		r, err := http.Post(base+path, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		return r.StatusCode
	}
	x := &exchange{Invocation: Invocation{RequestID: "one", Payload: []byte("{}")}, answer: make(chan answer, 1)}
	if got := post("invocation/one/response", "{}"); got != 400 {
		t.Errorf("response before next: %d", got)
	}
	go func() { a.next <- x }()
	r, err := http.Get(base + "invocation/next")
	if err != nil || r.Header.Get("Lambda-Runtime-Aws-Request-Id") != "one" {
		t.Fatal(err, r.Header)
	}
	r.Body.Close()
	if r, err := http.Get(base + "invocation/next"); err != nil || r.StatusCode != 403 {
		t.Errorf("next before the response: %v, %v", r.Status, err)
	}
	if got := post("invocation/two/response", "{}"); got != 400 {
		t.Errorf("another request's response: %d", got)
	}
	if got := post("init/error", "{}"); got != 403 {
		t.Errorf("init error after next: %d", got)
	}
	if got := post("invocation/one/response", "{}"); got != 202 {
		t.Errorf("response: %d", got)
	}
	if got := post("invocation/one/response", "{}"); got != 400 {
		t.Errorf("second response: %d", got)
	}
	if !a.working(x) || a.abandon(x) {
		t.Error("the answer was not noted")
	}
	if got := post("elsewhere", "{}"); got != 404 {
		t.Errorf("elsewhere: %d", got)
	}
}

func TestEndpointElsewhereGetsALoopbackAddress(t *testing.T) {
	for _, c := range []struct {
		endpoint string
		level    sandbox.Level
		url      string
		forward  sandbox.Forward
	}{
		{"http://127.0.0.1:4577", sandbox.Namespaces, "http://127.0.0.1:4577", sandbox.Forward{Inside: "127.0.0.1:4577", Outside: "127.0.0.1:4577"}},
		{"http://localhost:4577", sandbox.Namespaces, "http://localhost:4577", sandbox.Forward{Inside: "127.0.0.1:4577", Outside: "localhost:4577"}},
		{"http://plumb.example:80", sandbox.Namespaces, "http://127.0.0.1:80", sandbox.Forward{Inside: "127.0.0.1:80", Outside: "plumb.example:80"}},
		{"http://[::1]:4577", sandbox.Namespaces, "http://[::1]:4577", sandbox.Forward{Inside: "[::1]:4577", Outside: "[::1]:4577"}},
		{"http://plumb.example", sandbox.Landlock, "http://plumb.example", sandbox.Forward{Outside: "plumb.example:80"}},
	} {
		url, forward, err := reach(c.endpoint, c.level)
		if err != nil || url != c.url || len(forward) != 1 || forward[0] != c.forward {
			t.Errorf("%s: got %s, %v, %v", c.endpoint, url, forward, err)
		}
	}
	if _, _, err := reach("nonsense", sandbox.Namespaces); err == nil {
		t.Error("nonsense was taken")
	}
}

// BenchmarkWarm measures a warm invocation; BenchmarkBare the same function
// behind a Runtime API that does nothing else.
func BenchmarkWarm(b *testing.B) {
	for name, version := range map[string]func(*bench) Version{
		"provided": (*bench).provided,
		"python":   func(b *bench) Version { return b.python("def handler(e, c):\n    return e\n") },
		"node":     func(b *bench) Version { return b.node("exports.handler = async (e) => e") },
	} {
		b.Run(name, func(b *testing.B) {
			w := newBench(b)
			v := version(w)
			w.invoke(v, `{"a": 1}`)
			for b.Loop() {
				if _, err := w.pool.Invoke(b.Context(), v, Invocation{RequestID: "r", Payload: []byte(`{"a": 1}`)}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkBare(b *testing.B) {
	for name, version := range map[string]func(*bench) Version{
		"provided": (*bench).provided,
		"python":   func(b *bench) Version { return b.python("def handler(e, c):\n    return e\n") },
		"node":     func(b *bench) Version { return b.node("exports.handler = async (e) => e") },
	} {
		b.Run(name, func(b *testing.B) {
			w := newBench(b)
			e := &environment{pool: w.pool, version: version(w)}
			if err := e.make(b.Context()); err != nil {
				b.Fatal(err)
			}
			if err := e.start(b.Context(), initLimit, ""); err != nil {
				b.Fatal(err)
			}
			defer e.remove()
			for b.Loop() {
				x := &exchange{Invocation: Invocation{RequestID: "r", Payload: []byte(`{"a": 1}`)}, answer: make(chan answer, 1)}
				e.proc.api.next <- x
				<-x.answer
				<-e.proc.api.arrived
			}
		})
	}
}
