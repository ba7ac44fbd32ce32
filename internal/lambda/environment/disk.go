package environment

import (
	"io/fs"
	"path/filepath"
	"time"
)

// diskEvery is how often the scratch folders are measured. One file is held to
// the limit by the kernel; many files together by this.
const diskEvery = 2 * time.Second

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
	var made []*environment
	for e := range p.all {
		if e.made {
			made = append(made, e)
		}
	}
	p.mu.Unlock()
	for _, e := range made {
		limit := int64(e.version.Ephemeral) << 20
		if used := used(filepath.Join(e.folder, "tmp"), limit); used <= limit {
			continue
		}
		p.log.Warn("function filled its /tmp and is ended", "function", e.version.Function)
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

// used adds up the files below dir, and stops when there are more than enough.
func used(dir string, enough int64) int64 {
	var sum int64
	filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil // it was removed meanwhile
		}
		if info, err := d.Info(); err == nil && info.Mode().IsRegular() {
			sum += info.Size()
		}
		if sum > enough {
			return filepath.SkipAll
		}
		return nil
	})
	return sum
}
