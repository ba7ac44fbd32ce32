package internal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A row is one line of the table in docs/architecture.md.
type row struct {
	floor int
	path  string
	also  []string
}

// A listed is what the Go command says of a package.
type listed struct {
	ImportPath, Dir                    string
	Imports, TestImports, XTestImports []string
}

const module = "plumb/"

func TestImportsGoDownOnly(t *testing.T) {
	rows := floors(t)
	for _, p := range packages(t) {
		if len(p.Imports) == 0 && p.ImportPath == module+"internal" {
			continue // this test
		}
		from, ok := rowOf(rows, p.ImportPath)
		if !ok {
			t.Errorf("%s has no row in docs/architecture.md", p.ImportPath)
			continue
		}
		for _, q := range p.Imports {
			if !strings.HasPrefix(q, module) {
				continue
			}
			to, ok := rowOf(rows, q)
			if ok && !mayImport(from, to) {
				t.Errorf("%s (floor %d) imports %s (floor %d)", p.ImportPath, from.floor, q, to.floor)
			}
		}
	}
}

func mayImport(from, to row) bool {
	return to.floor < from.floor || to.path == from.path || slices.Contains(from.also, to.path)
}

func TestEveryRowOfTheMapIsAPackage(t *testing.T) {
	all := packages(t)
	for _, r := range floors(t) {
		found := slices.ContainsFunc(all, func(p listed) bool {
			q := strings.TrimPrefix(p.ImportPath, module)
			return q == r.path || strings.HasPrefix(q, r.path+"/")
		})
		if !found {
			t.Errorf("the map has %s, and there is no such package", r.path)
		}
	}
}

func TestEachDependencyIsImportedByOnePackage(t *testing.T) {
	table := dependencies(t)
	used := map[string]bool{}
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		for _, q := range p.Imports {
			d, external := dependencyOf(table, q)
			if !external {
				continue
			}
			if d == "" {
				t.Errorf("%s imports %s, which docs/dependencies.md does not name", name, q)
				continue
			}
			used[d] = true
			if !slices.ContainsFunc(table[d], func(by string) bool { return name == by || strings.HasPrefix(name, by+"/") }) {
				t.Errorf("%s imports %s, which belongs to %s", name, q, strings.Join(table[d], " and "))
			}
		}
		for _, q := range slices.Concat(p.TestImports, p.XTestImports) {
			if d, _ := dependencyOf(table, q); d != "" {
				used[d] = true
			}
		}
	}
	for d := range table {
		if !used[d] {
			t.Errorf("docs/dependencies.md names %s, which nobody imports", d)
		}
	}
}

// dependencyOf finds the row of an import path; external is false for the
// standard library and our own packages.
func dependencyOf(table map[string][]string, path string) (name string, external bool) {
	first, _, _ := strings.Cut(path, "/")
	if !strings.Contains(first, ".") {
		return "", false
	}
	for d := range table {
		if (path == d || strings.HasPrefix(path, d+"/")) && len(d) > len(name) {
			name = d
		}
	}
	return name, true
}

func rowOf(rows []row, path string) (best row, ok bool) {
	path = strings.TrimPrefix(path, module)
	for _, r := range rows {
		if (path == r.path || strings.HasPrefix(path, r.path+"/")) && len(r.path) > len(best.path) {
			best, ok = r, true
		}
	}
	return best, ok
}

var floorRow = regexp.MustCompile("^\\| (\\d+) \\| `([^`]+)` \\|[^|]*\\|([^|]*)\\|$")

func floors(t *testing.T) []row {
	t.Helper()
	var rows []row
	for _, line := range lines(t, "architecture.md") {
		m := floorRow.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		r := row{path: m[2], also: quoted(m[3])}
		fmt.Sscan(m[1], &r.floor)
		rows = append(rows, r)
	}
	if len(rows) == 0 {
		t.Fatal("docs/architecture.md has no table of floors")
	}
	return rows
}

var dependencyRow = regexp.MustCompile("^\\| `([^`]+)` [^|]*\\|([^|]*)\\|[^|]*\\|$")

// dependencies reads docs/dependencies.md: module, and who imports it.
func dependencies(t *testing.T) map[string][]string {
	t.Helper()
	table := map[string][]string{}
	for _, line := range lines(t, "dependencies.md") {
		if m := dependencyRow.FindStringSubmatch(line); m != nil {
			table[m[1]] = quoted(m[2])
		}
	}
	return table
}

func quoted(cell string) (words []string) {
	for i, part := range strings.Split(cell, "`") {
		if i%2 == 1 {
			words = append(words, part)
		}
	}
	return words
}

func lines(t *testing.T, page string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "docs", page))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(string(text), "\n")
}

func packages(t *testing.T) []listed {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Dir,Imports,TestImports,XTestImports", "./...")
	cmd.Dir = ".."
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []listed
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}
