package httpevent

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"plumb/internal/lambda"
)

// IsPreflight reports whether a browser asks whether a page may send a request.
func IsPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header.Get("Origin") != "" && r.Header.Get("Access-Control-Request-Method") != ""
}

// Preflight writes the headers that a browser asks for.
func Preflight(header http.Header, r *http.Request, c *lambda.CORS) {
	if !Allow(header, r, c) {
		return
	}
	set := func(name string, values []string) {
		if len(values) > 0 {
			header.Set(name, strings.Join(values, ","))
		}
	}
	set("Access-Control-Allow-Methods", c.Methods)
	set("Access-Control-Allow-Headers", c.Headers)
	if c.MaxAge != nil {
		header.Set("Access-Control-Max-Age", strconv.Itoa(*c.MaxAge))
	}
}

// Allow tells a browser which page may read the answer; false for one that may not.
func Allow(header http.Header, r *http.Request, c *lambda.CORS) bool {
	origin := r.Header.Get("Origin")
	if c == nil || origin == "" {
		return false
	}
	everyone := slices.Contains(c.Origins, "*")
	if !everyone && !slices.ContainsFunc(c.Origins, func(o string) bool { return o == origin || schemeOnly(o, origin) }) {
		return false
	}
	credentials := c.Credentials != nil && *c.Credentials
	if everyone && !credentials {
		header.Set("Access-Control-Allow-Origin", "*")
	} else {
		header.Set("Access-Control-Allow-Origin", origin)
		header.Add("Vary", "Origin")
	}
	if credentials {
		header.Set("Access-Control-Allow-Credentials", "true")
	}
	if len(c.Expose) > 0 {
		header.Set("Access-Control-Expose-Headers", strings.Join(c.Expose, ","))
	}
	return true
}

// schemeOnly: https://* is every page that came encrypted.
func schemeOnly(pattern, origin string) bool {
	scheme, ok := strings.CutSuffix(pattern, "*")
	return ok && strings.HasSuffix(scheme, "://") && strings.HasPrefix(origin, scheme)
}
