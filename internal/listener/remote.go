package listener

import (
	"net"
	"net/netip"
)

// AddressOf is what one client has of addresses: a HOST:PORT's host, and of IPv6 its
// network of 64 bits.
func AddressOf(remote string) string {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		host = remote
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	if ip = ip.Unmap(); ip.Is6() {
		network, _ := ip.WithZone("").Prefix(64)
		return network.String()
	}
	return ip.String()
}
