package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"plumb/internal/settings"
)

// shownPages are the README and the pages in docs/, clients/ and deploy/, but for what
// was decided.
func shownPages(t *testing.T) (paths []string) {
	t.Helper()
	for _, root := range []string{"../../README.md", "../../docs", "../../clients", "../../deploy"} {
		err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
			if err == nil && e.IsDir() && (e.Name() == "decisions" || e.Name() == "node_modules") {
				return fs.SkipDir
			}
			if filepath.Ext(path) == ".md" {
				paths = append(paths, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return paths
}

var (
	// Where a command begins: a line, a shell's word before another command, a code span.
	begins = regexp.MustCompile("(?:^|[$`(|&;] *|\\buntil |\\bsudo )(?:\\./)?plumb ([a-z]|--)")
	// What ends one.
	ends = regexp.MustCompile("[`|;&>#]|\"?\\$\\(| \\\\$|\\)\"")
	word = regexp.MustCompile(`"[^"]*"|'[^']*'|\S+`)
)

// commandsOf returns the commands of plumb in a page as words, with their lines.
func commandsOf(text string) (found [][]string, lines []int) {
	fenced := false
	for i, line := range strings.Split(text, "\n") {
		if strings.HasPrefix(line, "```") {
			fenced = !fenced
			continue
		}
		for _, at := range begins.FindAllStringSubmatchIndex(line, -1) {
			if !fenced && line[at[0]] != '`' {
				continue // a sentence
			}
			rest := line[at[2]:]
			if end := ends.FindStringIndex(rest); end != nil {
				rest = rest[:end[0]]
			}
			found, lines = append(found, word.FindAllString(rest, -1)), append(lines, i+1)
		}
	}
	return found, lines
}

// TestCommandsOfEveryPageAreThere parses each command of plumb that a page shows: the
// command and its flags are there. What they do is for other tests.
func TestCommandsOfEveryPageAreThere(t *testing.T) {
	n := 0
	for _, path := range shownPages(t) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		commands, lines := commandsOf(string(text))
		for i, words := range commands {
			n++
			if wrong := unknown(newRootCommand(), words); wrong != "" {
				t.Errorf("%s:%d: plumb %s: %s", path, lines[i], strings.Join(words, " "), wrong)
			}
		}
	}
	if n < 150 {
		t.Errorf("there are %d commands on all pages", n)
	}
}

// unknown says what of a command is not there; empty if all is.
func unknown(root *cobra.Command, words []string) string {
	cmd, rest, err := root.Find(words)
	if err != nil {
		return err.Error()
	}
	if cmd.HasSubCommands() && !cmd.Runnable() && slices.ContainsFunc(rest, func(w string) bool { return w[0] >= 'a' && w[0] <= 'z' }) {
		return cmd.CommandPath() + " has no command " + rest[0]
	}
	for _, w := range rest {
		name, _, _ := strings.Cut(strings.TrimLeft(w, "-["), "=")
		name = strings.TrimRight(name, "],.")
		switch {
		case strings.HasPrefix(w, "--") || strings.HasPrefix(w, "[--"):
			if name != "" && name != "help" && name != "version" && cmd.Flags().Lookup(name) == nil && cmd.InheritedFlags().Lookup(name) == nil {
				return "there is no flag --" + name
			}
		case len(w) == 2 && w[0] == '-':
			if name != "h" && cmd.Flags().ShorthandLookup(name) == nil && cmd.InheritedFlags().ShorthandLookup(name) == nil {
				return "there is no flag -" + name
			}
		}
	}
	return ""
}

func TestUnknownCommandsOfPagesAreFound(t *testing.T) {
	commands, _ := commandsOf("`plumb nosuch`, `plumb rule tset x` and `plumb rule test --nosuch`, plumb is fine\n```\n$ eval \"$(plumb env --nosuch)\" && plumb serve -x\nuntil plumb health; do\n```\n")
	var wrong []string
	for _, words := range commands {
		wrong = append(wrong, unknown(newRootCommand(), words))
	}
	if len(wrong) != 6 || slices.Index(wrong, "") != 5 {
		t.Errorf("%q of %q", wrong, commands)
	}
}

// TestSettingsOfEveryPageAreTaken loads each block of settings on a page, a whole file
// each. The page that the program prints shows one setting at a time.
func TestSettingsOfEveryPageAreTaken(t *testing.T) {
	known := map[string]bool{}
	for _, s := range settings.Table() {
		known[s.Name] = true
	}
	n := 0
	for _, path := range shownPages(t) {
		if filepath.Base(path) == "settings.md" {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for i, block := range strings.Split(string(text), "```yaml\n")[1:] {
			block, _, _ = strings.Cut(block, "```")
			first := regexp.MustCompile(`(?m)^([a-z-]+):`).FindStringSubmatch(block)
			if first == nil || !known[first[1]] {
				continue // a file of another kind
			}
			n++
			file := filepath.Join(t.TempDir(), "plumb.yaml")
			if err := os.WriteFile(file, []byte(block), 0o600); err != nil {
				t.Fatal(err)
			}
			none := func(string) (string, bool) { return "", false }
			if _, err := settings.Load(map[string]string{"settings": file}, none); err != nil {
				t.Errorf("%s, block %d: %v", path, i+1, err)
			}
		}
	}
	if n < 3 {
		t.Errorf("there are %d blocks of settings on all pages", n)
	}
}
