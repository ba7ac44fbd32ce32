package rulefile

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Code returns the archive of a function's code, as one would upload it. What a
// folder holds beside its code is left out: tests, fixtures, hidden files. A Go
// program is built first.
func (r Rule) Code(ctx context.Context) ([]byte, error) {
	if r.Handler == "bootstrap" {
		if _, err := os.Stat(filepath.Join(r.Path, "bootstrap")); err != nil {
			return buildGo(ctx, r.Path)
		}
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestSpeed) })
	err := filepath.WalkDir(r.Path, func(path string, e fs.DirEntry, err error) error {
		if err != nil || path == r.Path {
			return err
		}
		inside, err := filepath.Rel(r.Path, path)
		if err != nil {
			return err
		}
		if r.leftOut(filepath.ToSlash(inside), e) {
			if e.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if e.IsDir() {
			return nil
		}
		return addFile(z, filepath.ToSlash(inside), path)
	})
	if err != nil {
		return nil, fmt.Errorf("pack %s: %w", r.Path, err)
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func (r Rule) leftOut(inside string, e fs.DirEntry) bool {
	base := filepath.Base(inside)
	switch {
	case len(r.Files) > 0 && !e.IsDir():
		return !slices.Contains(r.Files, inside)
	case strings.HasPrefix(base, "."), base == "__pycache__", base == "plumb-test.yaml":
		return true
	case len(r.Files) > 0:
		return true
	}
	return e.IsDir() && inside == "fixtures"
}

func addFile(z *zip.Writer, name, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return err
	}
	head := &zip.FileHeader{Name: name, Method: zip.Deflate}
	head.SetMode(info.Mode().Perm() | 0o444)
	w, err := z.CreateHeader(head)
	if err == nil {
		_, err = io.Copy(w, f)
	}
	return err
}

// buildGo builds the program of a folder for the runtime provided.al2023.
func buildGo(ctx context.Context, folder string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "plumb-go-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "bootstrap")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", program, ".")
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go build in %s: %w\n%s", folder, err, bytes.TrimSpace(out))
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestSpeed) })
	if err := addFile(z, "bootstrap", program); err != nil {
		return nil, err
	}
	err = z.Close()
	return b.Bytes(), err
}
