package sandbox

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"time"
)

// maxForwarded is how many connections of one child are carried at a time, to all
// addresses together. Each takes descriptors of this program, so the others wait in the kernel.
const maxForwarded = 64

// copyBuffer is how many bytes are copied at a time, in each direction.
const copyBuffer = 16 << 10

// connectTimeout is how long a connection outside may take, and a child's TLS
// handshake.
const connectTimeout = 10 * time.Second

// carry answers the connections that a child makes inside by connections to the
// address outside, until the listener closes. Places are those of all listeners of
// the child.
func carry(l net.Listener, f Forward, places chan struct{}) {
	for {
		inner, err := l.Accept()
		if err != nil {
			return
		}
		places <- struct{}{}
		go func() {
			defer func() { <-places }()
			f.carry(inner)
		}()
	}
}

// carry carries one connection to its end.
func (f Forward) carry(inner net.Conn) {
	if f.TLS != nil {
		ctx, cancel := context.WithTimeout(context.Background(), connectTimeout)
		secure := tls.Server(inner, f.TLS)
		err := secure.HandshakeContext(ctx)
		cancel()
		if err != nil {
			inner.Close()
			return
		}
		inner = secure
	}
	outer, err := net.DialTimeout("tcp", f.Outside, connectTimeout)
	if err != nil {
		// The child sees its connection reset, as if nobody listened.
		inner.Close()
		return
	}
	join(inner, outer)
}

// join copies both ways until both sides have ended.
func join(a, b net.Conn) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		pour(a, b)
	}()
	pour(b, a)
	<-done
	a.Close()
	b.Close()
}

// pour copies what comes from one connection to the other, then passes on that it has
// ended. It copies through memory: io.Copy of two TCP connections has the kernel do it,
// through a pipe of two descriptors for each direction, which stay open until the
// garbage collector finds them.
func pour(to, from net.Conn) {
	_, err := io.CopyBuffer(struct{ io.Writer }{to}, struct{ io.Reader }{from}, make([]byte, copyBuffer))
	if c, ok := to.(interface{ CloseWrite() error }); ok && err == nil {
		c.CloseWrite()
		return
	}
	// One direction broke: so has the other.
	to.Close()
	from.Close()
}
