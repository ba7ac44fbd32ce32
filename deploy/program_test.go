package deploy_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
)

var built struct {
	sync.Once
	dir string
	err error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if built.dir != "" {
		os.RemoveAll(built.dir)
	}
	os.Exit(code)
}

// tool builds a program of the folder tools, which does with a program's own library
// what the program does that this machine does not have.
func tool(t *testing.T, name string) string {
	t.Helper()
	if os.Getenv("PLUMB_TEST_REAL") == "" {
		t.Skip("PLUMB_TEST_REAL is not set: with it, what the programs of packaging do is built from their libraries")
	}
	if out, err := exec.CommandContext(t.Context(), "go", "list", "-C", "tools", "-deps", "./"+name).CombinedOutput(); err != nil {
		t.Skipf("the modules of deploy/tools are not here: %v: %s", err, out)
	}
	path := filepath.Join(t.TempDir(), name)
	cmd := exec.CommandContext(t.Context(), "go", "build", "-C", "tools", "-o", path, "./"+name)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return path
}

// program builds plumb, once for all tests.
func program(t *testing.T) string {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("what is deployed here runs on Linux")
	}
	built.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "plumb-deploy-"); built.err != nil {
			return
		}
		if built.err = os.Chmod(built.dir, 0o755); built.err != nil {
			return
		}
		cmd := exec.Command("go", "build", "-o", filepath.Join(built.dir, "plumb"), "./cmd/plumb")
		cmd.Dir, cmd.Env = "..", append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			built.err = fmt.Errorf("%w: %s", err, bytes.TrimSpace(out))
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return filepath.Join(built.dir, "plumb")
}
