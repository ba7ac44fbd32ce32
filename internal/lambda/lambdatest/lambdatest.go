// Package lambdatest sets up the function service for tests: with real
// processes, a frozen clock, and a function that does what its event says
// (lambdatest/bootstrap).
//
// A test program that uses it calls sandbox.Main first in its TestMain.
package lambdatest

import (
	"archive/zip"
	"bytes"
	"context"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"plumb/internal/clock"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/lambda"
	"plumb/internal/lambda/code"
	"plumb/internal/lambda/environment"
	"plumb/internal/sandbox"
)

// Place is where functions of tests live.
var Place = config.Place{Account: "123456789012", Region: "us-east-1"}

// Role is a role for them.
const Role = "arn:aws:iam::123456789012:role/function"

// A Fixture is a function service with what it needs.
type Fixture struct {
	*lambda.Service
	DB    *db.DB
	Jobs  *job.Queue
	Clock *clock.Clock
	Host  *environment.Runtimes
	Code  string // folder of unpacked code
}

// New starts a service on a store. Its clock stands.
func New(t testing.TB, d *db.DB, o lambda.Options, po environment.Options) *Fixture {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	f := &Fixture{DB: d, Clock: &clock.Clock{}, Host: &environment.Runtimes{NodePath: os.Getenv("PLUMB_NODE_PATH")}}
	f.Clock.Freeze(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	var err error
	if f.Jobs, err = job.New(ctx, d, log, f.Clock, "test"); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	box, err := sandbox.New(log, sandbox.Probe(dir), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(box.Close)
	f.Code = filepath.Join(dir, "code")
	folders, err := code.Open(f.Code)
	if err != nil {
		t.Fatal(err)
	}
	po.Hold = folders.Hold
	pool, err := environment.NewPool(log, box, f.Host, dir, defaults(po))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pool.Close(ctx) })
	if f.Service, err = lambda.New(ctx, log, d, f.Jobs, pool, folders, f.Clock.Now, o); err != nil {
		t.Fatal(err)
	}
	if err := f.Jobs.Start(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Jobs.Stop(ctx) })
	return f
}

func defaults(o environment.Options) environment.Options {
	if o.Endpoint == nil {
		o.Endpoint = func() string { return "" }
	}
	if o.Credentials == nil {
		o.Credentials = func(context.Context, environment.Version) (environment.Credentials, error) {
			return environment.Credentials{ID: "AKIDEXAMPLE", Secret: "secret", Token: "token"}, nil
		}
	}
	if o.PerFunction == 0 {
		o.PerFunction, o.Total = 4, 8
	}
	if o.Idle == 0 {
		o.Idle = time.Minute
	}
	return o
}

// Zip returns a zip file with one file that may be executed.
func Zip(t testing.TB, name string, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	h := &zip.FileHeader{Name: name, Method: zip.Store}
	h.SetMode(0o755)
	f, err := w.CreateHeader(h)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// NeedBoto3 skips a test whose functions are in Python and call AWS, where they could not.
func NeedBoto3(t testing.TB) {
	t.Helper()
	if exec.CommandContext(t.Context(), "python3", "-c", "import boto3").Run() != nil {
		t.Skip("this machine has no python3 with boto3")
	}
}

// Bootstrap returns the zip file of lambdatest/bootstrap, built for this
// machine.
func Bootstrap(t testing.TB) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "bootstrap")
	cmd := exec.Command("go", "build", "-ldflags=-s -w", "-o", out, "plumb/internal/lambda/lambdatest/bootstrap")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build bootstrap: %v\n%s", err, text)
	}
	program, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return Zip(t, "bootstrap", program)
}

// Function returns an ordinary function with that bootstrap's runtime, not yet
// made.
func Function(name string) lambda.Function {
	f := lambda.Function{Place: Place, Name: name, Settings: lambda.Defaults(name)}
	f.Runtime, f.Handler, f.Role = "provided.al2023", "bootstrap", Role
	return f
}
