// Package shims holds the programs that run functions in languages that have no
// Runtime API client of their own: a small one for Python, one for Node.js, and
// what makes older AWS SDKs follow AWS_ENDPOINT_URL.
//
// It stores them in a folder that the functions see as /var/runtime.
package shims

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

//go:embed *.py *.cjs *.mjs
var files embed.FS

// Names of the programs in the folder.
const (
	Python = "bootstrap.py"
	Node   = "bootstrap.cjs"
)

// Install writes the shims below dir and returns their folder. Its name is made
// of their content, so programs of two versions can share dir.
func Install(dir string) (string, error) {
	names, err := fs.Glob(files, "*")
	if err != nil {
		return "", err
	}
	hash := sha256.New()
	for _, n := range names {
		text, err := files.ReadFile(n)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(hash, "%s %d\n", n, len(text))
		hash.Write(text)
	}
	folder := filepath.Join(dir, "runtime-"+hex.EncodeToString(hash.Sum(nil))[:16])
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", fmt.Errorf("install runtimes: %w", err)
	}
	for _, n := range names {
		if err := writeOnce(filepath.Join(folder, n), n); err != nil {
			return "", fmt.Errorf("install runtimes: %w", err)
		}
	}
	return folder, nil
}

// writeOnce writes a shim unless it is there already, whole or not at all.
func writeOnce(path, name string) error {
	text, err := files.ReadFile(name)
	if err != nil {
		return err
	}
	if info, err := os.Stat(path); err == nil && info.Size() == int64(len(text)) {
		return nil
	}
	part, err := os.CreateTemp(filepath.Dir(path), name)
	if err != nil {
		return err
	}
	defer os.Remove(part.Name())
	if _, err := part.Write(text); err != nil {
		part.Close()
		return err
	}
	if err := part.Chmod(0o644); err != nil {
		part.Close()
		return err
	}
	if err := part.Close(); err != nil {
		return err
	}
	return os.Rename(part.Name(), path)
}
