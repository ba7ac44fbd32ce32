package rulefile

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Code is the code of a function: an archive, or the one program that is all of it.
type Code struct {
	Program []byte // that was built; nil for an archive
	archive []byte
}

// Archive returns the zip file that one would upload.
func (c Code) Archive() ([]byte, error) {
	if c.Program == nil {
		return c.archive, nil
	}
	method := zip.Store // which saves a fifth of a second at each save
	if len(c.Program) > storedProgram {
		method = zip.Deflate
	}
	var b bytes.Buffer
	z := newZip(&b)
	head := &zip.FileHeader{Name: "bootstrap", Method: method}
	head.SetMode(0o755)
	w, err := z.CreateHeader(head)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(c.Program); err != nil {
		return nil, err
	}
	err = z.Close()
	return b.Bytes(), err
}

// Digest is another one for other code.
func (c Code) Digest() [sha256.Size]byte {
	if c.Program != nil {
		return sha256.Sum256(c.Program)
	}
	return sha256.Sum256(c.archive)
}

// newZip returns a writer that compresses as fast as it can.
func newZip(w io.Writer) *zip.Writer {
	z := zip.NewWriter(w)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestSpeed) })
	return z
}

// Code returns a function's code. What a folder holds beside its code is left out:
// tests, fixtures, hidden files. A Go program is built.
func (r Rule) Code(ctx context.Context) (Code, error) {
	if r.packed != nil {
		return *r.packed, nil
	}
	if r.inline != nil {
		archive, err := packTexts(r.inline)
		return Code{archive: archive}, err
	}
	if r.Zipped() {
		archive, err := os.ReadFile(r.Path)
		return Code{archive: archive}, err
	}
	if r.Handler == "bootstrap" {
		if _, err := os.Stat(filepath.Join(r.Path, "bootstrap")); err != nil {
			program, err := buildGo(ctx, r.Path)
			return Code{Program: program}, err
		}
	}
	archive, err := r.archive()
	return Code{archive: archive}, err
}

// archive packs what the folder holds.
func (r Rule) archive() ([]byte, error) {
	var b bytes.Buffer
	z := newZip(&b)
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

// Pack returns the rule with its code read, or built, as it is now: Code returns that
// from then on.
func (r Rule) Pack(ctx context.Context) (Rule, error) {
	c, err := r.Code(ctx)
	if err == nil {
		r.packed = &c
	}
	return r, err
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
	case slices.ContainsFunc(r.excludes, func(e *regexp.Regexp) bool { return e.MatchString(inside) }):
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

// storedProgram is up to which size a program is not compressed: an upload may have
// 50 MB.
const storedProgram = 32 << 20

// A BuildError is what a compiler says of a program.
type BuildError struct {
	Text     string // all of it
	Mistakes []Mistake
}

// A Mistake is what a compiler says of a line.
type Mistake struct {
	Path    string
	Line    int
	Message string
}

func (e *BuildError) Error() string { return e.Text }

// place is how the compiler begins a line about one of a file.
var place = regexp.MustCompile(`^([^ \t:]+\.(?:go|mod)):(\d+)(?::\d+)?: (.*)`)

// notBuilt is what the compiler says, with the paths of files as the folder's is
// written.
func notBuilt(folder string, err error, output string) error {
	e := &BuildError{}
	var lines []string
	for line := range strings.Lines(output) {
		line = strings.TrimRight(line, "\n")
		if line == "" || strings.HasPrefix(line, "# ") {
			continue
		}
		if m := place.FindStringSubmatch(line); m != nil {
			path := m[1]
			if !filepath.IsAbs(path) {
				path = filepath.Join(folder, filepath.FromSlash(path))
				line = filepath.ToSlash(path) + line[len(m[1]):]
			}
			number, _ := strconv.Atoi(m[2])
			e.Mistakes = append(e.Mistakes, Mistake{path, number, m[3]})
		}
		lines = append(lines, line)
	}
	if len(lines) == 0 {
		return fmt.Errorf("go build in %s: %w", folder, err)
	}
	e.Text = strings.Join(lines, "\n")
	return e
}

// buildGo builds the program of a folder for the runtime provided.al2023.
func buildGo(ctx context.Context, folder string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "plumb-go-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "bootstrap")
	// Without what debuggers want, linking takes half as long; panics have their lines all the same. Nobody asks
	// which commit it is of.
	cmd := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-ldflags=-s -w", "-o", program, ".")
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, notBuilt(folder, err, string(out))
	}
	return os.ReadFile(program)
}
