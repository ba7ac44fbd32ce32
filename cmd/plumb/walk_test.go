package main

import (
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"plumb/internal/apptest"
	"plumb/internal/db"
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

func TestCommandsOfTheRuleInGoDoWhatThePageShows(t *testing.T) {
	if os.Getenv("PLUMB_TEST_REAL") == "" {
		t.Skip("PLUMB_TEST_REAL is not set: with it, programs are built")
	}
	if need := needs["go"]; runtime.GOOS == "windows" || exec.Command(need[0], need[1:]...).Run() != nil {
		t.Skip("the page needs a shell and Go with the libraries of a new rule")
	}
	walk(t, consoles(t, "../../docs/how-to/go-rule.md"), "")
}

// TestCommandsOfTheRuleDevelopmentKitDoWhatThePageShows runs AWS's own tool, unchanged.
func TestCommandsOfTheRuleDevelopmentKitDoWhatThePageShows(t *testing.T) {
	checkout := os.Getenv("PLUMB_RDK_CHECKOUT")
	_, err := exec.LookPath("rdk")
	switch {
	case runtime.GOOS == "windows" || exec.Command("python3", "-c", "import boto3, yaml").Run() != nil:
		t.Skip("the page needs a shell, and python3 with boto3 and yaml")
	case checkout != "":
		writeRDK(t, checkout)
	case err != nil:
		t.Skip("no rdk is here, and PLUMB_RDK_CHECKOUT names none: see docs/how-to/run-public-rules.md")
	}
	p := apptest.Start(t)
	for name, value := range map[string]string{ // as "plumb env" has it
		"AWS_ENDPOINT_URL": p.URL(), "AWS_ACCESS_KEY_ID": p.Account(), "AWS_SECRET_ACCESS_KEY": "any", "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1",
	} {
		t.Setenv(name, value)
	}
	walk(t, consoles(t, "../../docs/how-to/rdk.md"), strings.TrimPrefix(p.URL(), "http://"))
}

// writeRDK puts a program rdk that runs a checkout into the PATH.
func writeRDK(t *testing.T, checkout string) {
	t.Helper()
	dir := t.TempDir()
	script := fmt.Sprintf("#!/bin/sh\nPYTHONPATH=%q exec python3 -c 'import sys; sys.argv[0] = \"rdk\"; from rdk.cli import main; main()' \"$@\"\n", abs(t, checkout))
	if err := os.WriteFile(filepath.Join(dir, "rdk"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
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

// TestCommandsOfPagesAboutFilesDoWhatThePagesShow runs those that need no server. Where
// a page names folders of a machine, those of the test are meant.
func TestCommandsOfPagesAboutFilesDoWhatThePagesShow(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the pages need a shell")
	}
	data := t.TempDir()
	d, err := db.Open(t.Context(), "sqlite:"+filepath.Join(data, "plumb.db"), slog.New(slog.DiscardHandler)) // as a server leaves it
	if err != nil {
		t.Fatal(err)
	}
	d.Close()
	here := strings.NewReplacer("/var/lib/plumb-again", filepath.Join(t.TempDir(), "again"), "/var/lib/plumb-as-before", filepath.Join(t.TempDir(), "before"), "/var/lib/plumb", data, "/backups", t.TempDir())
	for page, commands := range map[string]int{"back-up": 6, "iam-policy": 2, "planned-type": 3, "record-an-account": 1} {
		t.Run(page, func(t *testing.T) {
			steps := consoles(t, "../../docs/how-to/"+page+".md")
			if len(steps) != commands {
				t.Fatalf("the page has %d commands", len(steps))
			}
			for i := range steps {
				steps[i].command = here.Replace(steps[i].command)
			}
			walk(t, steps, "")
		})
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
