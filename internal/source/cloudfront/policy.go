package cloudfront

import (
	"net/http"
	"net/url"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"plumb/internal/model"
	api "plumb/internal/model/cloudfrontapi"
)

// A plan says what of a request an answer depends on, what goes to the origin, and how
// long an answer is kept.
type plan struct {
	min, byDefault, max time.Duration
	query               bool     // all of it
	queryKeys           []string // or these
	headers             []string // in lower case
	cookies             string   // none, all, whitelist
	cookieNames         []string

	sendQuery   bool
	sendCookies bool
	sendHeaders string // none, others, all, all but Host
}

const day, year = 24 * time.Hour, 365 * 24 * time.Hour

// managed are AWS's own cache policies.
var managed = map[string]plan{
	"658327ea-f89d-4fab-a63d-7e88639e58f6": {min: time.Second, byDefault: day, max: year},                       // CachingOptimized
	"b2884449-e4de-46a7-ac36-70bc7f1ddd6d": {min: time.Second, byDefault: day, max: year},                       // CachingOptimizedForUncompressedObjects
	"4135ea2d-6df8-44a3-9df3-4b5a84be39ad": {},                                                                  // CachingDisabled
	"83da9c7e-98b4-4e11-a168-04f0df8e2c65": {max: year, headers: []string{"host"}, cookies: "all"},              // UseOriginCacheControlHeaders
	"4cc15a8a-d715-48a4-82b8-cc0b614638fe": {max: year, headers: []string{"host"}, cookies: "all", query: true}, // ...-QueryStrings
}

func isCachePolicy(id string) bool { _, ok := managed[id]; return ok }

// originRequestPolicies are AWS's own: what of a request goes to the origin beside what
// the cache policy names.
var originRequestPolicies = map[string]string{
	"216adef6-5c7f-47e4-b989-5492eafa07d3": "all",          // AllViewer
	"b689b0a8-53d0-40ab-baf2-68738e2966ac": "all but host", // AllViewerExceptHostHeader
	"88a5eaf4-2fd4-4709-b370-b4c650ea3fcf": "cors",         // CORS-S3Origin
	"59781a5b-3903-41f3-afcb-af62929ccde1": "cors",         // CORS-CustomOrigin
	"acba4595-bd28-49b8-b9fe-13317c0390fa": "user agent",   // UserAgentRefererHeaders
}

// planOf reads a behavior.
func planOf(b api.DefaultCacheBehavior) plan {
	if b.CachePolicyId != nil && *b.CachePolicyId != "" {
		p := managed[*b.CachePolicyId]
		p.sendHeaders = originRequestPolicies[model.Deref(b.OriginRequestPolicyId)]
		all := strings.HasPrefix(p.sendHeaders, "all")
		p.sendQuery, p.sendCookies = all || p.query, all || p.cookies != ""
		return p
	}
	f := b.ForwardedValues
	p := plan{sendHeaders: "others"}
	seconds := func(n *int64) time.Duration {
		return time.Duration(min(max(model.Deref(n), 0), 3153600000)) * time.Second
	}
	p.min, p.byDefault, p.max = seconds(b.MinTTL), seconds(b.DefaultTTL), seconds(b.MaxTTL)
	p.sendQuery, p.query = model.Deref(f.QueryString), model.Deref(f.QueryString)
	if k := f.QueryStringCacheKeys; p.query && k != nil && len(k.Items) > 0 {
		p.query, p.queryKeys = false, k.Items
	}
	if f.Cookies != nil {
		p.cookies, p.sendCookies = string(f.Cookies.Forward), f.Cookies.Forward != "none"
		if f.Cookies.WhitelistedNames != nil {
			p.cookieNames = f.Cookies.WhitelistedNames.Items
		}
	}
	if f.Headers != nil {
		for _, h := range f.Headers.Items {
			p.headers = append(p.headers, strings.ToLower(h))
		}
	}
	if slices.Contains(p.headers, "*") { // all are forwarded, and nothing is cached
		p.headers, p.sendHeaders, p.min, p.byDefault, p.max = nil, "all", 0, 0, 0
	}
	return p
}

