package cloudfront

import (
	"slices"
	"strings"
)

// The events at which functions are invoked.
const (
	viewerRequest  = "viewer-request"
	originRequest  = "origin-request"
	originResponse = "origin-response"
	viewerResponse = "viewer-response"
)

// disallowed are headers that no function may set.
var disallowed = []string{
	"connection", "expect", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "trailer", "upgrade", "x-accel-buffering",
	"x-accel-charset", "x-accel-limit-rate", "x-accel-redirect", "x-amzn-auth", "x-amzn-cf-billing", "x-amzn-cf-id", "x-amzn-cf-xff", "x-amzn-errortype",
	"x-amzn-fle-profile", "x-amzn-header-count", "x-amzn-header-order", "x-amzn-lambda-integration-tag", "x-amzn-requestid", "x-cache", "x-forwarded-proto",
	"x-real-ip",
}

var disallowedPrefixes = []string{"x-amz-cf-", "x-edge-"}

// readOnly are headers that a function of an event may see and not change.
var readOnly = map[string][]string{
	viewerRequest: {"content-length", "host", "transfer-encoding", "via"},
	originRequest: {"accept-encoding", "content-length", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since", "range", "transfer-encoding",
		"via"},
	originResponse: {"transfer-encoding", "via"},
	viewerResponse: {"content-encoding", "content-length", "transfer-encoding", "via", "warning"},
}

func isDisallowed(name string) bool {
	return slices.Contains(disallowed, name) || slices.ContainsFunc(disallowedPrefixes, func(p string) bool { return strings.HasPrefix(name, p) })
}

// checkHeaders returns why a function's headers cannot be taken.
func checkHeaders(event string, before, after Headers) *problem {
	for name, values := range after {
		if name != strings.ToLower(name) {
			return invalidResult("The Lambda function returned an invalid entry in the headers object: Header name must be lower-case. Header: %s", name)
		}
		if !validName(name) {
			return invalidResult("The Lambda function returned an invalid entry in the headers object: The name contains invalid characters. Header: %s", name)
		}
		for _, v := range values {
			if v.Key != "" && !strings.EqualFold(v.Key, name) {
				return invalidResult("The Lambda function returned an invalid entry in the headers object: The value of the header's key field does not match "+
					"the name of the header. Header: %s", name)
			}
			if !validValue(v.Value) {
				return invalidResult("The Lambda function returned an invalid entry in the headers object: The value contains invalid characters. Header: %s", name)
			}
		}
		if isDisallowed(name) && !same(before[name], values) {
			return invalidResult("The Lambda function result failed validation: The function tried to set a disallowed header. Header: %s", name)
		}
	}
	for _, name := range readOnly[event] {
		if !same(before[name], after[name]) {
			return invalidResult("The Lambda function result failed validation: The function tried to add, delete, or change a read-only header. Header: %s", name)
		}
	}
	return nil
}

// validName reports whether a header can have a name: RFC 9110 calls it a token.
func validName(name string) bool {
	return name != "" && strings.Trim(name, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

// validValue reports whether a header can have a value.
func validValue(value string) bool {
	return !strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
}

func same(a, b []header) bool {
	return slices.EqualFunc(a, b, func(a, b header) bool { return a.Value == b.Value })
}
