// Package coverage reads what the runtimes of functions noted of the lines and
// branches that ran, adds it up over runs, and writes it for people and as LCOV.
//
//	var c coverage.Coverage
//	err := c.Add("my-rule", "data/run/environments/*/tmp/plumb-coverage/my-rule/*.json")
//	err = c.LCOV(w)
//
// The shims of internal/lambda write the files. The package stores nothing.
package coverage

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A Coverage is what ran of files, by their paths.
type Coverage struct {
	files map[string]*file
	read  map[string]bool // the notes of Node.js, of which each is of another time
}

type file struct {
	lines    map[int]bool
	branches map[branch]bool
	counts   []script // of Node.js
}

// A branch is one way that a program may take.
type branch struct{ line, number int }

// Add adds what files that match a pattern say of functions whose code is in the
// folder.
func (c *Coverage) Add(folder, pattern string) error {
	notes, err := filepath.Glob(pattern)
	if err != nil {
		return err
	}
	if c.read == nil {
		c.read = map[string]bool{}
	}
	for _, note := range notes {
		if c.read[note] {
			continue
		}
		text, err := os.ReadFile(note)
		if err != nil {
			return err
		}
		if strings.HasPrefix(filepath.Base(note), "node-") {
			c.read[note] = true
			err = c.addNode(folder, text)
		} else {
			err = c.addPython(folder, text)
		}
		if err != nil {
			return fmt.Errorf("coverage of %s: %w", folder, err)
		}
	}
	return nil
}

func (c *Coverage) file(path string) *file {
	if c.files == nil {
		c.files = map[string]*file{}
	}
	if c.files[path] == nil {
		c.files[path] = &file{lines: map[int]bool{}, branches: map[branch]bool{}}
	}
	return c.files[path]
}

func (f *file) line(n int, hit bool)        { f.lines[n] = f.lines[n] || hit }
func (f *file) branch(b branch, taken bool) { f.branches[b] = f.branches[b] || taken }

// inside refuses a name that leads out of the folder: functions write these files.
func inside(folder, name string) (string, error) {
	if !filepath.IsLocal(filepath.FromSlash(name)) {
		return "", fmt.Errorf("%q is no file of the function", name)
	}
	return filepath.Join(folder, filepath.FromSlash(name)), nil
}

// addPython adds a note of plumb_coverage.py.
func (c *Coverage) addPython(folder string, text []byte) error {
	var note map[string]struct {
		Lines    map[int]bool
		Branches [][3]any // line, entered, left out
	}
	if err := json.Unmarshal(text, &note); err != nil {
		return err
	}
	for name, n := range note {
		path, err := inside(folder, name)
		if err != nil {
			return err
		}
		f := c.file(path)
		for line, hit := range n.Lines {
			f.line(line, hit)
		}
		for _, b := range n.Branches {
			line, _ := b[0].(float64)
			entered, _ := b[1].(bool)
			left, _ := b[2].(bool)
			f.branch(branch{int(line), 0}, entered)
			f.branch(branch{int(line), 1}, left)
		}
	}
	return nil
}

// A script is what V8 says of a file. A range lies within those before it and says
// better how often its text ran.
type script struct {
	File      string
	Functions []struct {
		Ranges []span
	}
}

type span struct {
	StartOffset, EndOffset int
	Count                  int
}

