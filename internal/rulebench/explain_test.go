package rulebench

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A failed function as its runtime tells of it, and what the author sees.
var failures = map[string]struct {
	answer Answer
	error  string
	lines  []string
	file   string
	line   int
}{
	"python": {
		Answer{
			Error: "KeyError: 'nope'",
			Trace: []string{
				"  File \"/var/task/rule.py\", line 9, in lambda_handler\n    look(item)\n",
				"  File \"/opt/python/botocore/client.py\", line 606, in _api_call\n    return call()\n",
				"  File \"/var/task/inner/part.py\", line 3, in look\n    return item['nope']\n",
			},
			Log: "START RequestId: 1 Version: $LATEST\nlooking at a\n[ERROR] KeyError: 'nope'\nTraceback (most recent call last):\n  File \"/var/task/rule.py\", line 9, in lambda_handler\nEND RequestId: 1\nREPORT RequestId: 1\tDuration: 1 ms\n",
		},
		"KeyError: 'nope'",
		[]string{"looking at a", `  File "FOLDER/rule.py", line 9, in lambda_handler`, "    look(item)", `  File "FOLDER/inner/part.py", line 3, in look`, "    return item['nope']"},
		"inner/part.py", 3,
	},
	"python, a syntax error": {
		Answer{
			Error: "Runtime.UserCodeSyntaxError: Syntax error in module 'rule': invalid syntax (rule.py, line 12)",
			Trace: []string{"  File \"/var/task/rule.py\" Line 12\n    if a inn b:\n"},
			Log:   "START RequestId: 1 Version: $LATEST\n[WARNING]\t2026-01-01T00:00:00.000Z\t\tLAMBDA_WARNING: Unhandled exception. The most likely cause is an issue in the function code.\n[ERROR] Runtime.UserCodeSyntaxError: Syntax error\nTraceback (most recent call last):\nEND RequestId: 1\n",
		},
		"Runtime.UserCodeSyntaxError: Syntax error in module 'rule': invalid syntax (rule.py, line 12)",
		[]string{`  File "FOLDER/rule.py" Line 12`, "    if a inn b:"},
		"rule.py", 12,
	},
	"node": {
		Answer{
			Error: "TypeError: x is no function",
			Trace: []string{
				"TypeError: x is no function", "    at look (file:///var/task/node_modules/lib/index.js:1:1)", "    at evaluate (file:///var/task/index.mjs:9:13)",
				"    at invoke (/var/runtime/bootstrap.cjs:294:22)", "    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)",
			},
			Log: "INIT_START Runtime Version: x\nSTART RequestId: 1 Version: $LATEST\n2026-01-01T00:00:00.000Z\t1\tINFO\tlooking\n2026-01-01T00:00:00.000Z\t1\tERROR\tInvoke Error \t{\"errorType\":\"TypeError\"}\nEND RequestId: 1\n",
		},
		"TypeError: x is no function",
		[]string{"2026-01-01T00:00:00.000Z\t1\tINFO\tlooking", "    at evaluate (FOLDER/index.mjs:9:13)"},
		"index.mjs", 9,
	},
	"node, a package that is not there": {
		Answer{
			Error: "Runtime.ImportModuleError: Error: Cannot find package 'a' imported from /var/task/index.mjs",
			Trace: []string{"Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'a' imported from /var/task/index.mjs", "    at packageResolve (node:internal/modules/esm/resolve:873:9)"},
		},
		"Runtime.ImportModuleError: Error: Cannot find package 'a' imported from FOLDER/index.mjs",
		[]string{"Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'a' imported from FOLDER/index.mjs"},
		"", 0,
	},
	"go": {
		Answer{
			Error: "boundsError: index out of range",
			Trace: []string{"  mine/main.go:34, in evaluate\n", "  mine/main.go:55, in handle\n"},
			Log:   "{\"errorMessage\":\"x\",\"stackTrace\":[{\"path\":\"runtime/panic.go\"}]}\nprinted\n",
		},
		"boundsError: index out of range",
		[]string{"printed", "  FOLDER/main.go:34, in evaluate", "  FOLDER/main.go:55, in handle"},
		"main.go", 34,
	},
	"no error": {
		Answer{Log: "START RequestId: 1 Version: $LATEST\n[ERROR] of the author's own\nEND RequestId: 1\n"},
		"", []string{"[ERROR] of the author's own"}, "", 0,
	},
}

func TestAuthorSeesWhatTheFunctionPrintedAndTheFramesOfItsOwnFiles(t *testing.T) {
	for name, f := range failures {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			if err := os.WriteFile(filepath.Join(folder, "main.go"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			got := f.answer.In(folder)
			lines := got.Explained()
			for i := range lines {
				lines[i] = strings.ReplaceAll(lines[i], folder, "FOLDER")
			}
			if !slices.Equal(lines, f.lines) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(f.lines, "\n"))
			}
			if e := strings.ReplaceAll(got.Error, folder, "FOLDER"); e != f.error {
				t.Errorf("the error is %q, want %q", e, f.error)
			}
			want := Place{}
			if f.line > 0 {
				want = Place{filepath.Join(folder, filepath.FromSlash(f.file)), f.line}
			}
			if got.Cause != want {
				t.Errorf("the cause is %v, want %v", got.Cause, want)
			}
		})
	}
}

func TestLogThatIsLongerThanItsTailBeginsWithAWordOnThat(t *testing.T) {
	lines := Answer{Log: strings.Repeat("x", maxTail-7) + "\nthe end\n"}.In(".").Explained()
	if len(lines) != 2 || lines[0] != "(what was printed before is cut off)" || lines[1] != "the end" {
		t.Errorf("got %q", lines)
	}
	lines = Answer{Log: "a\n" + strings.Repeat("x", maxLine+5) + "\n"}.In(".").Explained()
	if len(lines) != 2 || !strings.HasSuffix(lines[1], "x... and 5 bytes more") {
		t.Errorf("got %q", lines)
	}
}
