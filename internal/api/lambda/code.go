package lambda

import (
	"net/http"
	"strconv"

	"plumb/internal/audit"
	"plumb/internal/caller"
	"plumb/internal/lambda"
)

// CodePath is below which path a server must serve Code.
const CodePath = "/_plumb/code/"

// A Note is told of a link that was refused. A nil one is told nothing.
type Note func(r *http.Request, who caller.Caller, e audit.Event)

func (n Note) tell(r *http.Request, e audit.Event) {
	if n != nil {
		n(r, caller.Caller{}, e)
	}
}

// Code gives out zip files to those who have a link from GetFunction.
func Code(functions *lambda.Service, note Note) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sha := r.URL.Path[min(len(CodePath), len(r.URL.Path)):]
		q := r.URL.Query()
		if !functions.LinkHolds(sha, q.Get("expires"), q.Get("signature")) {
			note.tell(r, audit.Event{Kind: audit.ServerAction, Service: "lambda", Operation: "GetCode", Code: "AccessDenied"})
			http.Error(w, "the link is not valid, or not any more", http.StatusForbidden)
			return
		}
		zip, ok, err := functions.Code(r.Context(), sha)
		if err != nil {
			http.Error(w, "the code cannot be read", http.StatusInternalServerError)
			return
		}
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/zip")
		w.Header().Set("Content-Length", strconv.Itoa(len(zip)))
		w.Write(zip)
	})
}
