package app

import (
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"plumb/internal/memory"
	"plumb/internal/model"
)

// bodyTimeout is how long a client may send nothing of a body that it announced.
// There is no limit for the whole: an upload of gigabytes may take its time.
const bodyTimeout = 30 * time.Second

// restTimeout is how long a client has to send the rest of a body that was not read, if
// its connection is to be kept.
const restTimeout = 2 * time.Second

// lastTimeout is the same where the connection ends with the answer. It is not nothing:
// a client that still sends when a connection ends may not see the answer.
const lastTimeout = 500 * time.Millisecond

// limitBody ends requests whose body stops coming.
func limitBody(next http.Handler, timeout time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body == nil || r.Body == http.NoBody {
			// net/http gives leave to send a body when it is read. botocore waits for it with an empty one too, and is lost
			// at the connection's next request if it does not come.
			if strings.EqualFold(r.Header.Get("Expect"), "100-continue") && r.ProtoAtLeast(1, 1) {
				w.WriteHeader(http.StatusContinue)
			}
			next.ServeHTTP(w, r)
			return
		}
		b := &body{ReadCloser: r.Body, conn: http.NewResponseController(w), timeout: timeout}
		// What the handler leaves unread is read by net/http, after it and before the answer is sent. Nobody needs it, and
		// a stranger would keep the connection by it.
		defer func() {
			b.timeout = min(timeout, restTimeout)
			if w.Header().Get("Connection") == "close" {
				b.timeout = min(timeout, lastTimeout)
			}
			b.expect()
		}()
		r.Body = b
		next.ServeHTTP(w, r)
	})
}

// A body moves the connection's deadline forward with each read.
type body struct {
	io.ReadCloser
	conn    *http.ResponseController
	timeout time.Duration
	ended   bool
}

// Read reads what there is, or fails when nothing comes.
func (b *body) Read(p []byte) (int, error) {
	b.expect()
	n, err := b.ReadCloser.Read(p)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return n, errBodyTimeout()
	case err != nil:
		// The handler may take longer than the body, and waits for the client's end.
		b.ended = true
		_ = b.conn.SetReadDeadline(time.Time{}) // a connection without deadlines has none to move
	}
	return n, err
}

func (b *body) expect() {
	if !b.ended {
		_ = b.conn.SetReadDeadline(time.Now().Add(b.timeout))
	}
}

func errBodyTimeout() error {
	return model.Errorf(model.Error{Code: "RequestTimeout", Status: http.StatusBadRequest},
		"Your socket connection to the server was not read from or written to within the timeout period. Idle connections will be closed.")
}

// unsignedBodies is how much is held at once of bodies that anybody may send: to functions'
// addresses, APIs and skills. Signed requests have a memory of their own, see wire.
const unsignedBodies = 128 << 20

// boundBodies has a handler's bodies take from a memory what was read of them, until the
// request is answered. Reading fails where there is none left.
func boundBodies(m *memory.Budget, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body == nil || r.Body == http.NoBody {
			next.ServeHTTP(w, r)
			return
		}
		share := m.Share()
		defer share.Release()
		r.Body = struct {
			io.Reader
			io.Closer
		}{share.Reader(r.Body), r.Body}
		next.ServeHTTP(w, r)
	})
}
