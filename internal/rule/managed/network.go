package managed

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// The protocols that a security group writes by number or by name.
var protocolNumbers = map[string]string{"1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6"}

// anywhere reports whether a security group's permission names all addresses of
// a kind: IPv4, IPv6, or either (ALL). Items carry the older ipRanges (CIDR
// text) and the newer ipv4Ranges and ipv6Ranges (objects).
func anywhere(permission any, kind string) (bool, error) {
	if !same(kind, []string{"IPv4", "IPv6", "ALL"}) {
		return false, fmt.Errorf("anywhere: the kind of address is %q, not IPv4, IPv6 or ALL", kind)
	}
	p, _ := permission.(map[string]any)
	for _, key := range []string{"ipRanges", "ipv4Ranges", "ipv6Ranges"} {
		for _, r := range listOf(p[key]) {
			prefix, err := netip.ParsePrefix(cidrText(r))
			if err == nil && prefix.Bits() == 0 && isKind(prefix.Addr(), kind) {
				return true, nil
			}
		}
	}
	return false, nil
}

// listOf returns the elements of a list; anything else but null is a list of one.
func listOf(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	}
	return []any{v}
}

// inRanges reports whether an address or range lies in one of the ranges. An
// address alone is a range of one.
func inRanges(s string, ranges []string) bool {
	inner, ok := parseRange(s)
	return ok && slices.ContainsFunc(ranges, func(r string) bool {
		outer, ok := parseRange(r)
		return ok && outer.Bits() <= inner.Bits() && outer.Contains(inner.Addr())
	})
}

func parseRange(s string) (netip.Prefix, bool) {
	if p, err := netip.ParsePrefix(strings.TrimSpace(s)); err == nil {
		return p.Masked(), true
	}
	a, err := netip.ParseAddr(strings.TrimSpace(s))
	if err != nil {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(a, a.BitLen()), true
}

func isKind(a netip.Addr, ipType string) bool {
	switch strings.ToLower(ipType) {
	case "ipv4":
		return a.Is4()
	case "ipv6":
		return a.Is6()
	}
	return true
}

func cidrText(r any) string {
	o, ok := r.(map[string]any)
	if !ok {
		return text(r)
	}
	if v := text(o["cidrIp"]); v != "" {
		return v
	}
	return text(o["cidrIpv6"])
}

// portRange returns the protocol and the ports of a permission. Protocol "-1"
// means all traffic; absent ports mean all ports.
func portRange(permission any) (protocol string, from, to int64) {
	p, _ := permission.(map[string]any)
	protocol = strings.ToLower(text(p["ipProtocol"]))
	if name, ok := protocolNumbers[protocol]; ok {
		protocol = name
	}
	from, hasFrom := number(p["fromPort"]).(int64)
	to, hasTo := number(p["toPort"]).(int64)
	if protocol == "-1" || !hasFrom || !hasTo || from < 0 {
		return protocol, 0, 65535
	}
	return protocol, from, to
}

// covers reports whether a permission lets traffic of the protocol to the port
// in. Sources are not looked at.
func covers(permission any, protocol string, port any) (bool, error) {
	n, ok := number(port).(int64)
	if !ok {
		return false, fmt.Errorf("covers: the port %q is not a number", text(port))
	}
	got, from, to := portRange(permission)
	return (got == "-1" || got == protocol) && from <= n && n <= to, nil
}

// within reports whether all ports of a permission lie in the ranges
// ("443,1020-1025"). All traffic (-1) is within no range.
func within(permission any, ranges string) (bool, error) {
	protocol, from, to := portRange(permission)
	if protocol == "-1" {
		return false, nil
	}
	allowed, err := parsePorts(ranges)
	if err != nil {
		return false, err
	}
	for next := from; next <= to; {
		end := int64(-1)
		for _, r := range allowed {
			if r[0] <= next && next <= r[1] {
				end = max(end, r[1])
			}
		}
		if end < 0 {
			return false, nil
		}
		next = end + 1
	}
	return true, nil
}

func parsePorts(s string) ([][2]int64, error) {
	var list [][2]int64
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		from, err := strconv.ParseUint(strings.TrimSpace(first), 10, 16)
		if err != nil {
			return nil, fmt.Errorf("the port range %q is not like 443 or 1020-1025", part)
		}
		to, err := strconv.ParseUint(strings.TrimSpace(last), 10, 16)
		if err != nil {
			return nil, fmt.Errorf("the port range %q is not like 443 or 1020-1025", part)
		}
		list = append(list, [2]int64{int64(from), int64(to)})
	}
	return list, nil
}
