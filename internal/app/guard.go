package app

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"plumb/internal/hostname"
)

// guardBrowsers refuses what a web page of somebody else has a browser send.
// Development mode takes any credentials and none, so whatever reaches it acts:
// a page could run functions and change resources with a form or an image. Such
// a request names another origin, or, when the attacker has pointed a name of his
// own at this machine, a host that is not this machine's.
func (a *App) guardBrowsers(ours hostNames, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if reason := foreign(r, ours); reason != "" {
			a.refusedPage(r, reason)
			http.Error(w, "Refused: "+reason+" In development mode web pages of others may not send requests here.", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// hostNames are those by which clients may call this server, beside those of this
// machine.
type hostNames struct {
	listed    []string
	addresses bool // any address, as opposed to a name: nobody can point one at another machine
}

// foreign says why a request comes from a web page of somebody else; empty if it
// does not.
func foreign(r *http.Request, ours hostNames) string {
	if !ours.has(r.Host) {
		return fmt.Sprintf("the host %q is not a name of this server (list it in the setting hosts).", r.Host)
	}
	return foreignTo(r)
}

// foreignTo is the same of a request for a host that is ours.
func foreignTo(r *http.Request) string {
	switch site := r.Header.Get("Sec-Fetch-Site"); site {
	case "", "none", "same-origin":
	default:
		return fmt.Sprintf("the browser calls the request %s.", site)
	}
	for _, name := range []string{"Origin", "Referer"} {
		if from := r.Header.Get(name); from != "" && !sameHost(from, r.Host) {
			return fmt.Sprintf("its %s is %q.", name, from)
		}
	}
	return ""
}

func sameHost(from, host string) bool {
	u, err := url.Parse(from)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, host)
}

// has reports whether clients may call this server by that name: one of this
// machine, one that AWS's clients send through a proxy, or a listed one.
func (n hostNames) has(host string) bool {
	if host == "" {
		return true // HTTP/1.0; no browser sends that
	}
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.TrimSuffix(strings.ToLower(strings.Trim(name, "[]")), ".")
	ip, err := netip.ParseAddr(name)
	if behind, ok := hostname.Behind(name); ok {
		ip, err = behind, nil
	}
	if err == nil {
		return ip.IsLoopback() || n.addresses || slices.Contains(n.listed, name)
	}
	ours := []string{"localhost", "amazonaws.com", "amazonaws.com.cn", "api.aws"}
	for _, listed := range n.listed {
		ours = append(ours, strings.ToLower(listed))
	}
	return hostname.Below(name, ours)
}
