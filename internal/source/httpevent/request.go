package httpevent

import (
	"encoding/base64"
	"mime"
	"net"
	"net/http"
	"strings"
	"unicode/utf8"
)

// TimeLayout is how events write the time of a request.
const TimeLayout = "02/Jan/2006:15:04:05 -0700"

// HostName is an address without its port.
func HostName(address string) string {
	if name, _, err := net.SplitHostPort(address); err == nil {
		return name
	}
	return address
}

// Scheme is the one by which a request came.
func Scheme(r *http.Request) string {
	if r.TLS != nil {
		return "https"
	}
	return "http"
}

// Path is a request's path as it was sent.
func Path(r *http.Request) string {
	if p := r.URL.EscapedPath(); p != "" {
		return p
	}
	return "/"
}

// Body is a body as an event carries it: text as it is, anything else in base64.
func Body(header http.Header, body []byte) (text string, encoded bool) {
	switch {
	case len(body) == 0:
		return "", false
	case isText(header) && utf8.Valid(body):
		return string(body), false
	}
	return base64.StdEncoding.EncodeToString(body), true
}

// isText reports whether a body goes to the function as it is.
func isText(h http.Header) bool {
	if h.Get("Content-Encoding") != "" {
		return false
	}
	kind, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		return false
	}
	return strings.HasPrefix(kind, "text/") || kind == "application/json" || kind == "application/javascript" || kind == "application/xml" ||
		strings.HasSuffix(kind, "+json") || strings.HasSuffix(kind, "+xml")
}

// HopByHop reports whether a header speaks of the connection, which is nobody's behind it.
func HopByHop(name string) bool {
	switch http.CanonicalHeaderKey(name) {
	case "Connection", "Content-Length", "Keep-Alive", "Transfer-Encoding", "Upgrade", "Trailer", "Te", "Proxy-Connection":
		return true
	}
	return false
}
