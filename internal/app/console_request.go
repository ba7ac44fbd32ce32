package app

import (
	"cmp"
	"context"
	"net/http"
	"slices"

	"plumb/internal/audit"
	"plumb/internal/console"
	"plumb/internal/outside"
	"plumb/internal/wire"
)

// notServed are the codes of what no handler was found for.
var notServed = []string{"NotImplementedException", "NotImplemented", "UnknownOperationException", "InvalidAction"}

// note tells the console of a request, in development mode. What Plumb asks itself is no
// client's.
func (s *consoleServer) note(ctx context.Context, r wire.Answered) {
	if s == nil || !s.pages.Notes() || outside.IsOwn(ctx) {
		return
	}
	in := console.Request{
		Service: cmp.Or(r.Unserved, r.Service), Operation: cmp.Or(r.Operation, r.Asked), Status: r.Status, Code: bounded(r.Code), Took: r.Took,
		Caller: cmp.Or(r.Caller.PrincipalARN, r.Caller.Account), Agent: bounded(r.Caller.UserAgent),
		Unserved: r.Status >= http.StatusBadRequest && (r.Unserved != "" || slices.Contains(notServed, r.Code)),
	}
	var asked any
	switch {
	case r.Service == "s3":
		asked = bucketParameters(r.Request, "", "")
		in.Path = bounded(r.Request.URL.Path)
	case r.Info.Signing != "":
		asked = r.Input()
	default:
		in.Path = bounded(r.Request.URL.Path)
	}
	sent := audit.Redact(asked)
	in.Body, in.Message = sent.JSON, sent.Message(r.Message)
	s.pages.Note(in)
}
