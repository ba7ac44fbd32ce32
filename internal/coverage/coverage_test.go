package coverage_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"plumb/internal/coverage"
)

// add adds notes of a function whose file has a source.
func add(t *testing.T, c *coverage.Coverage, file, source string, notes map[string]string) error {
	t.Helper()
	folder, noted := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, file), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, text := range notes {
		if err := os.WriteFile(filepath.Join(noted, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return c.Add(folder, filepath.Join(noted, "*.json"))
}

func texts(t *testing.T, c *coverage.Coverage) (text, lcov string) {
	t.Helper()
	var a, b strings.Builder
	if err := c.Text(&a, filepath.Base); err != nil {
		t.Fatal(err)
	}
	if err := c.LCOV(&b, filepath.Base); err != nil {
		t.Fatal(err)
	}
	return a.String(), b.String()
}

func TestWhatRanInAnyRunIsCovered(t *testing.T) {
	var c coverage.Coverage
	err := add(t, &c, "rule.py", "", map[string]string{
		"python-1.json": `{"rule.py": {"lines": {"1": true, "2": false, "3": false, "5": true, "9": false}, "branches": [[1, true, false], [5, false, false]]}}`,
		"python-2.json": `{"rule.py": {"lines": {"1": true, "2": true, "3": false, "5": false, "9": false}, "branches": [[1, false, true], [5, false, true]]}}`,
	})
	text, lcov := texts(t, &c)
	if err != nil || text != "coverage rule.py: 3 of 5 lines, 3 of 4 branches; not run: 3, 9; one way only: 5\n" {
		t.Errorf("%v: %s", err, text)
	}
	for _, want := range []string{"SF:rule.py\n", "BRDA:5,0,0,0\nBRDA:5,0,1,1\n", "BRF:4\nBRH:3\n", "DA:2,1\nDA:3,0\n", "LF:5\nLH:3\nend_of_record\n"} {
		if !strings.Contains(lcov, want) {
			t.Errorf("%q is not in\n%s", want, lcov)
		}
	}
}

func TestBranchThatV8NamesInOneRunRanInAnother(t *testing.T) {
	//        0         10        20
	source := "const f = (a) =>\n  a ? 1 // \U0001F600\n    : 2\nlost()\n"
	one := strings.Index(source, "? 1")
	other := strings.Index(source, ": 2") - 2 // of UTF-16: the face counts as two, and has four bytes
	lost := strings.Index(source, "lost") - 2
	ranges := func(count, at, end, inner string) string {
		return `[{"file": "index.mjs", "functions": [{"ranges": [{"startOffset": 0, "endOffset": 999, "count": 1}, {"startOffset": ` + itoa(lost) + `, "endOffset": ` + itoa(lost+6) + `, "count": 0}]},` +
			`{"ranges": [{"startOffset": 10, "endOffset": ` + itoa(lost-1) + `, "count": ` + count + `}, {"startOffset": ` + at + `, "endOffset": ` + end + `, "count": ` + inner + `}]}]}]`
	}
	var c coverage.Coverage
	err := add(t, &c, "index.mjs", source, map[string]string{
		"node-7-1.json": ranges("1", itoa(one), itoa(one+3), "0"),
		"node-7-2.json": ranges("2", itoa(other), itoa(other+3), "0"),
	})
	text, _ := texts(t, &c)
	if want := "coverage index.mjs: 3 of 4 lines, 2 of 3 branches; not run: 4; one way only: 4\n"; err != nil || text != want {
		t.Errorf("%v: %s", err, text)
	}
}

func itoa(n int) string { return strconv.Itoa(n) }

func TestNotesOfWhatIsNotTheFunctionsAreRefused(t *testing.T) {
	for name, text := range map[string]string{
		"python-1.json": `{"../../etc/passwd": {"lines": {"1": true}}}`,
		"node-1-1.json": `[{"file": "../../../etc/passwd", "functions": []}]`,
		"node-2-1.json": `[{"file": "/etc/passwd", "functions": []}]`,
		"node-3-1.json": `{`,
		"python-3.json": `[]`,
	} {
		var c coverage.Coverage
		if err := add(t, &c, "index.mjs", "", map[string]string{name: text}); err == nil {
			t.Errorf("%s is taken", text)
		}
	}
}
