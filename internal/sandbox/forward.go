package sandbox

import (
	"io"
	"net"
	"time"
)

// maxForwarded is how many connections of one child to an address are carried at a
// time. Each takes descriptors of this program, so the others wait in the kernel.
const maxForwarded = 64

// carry answers the connections that a child makes inside by connections to the
// address outside, until the listener closes.
func carry(l net.Listener, outside string) {
	places := make(chan struct{}, maxForwarded)
	for {
		places <- struct{}{}
		inner, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer func() { <-places }()
			outer, err := net.DialTimeout("tcp", outside, 10*time.Second)
			if err != nil {
				// The child sees its connection reset, as if nobody listened.
				inner.Close()
				return
			}
			join(inner, outer)
		}()
	}
}

// join copies both ways until both sides have said all.
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

// pour copies what from says to to, then passes on that it has ended.
func pour(to, from net.Conn) {
	_, err := io.Copy(to, from)
	if c, ok := to.(*net.TCPConn); ok && err == nil {
		c.CloseWrite()
		return
	}
	// One direction broke: so has the other.
	to.Close()
	from.Close()
}