// keyOf names an answer in the cache.
func (p plan) keyOf(distribution, target string, r request) string {
	parts := []string{distribution, target, r.URI}
	if p.query {
		parts = append(parts, r.Query)
	} else if len(p.queryKeys) > 0 {
		values, _ := url.ParseQuery(r.Query) // what does not parse is not there
		for _, k := range p.queryKeys {
			parts = append(parts, k, strings.Join(values[k], "\x00"))
		}
	}
	for _, h := range p.headers {
		parts = append(parts, h)
		for _, v := range r.Headers[h] {
			parts = append(parts, v.Value)
		}
	}
	return strings.Join(append(parts, p.cookiesOf(r)), "\n")
}

// cookiesOf are the cookies that count.
func (p plan) cookiesOf(r request) string {
	if p.cookies == "" || p.cookies == "none" {
		return ""
	}
	var out []string
	for _, line := range r.Headers["cookie"] {
		for c := range strings.SplitSeq(line.Value, ";") {
			c = strings.TrimSpace(c)
			name, _, _ := strings.Cut(c, "=")
			if c != "" && (p.cookies == "all" || slices.ContainsFunc(p.cookieNames, func(pattern string) bool { return matches(pattern, name) })) {
				out = append(out, c)
			}
		}
	}
	sort.Strings(out)
	return strings.Join(out, "; ")
}

// notForwarded are headers that the origin does not get by default.
var notForwarded = []string{
	"accept", "accept-charset", "accept-encoding", "accept-language", "authorization", "cookie", "expect", "host", "if-modified-since", "if-none-match", "if-range",
	"if-match", "if-unmodified-since", "range", "referer", "user-agent", "via", "x-forwarded-for", "x-forwarded-proto", "x-real-ip", "content-length",
}

var (
	ofCORS      = []string{"origin", "access-control-request-headers", "access-control-request-method"}
	ofUserAgent = []string{"user-agent", "referer"}
)

// sends reports whether a header goes to the origin as the viewer sent it.
func (p plan) sends(name, method string) bool {
	never := []string{"accept-encoding", "content-length", "cookie", "via", "x-forwarded-for", "range", "if-range", "if-none-match", "if-modified-since"}
	switch {
	case slices.Contains(never, name):
		return false
	case slices.Contains(p.headers, name), name == "content-type":
		return true
	case name == "authorization" && method != http.MethodGet && method != http.MethodHead:
		return true
	}
	switch p.sendHeaders {
	case "all":
		return true
	case "all but host":
		return name != "host"
	case "others":
		return !slices.Contains(notForwarded, name)
	case "cors":
		return slices.Contains(ofCORS, name)
	case "user agent":
		return slices.Contains(ofUserAgent, name)
	}
	return false
}

// keepError is how long an error of an origin is kept.
const keepError = 10 * time.Second

// keep says how long an answer is kept.
func (p plan) keep(h Headers, status int, now time.Time) time.Duration {
	directives := map[string]string{}
	for _, v := range h["cache-control"] {
		for d := range strings.SplitSeq(v.Value, ",") {
			name, value, _ := strings.Cut(strings.TrimSpace(d), "=")
			directives[strings.ToLower(name)] = strings.Trim(value, `"`)
		}
	}
	_, noStore := directives["no-store"]
	_, noCache := directives["no-cache"]
	_, private := directives["private"]
	ttl := p.byDefault
	switch {
	case noStore || noCache || private:
		ttl = 0
	case isNumber(directives["s-maxage"]):
		ttl = age(directives["s-maxage"])
	case isNumber(directives["max-age"]):
		ttl = age(directives["max-age"])
	case h.get("expires") != "":
		at, err := http.ParseTime(h.get("expires"))
		ttl = at.Sub(now)
		if err != nil {
			ttl = 0
		}
	}
	ttl = min(max(ttl, p.min), max(p.max, p.min))
	switch {
	case status >= 400:
		if !slices.Contains([]int{400, 403, 404, 405, 410, 414, 416, 500, 501, 502, 503, 504}, status) || p.max == 0 {
			return 0
		}
		return keepError
	case !slices.Contains([]int{200, 203, 204, 300, 301, 302, 303, 304, 307, 308}, status):
		return 0
	}
	return max(ttl, 0)
}

func isNumber(s string) bool { _, err := strconv.ParseUint(s, 10, 31); return err == nil }

func age(s string) time.Duration {
	n, _ := strconv.ParseUint(s, 10, 31) // asked before
	return time.Duration(n) * time.Second
}

// matches reports whether a pattern with * and ? is about a text.
func matches(pattern, text string) bool {
	p, t, star, mark := 0, 0, -1, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p, t = p+1, t+1
		case star >= 0:
			mark++
			p, t = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
