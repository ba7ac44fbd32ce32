package listener

import (
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
)

func TestOneAddressDoesNotHaveAllConnections(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := PerAddress(inner, 2)
	defer l.Close()
	_, port, _ := net.SplitHostPort(inner.Addr().String())
	dial := func(from string) net.Conn {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
		c, err := d.Dial("tcp", "127.0.0.1:"+port)
		if err != nil {
			t.Skip("this machine has one loopback address:", err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	accept := func() net.Conn {
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	dial("127.0.0.1")
	dial("127.0.0.1")
	first := accept()
	accept()
	beyond := dial("127.0.0.1")
	dial("127.0.0.2")
	if other := accept().RemoteAddr().(*net.TCPAddr); other.IP.String() != "127.0.0.2" {
		t.Errorf("accepted from %s", other)
	}
	if _, err := beyond.Read(make([]byte, 1)); !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("one beyond the limit of its address reads %v", err)
	}
	first.Close()
	dial("127.0.0.1")
	accept()
}

func TestConnectionsBeyondTheLimitWait(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := Limit(inner, 2)
	accepted, ended := make(chan net.Conn), make(chan error, 1)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				ended <- err
				return
			}
			accepted <- c
		}
	}()
	for range 3 {
		c, err := net.Dial("tcp", inner.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	first, second := <-accepted, <-accepted
	select {
	case <-accepted:
		t.Fatal("a third connection was accepted")
	default:
	}
	first.Close()
	first.Close() // twice gives back one place
	third := <-accepted
	l.Close() // while Accept waits for a place
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v", err)
	}
	second.Close()
	third.Close()
}
