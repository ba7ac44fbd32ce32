package lambda

import (
	"net/http"
	"strconv"

	"plumb/internal/lambda"
)

// CodePath is below which path a server must serve Code.
const CodePath = "/_plumb/code/"

// Code gives out zip files to those who have a link from GetFunction.
func Code(functions *lambda.Service) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sha := r.URL.Path[min(len(CodePath), len(r.URL.Path)):]
		q := r.URL.Query()
		if !functions.LinkHolds(sha, q.Get("expires"), q.Get("signature")) {
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
