package policy

import (
	"slices"
	"strings"
)

// Public reports whether the policy lets anyone in, by the measure of Amazon S3's
// "meaning of public": an Allow statement names everyone, no condition limits the
// caller to fixed values, and no Deny statement keeps strangers out instead.
func (d Document) Public() bool {
	return slices.ContainsFunc(d.Statements, d.PublicStatement)
}

// PublicStatement reports whether a statement of the policy makes it public.
func (d Document) PublicStatement(s Statement) bool {
	return s.Grants([]string{"*"}) && s.MeansStrangers() && !s.Limits(nil) &&
		!slices.ContainsFunc(d.Statements, func(deny Statement) bool { return deny.keepsStrangersFrom(s) })
}

// MeansStrangers reports whether strangers may be among the principals of an
// Allow statement: a wildcard, whole or in part, an empty name, or everyone but
// some. IAM refuses a part of a wildcard, other services may not.
func (s Statement) MeansStrangers() bool {
	return s.NotPrincipals != nil || slices.ContainsFunc(s.Principals, func(p Principal) bool {
		return p.Everyone() || p.ID == "" || p.Type == "AWS" && strings.Contains(p.ID, "*")
	})
}

// Limits reports whether a condition of the statement limits the caller to fixed
// values of one of the keys, in lower case; nil means every key that S3's page and
// IAM's keys of callers and sources list.
func (s Statement) Limits(keys []string) bool {
	return slices.ContainsFunc(s.Conditions, func(c Condition) bool { return c.limits(keys) })
}

// limits reports whether a condition is a positive comparison of a key that the
// caller cannot choose with values that are fixed. IfExists and ForAllValues do
// not limit: a request without the key passes.
func (c Condition) limits(keys []string) bool {
	quantifier, name, ifExists := c.operator()
	if ifExists || quantifier == "forallvalues" || len(c.Values) == 0 {
		return false
	}
	if keys == nil {
		keys = limitingKeys
	}
	if !slices.Contains(keys, c.Key) {
		return false
	}
	switch name {
	case "stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike":
		return !slices.ContainsFunc(c.Values, func(v string) bool { return !fixed(c.Key, v) })
	case "ipaddress":
		return isAddress(c.Key) && !slices.ContainsFunc(c.Values, broad)
	}
	return false
}

func isAddress(key string) bool { return key == "aws:sourceip" || key == "aws:vpcsourceip" }

// limitingKeys are the keys by which a policy may name its callers.
var limitingKeys = []string{
	"aws:sourceip", "aws:vpcsourceip",
	"aws:sourcearn", "aws:sourceaccount", "aws:sourceowner", "aws:sourcevpc", "aws:sourcevpce",
	"aws:sourceorgid", "aws:sourceorgpaths", "aws:principalorgid", "aws:principalorgpaths",
	"aws:principalaccount", "aws:principalarn", "aws:principalservicename", "aws:userid", "aws:username",
	"kms:calleraccount", "lambda:sourcefunctionarn",
	"s3:dataaccesspointaccount", "s3:dataaccesspointarn", "s3:x-amz-server-side-encryption-aws-kms-key-id",
}

// fixed reports whether a value leaves the caller no choice. The name in an
// access point's ARN may be a wildcard as long as its account is not; a path in an
// organization ends with one.
func fixed(key, value string) bool {
	switch key {
	case "s3:dataaccesspointarn":
		parts := strings.SplitN(value, ":", 6)
		return len(parts) == 6 && parts[4] != "" && !strings.ContainsAny(parts[4], "*?$")
	case "aws:principalorgpaths", "aws:sourceorgpaths":
		organization, _, _ := strings.Cut(value, "/")
		return organization != "" && !strings.ContainsAny(organization, "*?$")
	}
	return value != "" && !strings.ContainsAny(value, "*?") && !strings.Contains(value, "${")
}

// The widest address ranges that still count as fixed.
const (
	minBits4 = 8
	minBits6 = 32
)

// broad reports whether an address range is so wide that it stands for the
// internet.
func broad(s string) bool {
	prefix, ok := parseRange(s)
	if !ok {
		return true
	}
	if prefix.Addr().Is4() {
		return prefix.Bits() < minBits4
	}
	return prefix.Bits() < minBits6
}

// keepsStrangersFrom reports whether a Deny statement keeps strangers from all
// that an Allow statement grants: it denies whoever is not limited to fixed
// values, as in "deny unless from this VPC". A request without the key is denied
// too, also with IfExists.
func (s Statement) keepsStrangersFrom(allow Statement) bool {
	if s.Effect != Deny || !s.deniesStrangers() || allow.NotActions != nil || allow.NotResources != nil {
		return false
	}
	return !slices.ContainsFunc(allow.Actions, func(a string) bool { return !s.coversAction(a) }) &&
		!slices.ContainsFunc(allow.Resources, func(r string) bool { return !s.coversResource(r) })
}

func (s Statement) deniesStrangers() bool {
	switch {
	case s.NotPrincipals != nil: // everyone but those that it names
		return len(s.Conditions) == 0 && !slices.ContainsFunc(s.NotPrincipals, func(p Principal) bool { return strings.Contains(p.ID, "*") })
	case !slices.ContainsFunc(s.Principals, Principal.Everyone):
		return false
	}
	return len(s.Conditions) == 0 || len(s.Conditions) == 1 && s.Conditions[0].limitsOthers()
}

// limitsOthers is limits for the negative operators.
func (c Condition) limitsOthers() bool {
	quantifier, name, _ := c.operator()
	positive := map[string]string{
		"stringnotequals": "StringEquals", "stringnotequalsignorecase": "StringEquals", "stringnotlike": "StringLike",
		"arnnotequals": "ArnEquals", "arnnotlike": "ArnLike", "notipaddress": "IpAddress",
	}[name]
	if quantifier != "" {
		return false
	}
	return Condition{Operator: positive, Key: c.Key, Values: c.Values}.limits(nil)
}
