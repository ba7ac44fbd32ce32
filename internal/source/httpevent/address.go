package httpevent

import (
	"context"
	"net"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"plumb/internal/caller"
)

// Address returns the address of something that has a name of its own: below the name by
// which the client reaches this server, if such names lead to this machine, and below
// AWS's domain otherwise.
func Address(ctx context.Context, label, domain string) string {
	at, err := url.Parse(caller.From(ctx).Endpoint)
	if err == nil && at.Host != "" {
		name := at.Hostname()
		if ip, err := netip.ParseAddr(name); err == nil && ip.IsLoopback() {
			name = "localhost"
		} else if err == nil {
			name = ""
		}
		if name != "" && resolves(name) {
			if at.Port() != "" {
				name = net.JoinHostPort(name, at.Port())
			}
			return at.Scheme + "://" + label + name
		}
	}
	return "https://" + label + domain
}

// below remembers which names have names below them that resolve.
var below sync.Map // name -> bool

// lookUp bounds the first look at a name.
const lookUp = 500 * time.Millisecond

// resolves reports whether any name below a name leads to where the name itself does.
func resolves(name string) bool {
	if known, ok := below.Load(name); ok {
		return known.(bool)
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookUp)
	defer cancel()
	there, err := net.DefaultResolver.LookupHost(ctx, "any.lambda-url."+name)
	found := err == nil && len(there) > 0
	below.Store(name, found)
	return found
}
