package ruledev

import (
	"context"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"plumb/internal/rulefile"
)

// interval is how often a folder is looked at for saved files. Looking at some
// hundred files takes less than a millisecond.
const interval = 25 * time.Millisecond

// Watch evaluates, and again after each save, until ctx ends.
func (s *Session) Watch(ctx context.Context) error {
	return s.watch(ctx, time.NewTicker(interval).C)
}

func (s *Session) watch(ctx context.Context, tick <-chan time.Time) error {
	var last uint64
	for {
		now, err := s.fingerprint()
		if err != nil {
			return err
		}
		if now != last {
			s.notice()
			if last, err = s.fingerprint(); err != nil {
				return err
			}
			s.round(ctx)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick:
		}
	}
}

// round is a Round of which nothing ends the loop: the author goes on to type.
func (s *Session) round(ctx context.Context) {
	fmt.Fprintf(s.Out, "%s %s\n", time.Now().Format("15:04:05"), shown(s.Folder))
	if err := s.Round(ctx); err != nil && ctx.Err() == nil {
		p := &page{s.Out, s.Color}
		for line := range strings.Lines(err.Error()) {
			fmt.Fprintf(s.Out, "  %s\n", p.in(red, strings.TrimRight(line, "\n")))
		}
	}
	fmt.Fprintln(s.Out)
}

// fingerprint changes when a file of the folder is saved, comes or goes, or one that a
// rule of it has elsewhere.
func (s *Session) fingerprint() (uint64, error) {
	h := fnv.New64a()
	err := addFiles(h, s.base())
	for _, path := range s.elsewhere {
		_ = addFiles(h, path) // a round says that it is not there
	}
	return h.Sum64(), err
}

// notice finds the code of rules that is not below the folder. While a declaration is
// broken, what it named before is watched.
func (s *Session) notice() {
	rules, err := rulefile.Find(s.Folder)
	if err != nil {
		return
	}
	s.elsewhere = nil
	for _, r := range rules {
		for _, path := range r.Sources() {
			if inside, err := filepath.Rel(s.base(), path); err != nil || !filepath.IsLocal(inside) {
				s.elsewhere = append(s.elsewhere, path)
			}
		}
	}
}

// addFiles adds the state of a file, or of those below a folder, to a hash.
func addFiles(h io.Writer, folder string) error {
	return filepath.WalkDir(folder, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			if path == folder {
				return err
			}
			return nil // it went while we looked
		}
		if name := e.Name(); path != folder && (strings.HasPrefix(name, ".") || name == "node_modules" || name == "__pycache__") {
			if e.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if info, err := e.Info(); err == nil && !e.IsDir() {
			fmt.Fprintln(h, path, info.Size(), info.ModTime().UnixNano())
		}
		return nil
	})
}
