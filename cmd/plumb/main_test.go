package main

import (
	"bufio"
	"bytes"
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"plumb/internal/demo"
	"plumb/internal/sandbox"
)

// asPlumb has the test's own program be plumb.
const asPlumb = "PLUMB_TEST_AS_PLUMB"

func TestMain(m *testing.M) {
	sandbox.Main()
	if demo.IsFunction() || os.Getenv(asPlumb) != "" {
		os.Unsetenv(asPlumb)
		main()
	}
	os.Exit(m.Run())
}

// plumb runs the program within this process and returns what it wrote.
func plumb(t *testing.T, args ...string) (code int, out, errOut string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(t.Context(), args, strings.NewReader(""), &o, &e)
	return code, o.String(), e.String()
}

// program starts the program as a process of its own.
func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Env = append(os.Environ(), asPlumb+"=1")
	cmd.Dir = t.TempDir()
	return cmd
}

func TestServeSaysReadyAnswersAndEndsWithZero(t *testing.T) {
	cmd := program(t, "serve", "--listen", "127.0.0.1:0", "--log-level", "error")
	errOut, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(errOut)
	if !lines.Scan() {
		t.Fatal("it wrote nothing")
	}
	url, ok := strings.CutPrefix(lines.Text(), "ready ")
	if !ok || !strings.HasPrefix(url, "http://127.0.0.1:") {
		t.Fatalf("it wrote %q", lines.Text())
	}
	resp, err := http.Get(url + "/readyz")
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("readyz: %v, %v", resp, err)
	}
	resp.Body.Close()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() {
		t.Errorf("it also wrote %q", lines.Text())
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
}

func TestDevelopmentModeRefusesToListenToTheWorld(t *testing.T) {
	code, _, errOut := plumb(t, "serve", "--listen", "0.0.0.0:0")
	if code != 1 || !strings.Contains(errOut, "development mode takes any credentials") {
		t.Errorf("code %d: %s", code, errOut)
	}
}

func TestSecondServerOnADataFolderIsRefused(t *testing.T) {
	dir := t.TempDir()
	first := program(t, "serve", "--listen", "127.0.0.1:0", "--data", dir)
	errOut, err := first.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(errOut)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "ready ") {
	}
	code, _, said := plumb(t, "serve", "--listen", "127.0.0.1:0", "--data", dir)
	if code != 1 || !strings.Contains(said, "used by another plumb") {
		t.Errorf("code %d: %s", code, said)
	}
	if err := first.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() {
	}
	if err := first.Wait(); err != nil {
		t.Error(err)
	}
}

func TestUnknownSettingNamesFileAndLine(t *testing.T) {
	file := filepath.Join(t.TempDir(), "plumb.yaml")
	if err := os.WriteFile(file, []byte("region: eu-west-1\nlisten-on: x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, errOut := plumb(t, "serve", "--settings", file)
	if code != 1 || !strings.Contains(errOut, file+`: line 2: unknown setting "listen-on"`) {
		t.Errorf("code %d: %s", code, errOut)
	}
}

func TestEnvIsShell(t *testing.T) {
	_, out, _ := plumb(t, "env", "--listen", "127.0.0.1:9", "--account", "210987654321")
	for _, want := range []string{"export AWS_ENDPOINT_URL=http://127.0.0.1:9\n", "export AWS_ACCESS_KEY_ID=210987654321\n", "\n# provider \"aws\" {\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in:\n%s", want, out)
		}
	}
	sh := exec.CommandContext(t.Context(), "sh", "-c", `eval "$0" && echo "$AWS_ENDPOINT_URL"`, out)
	got, err := sh.CombinedOutput()
	if err != nil || string(got) != "http://127.0.0.1:9\n" {
		t.Errorf("the shell says %q, %v", got, err)
	}
}

func TestEnvPrintsOneSnippetAlone(t *testing.T) {
	code, out, _ := plumb(t, "env", "terraform", "--endpoint", "http://plumb.example")
	if code != 0 || !strings.HasPrefix(out, "provider \"aws\" {\n") || !strings.Contains(out, `configservice = "http://plumb.example"`) {
		t.Errorf("code %d: %s", code, out)
	}
	if code, _, errOut := plumb(t, "env", "cobol"); code != 1 || !strings.Contains(errOut, "there is cli, boto3") {
		t.Errorf("code %d: %s", code, errOut)
	}
}

func TestDoctorFindsTheMachineUsable(t *testing.T) {
	code, out, errOut := plumb(t, "doctor", "--data", t.TempDir(), "--listen", "127.0.0.1:0")
	if code != 0 {
		t.Fatalf("code %d: %s%s", code, out, errOut)
	}
	for _, want := range []string{"data", "database", "provided", "sandbox", "target", "aws"} {
		if !strings.Contains(out, "  "+want) {
			t.Errorf("nothing about %s in:\n%s", want, out)
		}
	}
}

func TestDoctorNamesWhatIsBroken(t *testing.T) {
	code, out, _ := plumb(t, "doctor", "--database", "postgres://plumb:hush@127.0.0.1:1/plumb", "--target", "http://127.0.0.1:1")
	if code != 1 || !strings.Contains(out, "!!  database") || !strings.Contains(out, "!!  target") {
		t.Errorf("code %d:\n%s", code, out)
	}
	if strings.Contains(out, "hush") {
		t.Errorf("it shows the password:\n%s", out)
	}
}

func TestVersionSaysWhatItIs(t *testing.T) {
	if code, out, _ := plumb(t, "version"); code != 0 || !strings.HasPrefix(out, "plumb ") {
		t.Errorf("code %d: %s", code, out)
	}
}

func TestUnknownCommandIsAnError(t *testing.T) {
	if code, _, errOut := plumb(t, "record"); code != 1 || !strings.Contains(errOut, `unknown command "record"`) {
		t.Errorf("code %d: %s", code, errOut)
	}
}

// TestPrintedPagesAreFresh compares docs/ with what the program prints.
func TestPrintedPagesAreFresh(t *testing.T) {
	for name, write := range pages() {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join("..", "..", "docs", name+".md")
		kept, err := os.ReadFile(file)
		if err != nil || !bytes.Equal(kept, b.Bytes()) {
			t.Errorf("docs/%s.md is not what the program prints (%v): run make generate", name, err)
		}
	}
}
