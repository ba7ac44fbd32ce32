package environment

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"plumb/internal/sandbox"
)

func write(t *testing.T, path string, size int) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, make([]byte, size), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestEveryFileCounts(t *testing.T) {
	const limit = 1 << 20
	for name, fill := range map[string]func(t *testing.T, dir string){
		"one file": func(t *testing.T, dir string) { write(t, dir+"/f", limit+1) },
		"many files": func(t *testing.T, dir string) {
			for i := range 40 {
				write(t, filepath.Join(dir, strconv.Itoa(i)), limit/32)
			}
		},
		"empty files": func(t *testing.T, dir string) {
			for i := range limit/fileCost + 1 {
				write(t, filepath.Join(dir, "d", strconv.Itoa(i)), 0)
			}
		},
		"below the longest path": func(t *testing.T, dir string) {
			root, err := os.OpenRoot(dir)
			name := strings.Repeat("x", 250)
			for range 20 {
				if err == nil {
					err = root.Mkdir(name, 0o755)
				}
				if err != nil {
					t.Fatal(err)
				}
				defer root.Close()
				root, err = root.OpenRoot(name)
			}
			if err == nil {
				err = root.WriteFile("f", make([]byte, limit), 0o644)
			}
			if err != nil {
				t.Fatal(err)
			}
		},
		"folders without end": func(t *testing.T, dir string) {
			if err := os.MkdirAll(dir+strings.Repeat("/d", maxDepth+1), 0o755); err != nil {
				t.Fatal(err)
			}
		},
		"a folder that is closed": func(t *testing.T, dir string) {
			if os.Geteuid() == 0 {
				t.Skip("nothing is closed to root")
			}
			if err := os.Mkdir(dir+"/d", 0); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "tmp")
			write(t, dir+"/first", 1000)
			if sum := used(dir, limit); sum > limit {
				t.Errorf("before: %d bytes", sum)
			}
			fill(t, dir)
			if sum := used(dir, limit); sum <= limit {
				t.Errorf("%d bytes", sum)
			}
			if err := removeTree(dir); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAFileWithSeveralNamesCountsOnce(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/f", 1<<20)
	for i := range 10 {
		if err := os.Link(dir+"/f", filepath.Join(dir, strconv.Itoa(i))); err != nil {
			t.Fatal(err)
		}
	}
	if sum := used(dir, 64<<20); sum > 2<<20 {
		t.Errorf("%d bytes", sum)
	}
}

func TestFilesWithoutANameCount(t *testing.T) {
	b := newBenchAt(t, sandbox.Probe(t.TempDir()).Level, Options{})
	if b.level < sandbox.Limits {
		t.Skip("not known on this system")
	}
	v := b.python(`
import os, tempfile, time
kept = []
def handler(event, context):
    for i in range(3):
        f = open(tempfile.gettempdir() + "/f", "wb")
        f.write(b"x" * (1 << 20))
        f.flush()
        os.unlink(f.name)
        kept.append(f)
        time.sleep(event["sleep"])
    return "done"
`)
	v.Ephemeral = 2
	if r := b.invoke(v, `{"sleep": 2}`); string(r.Payload) == `"done"` {
		t.Errorf("got %s\n%s", r.Payload, r.Log)
	}
}
