package bucket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"plumb/internal/db"
)

// Blobs keeps the bytes of objects under ids of its own choice. A blob never
// changes once it is committed.
type Blobs interface {
	// Create begins a blob.
	Create(ctx context.Context) (BlobWriter, error)
	// Open reads length bytes of a blob from offset.
	Open(ctx context.Context, id string, offset, length int64) (io.ReadCloser, error)
	// Remove deletes a blob; one that is not there is no error.
	Remove(ctx context.Context, id string) error
	// Strays calls f with blobs older than before, for a check that somebody names them.
	Strays(ctx context.Context, before time.Time, f func(id string) error) error
}

// NewBlobs returns where the bytes of objects are kept: with SQLite in the folder,
// with PostgreSQL in the database, which several servers may share.
func NewBlobs(d *db.DB, dir string) (Blobs, error) {
	files, err := NewFiles(dir)
	if err != nil || !d.IsPostgres() {
		return files, err
	}
	return NewRows(d, files), nil
}

// A BlobWriter takes the bytes of one blob. Commit makes it durable and
// readable; Abort forgets it and does nothing after Commit.
type BlobWriter interface {
	io.Writer
	ID() string
	Commit() error
	Abort()
}

// Files is Blobs in a folder: tmp/ holds what is being written, the other
// folders hold what is whole, by the first two letters of the id.
type Files struct {
	dir  string
	mu   sync.Mutex
	made map[string]bool // subfolders known to be on disk
}

// NewFiles opens or makes the folder.
func NewFiles(dir string) (*Files, error) {
	if err := os.MkdirAll(filepath.Join(dir, "tmp"), 0o700); err != nil {
		return nil, fmt.Errorf("make folder for objects: %w", err)
	}
	return &Files{dir: dir, made: map[string]bool{}}, syncFolder(dir)
}

// Create begins a file under tmp/.
func (f *Files) Create(context.Context) (BlobWriter, error) {
	id := newID()
	file, err := os.OpenFile(filepath.Join(f.dir, "tmp", id), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("create blob: %w", err)
	}
	return &fileWriter{files: f, file: file, id: id}, nil
}

// Open reads a part of a file.
func (f *Files) Open(_ context.Context, id string, offset, length int64) (io.ReadCloser, error) {
	file, err := os.Open(f.path(id))
	if err != nil {
		return nil, fmt.Errorf("open blob: %w", err)
	}
	if _, err := file.Seek(offset, io.SeekStart); err != nil {
		file.Close()
		return nil, fmt.Errorf("seek in blob: %w", err)
	}
	return limited{io.LimitReader(file, length), file}, nil
}

// limited closes the file behind a limited reader.
type limited struct {
	io.Reader
	io.Closer
}

// Remove deletes the file.
func (f *Files) Remove(_ context.Context, id string) error {
	if err := os.Remove(f.path(id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove blob: %w", err)
	}
	return nil
}

// Strays walks the folder. Files left in tmp/ by a crash are removed on the way.
func (f *Files) Strays(ctx context.Context, before time.Time, check func(id string) error) error {
	return filepath.WalkDir(f.dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) || (err == nil && d.IsDir()) {
			return ctx.Err()
		}
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil || !info.ModTime().Before(before) {
			return nil // gone or young
		}
		if filepath.Base(filepath.Dir(path)) == "tmp" {
			return os.Remove(path)
		}
		return check(d.Name())
	})
}

func (f *Files) path(id string) string {
	clean := strings.ReplaceAll(filepath.Base(id), ".", "")
	if len(clean) < 2 {
		clean = "__" + clean
	}
	return filepath.Join(f.dir, clean[:2], clean)
}

// folder makes the subfolder of an id, durably, once.
func (f *Files) folder(id string) (string, error) {
	dir := filepath.Dir(f.path(id))
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.made[dir] {
		return dir, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("make folder: %w", err)
	}
	if err := syncFolder(f.dir); err != nil {
		return "", err
	}
	f.made[dir] = true
	return dir, nil
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("open folder: %w", err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	return nil
}

type fileWriter struct {
	files *Files
	file  *os.File
	id    string
	done  bool
}

func (w *fileWriter) ID() string                  { return w.id }
func (w *fileWriter) Write(p []byte) (int, error) { return w.file.Write(p) }

// Commit syncs the file, moves it to its place and syncs the place.
func (w *fileWriter) Commit() error {
	if err := w.file.Sync(); err != nil {
		return fmt.Errorf("sync blob: %w", err)
	}
	if err := w.file.Close(); err != nil {
		return fmt.Errorf("close blob: %w", err)
	}
	dir, err := w.files.folder(w.id)
	if err != nil {
		return err
	}
	if err := os.Rename(w.file.Name(), w.files.path(w.id)); err != nil {
		return fmt.Errorf("place blob: %w", err)
	}
	w.done = true
	return syncFolder(dir)
}

func (w *fileWriter) Abort() {
	if w.done {
		return
	}
	w.file.Close()
	os.Remove(w.file.Name())
}
