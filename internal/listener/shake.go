package listener

import (
	"container/list"
	"net"
	"runtime"
	"sync"
)

// maxHandshakes is how many handshakes of TLS may wait for their client. Each has some
// 20 KiB, so strangers are not to have many. A client answers at once.
const maxHandshakes = 256

// handshakes bounds what handshakes of TLS take together. They take turns at the
// processors, half of which are left to requests that have begun. Of those that wait for
// their client the oldest makes room for the next one: a new connection never waits for
// clients that do not answer.
type handshakes struct {
	next       sync.Mutex // of the one that begins and waits for a turn, so that those that go on do not queue behind all others
	turns      chan struct{}
	maxWaiting int

	mu      sync.Mutex
	waiting list.List // of net.Conn, the oldest first
}

func newHandshakes(maxWaiting int) *handshakes {
	return &handshakes{turns: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)), maxWaiting: maxWaiting}
}

// begin waits for a turn. Its connection gives it up whenever it waits for the client.
func (h *handshakes) begin(c net.Conn, hello []byte) *shaking {
	h.next.Lock()
	h.turns <- struct{}{}
	h.next.Unlock()
	return &shaking{begun: begun{Conn: c, head: hello}, of: h}
}

// enter has a connection wait for its client, instead of the oldest if there are too many.
func (h *handshakes) enter(c net.Conn) *list.Element {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.waiting.Len() >= h.maxWaiting {
		h.waiting.Remove(h.waiting.Front()).(net.Conn).Close()
	}
	return h.waiting.PushBack(c)
}

// leave ends the wait of a connection, which may have made room already.
func (h *handshakes) leave(e *list.Element) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.waiting.Remove(e)
}

// A shaking connection is one whose handshake goes on, until its end.
type shaking struct {
	begun
	of    *handshakes // nil after the end
	place *list.Element
}

// Read gives up the turn while the client has sent nothing more.
func (c *shaking) Read(p []byte) (int, error) {
	if c.of == nil || len(c.head) > 0 {
		return c.begun.Read(p)
	}
	if c.place == nil {
		c.place = c.of.enter(c.Conn)
	}
	<-c.of.turns
	defer func() { c.of.turns <- struct{}{} }()
	return c.begun.Read(p)
}

// end gives back what the handshake had.
func (c *shaking) end() {
	<-c.of.turns
	if c.place != nil {
		c.of.leave(c.place)
	}
	c.of, c.place = nil, nil
}
