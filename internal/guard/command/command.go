// Package command is what the command line does with Guard: it finds rule files and
// documents, evaluates, tests or prints them, and says with which code to exit. It
// does what cfn-guard does, so that scripts and habits carry over.
//
// The flags are the program's matter. The package reads files and writes to what it
// is handed; it keeps nothing.
package command

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"plumb/internal/guard"
)

// Exit codes, as cfn-guard's users know them.
const (
	OK          = 0
	TestError   = 1   // a test could not be run
	BadRules    = 5   // a rule file could not be read
	TestFailed  = 7   // an expectation was not met
	RulesFailed = 19  // a document fails a rule
	Error       = 255 // anything else
)

// The forms of output.
const (
	SingleLine = "single-line-summary"
	JSON       = "json"
	YAML       = "yaml"
	JUnit      = "junit"
	SARIF      = "sarif"
)

// Formats are the forms of output that there are.
func Formats() []string { return []string{SingleLine, JSON, YAML, JUnit, SARIF} }

// A Streams is where a command reads and writes.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

var (
	dataEndings = []string{".yaml", ".yml", ".json", ".jsn", ".template"}
	testEndings = []string{".json", ".yaml", ".JSON", ".YAML", ".yml", ".jsn"}
	ruleEndings = []string{".guard", ".ruleset"}
)

func endsIn(name string, endings []string) bool {
	return slices.ContainsFunc(endings, func(e string) bool { return strings.HasSuffix(name, e) })
}

// find lists the files under paths that a test accepts. A path that is a file is
// listed if always is set, whatever its name.
func find(paths []string, byTime, always bool, endings []string) ([]string, error) {
	var found []string
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, fmt.Errorf("the path %q does not exist", path)
		}
		if !info.IsDir() {
			if always || endsIn(path, endings) {
				found = append(found, path)
			}
			continue
		}
		under, err := walk(path, byTime, endings)
		if err != nil {
			return nil, err
		}
		found = append(found, under...)
	}
	return found, nil
}

// walk lists files by name, or by the time of their last change.
func walk(root string, byTime bool, endings []string) ([]string, error) {
	var found []string
	times := map[string]int64{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !endsIn(path, endings) {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		times[path] = info.ModTime().UnixNano()
		found = append(found, path)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("looking for files in %s: %w", root, err)
	}
	if byTime {
		slices.SortStableFunc(found, func(a, b string) int { return int(min(max(times[a]-times[b], -1), 1)) })
	}
	return found, nil
}

// rulesFrom reads one rule file. The error says where it cannot be understood.
func rulesFrom(path string) (*guard.RuleSet, error) {
	source, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading rules: %w", err)
	}
	return guard.Parse(filepath.Base(path), string(source))
}
