package listener

import (
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

func TestConnectionsAreHandedOverWithTheHeadOfARequest(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := Head(inner, time.Minute)
	dial := func(text string) net.Conn {
		c, err := net.Dial("tcp", inner.Addr().String())
		if err == nil {
			_, err = io.WriteString(c, text)
		}
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	const head = "PUT /b/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\n"
	slow := dial(head[:20]) // stays outside, and so whoever comes later is accepted first
	for _, text := range []string{head + "body", "\x16\x03\x01", "get\r\n", "GET / HTTP/1.0\n\n"} {
		c := dial(text)
		got, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		c.(*net.TCPConn).CloseWrite()
		if read, err := io.ReadAll(got); err != nil || string(read) != text {
			t.Errorf("read %q, %v of %q", read, err, text)
		}
		got.Close()
	}
	if _, err := io.WriteString(slow, head[20:]); err != nil {
		t.Fatal(err)
	}
	got, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	read := make([]byte, len(head))
	if _, err := io.ReadFull(got, read); err != nil || string(read) != head {
		t.Errorf("read %q, %v", read, err)
	}
	waiting := dial(head[:20])
	l.Close()
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("after the end: %v", err)
	}
	if _, err := waiting.Read(read); err == nil {
		t.Error("a connection outlived its listener")
	}
}

func TestAHeadThatDoesNotComeInTimeEndsItsConnection(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := Head(inner, time.Millisecond)
	defer l.Close()
	c, err := net.Dial("tcp", inner.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("got %v", err)
	}
}
