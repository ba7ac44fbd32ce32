package archive

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
)

// A Source is where files of AWS Config lie.
type Source interface {
	// Name tells sources apart.
	Name() string
	// Files yields what there is. An error ends it.
	Files(ctx context.Context) iter.Seq2[File, error]
	// Open opens a file by its name.
	Open(ctx context.Context, name string) (io.ReadCloser, error)
	// Referred returns the name of the object that a message leads to, as
	// bucket/key, and whether it can be in the source at all.
	Referred(location string) (name string, ok bool)
}

// A File is a file of a source.
type File struct {
	Name    string // with slashes, below what the source names
	Version string // changes with the content
}

// Wanted reports whether a file may be one of AWS Config. A bucket holds what other
// services deliver, too.
func Wanted(name string) bool {
	if !strings.HasSuffix(name, ".json.gz") && !strings.HasSuffix(name, ".json") {
		return false
	}
	_, below, found := strings.Cut("/"+name, "/AWSLogs/")
	return !found || strings.Contains("/"+below, "/Config/")
}

// A Folder is a folder of files, or one file.
type Folder struct {
	path string
	root *os.Root
	one  string // the only file
}

// OpenFolder opens a folder, or a file, as a source.
func OpenFolder(path string) (*Folder, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	f := &Folder{path: path}
	if !info.IsDir() {
		f.path, f.one = filepath.Dir(path), filepath.Base(path)
	}
	f.root, err = os.OpenRoot(f.path)
	return f, err
}

// Close closes the folder.
func (f *Folder) Close() { f.root.Close() }

// Name is the folder's path.
func (f *Folder) Name() string { return f.path }

// Files yields the files of the folder and those below, by name.
func (f *Folder) Files(ctx context.Context) iter.Seq2[File, error] {
	return func(yield func(File, error) bool) {
		err := fs.WalkDir(f.root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
			switch {
			case ctx.Err() != nil:
				return ctx.Err()
			case err != nil:
				return err
			case !d.Type().IsRegular() || !Wanted(name) && name != f.one || f.one != "" && name != f.one:
				return nil
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			if !yield(File{name, fmt.Sprintf("%d/%d", info.Size(), info.ModTime().UnixNano())}, nil) {
				return fs.SkipAll
			}
			return nil
		})
		if err != nil {
			yield(File{}, err)
		}
	}
}

// Open opens a file of the folder. A link that leads out of it is refused.
func (f *Folder) Open(_ context.Context, name string) (io.ReadCloser, error) {
	return f.root.Open(name)
}

// Referred finds a copy of an object: below its key, or below AWSLogs.
func (f *Folder) Referred(location string) (string, bool) {
	_, key, _ := strings.Cut(location, "/")
	for key != "" && fs.ValidPath(key) {
		if info, err := f.root.Stat(filepath.FromSlash(key)); err == nil && info.Mode().IsRegular() {
			return key, true
		}
		_, key, _ = strings.Cut(key, "/") // a prefix of the channel, or a folder that was copied alone
	}
	return "", false
}
