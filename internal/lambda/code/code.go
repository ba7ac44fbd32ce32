// Package code keeps the unpacked code of functions on disk. The zip files are
// kept by others; what is here is a cache of them, one folder for each content,
// made when it is first needed and the same for every environment that runs it.
//
//	if err := code.Check(zip); err != nil { ... }
//	folders, err := code.Open(dir)
//	path, err := folders.Get(sha, func() ([]byte, error) { return zip, nil })
package code

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sync"
)

// SHA returns the name of a zip's content: its SHA-256 in hexadecimal.
func SHA(zip []byte) string {
	sum := sha256.Sum256(zip)
	return hex.EncodeToString(sum[:])
}

// Folders is the cache. It is safe for concurrent use.
type Folders struct {
	dir string

	mu   sync.Mutex
	busy map[string]chan struct{} // closed when the folder is there, or could not be made
}

// Open returns the cache in a folder.
func Open(dir string) (*Folders, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	return &Folders{dir: dir, busy: map[string]chan struct{}{}}, nil
}

// Get returns the folder of a content, and unpacks the zip that read returns if
// there is none yet.
func (f *Folders) Get(sha string, read func() ([]byte, error)) (string, error) {
	folder := filepath.Join(f.dir, sha)
	for {
		f.mu.Lock()
		if _, err := os.Stat(folder); err == nil {
			f.mu.Unlock()
			return folder, nil
		}
		wait, ok := f.busy[sha]
		if !ok {
			break
		}
		f.mu.Unlock()
		<-wait
	}
	done := make(chan struct{})
	f.busy[sha] = done
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		delete(f.busy, sha)
		f.mu.Unlock()
		close(done)
	}()
	b, err := read()
	if err != nil {
		return "", fmt.Errorf("read code %s: %w", sha, err)
	}
	if err := f.unpack(folder, b); err != nil {
		return "", fmt.Errorf("unpack code %s: %w", sha, err)
	}
	return folder, nil
}

// Sweep removes folders that nobody needs any more, and what a crash left.
func (f *Folders) Sweep(needed func(sha string) bool) error {
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if needed(e.Name()) {
			continue
		}
		if err := os.RemoveAll(filepath.Join(f.dir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// unpack makes the folder whole or not at all: it appears under its name only
// when its content is on the disk.
func (f *Folders) unpack(folder string, b []byte) error {
	part, err := os.MkdirTemp(f.dir, "part-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(part)
	if err := os.Chmod(part, 0o755); err != nil {
		return err
	}
	if err := extract(part, b); err != nil {
		return err
	}
	if err := syncAll(part); err != nil {
		return err
	}
	if err := os.Rename(part, folder); err != nil {
		if _, there := os.Stat(folder); there == nil {
			return nil // another server with the same folder was faster
		}
		return err
	}
	return nil
}

// extract unpacks into a folder that no name and no link can lead out of.
func extract(dir string, b []byte) error {
	entries, err := read(b)
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	left := int64(MaxUnzipped)
	for _, e := range entries {
		if err := root.MkdirAll(path.Dir(e.name), 0o755); err != nil {
			return err
		}
		switch e.kind {
		case fs.ModeDir:
			err = root.MkdirAll(e.name, 0o755)
		case fs.ModeSymlink:
			root.Remove(e.name)
			err = root.Symlink(e.to, e.name)
		default:
			var n int64
			n, err = write(root, e, left)
			left -= n
		}
		if err != nil {
			return fmt.Errorf("%s: %w", e.name, err)
		}
	}
	return nil
}

// write unpacks a file. Its right to be executed is kept; everybody may read
// it, because tools that make zips in memory often forget to say so.
func write(root *os.Root, e entry, left int64) (int64, error) {
	root.Remove(e.name) // of two entries with one name the last counts
	out, err := root.OpenFile(e.name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, e.file.Mode().Perm()|0o444)
	if err != nil {
		return 0, err
	}
	n, err := inflate(out, e.file, left)
	return n, errors.Join(err, out.Close())
}

// syncAll has the disk take what was written below dir.
func syncAll(dir string) error {
	return filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.Type() == fs.ModeSymlink {
			return err
		}
		f, err := os.Open(p)
		if err != nil {
			return err
		}
		return errors.Join(f.Sync(), f.Close())
	})
}
