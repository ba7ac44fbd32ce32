package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestBackupIsMadeVerifiedAndRestored(t *testing.T) {
	data, folder, fresh := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "copy"), filepath.Join(t.TempDir(), "fresh")
	if code, _, errOut := plumb(t, "backup", "--data", data, folder); code != 1 || errOut == "" {
		t.Errorf("a backup of nothing: code %d: %s", code, errOut)
	}
	if code, lines := records(t, "--listen", "127.0.0.1:0", "--data", data); code != 0 {
		t.Fatalf("code %d: %v", code, lines)
	}
	for _, args := range [][]string{
		{"backup", "--data", data, folder}, {"verify", folder}, {"restore", "--data", fresh, folder},
	} {
		code, out, errOut := plumb(t, args...)
		if code != 0 || !strings.Contains(out, "the sqlite database at step") {
			t.Fatalf("%v: code %d: %s%s", args, code, out, errOut)
		}
	}
	if info, err := os.Stat(filepath.Join(fresh, "plumb.db")); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("the restored database: %v %v", info, err)
	}
	if code, lines := records(t, "--listen", "127.0.0.1:0", "--data", fresh); code != 0 {
		t.Errorf("a server on the restored folder: code %d: %v", code, lines)
	}
	if code, _, errOut := plumb(t, "verify", data); code != 1 || !strings.Contains(errOut, "is no backup") {
		t.Errorf("code %d: %s", code, errOut)
	}
}
