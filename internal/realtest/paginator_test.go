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
	pagesThroughEveryList(t, s, cmd, 30)
}

// TestTheSDKForJavaScriptPagesThroughEveryList does it with that of version 3.
func TestTheSDKForJavaScriptPagesThroughEveryList(t *testing.T) {
	needTool(t, "aws")
	modules := needNodeModule(t, filepath.Join("@aws-sdk", "client-config-service"))
	s := serve(t)
	s.aws(t, "s3api", "create-bucket", "--bucket", "lists")
	s.aws(t, "organizations", "create-organization")
	cmd := exec.Command("node", filepath.Join("testdata", "paginate.cjs"))
	cmd.Env = append(clientEnv(s.url), "NODE_PATH="+modules)
	pagesThroughEveryList(t, s, cmd, 33)
}

// pagesThroughEveryList runs a script that puts what is listed, waits until it has
// settled, and prints each list that it went through.
func pagesThroughEveryList(t *testing.T, s served, cmd *exec.Cmd, lists int) {
	t.Helper()
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
	if n := strings.Count(out.String(), "\n"); n < lists {
		t.Errorf("%d lists:\n%s", n, out.String())
	}
	t.Log(out.String())
}
