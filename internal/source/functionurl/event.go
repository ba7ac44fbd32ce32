package functionurl

import (
	"net/http"
	"time"

	"plumb/internal/caller"
	"plumb/internal/lambda"
	"plumb/internal/source/httpevent"
)

// event is what the function gets of a request; who is nil for one that nobody signed.
func event(r *http.Request, u lambda.URL, who *caller.Caller, body []byte, now time.Time) []byte {
	e := httpevent.V2{
		Version: "2.0", RouteKey: "$default", Path: httpevent.Path(r), RawQuery: r.URL.RawQuery, Cookies: httpevent.Cookies(r),
		Headers: httpevent.Headers(r), Query: httpevent.Query(r),
		Context: httpevent.V2Context{
			Account: "anonymous", API: u.ID, Domain: httpevent.HostName(r.Host), DomainPrefix: u.ID, ID: lambda.NewID(), RouteKey: "$default", Stage: "$default",
			HTTP: httpevent.V2HTTP{Method: r.Method, Path: r.URL.Path, Protocol: r.Proto, SourceIP: httpevent.HostName(r.RemoteAddr), UserAgent: r.UserAgent()},
			Time: now.UTC().Format(httpevent.TimeLayout), Epoch: now.UnixMilli(),
		},
	}
	if who != nil {
		e.Context.Account, e.Context.Authorizer = who.Account, httpevent.IAM(*who)
	}
	e.Body, e.Base64 = httpevent.Body(r.Header, body)
	return e.JSON()
}
