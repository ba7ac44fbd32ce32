package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"plumb/internal/apptest"
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
	walk(t, steps, "")
}

// walk runs the commands of a page in a folder of their own. Where a page names the
// server of the default settings, the one at the address is meant.
func walk(t *testing.T, steps []step, address string) {
	t.Helper()
	bin := filepath.Dir(asProgram(t))
	dir := inFolder(t, nil)
	for _, s := range steps {
		command := s.command
		if address != "" {
			command = strings.ReplaceAll(command, "127.0.0.1:4577", address)
		}
		cmd := exec.CommandContext(t.Context(), "sh", "-c", command)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"))
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", s.command, err, out)
		}
		printed := strings.Split(timeless(string(out)), "\n")
		for i, want := range s.shown {
			if !slices.Contains(printed, timeless(want)) {
				t.Errorf("%s: the page shows %q, and it prints\n%s", s.command, s.shown[i], out)
			}
		}
	}
}

// TestCommandsOfPagesDoWhatThePagesShow runs those of pages that are about a server,
// against one.
func TestCommandsOfPagesDoWhatThePagesShow(t *testing.T) {
	if runtime.GOOS == "windows" || exec.Command("curl", "--version").Run() != nil {
		t.Skip("the pages need a shell and curl")
	}
	for _, page := range []string{"control", "rdk-and-terraform"} {
		t.Run(page, func(t *testing.T) {
			steps := consoles(t, "../../docs/how-to/"+page+".md")
			if len(steps) < 4 {
				t.Fatalf("the page has %d commands", len(steps))
			}
			p := apptest.Start(t)
			walk(t, steps, strings.TrimPrefix(p.URL(), "http://"))
		})
	}
}
