package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"time"

	"plumb/internal/db"
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

func TestAPortThatIsTakenIsToldWithWhatToDo(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	code, _, errOut := plumb(t, "serve", "--listen", l.Addr().String(), "--data", t.TempDir(), "--console", "off")
	if code != 1 || !strings.Contains(errOut, l.Addr().String()) || runtime.GOOS != "windows" && !strings.Contains(errOut, "--listen") {
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
	code, _, refused := plumb(t, "serve", "--listen", "127.0.0.1:0", "--data", dir)
	if code != 1 || !strings.Contains(refused, "used by another plumb") {
		t.Errorf("code %d: %s", code, refused)
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

func TestWrongRuleOfOnesOwnKeepsTheServerFromStarting(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "mine.yaml"), []byte("identifier: MINE\ndescription: x\nresource: [A::B::C]\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	code, _, errOut := plumb(t, "serve", "--listen", "127.0.0.1:0", "--data", t.TempDir(), "--rules", dir)
	if code != 1 || !strings.Contains(errOut, filepath.Join(dir, "mine.yaml")+`:3: unknown key "resource"`) {
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
	if code != 0 || !strings.HasPrefix(out, "provider \"aws\" {\n") || !regexp.MustCompile(`(?m)^    configservice += "http://plumb.example"$`).MatchString(out) {
		t.Errorf("code %d: %s", code, out)
	}
	if code, _, errOut := plumb(t, "env", "cobol"); code != 1 || !strings.Contains(errOut, "there is cli, fish, powershell, boto3") {
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

func TestDoctorTellsOfASettingsFileThatOthersMayRead(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("files have no modes")
	}
	file := filepath.Join(t.TempDir(), "plumb.yaml")
	for _, mode := range []os.FileMode{0o644, 0o640, 0o606, 0o600, 0o400} {
		if err := os.WriteFile(file, []byte("listen: 127.0.0.1:0\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
		code, out, _ := plumb(t, "doctor", "--settings", file, "--data", t.TempDir())
		if told := strings.Contains(out, "-> chmod 600 "+file); told != (mode&0o077 != 0) || code != 0 {
			t.Errorf("mode %o, code %d:\n%s", mode, code, out)
		}
		if err := os.Chmod(file, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDoctorNamesTheLevelThatTheServerWouldUse(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has levels")
	}
	_, out, _ := plumb(t, "doctor", "--sandbox", "limits", "--data", t.TempDir(), "--listen", "127.0.0.1:0")
	if !strings.Contains(out, "functions run at level limits, as the setting demands") {
		t.Error(out)
	}
}

func TestSecretsAreNoFlags(t *testing.T) {
	code, _, errOut := plumb(t, "serve", "--access-keys", "[]")
	if code != 1 || !strings.Contains(errOut, "PLUMB_ACCESS_KEYS") {
		t.Errorf("code %d: %s", code, errOut)
	}
}

func TestDoctorRecountsAndMovesNoSchema(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	doctor := func(want string) {
		t.Helper()
		code, out, errOut := plumb(t, "doctor", "--recount", "--data", data, "--listen", "127.0.0.1:0")
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("code %d: %s%s", code, out, errOut)
		}
	}
	doctor("there is no database yet")
	if code, lines := records(t, "--listen", "127.0.0.1:0", "--data", data); code != 0 {
		t.Fatalf("code %d: %v", code, lines)
	}
	doctor("all kept counts are right")
	d, err := db.Open(t.Context(), "sqlite:"+filepath.Join(data, "plumb.db"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	step, err := d.Step(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	err = d.Write(t.Context(), func(tx *db.Tx) error { // as an older program left it
		_, err := tx.Exec(t.Context(), "DELETE FROM plumb_migration WHERE number = ?", step)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	doctor("not counted: the schema is at step")
	if now, err := d.Step(t.Context()); err != nil || now >= step {
		t.Errorf("doctor moved the schema from below %d to %d, %v", step, now, err)
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

// TestPrintedPagesAreFresh compares docs/ with what the program prints. Without AWS's schema the page on resource types
// ends before the comparison with it.
func TestPrintedPagesAreFresh(t *testing.T) {
	for name, write := range pages() {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join("..", "..", "docs", pageFile(name))
		kept, err := os.ReadFile(file)
		if name == "resource-types" && os.Getenv(schemaVariable) == "" {
			kept, _, _ = bytes.Cut(kept, []byte(comparison))
		}
		if err != nil || !bytes.Equal(kept, b.Bytes()) {
			t.Errorf("%s is not what the program prints (%v): run make generate", file, err)
		}
	}
}

func TestVersionIsAFlagToo(t *testing.T) {
	_, want, _ := plumb(t, "version")
	for _, flag := range []string{"--version", "-v"} {
		if code, out, errOut := plumb(t, flag); code != 0 || out != want {
			t.Errorf("%s: code %d, %q %s, want %q", flag, code, out, errOut, want)
		}
	}
}

func TestVersionNamesModuleAndCommit(t *testing.T) {
	info := &debug.BuildInfo{Main: debug.Module{Version: "(devel)"}}
	if got := versionOf(info); got != "development" {
		t.Errorf("without a repository: %q", got)
	}
	info.Settings = []debug.BuildSetting{{Key: "vcs.revision", Value: "0123456789abcdef"}, {Key: "vcs.modified", Value: "true"}}
	if got := versionOf(info); got != "development 0123456789ab+changes" {
		t.Errorf("with changes: %q", got)
	}
	info.Main.Version = "v0.0.0-20260101000000-0123456789ab+dirty"
	if got := versionOf(info); got != info.Main.Version {
		t.Errorf("a version that has the commit: %q", got)
	}
	info.Main.Version = "v1.2.0"
	info.Settings = info.Settings[:1]
	if got := versionOf(info); got != "v1.2.0 0123456789ab" {
		t.Errorf("a release: %q", got)
	}
}

func TestAnUnknownCommandBelowAnotherIsAnError(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"rule", "tets", "file.yaml"}, `plumb: unknown command "tets" for "plumb rule"; is test meant?`},
		{[]string{"item", "nosuch"}, `plumb: unknown command "nosuch" for "plumb item"; see plumb item --help`},
		{[]string{"completion", "tcsh"}, `plumb: unknown command "tcsh" for "plumb completion"`},
	} {
		if code, out, errOut := plumb(t, c.args...); code != 1 || out != "" || !strings.Contains(errOut, c.want) {
			t.Errorf("%v: code %d, %s%s", c.args, code, out, errOut)
		}
	}
	if code, out, errOut := plumb(t, "rule"); code != 0 || !strings.Contains(out, "Available Commands") {
		t.Errorf("a group alone: code %d, %s%s", code, out, errOut)
	}
}

func TestHelpOfNothingIsAnError(t *testing.T) {
	for _, args := range [][]string{{"help", "nosuch"}, {"help", "rule", "nosuch"}} {
		if code, _, errOut := plumb(t, args...); code != 1 || !strings.Contains(errOut, "no such command") {
			t.Errorf("%v: code %d: %s", args, code, errOut)
		}
	}
	for _, args := range [][]string{{"help"}, {"help", "serve"}, {"help", "rule", "test"}} {
		if code, out, errOut := plumb(t, args...); code != 0 || !strings.Contains(out, "Usage:") {
			t.Errorf("%v: code %d: %s%s", args, code, out, errOut)
		}
	}
}

func TestUnknownFlagSuggestsTheNearest(t *testing.T) {
	for flag, want := range map[string]string{"--lisen=x": "is --listen meant?", "--databse=x": "is --database meant?"} {
		if code, _, errOut := plumb(t, "serve", flag); code != 1 || !strings.Contains(errOut, want) {
			t.Errorf("%s: code %d: %s", flag, code, errOut)
		}
	}
	if _, _, errOut := plumb(t, "serve", "--zzzzzz"); strings.Contains(errOut, "meant") {
		t.Errorf("nothing is near: %s", errOut)
	}
}

func TestHelpGroupsTheSettings(t *testing.T) {
	for _, command := range []string{"serve", "env", "doctor"} {
		_, out, _ := plumb(t, command, "--help")
		for _, want := range []string{"\nSettings: Server:\n", "\nSettings: Logging:\n"} {
			if !strings.Contains(out, want) {
				t.Errorf("%s has no %q:\n%s", command, want, out)
			}
		}
		for line := range strings.Lines(out) {
			if len(line) > helpWidth+30 {
				t.Errorf("%s has a line of %d characters: %s", command, len(line), line)
			}
		}
	}
}

func TestCompletionOffersTheValuesOfAChoice(t *testing.T) {
	for flag, want := range map[string]string{"--mode": "development\nserver\n", "--log-format": "text\njson\n", "--log-level": "debug\ninfo\nwarn\nerror\n"} {
		if code, out, _ := plumb(t, "__complete", "serve", flag, ""); code != 0 || !strings.HasPrefix(out, want) {
			t.Errorf("%s offers %q", flag, out)
		}
	}
}

// records starts a server that ends when it is ready, and returns its log.
func records(t *testing.T, args ...string) (code int, lines []map[string]any) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Second)
	defer cancel()
	w := &watcher{when: `"msg":"ready"`, do: cancel}
	code = run(ctx, append([]string{"serve", "--log-format", "json", "--console", "127.0.0.1:0"}, args...), strings.NewReader(""), w, w)
	for line := range strings.Lines(w.text.String()) {
		var r map[string]any
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%q is no JSON: %v", line, err)
		}
		lines = append(lines, r)
	}
	return code, lines
}

func TestLogInJSONIsJSONFromTheFirstLine(t *testing.T) {
	code, lines := records(t, "--listen", "127.0.0.1:0", "--data", t.TempDir())
	if code != 0 || len(lines) < 2 || lines[len(lines)-1]["msg"] != "ready" {
		t.Fatalf("code %d: %v", code, lines)
	}
	for _, key := range []string{"version", "url", "data", "database", "schema", "mode", "sandbox", "target"} {
		if lines[0]["msg"] != "starting" || lines[0][key] == nil {
			t.Errorf("the first record has no %s: %v", key, lines[0])
		}
	}
	code, lines = records(t, "--listen", "256.0.0.1:0", "--data", t.TempDir())
	if code != 1 || len(lines) != 1 || lines[0]["level"] != "ERROR" {
		t.Errorf("a server that cannot start: code %d: %v", code, lines)
	}
}

func TestDataIsTheOwnersAlone(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("rights are not in the mode there")
	}
	dir := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o777); err != nil { // whatever the umask
		t.Fatal(err)
	}
	elsewhere := filepath.Join(t.TempDir(), "store.db")
	if err := os.WriteFile(elsewhere, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if code, lines := records(t, "--listen", "127.0.0.1:0", "--data", dir, "--database", "sqlite:"+elsewhere); code != 0 {
		t.Fatalf("code %d: %v", code, lines)
	}
	for path, want := range map[string]os.FileMode{dir: 0o700, elsewhere: 0o600} {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s has %v (%v), want %v", path, info.Mode().Perm(), err, want)
		}
	}
}
