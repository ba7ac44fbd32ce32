package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// A step is a command of a page, and what the page shows of what it prints.
type step struct {
	command string
	shown   []string
}

// consoles reads the console blocks of a page.
func consoles(t *testing.T, page string) (steps []step) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	inside := false
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(line, "```"):
			inside = line == "```console"
		case inside && strings.HasPrefix(line, "$ "):
			steps = append(steps, step{command: line[2:]})
		case inside:
			last := &steps[len(steps)-1]
			last.shown = append(last.shown, line)
		}
	}
	return steps
}

var milliseconds = regexp.MustCompile(`\d+ ms`)

// took stands at the end of a line if it took any time.
var took = regexp.MustCompile(`(?m) \(\d+ ms\)$`)

// timeless is a text without what differs from one run to the next.
func timeless(s string) string {
	return milliseconds.ReplaceAllString(took.ReplaceAllString(s, ""), "# ms")
}

// TestCommandsOfTheFirstRuleDoWhatThePageShows runs them with the program as it is.
// The page may leave out lines that are printed, and shows none that is not.
func TestCommandsOfTheFirstRuleDoWhatThePageShows(t *testing.T) {
	if runtime.GOOS == "windows" || exec.Command("python3", "-c", "import boto3").Run() != nil {
		t.Skip("the page needs a shell, and python3 with boto3")
	}
	steps := consoles(t, "../../docs/how-to/first-rule.md")
	if len(steps) < 10 {
		t.Fatalf("the page has %d commands", len(steps))
	}
	bin := filepath.Dir(asProgram(t))
	dir := inFolder(t, nil)
	for _, s := range steps {
		cmd := exec.CommandContext(t.Context(), "sh", "-c", s.command)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"))
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", s.command, err, out)
		}
		printed := strings.Split(timeless(string(out)), "\n")
		for i, want := range s.shown {
			want = timeless(want)
			found := false
			for _, line := range printed {
				found = found || line == want
			}
			if !found {
				t.Errorf("%s: the page shows %q, and it prints\n%s", s.command, s.shown[i], out)
			}
		}
	}
}
