package environment

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"plumb/internal/sandbox"
)

// A desk is a function under work: each save is another version of it.
type desk struct {
	*bench
	v     Version
	saves int
}

func newDesk(t *testing.T, l sandbox.Level, runtime string) *desk {
	d := &desk{bench: newBenchAt(t, l, Options{Reload: true})}
	if h := d.host.Look(t.Context()); runtime == "python3.12" && h.Python == "" || runtime == "nodejs20.x" && h.Node == "" {
		t.Skip("this machine does not have " + runtime)
	}
	d.v = d.version(runtime, "rule.handler", "")
	d.v.Number = "$LATEST"
	return d
}

// save puts the code in the place of the one before, as an update of the function
// does, and returns what the function says.
func (d *desk) save(files map[string]string) string {
	d.t.Helper()
	d.saves++
	old := d.v.Key
	d.v.Code, d.v.Key = d.code(files), d.v.Function+strings.Repeat("+", d.saves)
	d.pool.Retire(func(v Version) bool { return v.Key == old })
	return string(d.invoke(d.v, `{}`).Payload)
}

// says saves, and looks for a text in what the function says then.
func (d *desk) says(files map[string]string, want string) {
	d.t.Helper()
	if got := d.save(files); !strings.Contains(got, want) {
		d.t.Errorf("it says %s, want %s", got, want)
	}
}

// pid is the process of the only environment.
func (d *desk) pid() int {
	d.t.Helper()
	d.pool.mu.Lock()
	defer d.pool.mu.Unlock()
	if len(d.pool.all) != 1 {
		d.t.Fatalf("%d environments", len(d.pool.all))
	}
	for e := range d.pool.all {
		if e.proc != nil {
			return e.proc.child.Pid()
		}
	}
	return 0
}

// stays checks that the process is the same after some saves.
func (d *desk) stays(f func()) {
	d.t.Helper()
	before := d.pid()
	f()
	if after := d.pid(); after != before {
		d.t.Errorf("the code was loaded by a new process")
	}
}

func atEveryLevel(t *testing.T, runtime string, f func(d *desk)) {
	for l := sandbox.Limits; l <= sandbox.Probe(t.TempDir()).Level; l++ {
		t.Run(l.String(), func(t *testing.T) { f(newDesk(t, l, runtime)) })
	}
}

func TestSavedPythonIsLoadedInTheSameProcessWithNothingOfTheOld(t *testing.T) {
	atEveryLevel(t, "python3.12", func(d *desk) {
		first := "import sys, json, decimal, builtins, os\nimport part\nbuiltins.left = sys.left = decimal.left = 1\nopen(os.environ.get('TMPDIR', '/tmp') + '/left', 'w').close()\n" +
			"n = 0\ndef handler(e, c):\n    global n\n    n += 1\n    return [part.x, n, c.log_stream_name]\n"
		d.says(map[string]string{"rule.py": first, "part/__init__.py": "x = 'one'\n"}, `["one", 1, `)
		second := "import sys, json, decimal, builtins, os\nimport part\nn = 0\n" +
			"def handler(e, c):\n    global n\n    n += 1\n    return [part.x, n] + [str(x) for x in (builtins, sys, decimal) if hasattr(x, 'left')] + os.listdir(os.environ.get('TMPDIR', '/tmp'))\n"
		d.stays(func() {
			d.says(map[string]string{"rule.py": second, "part/__init__.py": "x = 'two'\n"}, `["two", 1]`)
			d.says(map[string]string{"rule.py": second, "part/__init__.py": "from .sub import x\n", "part/sub.py": "x = 'three'\n"}, `["three", 1]`)
			d.says(map[string]string{"rule.py": second, "part.py": "x = 'four'\n"}, `["four", 1]`)
			d.says(map[string]string{"rule.py": second}, `No module named 'part'`)
		})
	})
}

func TestFaultsOfSavedPythonAreSaidAndTheNextSaveIsLoadedWarm(t *testing.T) {
	d := newDesk(t, sandbox.Probe(t.TempDir()).Level, "python3.12")
	good := map[string]string{"rule.py": "import decimal\ndef handler(e, c):\n    return 'good'\n"}
	d.says(good, `"good"`)
	d.stays(func() {
		d.says(map[string]string{"rule.py": "def handler(e, c):\n    return (\n"}, `rule.py\" Line 2`)
		if got := d.invoke(d.v, `{}`); !strings.Contains(string(got.Payload), "Runtime.UserCodeSyntaxError") {
			t.Errorf("asked again it says %s", got.Payload)
		}
		d.says(good, `"good"`)
		d.says(map[string]string{"rule.py": "1/0\n"}, "ZeroDivisionError")
		d.says(map[string]string{"rule.py": "def handler(e, c):\n    1/0\n"}, `rule.py\", line 2, in handler`)
		d.says(good, `"good"`)
	})
}

