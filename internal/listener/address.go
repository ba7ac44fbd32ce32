package listener

import (
	"net"
	"sync"
)

// PerAddress returns the listener with at most n open connections from each address:
// those beyond are closed at once, so that one client cannot have all places. It goes
// below Limit.
func PerAddress(l net.Listener, n int) net.Listener {
	return &shared{Listener: l, n: n, open: map[string]int{}}
}

type shared struct {
	net.Listener
	n    int
	mu   sync.Mutex
	open map[string]int // by address
}

// Accept returns the next connection whose address has room for it.
func (s *shared) Accept() (net.Conn, error) {
	for {
		c, err := s.Listener.Accept()
		if err != nil {
			return nil, err
		}
		address := AddressOf(c.RemoteAddr().String())
		if s.enter(address) {
			return &conn{Conn: c, done: func() { s.leave(address) }}, nil
		}
		c.Close()
	}
}

func (s *shared) enter(address string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[address] >= s.n {
		return false
	}
	s.open[address]++
	return true
}

func (s *shared) leave(address string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[address]--; s.open[address] == 0 {
		delete(s.open, address)
	}
}
