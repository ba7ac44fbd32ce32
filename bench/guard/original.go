package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"plumb/internal/guard/command"
)

//go:embed original.cjs
var originalScript string

// original measures the original's WebAssembly build, which reads rules and document
// and writes a report each time, beside the same work done here.
func original(ctx context.Context) error {
	folder := ""
	for _, f := range filepath.SplitList(os.Getenv("PLUMB_GUARD_FIXTURES")) {
		if _, err := os.Stat(filepath.Join(f, "guard", "ts-lib", "guard_bg.wasm")); err == nil {
			folder = f
		}
	}
	node, err := exec.LookPath("node")
	if folder == "" || err != nil {
		fmt.Println("The original was not measured: PLUMB_GUARD_FIXTURES names no checkout, or node is not installed")
		return nil
	}
	payload, err := json.Marshal(map[string][]string{"rules": {guardSource}, "data": {string(itemText)}})
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, node, "-e", originalScript, folder)
	cmd.Stdin = strings.NewReader(string(payload))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("running the original: %w", err)
	}
	var theirs struct{ Nanoseconds float64 }
	if err := json.Unmarshal(out, &theirs); err != nil {
		return err
	}
	ours := float64(testing.Benchmark(func(b *testing.B) { whole(ctx, b, payload) }).NsPerOp())
	fmt.Printf("Rules and item read, decided, reported as JSON: Plumb %.0f ns, the original as WebAssembly %.0f ns: %.1f times\n",
		ours, theirs.Nanoseconds, theirs.Nanoseconds/ours)
	return nil
}

// whole does what the original's build does in one call.
func whole(ctx context.Context, b *testing.B, payload []byte) {
	for b.Loop() {
		v := command.Validate{Payload: true, Structured: true, Format: command.JSON, ShowSummary: []string{"none"}}
		var out strings.Builder
		code, err := v.Run(ctx, command.Streams{In: strings.NewReader(string(payload)), Out: &out, Err: &out})
		if err != nil || code != command.OK {
			b.Fatal(code, err)
		}
	}
}
