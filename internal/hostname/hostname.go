// Package hostname knows which names are below a domain, and what clients of AWS make of a host's address: some put an
// account or a word in front of the endpoint's host, 123456789012.127.0.0.1 or
// sync-127.0.0.1, which no name server knows. It keeps nothing.
package hostname

import (
	"net/netip"
	"slices"
	"strings"
)

// Below reports whether a name is one of the domains or below one. All are in lower case.
func Below(name string, domains []string) bool {
	return slices.ContainsFunc(domains, func(d string) bool { return name == d || strings.HasSuffix(name, "."+d) })
}

// Behind returns the IPv4 address that a name ends with, behind something in front and a
// dot or a hyphen. No public name ends like that: its last label would be a number.
func Behind(name string) (a netip.Addr, ok bool) {
	labels := strings.Split(strings.TrimSuffix(name, "."), ".")
	if len(labels) < 4 {
		return a, false
	}
	last := labels[len(labels)-4:]
	in, prefixed := len(labels) > 4, last[0]
	if i := strings.LastIndexByte(prefixed, '-'); i >= 0 {
		in, last[0] = true, prefixed[i+1:]
	}
	a, err := netip.ParseAddr(strings.Join(last, "."))
	return a, in && err == nil && a.Is4()
}
