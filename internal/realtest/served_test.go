package realtest

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A served is plumb serve as a process, talked to by the AWS CLI.
type served struct {
	url string
}

// serve builds the program and runs it until the test ends.
func serve(t *testing.T, args ...string) served {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "plumb")
	build := exec.Command("go", "build", "-o", bin, "plumb/cmd/plumb")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	cmd := exec.Command(bin, append([]string{"serve", "--listen", "127.0.0.1:0", "--data", t.TempDir()}, args...)...)
	out, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("plumb serve ended with %v", err)
		}
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if url, ok := strings.CutPrefix(lines.Text(), "ready "); ok {
			go io.Copy(os.Stderr, out) // what it has to complain of
			return served{url}
		}
	}
	t.Fatal("plumb serve ended before it was ready")
	return served{}
}

// try calls the AWS CLI and returns what it printed and how it ended.
func (s served) try(t *testing.T, args ...string) (string, error) {
	t.Helper()
	cmd := exec.Command("aws", args...)
	cmd.Env = clientEnv(s.url)
	out, err := cmd.CombinedOutput()
	t.Logf("$ aws %s\n%s", strings.Join(args, " "), out)
	return string(out), err
}

// aws calls the AWS CLI, which must succeed.
func (s served) aws(t *testing.T, args ...string) string {
	t.Helper()
	out, err := s.try(t, args...)
	if err != nil {
		t.Fatalf("aws %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// query is aws with the answer decoded.
func (s served) query(t *testing.T, into any, args ...string) {
	t.Helper()
	out := s.aws(t, append(args, "--output", "json")...)
	if err := json.Unmarshal([]byte(out), into); err != nil {
		t.Fatalf("aws %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// control uses the pages of the development mode.
func (s served) control(t *testing.T, page, body string) {
	t.Helper()
	resp, err := http.Post(s.url+"/_plumb/"+page, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if text, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %s", page, resp.Status, text)
	}
}

func (s served) drain(t *testing.T) { t.Helper(); s.control(t, "drain", "") }

// later moves the server's clock and runs what is due by then.
func (s served) later(t *testing.T, by string) {
	t.Helper()
	s.control(t, "clock", `{"advance": "`+by+`"}`)
	s.drain(t)
}
