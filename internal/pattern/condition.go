package pattern

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A condition holds for a value that is neither an object nor an array, or not.
type condition interface{ holds(v any) bool }

// anything is {"exists": true}.
type anything struct{}

func (anything) holds(any) bool { return true }

// equalLiteral is true, false or null.
type equalLiteral string

func (e equalLiteral) holds(v any) bool {
	switch v := v.(type) {
	case nil:
		return e == "null"
	case bool:
		return string(e) == strconv.FormatBool(v)
	}
	return false
}

type equalFold string

func (e equalFold) holds(v any) bool {
	s, ok := v.(string)
	return ok && strings.EqualFold(s, string(e))
}

type prefix struct {
	text string
	fold bool
}

func (p prefix) holds(v any) bool {
	s, ok := v.(string)
	if !ok || !p.fold {
		return ok && strings.HasPrefix(s, p.text)
	}
	end, n := len(s), utf8.RuneCountInString(p.text)
	for i := range s { // as many characters: their bytes may differ by case
		if n == 0 {
			end = i
			break
		}
		n--
	}
	return strings.EqualFold(s[:end], p.text)
}

type suffix struct {
	text string
	fold bool
}

func (x suffix) holds(v any) bool {
	s, ok := v.(string)
	if !ok || !x.fold {
		return ok && strings.HasSuffix(s, x.text)
	}
	begin := len(s)
	for range x.text {
		_, size := utf8.DecodeLastRuneInString(s[:begin])
		begin -= size
	}
	return strings.EqualFold(s[begin:], x.text)
}

// A wildcard is the texts between its stars.
type wildcard []string

// wildcardOf reads a pattern with stars; \* and \\ stand for themselves. A place in
// the reason counts the quote before the text, as EventBridge does.
func wildcardOf(s string) (w wildcard, reason string) {
	var part strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '*' && strings.HasPrefix(s[i+1:], "*"):
			return nil, fmt.Sprintf("Consecutive wildcard characters at pos %d", i+1)
		case c == '*':
			w = append(w, part.String())
			part.Reset()
		case c == '\\':
			i++
			if i == len(s) || s[i] != '*' && s[i] != '\\' {
				return nil, fmt.Sprintf("Invalid escape character at pos %d", i)
			}
			part.WriteByte(s[i])
		default:
			part.WriteByte(c)
		}
	}
	return append(w, part.String()), ""
}

// holds looks for each part after the one before, so that its time is that of
// reading the text once.
func (w wildcard) holds(v any) bool {
	s, ok := v.(string)
	last := len(w) - 1
	if !ok || last == 0 {
		return ok && s == w[0]
	}
	s, ok = strings.CutPrefix(s, w[0])
	for _, part := range w[1:last] {
		if ok {
			_, s, ok = strings.Cut(s, part)
		}
	}
	return ok && strings.HasSuffix(s, w[last])
}

// except is anything-but: it holds for what is none of these.
type except struct {
	exact  map[string]bool
	others []condition
}

func (e except) holds(v any) bool {
	if s, ok := v.(string); ok && e.exact[s] {
		return false
	}
	return !slices.ContainsFunc(e.others, func(c condition) bool { return c.holds(v) })
}

// EventBridge compares numbers of this size.
const (
	limit      = 5e9
	outOfRange = "Value must be between -5.0E9 and 5.0E9, inclusive"
)

// A decimal is a number as it is written, and what it is worth if it can be
// compared: others are only equal to the same text, as an account's id is.
type decimal struct {
	text       string
	value      float64
	comparable bool
}

func numberOf(text string) decimal {
	f, err := strconv.ParseFloat(text, 64)
	return decimal{text, f, err == nil && f >= -limit && f <= limit}
}

type equalNumber decimal

func (e equalNumber) holds(v any) bool {
	n, ok := v.(json.Number)
	if !ok {
		return false
	}
	if e.text == string(n) {
		return true
	}
	d := numberOf(string(n))
	return e.comparable && d.comparable && d.value == e.value
}

// A span is {"numeric": ...}: the numbers from low to high.
type span struct {
	low, high         float64
	openLow, openHigh bool
}

func (r span) holds(v any) bool {
	n, ok := v.(json.Number)
	if !ok {
		return false
	}
	d := numberOf(string(n))
	return d.comparable && (d.value > r.low || d.value == r.low && !r.openLow) &&
		(d.value < r.high || d.value == r.high && !r.openHigh)
}

// address reads a string that is an IP address: EventBridge compares those
// whatever their spelling.
func address(s string) (netip.Addr, bool) {
	if len(s) < 2 || strings.IndexByte(s, '%') >= 0 || strings.IndexByte("0123456789abcdefABCDEF:", s[0]) < 0 {
		return netip.Addr{}, false
	}
	a, err := netip.ParseAddr(s)
	return a, err == nil
}

type equalAddress netip.Addr

func (e equalAddress) holds(v any) bool {
	s, _ := v.(string)
	a, ok := address(s)
	return ok && a == netip.Addr(e)
}

// A network is {"cidr": ...}: the addresses from the one that is named to the last
// one of the block.
type network struct {
	first netip.Addr
	block netip.Prefix
}

func (n network) holds(v any) bool {
	s, _ := v.(string)
	a, ok := address(s)
	return ok && n.block.Contains(a) && n.first.Compare(a) <= 0
}

func networkOf(s string) (network, error) {
	name, mask, ok := strings.Cut(s, "/")
	if !ok || strings.Contains(mask, "/") {
		return network{}, reasonError("Malformed CIDR, one '/' required")
	}
	bits, err := strconv.Atoi(mask)
	switch {
	case err != nil:
		return network{}, reasonError("Malformed CIDR, mask bits must be an integer")
	case bits < 0:
		return network{}, reasonError("Malformed CIDR, mask bits must not be negative")
	}
	a, ok := address(name)
	switch {
	case !ok:
		return network{}, reasonError("Nonstandard IP address: " + name)
	case a.Is4() && bits > 31:
		return network{}, reasonError("IPv4 mask bits must be < 32")
	case bits > 127:
		return network{}, reasonError("IPv6 mask bits must be < 128")
	}
	return network{a, netip.PrefixFrom(a, bits)}, nil
}
