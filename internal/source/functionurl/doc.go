// Package functionurl answers requests for the URLs of functions: by the name in Host,
// with the function's policy, CORS, and the payload format 2.0.
//
//	h := functionurl.New(log, functions, now, functionurl.Options{Identify: handler.Identify})
//	if functionurl.IsHost(r.Host) {
//		h.ServeHTTP(w, r)
//	}
//
// It keeps nothing: package lambda keeps the URLs.
package functionurl
