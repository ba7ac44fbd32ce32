package realtest

import (
	"bufio"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestBoto3PagesThroughEveryList runs boto3's own paginators over every list of AWS
// Config: pages of one entry have what a large page has.
func TestBoto3PagesThroughEveryList(t *testing.T) {
	needBoto3(t)
	s := serve(t)
	cmd := exec.Command("python3", filepath.Join("testdata", "paginate.py"))
	cmd.Env = clientEnv(s.url)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var failed, out strings.Builder
	cmd.Stderr = &failed
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(pipe)
	lines.Scan() // all is put
	s.drain(t)
	if _, err := io.WriteString(in, "\n"); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() {
		out.WriteString(lines.Text() + "\n")
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s%s", err, out.String(), failed.String())
	}
	if n := strings.Count(out.String(), "\n"); n < 30 {
		t.Errorf("%d lists:\n%s", n, out.String())
	}
	t.Log(out.String())
}
