package environment

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"plumb/internal/sandbox"
)

func TestMain(m *testing.M) {
	sandbox.Main()
	os.Exit(m.Run())
}

// A bench is a pool with a host's runtimes, and folders with functions.
type bench struct {
	t     testing.TB
	dir   string
	pool  *Pool
	level sandbox.Level
	host  *Runtimes
	count int

	mu sync.Mutex
}

func newBench(t testing.TB) *bench {
	return newBenchAt(t, sandbox.Probe(t.TempDir()).Level, Options{})
}

func newBenchAt(t testing.TB, level sandbox.Level, o Options) *bench {
	b := &bench{t: t, dir: t.TempDir(), level: level, host: &Runtimes{NodePath: os.Getenv("PLUMB_NODE_PATH")}}
	box, err := sandbox.New(slog.Default(), sandbox.Report{Level: level}, b.dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(box.Close)
	if o.Endpoint == nil {
		o.Endpoint = func() string { return "http://127.0.0.1:4577" }
	}
	o.Credentials = func(context.Context, Version) (Credentials, error) {
		return Credentials{ID: "AKIDEXAMPLE", Secret: "secret", Token: "token"}, nil
	}
	if o.PerFunction == 0 {
		o.PerFunction, o.Total = 4, 8
	}
	if o.Idle == 0 {
		o.Idle = time.Minute
	}
	b.pool, err = NewPool(slog.Default(), box, b.host, b.dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		b.pool.Close(ctx)
	})
	return b
}

// code writes files into a folder of their own.
func (b *bench) code(files map[string]string) string {
	b.t.Helper()
	b.count++
	dir := filepath.Join(b.dir, fmt.Sprintf("code%d", b.count))
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			b.t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			b.t.Fatal(err)
		}
	}
	return dir
}

// version returns a version with ordinary settings.
func (b *bench) version(runtime, handler, code string) Version {
	return Version{
		Key: fmt.Sprintf("f%d", b.count), Function: "arn:aws:lambda:us-east-1:123456789012:function:f", Name: "f", Number: "$LATEST",
		Account: "123456789012", Region: "us-east-1", Role: "arn:aws:iam::123456789012:role/r",
		Runtime: runtime, Handler: handler, Code: code, Timeout: 10 * time.Second, Memory: 256, Ephemeral: 64,
		LogGroup: "/aws/lambda/f", LogFormat: "Text",
	}
}

// python returns a version of a one-file Python function, or skips the test.
func (b *bench) python(text string) Version {
	b.t.Helper()
	if b.host.Look(b.t.Context()).Python == "" {
		b.t.Skip("this machine has no python3")
	}
	return b.version("python3.12", "index.handler", b.code(map[string]string{"index.py": text}))
}

// node returns a version of a one-file Node.js function, or skips the test.
func (b *bench) node(text string) Version {
	b.t.Helper()
	b.needNode()
	return b.version("nodejs20.x", "index.handler", b.code(map[string]string{"index.js": text}))
}

// needNode skips the bench's test without Node.js. A test whose subtests use node
// calls it first: a subtest cannot skip its parent.
func (b *bench) needNode() {
	b.t.Helper()
	if b.host.Look(b.t.Context()).Node == "" {
		b.t.Skip("this machine has no node")
	}
}

// invoke runs one event and asks for the log.
func (b *bench) invoke(v Version, event string) Result {
	b.t.Helper()
	b.mu.Lock()
	b.count++
	id := fmt.Sprintf("00000000-0000-4000-8000-%012d", b.count)
	b.mu.Unlock()
	r, err := b.pool.Invoke(b.t.Context(), v, Invocation{RequestID: id, FunctionARN: v.Function, Payload: []byte(event), Tail: true})
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}
