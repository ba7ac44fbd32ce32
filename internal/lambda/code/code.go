// Package code keeps the unpacked code of functions on disk. The zip files are
// kept by others; what is here is a cache of them, one folder for each content,
// made when it is first needed and the same for every environment that runs it.
// A folder stays while somebody uses it. It goes when no function has its content
// any more, or when the cache is full and it was not used for longest.
//
//	if err := code.Check(zip); err != nil { ... }
//	folders, err := code.Open(dir)
//	path, release, err := folders.Get(sha, func() ([]byte, error) { return zip, nil })
//	defer release()
package code

import (
	"bytes"
	"crypto/rand"
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

// maxKept is how many bytes of unpacked code are kept that nobody uses.
const maxKept = 8 << 30

// SHA returns the name of a zip's content: its SHA-256 in hexadecimal.
func SHA(zip []byte) string {
	sum := sha256.Sum256(zip)
	return hex.EncodeToString(sum[:])
}

// Folders is the cache. It is safe for concurrent use.
type Folders struct {
	dir     string
	maxKept int64

	mu   sync.Mutex
	busy map[string]chan struct{} // closed when the folder is there, or could not be made
	kept map[string]*folder       // by digest
	uses int64                    // how often one was asked for
}

// A folder is unpacked code. Its fields are guarded by the cache.
type folder struct {
	size     int64 // bytes on disk; 0 is not measured yet
	users    int
	used     int64 // when it was last asked for, in uses
	unneeded bool  // no function has it: it goes with its last user
}

// Open returns the cache in a folder. What was unpacked before this machine was
// started is removed: it was not waited for until the disk had it, and may be
// there in part.
func Open(dir string) (*Folders, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	f := &Folders{dir: dir, maxKept: maxKept, busy: map[string]chan struct{}{}, kept: map[string]*folder{}}
	whole, err := f.sameBoot()
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		switch _, err := hex.DecodeString(e.Name()); {
		case e.Name() == bootFile:
		case whole && err == nil && len(e.Name()) == 2*sha256.Size:
			f.kept[e.Name()] = &folder{}
		default:
			if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
				return nil, err
			}
		}
	}
	return f, nil
}

// bootFile says during which run of the machine the folders were made.
const bootFile = "boot"

// sameBoot reports whether the machine has not been started since the last Open.
func (f *Folders) sameBoot() (bool, error) {
	now, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return false, nil // not Linux: the cache is filled anew after each start
	}
	file := filepath.Join(f.dir, bootFile)
	if then, err := os.ReadFile(file); err == nil && bytes.Equal(then, now) {
		return true, nil
	}
	return false, os.WriteFile(file, now, 0o600)
}

// Get returns the folder of a content, and unpacks the zip that read returns if
// there is none yet. The folder stays until release is called.
func (f *Folders) Get(sha string, read func() ([]byte, error)) (dir string, release func(), err error) {
	return f.get(sha, func(part string) error {
		b, err := read()
		if err != nil {
			return err
		}
		return extract(part, b)
	})
}

// get returns the folder of a content, and has it filled if there is none yet.
func (f *Folders) get(sha string, fill func(part string) error) (dir string, release func(), err error) {
	dir = filepath.Join(f.dir, sha)
	for {
		f.mu.Lock()
		if k := f.use(sha); k != nil {
			f.mu.Unlock()
			return dir, func() { f.release(sha, k) }, nil
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
	defer close(done)
	size, err := f.make(dir, fill)
	f.mu.Lock()
	delete(f.busy, sha)
	if err != nil {
		f.mu.Unlock()
		return "", nil, fmt.Errorf("unpack code %s: %w", sha, err)
	}
	k := &folder{size: size}
	f.kept[sha] = k
	f.use(sha)
	gone := f.evict()
	f.mu.Unlock()
	remove(gone)
	return dir, func() { f.release(sha, k) }, nil
}

// Hold has a folder that Get returned, and that is in use now, stay until release
// is called.
func (f *Folders) Hold(dir string) (release func()) {
	sha := filepath.Base(dir)
	f.mu.Lock()
	defer f.mu.Unlock()
	k := f.use(sha)
	if k == nil {
		return func() {}
	}
	return func() { f.release(sha, k) }
}

// use notes one more user of a folder; nil if it is not there.
func (f *Folders) use(sha string) *folder {
	k := f.kept[sha]
	if k == nil {
		return nil
	}
	if _, err := os.Stat(filepath.Join(f.dir, sha)); err != nil {
		delete(f.kept, sha) // somebody else cleared the disk
		return nil
	}
	f.uses++
	k.users, k.used, k.unneeded = k.users+1, f.uses, false
	return k
}

func (f *Folders) release(sha string, k *folder) {
	f.mu.Lock()
	k.users--
	var gone []string
	if k.users == 0 && k.unneeded && f.kept[sha] == k {
		gone = f.drop(nil, sha)
	}
	f.mu.Unlock()
	remove(gone)
}

// Sweep removes the folders that nobody needs any more: those that are in use,
// when they are not.
func (f *Folders) Sweep(needed func(sha string) bool) {
	f.mu.Lock()
	var gone []string
	for sha, k := range f.kept {
		switch {
		case needed(sha):
		case k.users > 0:
			k.unneeded = true
		default:
			gone = f.drop(gone, sha)
		}
	}
	f.mu.Unlock()
	remove(gone)
}

// evict drops what was not used for longest while there is more than may be.
func (f *Folders) evict() (gone []string) {
	var sum int64
	for sha, k := range f.kept {
		if k.size == 0 {
			k.size = sizeOf(filepath.Join(f.dir, sha))
		}
		sum += k.size
	}
	for sum > f.maxKept {
		oldest := ""
		for sha, k := range f.kept {
			if k.users == 0 && (oldest == "" || k.used < f.kept[oldest].used) {
				oldest = sha
			}
		}
		if oldest == "" {
			break // all is in use
		}
		sum -= f.kept[oldest].size
		gone = f.drop(gone, oldest)
	}
	return gone
}

// drop takes a folder out of the cache, and adds to gone what is to be removed
// when the lock is let go.
func (f *Folders) drop(gone []string, sha string) []string {
	delete(f.kept, sha)
	out := filepath.Join(f.dir, "gone-"+rand.Text())
	if os.Rename(filepath.Join(f.dir, sha), out) != nil {
		return gone // it is not there: the next user makes it anew
	}
	return append(gone, out)
}

// remove deletes dropped folders. What remains goes at the next Open.
func remove(gone []string) {
	for _, dir := range gone {
		_ = os.RemoveAll(dir)
	}
}

// make makes the folder whole or not at all, and returns its size.
func (f *Folders) make(dir string, fill func(part string) error) (size int64, err error) {
	part, err := os.MkdirTemp(f.dir, "part-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(part)
	if err := os.Chmod(part, 0o755); err != nil {
		return 0, err
	}
	if err := fill(part); err != nil {
		return 0, err
	}
	return sizeOf(part), os.Rename(part, dir)
}

// sizeOf adds up what a folder takes on the disk, which gives out blocks.
func sizeOf(dir string) (sum int64) {
	const block = 4096
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil // what cannot be read cannot be counted
		}
		if info, err := d.Info(); err == nil {
			sum += max(block, (info.Size()+block-1)/block*block)
		}
		return nil
	})
	return sum
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
