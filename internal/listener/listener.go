// Package listener bounds what open connections cost: how many there are, of all and of
// one address, and what is held until their first request has begun.
//
//	l := listener.Limit(l, 64)
package listener

import (
	"io"
	"net"
	"sync"
)

// Limit returns the listener with at most n of its connections open at a time. Those
// beyond it wait in the kernel, which costs this program no descriptor and no memory.
func Limit(l net.Listener, n int) net.Listener {
	return &limited{Listener: l, places: make(chan struct{}, n), closed: make(chan struct{})}
}

type limited struct {
	net.Listener
	places chan struct{}
	once   sync.Once
	closed chan struct{}
}

// Accept waits for a place, then for a connection.
func (l *limited) Accept() (net.Conn, error) {
	select {
	case l.places <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.places
		return nil, err
	}
	return &conn{Conn: c, done: func() { <-l.places }}, nil
}

// Close ends the waiting for a place too.
func (l *limited) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

type conn struct {
	net.Conn
	once sync.Once
	done func()
}

// Close gives the place back.
func (c *conn) Close() error {
	err := c.Conn.Close()
	c.once.Do(c.done)
	return err
}

// ReadFrom and CloseWrite are what a server asks a TCP connection for.

// ReadFrom lets the kernel copy a file.
func (c *conn) ReadFrom(r io.Reader) (int64, error) { return io.Copy(c.Conn, r) }

// CloseWrite ends the writing side alone.
func (c *conn) CloseWrite() error { return closeWrite(c.Conn) }

func closeWrite(c net.Conn) error {
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}
