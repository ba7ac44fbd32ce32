package listener

import (
	"bytes"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// Limits of what is read before a server gets a connection.
const (
	firstRead = 512      // bytes: the head of most requests needs two reads
	maxHead   = 16 << 10 // bytes: a longer head is the server's to judge
)

// Head returns the listener with those of its connections that have sent the head of a
// first HTTP request, or what is none. A server of net/http has buffers and a deep stack
// for each connection; who sends a byte now and then has a small buffer here, and none
// of the server's. Who has not sent a head in time is cut off.
func Head(l net.Listener, within time.Duration) net.Listener {
	h := &headed{Listener: l, within: within, begun: make(chan accepted), closed: make(chan struct{}), waiting: map[net.Conn]bool{}}
	go h.accept()
	return h
}

type headed struct {
	net.Listener
	within time.Duration
	begun  chan accepted
	once   sync.Once
	closed chan struct{}

	mu      sync.Mutex
	waiting map[net.Conn]bool // nil once the listener is closed
}

type accepted struct {
	conn net.Conn
	err  error
}

// Accept waits for a connection on which a request has begun.
func (h *headed) Accept() (net.Conn, error) {
	select {
	case a := <-h.begun:
		return a.conn, a.err
	case <-h.closed:
		return nil, net.ErrClosed
	}
}

// Close ends the connections that nobody has accepted, too.
func (h *headed) Close() error {
	h.once.Do(func() { close(h.closed) })
	h.mu.Lock()
	waiting := h.waiting
	h.waiting = nil
	h.mu.Unlock()
	err := h.Listener.Close()
	for c := range waiting {
		c.Close()
	}
	return err
}

func (h *headed) accept() {
	for {
		c, err := h.Listener.Accept()
		if err == nil {
			go h.read(c)
			continue
		}
		if !h.hand(accepted{err: err}) || errors.Is(err, net.ErrClosed) {
			return
		}
	}
}

// hand gives a connection or an error to who accepts, and reports whether there is one.
func (h *headed) hand(a accepted) bool {
	select {
	case h.begun <- a:
		return true
	case <-h.closed:
		return false
	}
}

// keep notes whether a connection waits here, and reports whether the listener is open.
func (h *headed) keep(c net.Conn, waits bool) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.waiting == nil:
		return false
	case waits:
		h.waiting[c] = true
	default:
		delete(h.waiting, c)
	}
	return true
}

func (h *headed) read(c net.Conn) {
	if !h.keep(c, true) {
		c.Close()
		return
	}
	head, err := readHead(c, time.Now().Add(h.within))
	if !h.keep(c, false) || err != nil || !h.hand(accepted{conn: &begun{Conn: c, head: head}}) {
		c.Close()
	}
}

// readHead reads until a request's head is whole, or cannot become one.
func readHead(c net.Conn, until time.Time) ([]byte, error) {
	if err := c.SetReadDeadline(until); err != nil {
		return nil, err
	}
	head := make([]byte, 0, firstRead)
	for !isHead(head) && len(head) < maxHead {
		if len(head) == cap(head) {
			head = append(make([]byte, 0, 2*cap(head)), head...)
		}
		n, err := c.Read(head[len(head):cap(head)])
		head = head[:len(head)+n]
		if err != nil && !isHead(head) {
			return nil, err
		}
	}
	return head, c.SetReadDeadline(time.Time{})
}

// isHead reports whether a text ends a request's head, or is none: methods are upper
// case.
func isHead(text []byte) bool {
	if len(text) > 0 && (text[0] < 'A' || text[0] > 'Z') {
		return true
	}
	return bytes.Contains(text, []byte("\r\n\r\n")) || bytes.Contains(text, []byte("\n\n"))
}

// A begun connection gives what was read of it, and then the rest.
type begun struct {
	net.Conn
	head []byte
}

func (c *begun) Read(p []byte) (int, error) {
	if len(c.head) == 0 {
		return c.Conn.Read(p)
	}
	n := copy(p, c.head)
	if c.head = c.head[n:]; len(c.head) == 0 {
		c.head = nil
	}
	return n, nil
}

// ReadFrom lets the kernel copy a file.
func (c *begun) ReadFrom(r io.Reader) (int64, error) { return io.Copy(c.Conn, r) }

// CloseWrite ends the writing side alone.
func (c *begun) CloseWrite() error { return closeWrite(c.Conn) }
