package app

import (
	"net/http"
	"net/netip"
	"strings"
)

// fromProxies has requests that a proxy passed on be those of its client. A proxy adds
// the address it was called from at the end of X-Forwarded-For; what stands before that
// is what the client says, and is believed only where it is a proxy itself.
func fromProxies(proxies []netip.Prefix, next http.Handler) http.Handler {
	if len(proxies) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if client := clientOf(r, proxies); client != "" {
			c := *r
			c.RemoteAddr = client
			r = &c
		}
		next.ServeHTTP(w, r)
	})
}

// clientOf is the address of the client behind a proxy, with port 0; empty where no proxy says it.
func clientOf(r *http.Request, proxies []netip.Prefix) string {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	client, from := "", at.Addr()
	chain := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(chain) - 1; i >= 0 && isOf(proxies, from); i-- {
		next, err := addressIn(strings.TrimSpace(chain[i]))
		if err != nil {
			break // the last one that is known is a proxy
		}
		from = next
		client = netip.AddrPortFrom(from, 0).String()
	}
	return client
}

// addressIn reads an address, with which some proxies write a port.
func addressIn(text string) (netip.Addr, error) {
	if at, err := netip.ParseAddrPort(text); err == nil {
		return at.Addr().Unmap().WithZone(""), nil
	}
	a, err := netip.ParseAddr(strings.Trim(text, "[]"))
	return a.Unmap().WithZone(""), err
}

func isOf(networks []netip.Prefix, a netip.Addr) bool {
	for _, n := range networks {
		if n.Contains(a.Unmap()) {
			return true
		}
	}
	return false
}
