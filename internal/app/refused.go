package app

import (
	"net/http"

	"plumb/internal/settings"
)

// leave has a handler of requests that anybody may send end the connection of those that
// it refuses: see wire, which does the same. In development mode there are no strangers.
func (a *App) leave(refuses func(status int) bool, next http.Handler) http.Handler {
	if a.settings.Mode != settings.Server {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(&leaving{ResponseWriter: w, refuses: refuses}, r)
	})
}

// isRefusal reports whether a status keeps a caller out. What stands behind an address
// may answer with it, too, and loses a connection by it, no more.
func isRefusal(status int) bool {
	return status == http.StatusUnauthorized || status == http.StatusForbidden
}

// isError reports whether a status is an error, where all answers are the server's own.
func isError(status int) bool { return status >= http.StatusBadRequest }

// A leaving answer says that its connection ends if it refuses.
type leaving struct {
	http.ResponseWriter
	refuses func(status int) bool
}

// WriteHeader sends the status.
func (w *leaving) WriteHeader(status int) {
	if w.refuses(status) {
		w.Header().Set("Connection", "close")
	}
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap is for those who control the connection.
func (w *leaving) Unwrap() http.ResponseWriter { return w.ResponseWriter }
