package app

import (
	"context"
	"crypto/subtle"
	"fmt"
	"net/http"
	"strings"
	"time"

	"plumb/internal/api/lambda"
	"plumb/internal/settings"
	"plumb/internal/source/alexa"
	"plumb/internal/source/apigateway"
	"plumb/internal/source/functionurl"
	"plumb/internal/stack"
)

// Handler answers everything: the program's own pages, and AWS's services. AWS
// owns the name space (a bucket may be called healthz), so our own pages are
// only for requests that carry no signature.
func (a *App) Handler() http.Handler {
	own := a.ownPages()
	all := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a.console != nil && r.URL.Path == "/" && isBrowser(r) && !signed(r) {
			http.Redirect(w, r, a.console.urlFor(r), http.StatusFound)
			return
		}
		if _, pattern := own.Handler(r); pattern != "" && !signed(r) {
			if a.settings.Mode == settings.Server { // anybody's request: see wire, which does the same
				w.Header().Set("Connection", "close")
			}
			own.ServeHTTP(w, r)
			return
		}
		a.machine.Load().handler.ServeHTTP(w, r)
	})
	guarded := http.Handler(all)
	if a.settings.Mode == settings.Development {
		guarded = a.guardBrowsers(hostNames{listed: a.settings.Hosts, addresses: a.settings.Exposed()}, all)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m := a.machine.Load()
		// For web pages too: nobody guesses the names of functions and APIs, CORS is theirs, and a distribution is for everybody.
		if functionurl.IsHost(r.Host) || apigateway.Takes(r) || m.Edge.Serves(r) {
			m.handler.ServeHTTP(w, r)
			return
		}
		guarded.ServeHTTP(w, r)
	})
}

func (a *App) ownPages() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", a.readyz)
	mux.Handle("GET /metrics", a.behindToken(a.metrics.handler(), a.settings.MetricsToken, "metrics-token"))
	mux.HandleFunc("GET "+lambda.CodePath, func(w http.ResponseWriter, r *http.Request) {
		a.machine.Load().handler.ServeHTTP(w, r)
	})
	mux.HandleFunc("PUT "+stack.AnswerPath, func(w http.ResponseWriter, r *http.Request) {
		a.machine.Load().handler.ServeHTTP(w, r)
	})
	a.addDeliveries(mux)
	a.addChannels(mux)
	mux.Handle("GET /_plumb/listeners", a.behindToken(http.HandlerFunc(a.getListeners), a.settings.ControlToken, "control-token"))
	mux.Handle("POST "+alexa.RequestPath+"{id}", boundBodies(a.unsigned, a.skills((*alexa.Skills).Requests)))
	mux.Handle(alexa.ManifestPath, a.behindToken(a.ordered("change-skill", a.skills((*alexa.Skills).Manifests)), a.settings.ControlToken, "control-token"))
	a.addAudit(mux)
	a.addImport(mux)
	if a.settings.Mode == settings.Development {
		a.addControls(mux)
	}
	return mux
}

// skills has requests for Alexa's skills answered, which are no AWS client's.
func (a *App) skills(which func(*alexa.Skills) http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { which(a.machine.Load().Skills).ServeHTTP(w, r) })
}

// behindToken asks for the token of the settings, which development mode does
// without.
func (a *App) behindToken(next http.Handler, token settings.Secret, name string) http.Handler {
	if token == "" && a.settings.Mode == settings.Development {
		return next
	}
	return a.behind(next, token.Reveal(), name)
}

// behind asks for a token of the settings; without one in the settings nobody passes.
// What is behind it names accounts and what they do.
func (a *App) behind(next http.Handler, want, name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		switch {
		case want == "":
			a.refusedPage(r, "there is no "+name)
			http.Error(w, "Refused: in server mode this needs the setting "+name+".", http.StatusForbidden)
		case subtle.ConstantTimeCompare([]byte(got), []byte(want)) != 1:
			a.refusedPage(r, "it has no "+name)
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, "Refused: send the "+name+" as Authorization: Bearer TOKEN.", http.StatusUnauthorized)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// signed reports whether an AWS client sent the request.
func signed(r *http.Request) bool {
	if strings.HasPrefix(r.Header.Get("Authorization"), "AWS") || r.Header.Get("X-Amz-Target") != "" {
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
