package logs

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
)

// A Line is one line that a function printed, or that was printed about it.
type Line struct {
	Place         config.Place
	Group, Stream string
	Text          string

	time int64
}

const (
	// writeEvery is how often lines are written.
	writeEvery = 300 * time.Millisecond
	// maxWaiting is how many bytes of lines may wait to be written.
	maxWaiting = 16 << 20
)

// Add takes a line. It never waits: when lines come faster than they can be
// written, they are counted and lost.
func (s *Store) Add(l Line) {
	l.time = s.millis()
	s.mu.Lock()
	if s.size > maxWaiting {
		s.lost++
		s.mu.Unlock()
		return
	}
	s.lines = append(s.lines, l)
	s.size += len(l.Text) + overhead
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Run writes what was added until ctx ends, and then what is left.
func (s *Store) Run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			s.Flush(context.WithoutCancel(ctx))
			return
		case <-s.wake:
		}
		select {
		case <-ctx.Done():
		case <-time.After(writeEvery):
		}
		s.Flush(context.WithoutCancel(ctx))
	}
}

// Flush writes what was added so far, and reports whether that was anything. Lines
// that cannot be written are lost, and logged as such: a function must not fail for
// its log.
func (s *Store) Flush(ctx context.Context) bool {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.mu.Lock()
	lines, lost := s.lines, s.lost
	s.lines, s.size, s.lost = nil, 0, 0
	s.mu.Unlock()
	if lost > 0 {
		s.log.Warn("lines of functions were lost: they came faster than they could be written", "lines", lost)
	}
	if len(lines) == 0 {
		return false
	}
	err := s.db.Write(ctx, func(tx *db.Tx) error { return s.write(ctx, tx, lines) })
	if err != nil {
		s.log.Error("lines of functions were lost", "lines", len(lines), "err", err)
	}
	return true
}

// write writes lines by stream. Groups come in one order, so that servers do not
// wait for each other in a circle.
func (s *Store) write(ctx context.Context, tx *db.Tx, lines []Line) error {
	slices.SortStableFunc(lines, func(a, b Line) int {
		return cmp.Or(cmp.Compare(a.Place.Account, b.Place.Account), cmp.Compare(a.Place.Region, b.Place.Region),
			cmp.Compare(a.Group, b.Group), cmp.Compare(a.Stream, b.Stream))
	})
	for len(lines) > 0 {
		first, n := lines[0], 1
		for n < len(lines) && lines[n].Place == first.Place && lines[n].Group == first.Group && lines[n].Stream == first.Stream {
			n++
		}
		if err := s.writeStream(ctx, tx, lines[:n]); err != nil {
			return fmt.Errorf("write %s %s: %w", first.Group, first.Stream, err)
		}
		lines = lines[n:]
	}
	return nil
}

// writeStream writes lines of one stream, and makes group and stream if they are
// not there.
func (s *Store) writeStream(ctx context.Context, tx *db.Tx, lines []Line) error {
	l := lines[0]
	if _, err := s.insertGroup(ctx, tx, l.Place, l.Group, nil); err != nil {
		return err
	}
	g, err := findGroup(ctx, tx, l.Place, l.Group)
	if err != nil {
		return err
	}
	if _, err := s.insertStream(ctx, tx, g.id, l.Stream); err != nil {
		return err
	}
	st, err := findStream(ctx, tx, g, l.Stream)
	if err != nil {
		return err
	}
	entries := make([]Entry, len(lines))
	for i, l := range lines {
		entries[i] = Entry{l.time, l.Text}
	}
	return s.insert(ctx, tx, g, st, entries)
}