// addNode adds a note of coverage.cjs. Its offsets count characters of UTF-16, as
// JavaScript does.
func (c *Coverage) addNode(folder string, text []byte) error {
	var note []script
	if err := json.Unmarshal(text, &note); err != nil {
		return err
	}
	for _, s := range note {
		path, err := inside(folder, s.File)
		if err != nil {
			return err
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		c.file(path).script(s, string(source))
	}
	return nil
}

func (f *file) script(s script, source string) {
	f.counts = append(f.counts, s)
	starts := []int{} // the offset of each line
	offset := 0
	for line := range strings.Lines(source) {
		starts = append(starts, offset)
		if bare := strings.TrimSpace(line); strings.Trim(bare, "{}()[];,") != "" && !strings.HasPrefix(bare, "//") {
			indent := len(line) - len(strings.TrimLeft(line, " \t"))
			if n, known := s.count(offset + indent); known {
				f.line(len(starts), n > 0)
			}
		}
		offset += units(line)
	}
	for _, fn := range s.Functions {
		for _, r := range fn.Ranges[min(1, len(fn.Ranges)):] {
			line, found := slices.BinarySearch(starts, r.StartOffset)
			if found {
				line++
			}
			f.branch(branch{line, r.StartOffset}, false)
		}
	}
	f.resolve()
}

// resolve finds out which branches ran at any time: V8 names a part of a function
// only where it ran more or less often than what is around it.
func (f *file) resolve() {
	for b := range f.branches {
		for _, s := range f.counts {
			n, _ := s.count(b.number)
			f.branch(b, n > 0)
		}
	}
}

// count returns how often what stands at an offset ran: the smallest range around it
// says so.
func (s script) count(offset int) (n int, known bool) {
	best := math.MaxInt
	for _, fn := range s.Functions {
		for _, r := range fn.Ranges {
			if size := r.EndOffset - r.StartOffset; offset >= r.StartOffset && offset < r.EndOffset && size <= best {
				n, known, best = r.Count, true, size
			}
		}
	}
	return n, known
}

// units counts characters of UTF-16.
func units(s string) (n int) {
	for _, r := range s {
		n++
		if r > 0xFFFF {
			n++
		}
	}
	return n
}

// Text writes a line for each file, with the lines and branches that did not run.
func (c *Coverage) Text(w io.Writer, shown func(string) string) error {
	for _, path := range slices.Sorted(maps.Keys(c.files)) {
		f := c.files[path]
		var missed, untaken []int
		for _, n := range slices.Sorted(maps.Keys(f.lines)) {
			if !f.lines[n] {
				missed = append(missed, n)
			}
		}
		for _, b := range f.ways() {
			if !f.branches[b] {
				untaken = append(untaken, b.line)
			}
		}
		text := fmt.Sprintf("coverage %s: %d of %d lines", shown(path), len(f.lines)-len(missed), len(f.lines))
		if len(f.branches) > 0 {
			text += fmt.Sprintf(", %d of %d branches", len(f.branches)-len(untaken), len(f.branches))
		}
		if len(missed) > 0 {
			text += "; not run: " + ranges(missed)
		}
		if len(untaken) > 0 {
			text += "; one way only: " + ranges(slices.Compact(untaken))
		}
		if _, err := fmt.Fprintln(w, text); err != nil {
			return err
		}
	}
	return nil
}

func (f *file) ways() []branch {
	return slices.SortedFunc(maps.Keys(f.branches), func(a, b branch) int { return cmp.Or(cmp.Compare(a.line, b.line), cmp.Compare(a.number, b.number)) })
}

// ranges writes line numbers: 3, 7-9.
func ranges(lines []int) string {
	var texts []string
	for i := 0; i < len(lines); {
		j := i
		for j+1 < len(lines) && lines[j+1] == lines[j]+1 {
			j++
		}
		if i == j {
			texts = append(texts, fmt.Sprint(lines[i]))
		} else {
			texts = append(texts, fmt.Sprintf("%d-%d", lines[i], lines[j]))
		}
		i = j + 1
	}
	return strings.Join(texts, ", ")
}

// LCOV writes the form that genhtml, editors and CI services read.
func (c *Coverage) LCOV(w io.Writer, shown func(string) string) error {
	var b strings.Builder
	for _, path := range slices.Sorted(maps.Keys(c.files)) {
		f := c.files[path]
		fmt.Fprintf(&b, "TN:\nSF:%s\n", shown(path))
		taken := 0
		for _, way := range f.ways() {
			fmt.Fprintf(&b, "BRDA:%d,0,%d,%d\n", way.line, way.number, one(f.branches[way]))
			taken += one(f.branches[way])
		}
		fmt.Fprintf(&b, "BRF:%d\nBRH:%d\n", len(f.branches), taken)
		hit := 0
		for _, n := range slices.Sorted(maps.Keys(f.lines)) {
			fmt.Fprintf(&b, "DA:%d,%d\n", n, one(f.lines[n]))
			hit += one(f.lines[n])
		}
		fmt.Fprintf(&b, "LF:%d\nLH:%d\nend_of_record\n", len(f.lines), hit)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}
