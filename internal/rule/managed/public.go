package managed

import (
	"net/netip"
	"slices"
	"strings"
)

// isPublic reports whether an Allow statement lets anyone in, by the measure of
// Amazon S3's "meaning of public": the principal is a wildcard, no condition
// ties the caller to fixed values, and no Deny statement does it instead.
func isPublic(statement any) bool {
	s, _ := statement.(map[string]any)
	if text(s["effect"]) != "Allow" || s["anyone"] != true || s["guarded"] == true {
		return false
	}
	list, _ := s["conditions"].([]any)
	return !slices.ContainsFunc(list, ties)
}

// ties reports whether a condition ties the caller: a positive comparison of a
// key that the caller cannot choose with values that are fixed. IfExists does
// not, because a request without the key passes.
func ties(condition any) bool {
	c, _ := condition.(map[string]any)
	values := texts(c["values"])
	if len(values) == 0 {
		return false
	}
	key := text(c["key"])
	// ForAllValues passes a request without the key, ForAnyValue does not.
	switch strings.TrimPrefix(strings.ToLower(text(c["operator"])), "foranyvalue:") {
	case "stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike":
		return tyingKey(key) && !slices.ContainsFunc(values, func(v string) bool { return !fixed(key, v) })
	case "ipaddress":
		return key == "aws:sourceip" && !slices.ContainsFunc(values, broad)
	}
	return false
}

// guards reports whether statement d denies strangers all that statement s
// allows: whoever is not tied to fixed values is denied, as in "deny unless from
// this VPC". A request without the key is denied too, also with IfExists.
func guards(d, s any) bool {
	deny, allow := d.(map[string]any), s.(map[string]any)
	if deny["effect"] != "Deny" || deny["anyone"] != true || allow["effect"] != "Allow" {
		return false
	}
	list, _ := deny["conditions"].([]any)
	denies := len(list) == 0 || len(list) == 1 && tiesOthersOut(list[0])
	return denies &&
		allMatch(allow["actions"], deny["actions"]) && allMatch(allow["resources"], deny["resources"])
}

// allMatch reports whether each of the patterns lies within one of the others.
// Nothing lies within nothing: NotAction and NotResource are not understood here.
func allMatch(patterns, others any) bool {
	list := texts(patterns)
	return len(list) > 0 && !slices.ContainsFunc(list, func(p string) bool { return !globAny(p, texts(others)) })
}

// tiesOthersOut is ties for the negative operators.
func tiesOthersOut(condition any) bool {
	c, _ := condition.(map[string]any)
	positive := map[string]string{
		"stringnotequals": "StringEquals", "stringnotequalsignorecase": "StringEquals", "stringnotlike": "StringLike",
		"arnnotequals": "ArnEquals", "arnnotlike": "ArnLike", "notipaddress": "IpAddress",
	}[strings.TrimSuffix(strings.ToLower(text(c["operator"])), "ifexists")]
	return ties(map[string]any{"operator": positive, "key": c["key"], "values": c["values"]})
}

func tyingKey(key string) bool {
	switch key {
	case "aws:sourcearn", "aws:sourceaccount", "aws:sourceowner", "aws:sourcevpc", "aws:sourcevpce",
		"aws:sourceorgid", "aws:sourceorgpaths", "aws:principalorgid", "aws:principalorgpaths",
		"aws:principalaccount", "aws:principalarn", "aws:userid", "kms:calleraccount",
		"s3:dataaccesspointaccount", "s3:dataaccesspointarn", "lambda:sourcefunctionarn":
		return true
	}
	return false
}

// fixed reports whether a value leaves the caller no choice. The name in an
// access point's ARN may be a wildcard as long as its account is not; a path in
// an organization ends with one.
func fixed(key, value string) bool {
	switch key {
	case "s3:dataaccesspointarn":
		parts := strings.SplitN(value, ":", 6)
		return len(parts) == 6 && !strings.ContainsAny(parts[4], "*?$") && parts[4] != ""
	case "aws:principalorgpaths", "aws:sourceorgpaths":
		org, _, _ := strings.Cut(value, "/")
		return org != "" && !strings.ContainsAny(org, "*?$")
	}
	return value != "" && !strings.ContainsAny(value, "*?") && !strings.Contains(value, "${")
}

// broad reports whether an address range is so wide that it stands for the
// internet: wider than /8 (IPv4) or /32 (IPv6).
func broad(cidr string) bool {
	if !strings.Contains(cidr, "/") {
		_, err := netip.ParseAddr(cidr)
		return err != nil
	}
	prefix, err := netip.ParsePrefix(cidr)
	if err != nil {
		return true
	}
	if prefix.Addr().Is4() {
		return prefix.Bits() < 8
	}
	return prefix.Bits() < 32
}
