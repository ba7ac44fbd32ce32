package listener

import (
	"crypto/tls"
	"io"
	"net"
	"net/http/httptest"
	"testing"
	"time"
)

// A handshake whose client does not answer holds up no other one, and the oldest of too
// many is cut off.
func TestHandshakesThatWaitMakeRoomForOthers(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	certified := httptest.NewUnstartedServer(nil)
	certified.StartTLS() // has a certificate for loopback
	defer certified.Close()
	l := Head(inner, &tls.Config{Certificates: certified.TLS.Certificates, NextProtos: []string{"http/1.1"}}, time.Hour)
	defer l.Close()
	h := newHandshakes(2)
	h.turns = make(chan struct{}, 1)
	l.(*headed).handshakes = h

	hello := clientHello()
	var stalled []net.Conn
	for range 3 {
		c, err := net.Dial("tcp", inner.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Write(hello); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Read(make([]byte, 1)); err != nil { // the server waits for this client now, or soon
			t.Fatal(err)
		}
		stalled = append(stalled, c)
	}
	if _, err := io.Copy(io.Discard, stalled[0]); err != nil && isTimeout(err) {
		t.Errorf("the oldest handshake: %v", err)
	}
	good, err := tls.Dial("tcp", inner.Addr().String(), &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer good.Close()
	if _, err := io.WriteString(good, "GET / HTTP/1.0\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Accept(); err != nil {
		t.Fatal(err)
	}
	for _, c := range stalled {
		c.Close()
	}
	l.Close()
	for until := time.Now().Add(time.Minute); len(h.turns) > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("a turn was not given back")
		}
	}
}

func isTimeout(err error) bool {
	timeout, ok := err.(net.Error)
	return ok && timeout.Timeout()
}

// clientHello is how a handshake begins.
func clientHello() []byte {
	half, other := net.Pipe()
	defer half.Close()
	go tls.Client(half, &tls.Config{InsecureSkipVerify: true}).Handshake()
	hello := make([]byte, 4096)
	n, _ := other.Read(hello)
	return hello[:n]
}
