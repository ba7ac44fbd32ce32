package app

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"plumb/internal/memory"
)

// ask sends the beginning of a request with a body of 10 bytes and returns the
// status of the answer, 0 if the connection was closed without one.
func ask(t *testing.T, s *httptest.Server, sent string) int {
	t.Helper()
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n%s", sent)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		if e, ok := err.(net.Error); ok && e.Timeout() {
			t.Fatal("the connection is held open")
		}
		return 0
	}
	resp.Body.Close()
	if _, err := io.Copy(io.Discard, conn); err != nil { // until the server closes it
		t.Fatalf("after the answer: %v", err)
	}
	return resp.StatusCode
}

func TestBodyThatNeverComesEnds(t *testing.T) {
	reading := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.ReadAll(r.Body); err == nil || !strings.Contains(err.Error(), "RequestTimeout") {
			t.Errorf("read %v", err)
		}
		http.Error(w, "late", http.StatusBadRequest)
	})
	ignoring := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusForbidden) })
	for want, h := range map[int]http.Handler{http.StatusBadRequest: reading, http.StatusForbidden: ignoring} {
		s := httptest.NewServer(limitBody(h, 100*time.Millisecond))
		if status := ask(t, s, "123"); status != want && status != 0 {
			t.Errorf("status %d, want %d", status, want)
		}
		s.Close()
	}
}

func TestAnEmptyBodyGetsLeaveToBeSentToo(t *testing.T) {
	s := httptest.NewServer(limitBody(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), time.Second))
	defer s.Close()
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(conn, "PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n")
	lines := bufio.NewReader(conn)
	var got [3]string
	for i := range got {
		if got[i], err = lines.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	if want := [3]string{"HTTP/1.1 100 Continue\r\n", "\r\n", "HTTP/1.1 200 OK\r\n"}; got != want {
		t.Errorf("got %q", got)
	}
}

func TestHandlerMayTakeLongerThanItsBody(t *testing.T) {
	const timeout = 50 * time.Millisecond
	s := httptest.NewServer(limitBody(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if b, err := io.ReadAll(r.Body); err != nil || string(b) != "1234567890" {
			t.Errorf("%q, %v", b, err)
		}
		select {
		case <-r.Context().Done():
			t.Error("the request was ended")
		case <-time.After(6 * timeout):
		}
	}), timeout))
	defer s.Close()
	resp, err := http.Post(s.URL, "text/plain", strings.NewReader("1234567890"))
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatal(resp, err)
	}
	resp.Body.Close()
}

func TestBodiesOfStrangersShareTheirMemory(t *testing.T) {
	m := memory.New(1 << 20)
	entered, release := make(chan struct{}), make(chan struct{})
	s := httptest.NewServer(boundBodies(m, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.ReadAll(r.Body); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		if r.URL.Path == "/held" {
			close(entered)
			<-release
		}
	})))
	defer s.Close()
	post := func(path string, size int) int {
		res, err := http.Post(s.URL+path, "text/plain", strings.NewReader(strings.Repeat("x", size)))
		if err != nil {
			t.Error(err)
			return 0
		}
		res.Body.Close()
		return res.StatusCode
	}
	held := make(chan int)
	go func() { held <- post("/held", 700<<10) }()
	<-entered
	if got := post("/", 700<<10); got != http.StatusServiceUnavailable {
		t.Errorf("more than there is memory for: %d", got)
	}
	if got := post("/", 100<<10); got != http.StatusOK {
		t.Errorf("what there is memory for: %d", got)
	}
	close(release)
	if got := <-held; got != http.StatusOK {
		t.Errorf("the held one: %d", got)
	}
	if got := post("/", 700<<10); got != http.StatusOK || m.Used() != 0 {
		t.Errorf("once the memory was given back: %d, %d bytes are held", got, m.Used())
	}
}
