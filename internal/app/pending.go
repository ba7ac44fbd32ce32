package app

import (
	"net/http"
	"strings"
	"sync/atomic"
)

// pending counts the requests that this server works on at the moment. One that
// waits for something else, a function or a target or a message, is not work.
type pending struct{ n atomic.Int64 }

func (p *pending) number() int { return int(max(0, p.n.Load())) }

// count counts the requests of a handler.
func (p *pending) count(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !waits(r) {
			p.n.Add(1)
			defer p.n.Add(-1)
		}
		h.ServeHTTP(w, r)
	})
}

// pause does not count what a counted request does here.
func (p *pending) pause(serve func(http.ResponseWriter, *http.Request, string)) func(http.ResponseWriter, *http.Request, string) {
	return func(w http.ResponseWriter, r *http.Request, service string) {
		if !waits(r) {
			p.n.Add(-1)
			defer p.n.Add(1)
		}
		serve(w, r, service)
	}
}

// waits reports whether a request waits most of its time: for a function, or for
// messages.
func waits(r *http.Request) bool {
	return strings.HasSuffix(r.URL.Path, "/invocations") || strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".ReceiveMessage")
}
