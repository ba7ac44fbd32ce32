// Package outgoing makes the HTTP client for calls whose address a user of the
// server names, such as the endpoint of a subscription. Such a call must not reach
// what the user cannot reach: this machine, or the network that it stands in.
//
// The address is checked when a connection is made, after its name was resolved:
// a name that resolves otherwise the second time leads nowhere. Redirects are not
// followed, and no proxy is asked, because the check would see the proxy's address
// only.
//
// It is not for calls whose address the operator names, such as an account's target;
// those are package awsclient's. It stores nothing.
//
//	client := outgoing.NewClient(outgoing.Options{Networks: allowed})
package outgoing

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"syscall"
	"time"
)

// ErrRefused is why a call to an address was not made.
var ErrRefused = errors.New("the address is not a public one, and no network of the setting outgoing-networks")

// Options say what may be reached.
type Options struct {
	Anywhere bool           // every address
	Networks []netip.Prefix // beside public addresses
	Resolver *net.Resolver  // nil is the system's
}

// callTimeout is how long a call may take in all: SNS waits for 15 seconds.
const callTimeout = 15 * time.Second

// NewClient returns a client that reaches what the options allow.
func NewClient(o Options) *http.Client {
	dialer := &net.Dialer{Timeout: 10 * time.Second, Resolver: o.Resolver, ControlContext: o.control}
	transport := &http.Transport{
		DialContext:            dialer.DialContext,
		TLSHandshakeTimeout:    10 * time.Second,
		MaxIdleConnsPerHost:    4,
		MaxConnsPerHost:        64,
		IdleConnTimeout:        30 * time.Second,
		ForceAttemptHTTP2:      true,
		MaxResponseHeaderBytes: 64 << 10,
	}
	return &http.Client{Transport: transport, Timeout: callTimeout, CheckRedirect: stay}
}

// stay makes a redirect an answer like others.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// control is asked before each connection, with the address that the name
// resolved to.
func (o Options) control(_ context.Context, _, address string, _ syscall.RawConn) error {
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("connect to %s: %w", address, err)
	}
	if !o.may(a.Addr()) {
		return fmt.Errorf("connect to %s: %w", a.Addr(), ErrRefused)
	}
	return nil
}

func (o Options) may(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	contains := func(p netip.Prefix) bool { return p.Contains(a) }
	return o.Anywhere || slices.ContainsFunc(o.Networks, contains) || public(a)
}

// public reports whether an address is one of the internet at large.
func public(a netip.Addr) bool {
	return a.IsGlobalUnicast() && !a.IsPrivate() && !slices.ContainsFunc(special, func(p netip.Prefix) bool { return p.Contains(a) })
}

// special are the networks of IANA's registries of special addresses that are not
// public and that netip has no question for. Those that carry an IPv4 address are
// among them: what that address is would have to be asked again.
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"), // behind a provider's translation
	netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"), // documentation
	netip.MustParsePrefix("192.88.99.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"), // benchmarks
	netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("::/96"), // IPv4 in IPv6, of old
	netip.MustParsePrefix("64:ff9b::/96"),
	netip.MustParsePrefix("64:ff9b:1::/48"),
	netip.MustParsePrefix("100::/64"),
	netip.MustParsePrefix("2001::/23"),
	netip.MustParsePrefix("2001:db8::/32"),
	netip.MustParsePrefix("2002::/16"), // 6to4
	netip.MustParsePrefix("3fff::/20"),
	netip.MustParsePrefix("5f00::/16"),
	netip.MustParsePrefix("fec0::/10"),
}
