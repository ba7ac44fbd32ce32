package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// checkStory looks for what the demo promises to show.
func checkStory(t *testing.T, out string) {
	t.Helper()
	for _, want := range []string{
		"BucketVersioningConfiguration.status Enabled -> Suspended",
		"bucket-versioning-enabled: COMPLIANT -> NON_COMPLIANT",
		"important-buckets-keep-versions: COMPLIANT -> NON_COMPLIANT, \"The data is important, and versioning is Suspended.\"",
		"ConfigurationItemChangeNotification OK",
		"ComplianceChangeNotification important-buckets-keep-versions NON_COMPLIANT",
		"/ConfigSnapshot/123456789012_Config_us-east-1_ConfigSnapshot_",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("the demo does not show %q:\n%s", want, out)
		}
	}
}

func TestDemoTellsTheMainJob(t *testing.T) {
	code, out, errOut := plumb(t, "demo")
	if code != 0 {
		t.Fatalf("code %d: %s%s", code, out, errOut)
	}
	checkStory(t, out)
	checkReadme(t, out)
}

// numbers are what differs from one run to the next, and what surrounds them.
var numbers = regexp.MustCompile(` *[0-9]+( ms)?|_[0-9a-f-]+\.json`)

// checkReadme compares what the README shows with what was printed, but for the
// numbers, the order of what happens at the same time, and the function's
// runtime.
func checkReadme(t *testing.T, out string) {
	t.Helper()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, shown, _ := strings.Cut(string(readme), "\n```\nPlumb is AWS Config")
	shown, _, ok := strings.Cut("Plumb is AWS Config"+shown, "\n```\n")
	if !ok {
		t.Fatal("the README does not show the demo")
	}
	if a, b := essence(shown), essence(out); !slices.Equal(a, b) {
		t.Errorf("the README shows\n%s\nand the demo prints\n%s", strings.Join(a, "\n"), strings.Join(b, "\n"))
	}
}

// essence is the lines of the story that every run has, sorted.
func essence(story string) []string {
	var out []string
	for line := range strings.Lines(story) {
		if line = strings.TrimSpace(numbers.ReplaceAllString(line, "#")); line != "" && !strings.Contains(line, "function  ") {
			out = append(out, line)
		}
	}
	slices.Sort(out)
	return out
}

func TestDemoNeedsNothingButTheProgram(t *testing.T) {
	if testing.Short() {
		t.Skip("packs and starts the program itself as a function")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := program(t, "demo")
	cmd.Env = []string{asPlumb + "=1", "PATH=" + t.TempDir(), "TMPDIR=" + filepath.Dir(self)}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if exec.Command("/usr/bin/python3", "-c", "import boto3").Run() == nil || exec.Command("/usr/local/bin/python3", "-c", "import boto3").Run() == nil {
		t.Skip("the Python of this system has boto3, and is found without a PATH")
	}
	if !strings.Contains(string(out), "a program for provided.al2023") {
		t.Errorf("it found a Python:\n%s", out)
	}
	checkStory(t, string(out))
}

func TestKeptDemoSaysHowToGoOn(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Second)
	defer cancel()
	w := &watcher{when: "aws configservice describe-compliance-by-config-rule", do: cancel}
	if code := run(ctx, []string{"demo", "--keep"}, strings.NewReader(""), w, w); code != 0 {
		t.Errorf("code %d: %s", code, w.text.String())
	}
	if !strings.Contains(w.text.String(), "export AWS_ENDPOINT_URL=http://127.0.0.1:") || !strings.Contains(w.text.String(), " AWS_DEFAULT_REGION=us-east-1") {
		t.Errorf("it does not say how:\n%s", w.text.String())
	}
}

// A watcher keeps what is written and does something when a text has come.
type watcher struct {
	text strings.Builder
	when string
	do   func()
}

// Write looks for the text.
func (w *watcher) Write(p []byte) (int, error) {
	w.text.Write(p)
	if strings.Contains(w.text.String(), w.when) {
		w.do()
	}
	return len(p), nil
}
