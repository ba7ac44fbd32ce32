package listener

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
)

func TestConnectionsAreHandedOverWithTheHeadOfARequest(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := Head(inner, nil, time.Minute)
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
	l := Head(inner, nil, time.Millisecond)
	defer l.Close()
	c, err := net.Dial("tcp", inner.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("got %v", err)
	}
}

func TestAConnectionByTLSIsHandedOverWithTheHeadOfARequest(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	certified := httptest.NewUnstartedServer(nil)
	certified.StartTLS() // has a certificate for loopback
	defer certified.Close()
	l := Head(inner, &tls.Config{Certificates: certified.TLS.Certificates, NextProtos: []string{"http/1.1"}}, time.Minute)
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		fmt.Fprint(w, r.TLS != nil && r.TLS.HandshakeComplete, " ", string(body), err)
	})}
	go s.Serve(l)
	defer s.Close()
	dial := func(text []byte) net.Conn {
		c, err := net.Dial("tcp", inner.Addr().String())
		if err == nil {
			_, err = c.Write(text)
		}
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	for _, hello := range []string{"", "\x16\x03\x01\x40\x00\x01", "\x16"} {
		defer dial([]byte(hello)).Close() // these keep nobody else from being answered
	}
	client := certified.Client()
	for i := range 3 {
		answer, err := client.Post("https://"+inner.Addr().String(), "text/plain", strings.NewReader("body"))
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		if string(body) != "true body<nil>" {
			t.Errorf("request %d on the connection: %q", i, body)
		}
	}
	for _, text := range []string{"GET / HTTP/1.1\r\n\r\n", "POST / HT"} {
		answer, err := io.ReadAll(dial([]byte(text)))
		if err != nil || !strings.Contains(string(answer), "HTTP request to an HTTPS server") {
			t.Errorf("without TLS: %q, %v", answer, err)
		}
	}
	if answer, _ := io.ReadAll(dial([]byte("get it now"))); strings.Contains(string(answer), "HTTP") {
		t.Errorf("what is no HTTP got %q", answer)
	}
}

func TestLongHeadsShareABoundedMemory(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := Head(inner, nil, time.Hour) // no deadline cuts one off
	defer l.Close()
	long := "GET / HTTP/1.1\r\nX-Long: " + strings.Repeat("a", MaxHead-100)
	var all []net.Conn
	wasCut := false
	for range maxHeads/MaxHead + 64 {
		c, err := net.Dial("tcp", inner.Addr().String())
		if err == nil {
			_, err = io.WriteString(c, long)
		}
		if err == nil {
			err = c.SetReadDeadline(time.Now().Add(time.Minute))
		}
		if err != nil {
			wasCut = true // while it wrote
			break
		}
		defer c.Close()
		all = append(all, c)
	}
	cut := make(chan error)
	for _, c := range all {
		go func() {
			_, err := c.Read(make([]byte, 1))
			cut <- err
		}()
	}
	waiting := len(all)
	if !wasCut { // one of them is, now or soon
		waiting--
		if err := <-cut; err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("no connection was cut off: %v", err)
		}
	}
	short, err := net.Dial("tcp", inner.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer short.Close()
	if _, err := io.WriteString(short, "GET / HTTP/1.1\r\nX-Amz-Security-Token: "+strings.Repeat("a", 3000)+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Accept(); err != nil {
		t.Error(err)
	}
	for _, c := range all {
		c.Close()
	}
	for range waiting {
		<-cut
	}
}
