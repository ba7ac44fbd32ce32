package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// starts is how often the program is started on a fresh folder and again on it.
const starts = 9

// program measures the program as it is installed: how soon it answers, what it
// takes while nobody asks, how large it is.
func program(ctx context.Context, b *bench) error {
	if b.options.program == "" {
		b.options.program = filepath.Join(b.dir, "plumb")
		build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", b.options.program, "./cmd/plumb")
		build.Env, build.Stderr = append(os.Environ(), "CGO_ENABLED=0"), os.Stderr
		if err := build.Run(); err != nil {
			return fmt.Errorf("build plumb (run this from the root of the checkout, or give --program): %w", err)
		}
	}
	var fresh, again []time.Duration
	var memory float64
	for i := range starts {
		data := filepath.Join(b.dir, fmt.Sprintf("installed%d", i))
		store, err := b.newStore(ctx)
		if err != nil {
			return err
		}
		for _, list := range []*[]time.Duration{&fresh, &again} {
			last := i == starts-1 && list == &again
			took, kilobytes, err := b.startOnce(ctx, data, store, last)
			if err != nil {
				return err
			}
			*list = append(*list, took)
			memory = max(memory, kilobytes/1024)
		}
	}
	b.table.latencies("start to first answer, new store", fresh, 0)
	b.table.latencies("start to first answer", again, 100*time.Millisecond)
	if memory > 0 {
		b.table.limit("idle memory (resident)", "MiB", memory, 60)
	}
	info, err := os.Stat(b.options.program)
	if err != nil {
		return err
	}
	b.table.limit("size of the program", "MB", float64(info.Size())/1e6, 60)
	return nil
}

// startOnce starts the program and times its first answer to a client. With
// idle, it looks at its memory a while later.
func (b *bench) startOnce(ctx context.Context, data, store string, idle bool) (took time.Duration, kilobytes float64, err error) {
	cmd := exec.CommandContext(ctx, b.options.program, "serve", "--listen", "127.0.0.1:0", "--data", data, "--database", store)
	out, err := cmd.StderrPipe()
	if err != nil {
		return 0, 0, err
	}
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, 0, err
	}
	defer func() {
		cmd.Process.Signal(os.Interrupt)
		cmd.Wait()
	}()
	lines := bufio.NewScanner(out)
	var printed bytes.Buffer
	for lines.Scan() {
		fmt.Fprintln(&printed, lines.Text())
		if url, ok := strings.CutPrefix(lines.Text(), "ready "); ok {
			if err := firstAnswer(ctx, url); err != nil {
				return 0, 0, err
			}
			took = time.Since(start)
			go drainLines(lines)
			if idle {
				kilobytes = b.idleMemory(cmd.Process.Pid)
			}
			return took, kilobytes, nil
		}
	}
	return 0, 0, fmt.Errorf("plumb serve did not get ready: %s", &printed)
}

func drainLines(lines *bufio.Scanner) {
	for lines.Scan() {
	}
}

func firstAnswer(ctx context.Context, url string) error {
	r, err := newCall(ctx, url, "DescribeConfigRules", []byte("{}"))
	if err != nil {
		return err
	}
	_, err = do(newClient(), r)
	return err
}

// idleMemory returns the resident kilobytes of a process that had a while to
// settle; 0 where the system does not tell.
func (b *bench) idleMemory(pid int) float64 {
	time.Sleep(5 * time.Second)
	return residentMemory(pid)
}

// residentMemory returns the resident kilobytes of a process; 0 where the system does not
// tell.
func residentMemory(pid int) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	var kilobytes float64
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			fmt.Sscan(rest, &kilobytes)
		}
	}
	return kilobytes
}