func TestSavedPythonStartsAnewWhereWhatWasImportedBeforehandCouldMatter(t *testing.T) {
	d := newDesk(t, sandbox.Probe(t.TempDir()).Level, "python3.12")
	names := map[string]string{"rule.py": "import colorsys\ndef handler(e, c):\n    return getattr(colorsys, 'mine', 'not mine')\n"}
	d.says(names, `"not mine"`)
	d.says(names, `"not mine"`)
	names["colorsys.py"] = "mine = 'mine'\n"
	d.says(names, `"mine"`)
	d.says(map[string]string{"rule.py": "import os\nos.environ['A'] = 'b'\nimport colorsys\ndef handler(e, c):\n    return os.environ['A']\n"}, `"b"`)
	// A process that it left behind would be there for the next code.
	d.says(map[string]string{"rule.py": "import subprocess\nsubprocess.Popen(['sleep', '60'])\ndef handler(e, c):\n    return 1\n"}, "1")
	before := d.pid()
	d.says(map[string]string{"rule.py": "def handler(e, c):\n    return 2\n"}, "2")
	if d.pid() == before {
		t.Error("the code was loaded beside a process that the old one left behind")
	}
	d.says(map[string]string{"rule.py": "import os\nos._exit(3)\n"}, "Runtime exited with error: exit status 3")
	d.says(map[string]string{"rule.py": "def handler(e, c):\n    return 4\n"}, "4")
}

func TestChangedDependencyIsImportedAnew(t *testing.T) {
	d := newDesk(t, sandbox.Limits, "python3.12")
	dir := t.TempDir()
	dependency := func(text string) {
		if err := os.WriteFile(filepath.Join(dir, "dependency.py"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d.v.Variables = map[string]string{"PYTHONPATH": dir}
	files := map[string]string{"rule.py": "import dependency\ndef handler(e, c):\n    return dependency.x\n"}
	dependency("x = 1\nprint('imported')\n")
	d.says(files, "1")
	d.says(files, "1")
	if got := d.invoke(d.v, `{}`); strings.Contains(string(got.Log), "imported") {
		t.Errorf("a warm invocation imports: %s", got.Log)
	}
	dependency("x = 'another'\n")
	d.says(files, "another")
}

func TestSavedNodeIsLoadedWithNothingOfTheOld(t *testing.T) {
	atEveryLevel(t, "nodejs20.x", func(d *desk) {
		body := "const part = require('./part');\nlet n = 0;\nexports.handler = async () => [part.x, ++n, globalThis.left ?? 'clean', typeof process.send];\n"
		d.says(map[string]string{"rule.js": body + "globalThis.left = 'left';\nsetInterval(() => {}, 1000);\n", "part.js": "exports.x = 'one';\n"}, `["one",1,"left","undefined"]`)
		d.stays(func() {
			d.says(map[string]string{"rule.js": body, "part.js": "exports.x = 'two';\n"}, `["two",1,"clean","undefined"]`)
			d.says(map[string]string{"rule.js": body, "part/index.js": "exports.x = require('./sub').x;\n", "part/sub.js": "exports.x = 'three';\n"}, `["three",1,"clean","undefined"]`)
			d.says(map[string]string{"rule.js": "exports.handler = async () => {\n  return (;\n};\n"}, "Runtime.UserCodeSyntaxError")
			d.says(map[string]string{"rule.js": body, "part.js": "exports.x = 'four';\n"}, `["four",1,"clean","undefined"]`)
			d.says(map[string]string{"rule.mjs": "import { x } from './part.mjs';\nexport const handler = async () => x;\n", "part.mjs": "export const x = 'five';\n"}, `"five"`)
			d.says(map[string]string{"rule.mjs": "import { x } from './part.mjs';\nexport const handler = async () => x;\n", "part.mjs": "export const x = 'six';\n"}, `"six"`)
		})
	})
}

func TestNothingIsReloadedUnlessItIsAskedFor(t *testing.T) {
	b := newBench(t)
	if b.host.Look(t.Context()).Python == "" {
		t.Skip("this machine has no python3")
	}
	v := b.python("import os\ndef handler(e, c):\n    return os.environ.get('PLUMB_RELOAD', 'none')\n")
	if r := b.invoke(v, `{}`); string(r.Payload) != `"none"` {
		t.Errorf("it says %s", r.Payload)
	}
	b.pool.Retire(func(Version) bool { return true })
	if busy, idle := b.pool.Counts(); busy+idle != 0 {
		t.Errorf("%d environments stay", busy+idle)
	}
}
