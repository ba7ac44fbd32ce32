package query

import (
	"net/netip"
	"strings"
)

// A Range is IP addresses of one family, from the first to the last: one address,
// or those of a CIDR block.
type Range struct{ First, Last netip.Addr }

// ParseRange reads an address or a CIDR block; ok is false if it is neither.
func ParseRange(s string) (r Range, ok bool) {
	const longest = len("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255/128")
	if len(s) < 2 || len(s) > longest || strings.IndexByte("0123456789abcdefABCDEF:", s[0]) < 0 || strings.IndexByte(s, '%') >= 0 {
		return r, false
	}
	if strings.IndexByte(s, '/') < 0 {
		a, err := netip.ParseAddr(s)
		return Range{a, a}, err == nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return r, false
	}
	return Range{p.Masked().Addr(), last(p)}, true
}

// last returns the last address of a block.
func last(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for i := range b {
		if free := 8*(i+1) - p.Bits(); free >= 8 {
			b[i] = 0xff
		} else if free > 0 {
			b[i] |= 1<<free - 1
		}
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

func (r Range) sameFamily(s Range) bool { return r.First.BitLen() == s.First.BitLen() }

// overlaps reports whether the two have an address in common.
func (r Range) overlaps(s Range) bool {
	return r.sameFamily(s) && r.First.Compare(s.Last) <= 0 && s.First.Compare(r.Last) <= 0
}

// holdsForRange reports whether the operator holds for a value that is a range:
// = if they overlap, < if some address of it is less than all of the literal.
func (p *Predicate) holdsForRange(r Range) bool {
	ranges := p.Ranges()
	switch p.Op {
	case Equal, In:
		for _, l := range p.Values {
			if l.Range != nil && r.overlaps(*l.Range) {
				return true
			}
		}
		return false
	case Between:
		return r.overlaps(Range{ranges[0].First, ranges[1].Last})
	}
	l := ranges[0]
	if !r.sameFamily(l) {
		return false
	}
	switch p.Op {
	case Less:
		return r.First.Less(l.First)
	case LessEqual:
		return r.First.Compare(l.Last) <= 0
	case Greater:
		return l.Last.Less(r.Last)
	}
	return r.Last.Compare(l.First) >= 0
}
