package environment

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// diskEvery is how often the scratch folders of working functions are measured,
// and idleDiskEvery those of others. One file is held to the limit by the kernel;
// many files together by this. A folder that takes long to measure is measured less
// often.
const (
	diskEvery     = 250 * time.Millisecond
	idleDiskEvery = 2 * time.Second
)

// watchDisk ends processes that have filled more of /tmp than they may.
func (p *Pool) watchDisk() {
	tick := time.NewTicker(diskEvery)
	defer tick.Stop()
	for {
		select {
		case <-p.stop:
			return
		case <-tick.C:
			p.checkDisk()
		}
	}
}

func (p *Pool) checkDisk() {
	p.mu.Lock()
	type look struct {
		*environment
		version Version // of now: another one's code may be put while the disk is read
	}
	var made []look
	for e := range p.all {
		if !e.made || time.Now().Before(e.nextLook) {
			continue
		}
		made = append(made, look{e, e.version})
		if slices.Contains(p.idle[e.version.Key], e) {
			e.nextLook = time.Now().Add(idleDiskEvery)
		}
	}
	p.mu.Unlock()
	for _, l := range made {
		const rest = 20 // times what it took
		e, began := l.environment, time.Now()
		full := e.overfull(int64(l.version.Ephemeral) << 20)
		if next := time.Now().Add(rest * time.Since(began)); next.After(e.nextLook) {
			e.nextLook = next
		}
		if !full {
			continue
		}
		p.log.Warn("function filled its /tmp and is ended", "function", l.version.Function)
		e.filled.Store(true)
		p.mu.Lock()
		e.retired = true
		idle := p.dropIdle(e)
		p.mu.Unlock()
		if idle {
			e.remove()
		} else if c := e.child.Load(); c != nil {
			c.Kill()
		}
	}
}

// overfull reports whether the environment takes more of the disk than it may, in
// bytes.
func (e *environment) overfull(limit int64) bool {
	tmp := filepath.Join(e.folder, "tmp")
	sum := used(tmp, limit)
	if c := e.child.Load(); c != nil && sum <= limit {
		sum += c.Unlinked(tmp)
	}
	return sum > limit
}

const (
	// maxDepth is how many folders may lie in each other. Each is held open while
	// what is below it is measured, because its path may be longer than a path can be.
	maxDepth = 200
	// fileCost is what the smallest file counts: names and inodes take room too.
	fileCost = 4096
)

// used adds up what lies below dir, and stops when there is more than enough; a
// folder that is too deep, or closed to this program, is more than enough.
func used(dir string, enough int64) int64 {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return 0 // it was removed meanwhile
	}
	m := measure{enough: enough, linked: map[any]bool{}}
	m.folder(root, 0)
	return m.sum
}

// removeTree removes a scratch folder, also what a function closed in it.
func removeTree(dir string) error {
	err := os.RemoveAll(dir)
	if !errors.Is(err, fs.ErrPermission) {
		return err
	}
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, _ error) error {
		if d != nil && d.IsDir() {
			_ = os.Chmod(path, 0o700)
		}
		return nil
	})
	return os.RemoveAll(dir)
}

type measure struct {
	sum, enough int64
	linked      map[any]bool // files with several names that were counted
}

// folder measures a folder and closes it.
func (m *measure) folder(root *os.Root, depth int) {
	defer root.Close()
	if depth > maxDepth {
		m.sum = m.enough + 1
		return
	}
	list, err := root.Open(".")
	if err != nil {
		return
	}
	defer list.Close()
	for m.sum <= m.enough {
		entries, err := list.ReadDir(1000)
		for _, e := range entries {
			m.entry(root, e, depth)
		}
		if err != nil { // io.EOF, or it was removed meanwhile
			return
		}
	}
}

func (m *measure) entry(root *os.Root, e fs.DirEntry, depth int) {
	if m.sum > m.enough {
		return
	}
	info, err := root.Lstat(e.Name())
	if err != nil {
		return
	}
	size, id := onDisk(info)
	if id != nil && m.linked[id] {
		return
	}
	if id != nil {
		m.linked[id] = true
	}
	m.sum += max(size, fileCost)
	if !info.IsDir() {
		return
	}
	below, err := root.OpenRoot(e.Name())
	if errors.Is(err, fs.ErrPermission) {
		m.sum = m.enough + 1 // it hides something
	}
	if err == nil {
		m.folder(below, depth+1)
	}
}
