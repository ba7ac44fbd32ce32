package policy

import (
	"bytes"
	"encoding/base64"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Context holds the keys of a request, in lower case, with their values. A key
// that is there with nil is known to be absent from the request; what that means
// to a condition is the same as a key that is not there.
type Context map[string][]string

// operator splits what a condition's operator says.
func (c Condition) operator() (quantifier, name string, ifExists bool) {
	name = strings.ToLower(c.Operator)
	if q, rest, ok := strings.Cut(name, ":"); ok {
		quantifier, name = q, rest
	}
	name, ifExists = strings.CutSuffix(name, "ifexists")
	return quantifier, name, ifExists
}

// Holds reports whether a request's context satisfies the condition. A condition
// whose operator nobody knows holds for no request.
func (c Condition) Holds(ctx Context) bool {
	quantifier, name, ifExists := c.operator()
	have, there := ctx[c.Key]
	there = there && len(have) > 0
	if name == "null" {
		return slices.ContainsFunc(c.Values, func(v string) bool { return strings.EqualFold(v, strconv.FormatBool(!there)) })
	}
	positive, compare, known := comparison(name)
	if !known {
		return false
	}
	switch {
	case !there && quantifier == "forallvalues", !there && ifExists:
		return true
	case !there:
		return !positive && quantifier != "foranyvalue"
	}
	holds := func(v string) bool {
		matched := slices.ContainsFunc(c.Values, func(want string) bool { return compare(substitute(want, ctx, patterns[name]), v) })
		return matched == positive
	}
	if quantifier == "foranyvalue" {
		return slices.ContainsFunc(have, holds)
	}
	return !slices.ContainsFunc(have, func(v string) bool { return !holds(v) })
}

// patterns are the operators whose values have wildcards.
var patterns = map[string]bool{
	"stringlike": true, "stringnotlike": true, "arnlike": true, "arnnotlike": true, "arnequals": true, "arnnotequals": true,
}

// comparison returns how an operator compares a policy's value with a request's,
// and whether it is satisfied by a match or by none.
func comparison(name string) (positive bool, compare func(want, have string) bool, known bool) {
	positive = true
	if rest, ok := strings.CutPrefix(name, "stringnot"); ok {
		positive, name = false, "string"+rest
	} else if rest, ok := strings.CutPrefix(name, "numericnot"); ok {
		positive, name = false, "numeric"+rest
	} else if rest, ok := strings.CutPrefix(name, "datenot"); ok {
		positive, name = false, "date"+rest
	} else if rest, ok := strings.CutPrefix(name, "arnnot"); ok {
		positive, name = false, "arn"+rest
	} else if name == "notipaddress" {
		positive, name = false, "ipaddress"
	}
	compare, known = comparisons[name]
	return positive, compare, known
}

var comparisons = map[string]func(want, have string) bool{
	"stringequals":             func(want, have string) bool { return want == have },
	"stringequalsignorecase":   strings.EqualFold,
	"stringlike":               Matches,
	"arnequals":                matchesARN,
	"arnlike":                  matchesARN,
	"bool":                     strings.EqualFold,
	"ipaddress":                within,
	"binaryequals":             equalBinary,
	"numericequals":            number(func(c int) bool { return c == 0 }),
	"numericlessthan":          number(func(c int) bool { return c < 0 }),
	"numericlessthanequals":    number(func(c int) bool { return c <= 0 }),
	"numericgreaterthan":       number(func(c int) bool { return c > 0 }),
	"numericgreaterthanequals": number(func(c int) bool { return c >= 0 }),
	"dateequals":               date(func(c int) bool { return c == 0 }),
	"datelessthan":             date(func(c int) bool { return c < 0 }),
	"datelessthanequals":       date(func(c int) bool { return c <= 0 }),
	"dategreaterthan":          date(func(c int) bool { return c > 0 }),
	"dategreaterthanequals":    date(func(c int) bool { return c >= 0 }),
}

// matchesARN compares part by part: a wildcard does not reach over a colon, but
// for the last part, which may hold colons itself.
func matchesARN(want, have string) bool {
	w, h := strings.SplitN(want, ":", 6), strings.SplitN(have, ":", 6)
	if len(w) != 6 || len(h) != 6 {
		return unliteral.Replace(want) == have
	}
	for i := range w {
		if !Matches(w[i], h[i]) {
			return false
		}
	}
	return true
}

func within(want, have string) bool {
	prefix, ok := parseRange(want)
	address, err := netip.ParseAddr(have)
	return ok && err == nil && prefix.Contains(address.Unmap())
}

// parseRange reads a CIDR range, or one address as a range of one.
func parseRange(s string) (netip.Prefix, bool) {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p.Masked(), true
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(a, a.BitLen()), true
}

func equalBinary(want, have string) bool {
	w, err1 := base64.StdEncoding.DecodeString(want)
	h, err2 := base64.StdEncoding.DecodeString(have)
	return err1 == nil && err2 == nil && bytes.Equal(w, h)
}

// number compares the request's value with the policy's.
func number(ok func(int) bool) func(want, have string) bool {
	return func(want, have string) bool {
		w, err1 := strconv.ParseFloat(want, 64)
		h, err2 := strconv.ParseFloat(have, 64)
		if err1 != nil || err2 != nil {
			return false
		}
		switch {
		case h < w:
			return ok(-1)
		case h > w:
			return ok(1)
		}
		return ok(0)
	}
}

func date(ok func(int) bool) func(want, have string) bool {
	return func(want, have string) bool {
		w, ok1 := parseDate(want)
		h, ok2 := parseDate(have)
		return ok1 && ok2 && ok(h.Compare(w))
	}
}

// parseDate reads ISO 8601 or seconds since the epoch.
func parseDate(s string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", "2006-01-02"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return time.Unix(n, 0), err == nil
}

// substitute fills in the policy variables ${key} and ${key, 'default'}; ${*},
// ${?} and ${$} are the characters themselves. A variable that the request does
// not have makes the value match nothing.
//
// In a pattern, what was filled in is no pattern: a star in a user's name is a star.
func substitute(value string, ctx Context, pattern bool) string {
	if !strings.Contains(value, "${") {
		return value
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(value, "${")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			return b.String() + "${" + rest
		}
		if text := variable(name, ctx); pattern {
			b.WriteString(literal.Replace(text))
		} else {
			b.WriteString(text)
		}
		value = after
	}
}

// unmatchable is in no text of a request.
const unmatchable = "\x00"

func variable(name string, ctx Context) string {
	name, fallback, hasFallback := strings.Cut(name, ",")
	name = strings.TrimSpace(name)
	switch name {
	case "*", "?", "$":
		return name
	}
	if values := ctx[strings.ToLower(name)]; len(values) == 1 {
		return values[0]
	}
	if hasFallback {
		return strings.Trim(strings.TrimSpace(fallback), "'")
	}
	return unmatchable
}

// Known reports whether the condition's operator is one of the language.
func (c Condition) Known() bool {
	quantifier, name, ifExists := c.operator()
	if quantifier != "" && quantifier != "forallvalues" && quantifier != "foranyvalue" {
		return false
	}
	if name == "null" {
		return !ifExists
	}
	_, _, known := comparison(name)
	return known
}
