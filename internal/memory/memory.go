// Package memory bounds how many bytes the requests of a server hold together. Nobody
// waits for memory: who finds none is told to come again, which clients do by
// themselves.
//
//	bodies := memory.New(128 << 20)
//	share := bodies.Share()
//	defer share.Release()
//	body, err := io.ReadAll(share.Reader(r.Body))
//
// It stores nothing.
package memory

import (
	"io"
	"sync/atomic"

	"plumb/internal/model"
)

// A Budget is memory that requests share.
type Budget struct {
	most int64
	used atomic.Int64
}

// New returns a budget of so many bytes.
func New(most int64) *Budget { return &Budget{most: most} }

// Used is how many bytes are held.
func (b *Budget) Used() int64 { return b.used.Load() }

// Share returns what one request holds: nothing yet.
func (b *Budget) Share() *Share { return &Share{of: b} }

// A Share is what one request holds of a budget. It is safe for concurrent use.
type Share struct {
	of   *Budget
	held atomic.Int64
}

// ErrNone is the error of a request that gets no memory. Clients of AWS try again.
var ErrNone = model.ServiceUnavailable("The server has no memory for this at the moment. Try again.")

// Take takes n bytes more, or fails with ErrNone and takes none.
func (s *Share) Take(n int64) error {
	if s.of.used.Add(n) > s.of.most {
		s.of.used.Add(-n)
		return ErrNone
	}
	s.held.Add(n)
	return nil
}

// Release gives back what was taken.
func (s *Share) Release() { s.of.used.Add(-s.held.Swap(0)) }

// Reader takes what is read, as it is read: who announces much and sends little holds
// little.
func (s *Share) Reader(r io.Reader) io.Reader { return &reader{s, r} }

type reader struct {
	share *Share
	r     io.Reader
}

func (r *reader) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	if none := r.share.Take(int64(n)); none != nil {
		return 0, none
	}
	return n, err
}
