package differential

import (
	"bufio"
	"encoding/json"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"plumb/internal/guard"
	"plumb/internal/guard/document"
	"plumb/internal/guard/report"
)

// An answer is what either side says: its steps, an error, or that it broke down.
type answer struct {
	Events any    `json:"events"`
	Error  string `json:"error"`
	Panic  string `json:"panic"`
}

type question struct {
	Rules string `json:"rules"`
	Data  string `json:"data"`
}

// original runs the original in a process of its own.
type original struct {
	in  io.WriteCloser
	out *bufio.Reader
}

func startOriginal(t *testing.T) *original {
	t.Helper()
	folder := ""
	for _, f := range filepath.SplitList(os.Getenv("PLUMB_GUARD_FIXTURES")) {
		if _, err := os.Stat(filepath.Join(f, "guard", "ts-lib", "guard_bg.wasm")); err == nil {
			folder = f
		}
	}
	node, err := exec.LookPath("node")
	if folder == "" || err != nil {
		t.Skip("the original's WebAssembly build or node is not here")
	}
	cmd := exec.CommandContext(t.Context(), node, "testdata/original.cjs", folder)
	cmd.Stderr = io.Discard
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return &original{in, bufio.NewReaderSize(out, 1<<20)}
}

func (o *original) ask(t *testing.T, q question) answer {
	t.Helper()
	line, err := json.Marshal(q)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.in.Write(append(line, '\n')); err != nil {
		t.Fatal(err)
	}
	reply, err := o.out.ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	var a answer
	if err := json.Unmarshal(reply, &a); err != nil {
		t.Fatal(err)
	}
	return a
}

func ours(t *testing.T, q question) answer {
	t.Helper()
	rules, err := guard.Parse("RULES_STDIN[1]", q.Rules)
	if err != nil {
		return answer{Error: err.Error()}
	}
	doc, err := document.Parse([]byte(q.Data), document.Template)
	if err != nil {
		return answer{Error: err.Error()}
	}
	result, err := rules.Evaluate(t.Context(), doc, guard.Options{Detail: guard.Everything})
	if err != nil {
		return answer{Error: err.Error()}
	}
	var b strings.Builder
	run := &report.Run{
		RulesName: "RULES_STDIN[1]", DataName: "DATA_STDIN[1]", Document: doc, Rules: rules, Result: result,
	}
	if err := report.Events(&b, run); err != nil {
		t.Fatal(err)
	}
	var a answer
	if err := json.Unmarshal([]byte(b.String()), &a.Events); err != nil {
		t.Fatal(err)
	}
	return a
}

// agree compares two answers. Where the original breaks down there is nothing to
// compare. The words of errors and reasons are our own.
func agree(theirs, ours answer) bool {
	switch {
	case theirs.Panic != "":
		return true
	case theirs.Error != "" || ours.Error != "":
		return theirs.Error != "" && ours.Error != ""
	}
	return reflect.DeepEqual(withoutReasons(theirs.Events), withoutReasons(ours.Events))
}

func withoutReasons(v any) any {
	switch v := v.(type) {
	case map[string]any:
		clean := map[string]any{}
		for k, e := range v {
			if k == "reason" || k == "message" {
				continue
			}
			clean[k] = withoutReasons(e)
		}
		return clean
	case []any:
		clean := make([]any, len(v))
		for i, e := range v {
			clean[i] = withoutReasons(e)
		}
		return clean
	}
	return v
}

// settings are how many rounds there are, and from which seed they are made.
func settings() (rounds int, seed uint64) {
	rounds, seed = 300, 1
	if n, err := strconv.Atoi(os.Getenv("PLUMB_GUARD_ROUNDS")); err == nil {
		rounds = n
	}
	if n, err := strconv.ParseUint(os.Getenv("PLUMB_GUARD_SEED"), 10, 64); err == nil {
		seed = n
	}
	return rounds, seed
}

func TestGeneratedRulesAreDecidedAsTheOriginalDecidesThem(t *testing.T) {
	o := startOriginal(t)
	rounds, seed := settings()
	var panics, errors, differences int
	for i := range rounds {
		g := &generator{rand.New(rand.NewPCG(seed, uint64(i)))}
		q := question{Rules: g.file(), Data: g.document()}
		theirs, our := o.ask(t, q), ours(t, q)
		if theirs.Panic != "" {
			panics++
		}
		if theirs.Error != "" && our.Error != "" {
			errors++
		}
		if !agree(theirs, our) {
			differences++
			if differences <= 5 {
				t.Errorf("round %d differs\n%s\n--\n%s\n%s", i, q.Rules, q.Data, difference(theirs, our))
			}
		}
	}
	t.Logf("%d rounds: %d errors on both sides, the original broke down in %d, %d differences",
		rounds, errors, panics, differences)
}

// difference shows the first place where two answers differ.
func difference(theirs, ours answer) string {
	if theirs.Error != "" || ours.Error != "" {
		return "-- theirs: " + theirs.Error + "\n-- ours: " + ours.Error
	}
	path, a, b := firstDifference("", withoutReasons(theirs.Events), withoutReasons(ours.Events))
	return "-- at " + path + "\n-- theirs: " + show(a) + "\n-- ours: " + show(b)
}

func firstDifference(path string, a, b any) (where string, left, right any) {
	switch x := a.(type) {
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok || len(x) != len(y) {
			return path, a, b
		}
		for k := range x {
			if !reflect.DeepEqual(x[k], y[k]) {
				return firstDifference(path+"/"+k, x[k], y[k])
			}
		}
	case []any:
		y, ok := b.([]any)
		if !ok {
			return path, a, b
		}
		for i := range min(len(x), len(y)) {
			if !reflect.DeepEqual(x[i], y[i]) {
				return firstDifference(path+"/"+strconv.Itoa(i), x[i], y[i])
			}
		}
	}
	return path, a, b
}

func show(v any) string {
	text, _ := json.Marshal(v)
	return string(text)
}
