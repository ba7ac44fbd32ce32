package app

import (
	"net/http"
	"strings"

	"plumb/internal/audit"
	"plumb/internal/caller"
	"plumb/internal/settings"
	"plumb/internal/stack"
)

// note keeps a call that came by a way of its own, which AWS's APIs do not have: by the
// address of a function or an API, a link, git, a device, one of our own pages. The way
// says what was asked of what, and how it ended; the caller is empty where it is not known
// who they are.
func (a *App) note(r *http.Request, who caller.Caller, e audit.Event) {
	e.UserAgent = r.UserAgent()
	a.noteFrom(r.RemoteAddr, who, e)
}

// noteFrom is note for what is no request of HTTP.
func (a *App) noteFrom(address string, who caller.Caller, e audit.Event) {
	m := a.machine.Load()
	if m == nil || !m.Audit.Keeps(e.Service, e.Operation, e.Code, 0) {
		return
	}
	e.ReadOnly, e.Data = audit.IsReading(e.Service, e.Operation), audit.IsData(e.Service, e.Operation)
	if e.Who.Type == "" {
		e.Who = a.whoIs(who)
	}
	e.SourceIP, e.UserAgent, e.Message = hostOf(address), bounded(e.UserAgent), audit.Redact(nil).Message(e.Message)
	m.Audit.Add(e)
}

// whoIs describes a caller. In server mode whoever is not verified says only so.
func (a *App) whoIs(c caller.Caller) audit.Who {
	if c.PrincipalARN == "" || a.settings.Mode == settings.Server && !c.Verified {
		return audit.Unknown(c.AccessKeyID)
	}
	who := audit.WhoOf(c)
	if strings.HasPrefix(who.AccessKeyID, "PLUMB") {
		who.AccessKeyID = "" // of this process, for somebody
	}
	return who
}

// operator is who has a token of the settings, or uses development mode's own pages.
func operator(token string) audit.Who { return audit.Who{Type: "Root", UserName: token} }

// ordered keeps what one of our own pages changed, under a name.
func (a *App) ordered(operation string, page http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := &statusWriter{ResponseWriter: w}
		page.ServeHTTP(s, r)
		if r.Method == http.MethodGet || r.Method == http.MethodHead || s.status >= 400 {
			return
		}
		a.note(r, caller.Caller{}, audit.Event{
			Kind: audit.ServerAction, Service: ownPages, Operation: operation, Who: operator("control-token"), Sent: audit.Redact(map[string]string{"path": r.URL.Path}).JSON,
		})
	})
}

// refusedPage keeps that one of our own pages refused a request.
func (a *App) refusedPage(r *http.Request, why string) {
	path := r.URL.Path
	if strings.HasPrefix(path, stack.AnswerPath) {
		path = stack.AnswerPath // what follows is a secret
	}
	a.note(r, caller.Caller{}, audit.Event{
		Kind: audit.ServerAction, Service: ownPages, Operation: bounded(r.Method + " " + path), Code: "AccessDenied", Message: why,
	})
}

// ownPages is what the audit log calls the service of our own pages.
const ownPages = "plumb"

// A statusWriter remembers the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader notes the status.
func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
