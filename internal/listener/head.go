package listener

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"plumb/internal/memory"
)

// MaxHead is how many bytes of a request's head a server needs to read: a longer one is
// handed over as it is, for the server to refuse.
const MaxHead = 64 << 10

// Limits of what is read before a server gets a connection.
const (
	firstRead = 512      // bytes: the head of most requests needs two reads
	freeHead  = 4 << 10  // bytes: what most clients send, so that strangers' long heads keep nobody out
	maxHeads  = 32 << 20 // bytes beyond that of all heads that are being read
)

// Head returns the listener with those of its connections that have sent the head of a
// first HTTP request, or what is none. A server of net/http has buffers and a deep stack
// for each connection; who sends a byte now and then has a small buffer here, and none
// of the server's. A client that has not sent a head in time is cut off, and so is one with a
// long head for which there is no memory at the moment.
//
// With a TLS configuration, the connections are decrypted. It may offer HTTP/1.1 only.
func Head(l net.Listener, config *tls.Config, within time.Duration) net.Listener {
	h := &headed{
		Listener: l, config: config, within: within, heads: memory.New(maxHeads), handshakes: newHandshakes(maxHandshakes),
		begun: make(chan accepted), closed: make(chan struct{}), waiting: map[net.Conn]bool{},
	}
	go h.accept()
	return h
}

type headed struct {
	net.Listener
	config *tls.Config // nil without TLS
	within time.Duration
	begun  chan accepted
	once   sync.Once
	closed chan struct{}
	heads  *memory.Budget // for all long ones that are being read

	handshakes *handshakes

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

// hand gives a connection or an error to a call of Accept, and reports whether there is one.
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

// read reads until a connection's first request has begun, and hands it over. Each step
// has a goroutine of its own: a handshake leaves a deep stack behind, on which nobody is
// to wait.
func (h *headed) read(c net.Conn) {
	if !h.keep(c, true) || c.SetDeadline(time.Now().Add(h.within)) != nil {
		h.end(c)
		return
	}
	if h.config == nil {
		head, err := h.readUntil(c, isHead)
		h.pass(c, &begun{Conn: c, head: head}, err)
		return
	}
	// The state of a handshake is large, too, so it begins when the client's side of it is there.
	hello, err := h.readUntil(c, isHello)
	if err != nil {
		h.end(c)
		return
	}
	go h.shake(c, hello)
}

func (h *headed) shake(c net.Conn, hello []byte) {
	plain := isRequest(hello)
	shaking := h.handshakes.begin(c, hello)
	secure := tls.Server(shaking, h.config)
	err := secure.Handshake()
	shaking.end()
	if err != nil {
		if plain {
			io.WriteString(c, "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n")
		}
		h.end(c)
		return
	}
	go func() {
		head, err := h.readUntil(secure, isHead)
		h.pass(c, &secured{begun{Conn: secure, head: head}, secure}, err)
	}()
}

// pass hands a connection over whose first request has begun.
func (h *headed) pass(c, begun net.Conn, err error) {
	if err = errors.Join(err, c.SetDeadline(time.Time{})); !h.keep(c, false) || err != nil || !h.hand(accepted{conn: begun}) {
		c.Close()
	}
}

// end ends a connection that no request came on.
func (h *headed) end(c net.Conn) {
	h.keep(c, false)
	c.Close()
}

// readUntil reads until what was read is enough, or too much. enough is told where what
// is new begins.
func (h *headed) readUntil(c net.Conn, enough func(text []byte, from int) bool) ([]byte, error) {
	share := h.heads.Share()
	defer share.Release()
	text, from := make([]byte, 0, firstRead), 0
	for !enough(text, from) && len(text) < MaxHead {
		if len(text) == cap(text) {
			if more := int64(cap(text)); more >= freeHead {
				if err := share.Take(more); err != nil {
					return nil, err
				}
			}
			text = append(make([]byte, 0, 2*cap(text)), text...)
		}
		from = len(text)
		n, err := c.Read(text[from:cap(text)])
		text = text[:from+n]
		if err != nil && !enough(text, from) {
			return nil, err
		}
	}
	return text, nil
}

// isHead reports whether a text ends a request's head, or is none.
func isHead(text []byte, from int) bool {
	if len(text) > 0 && !isRequest(text) {
		return true
	}
	end := text[max(0, from-3):]
	return bytes.Contains(end, []byte("\r\n\r\n")) || bytes.Contains(end, []byte("\n\n"))
}

// isRequest reports whether a text may begin a request: methods are upper case.
func isRequest(text []byte) bool { return len(text) > 0 && text[0] >= 'A' && text[0] <= 'Z' }

// isHello reports whether a text has the first record of a TLS handshake, or is none.
func isHello(text []byte, _ int) bool {
	const handshake, header = 22, 5
	if len(text) > 0 && text[0] != handshake {
		return true
	}
	return len(text) >= header && len(text) >= header+int(binary.BigEndian.Uint16(text[header-2:]))
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

// A secured connection is one by TLS, which is what a server of net/http asks for.
type secured struct {
	begun
	tls *tls.Conn
}

// ConnectionState says what the two sides agreed on.
func (c *secured) ConnectionState() tls.ConnectionState { return c.tls.ConnectionState() }
