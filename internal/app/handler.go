package app

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"plumb/internal/api/lambda"
	"plumb/internal/settings"
)

// Handler answers everything: the program's own pages, and AWS's services. AWS
// owns the name space (a bucket may be called healthz), so our own pages are
// only for requests that carry no signature.
func (a *App) Handler() http.Handler {
	own := a.ownPages()
	all := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, pattern := own.Handler(r); pattern != "" && !signed(r) {
			own.ServeHTTP(w, r)
			return
		}
		a.machine.Load().handler.ServeHTTP(w, r)
	})
	if a.settings.Mode == settings.Development {
		return guardBrowsers(a.settings.Hosts, all)
	}
	return all
}

func (a *App) ownPages() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", a.readyz)
	mux.Handle("GET /metrics", a.metrics.handler())
	mux.HandleFunc("GET "+lambda.CodePath, func(w http.ResponseWriter, r *http.Request) {
		a.machine.Load().handler.ServeHTTP(w, r)
	})
	if a.settings.Mode == settings.Development {
		a.addControls(mux)
	}
	return mux
}

// signed reports whether an AWS client sent the request.
func signed(r *http.Request) bool {
	if r.Header.Get("Authorization") != "" || r.Header.Get("X-Amz-Target") != "" {
		return true
	}
	q := r.URL.Query()
	return q.Has("X-Amz-Signature") || q.Has("AWSAccessKeyId")
}

// readyz says whether requests are answered: the server is started, is not being
// stopped, and reaches its store, which takes writes.
func (a *App) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	switch {
	case !a.ready.Load():
		http.Error(w, "starting or stopping", http.StatusServiceUnavailable)
	case a.machine.Load().DB.Ping(ctx) != nil:
		http.Error(w, "the database does not answer", http.StatusServiceUnavailable)
	case a.machine.Load().DB.Writable(ctx) != nil:
		http.Error(w, "the database does not take writes", http.StatusServiceUnavailable)
	default:
		fmt.Fprintln(w, "ready")
	}
}
