package cloudfront

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
)

// seen is the event of a function that the cases below answer for.
func seen(event string) cf {
	c := cf{Request: request{ClientIP: "203.0.113.1", Method: "GET", URI: "/", Headers: Headers{
		"host": {{"Host", "d1.cloudfront.net"}}, "via": {{"Via", "1.1 x"}}, "accept-encoding": {{"Accept-Encoding", "gzip"}}, "x-amz-cf-id": {{"X-Amz-Cf-Id", "i"}},
	}}}
	c.Config.Type = event
	if strings.HasSuffix(event, "-response") {
		c.Response = &response{"200", "OK", Headers{"via": {{"Via", "1.1 x"}}, "content-length": {{"Content-Length", "3"}}, "content-type": {{"Content-Type", "a/b"}}}}
	}
	return c
}

func TestWhatFunctionsAnswerIsChecked(t *testing.T) {
	const kept = `"via":[{"value":"1.1 x"}],"accept-encoding":[{"value":"gzip"}],"x-amz-cf-id":[{"value":"i"}]`
	const request = `{"uri":"/","method":"GET","headers":{"host":[{"value":"d1.cloudfront.net"}],` + kept
	const answer = `{"status":"200","headers":{"via":[{"value":"1.1 x"}],"content-length":[{"value":"3"}]`
	for _, c := range []struct {
		event, payload string
		status         int // 0: taken
		text           string
	}{
		{viewerRequest, request + `}}`, 0, ""},
		{viewerRequest, request + `,"x-more":[{"key":"X-More","value":"1"}]}}`, 0, ""},
		{viewerRequest, `{"status":302,"headers":{"location":[{"value":"/x"}]}}`, 0, ""},
		{viewerRequest, `null`, 502, "must be a request or a response object"},
		{viewerRequest, `"text"`, 502, "must be a request or a response object"},
		{viewerRequest, `{}`, 502, "must be a request or a response object"},
		{viewerRequest, `{"status":"99"}`, 502, "between 200 and 599"},
		{viewerRequest, `{"status":"abc"}`, 502, "between 200 and 599"},
		{viewerRequest, `{"status":"200","body":{}}`, 502, "must be a string"},
		{viewerRequest, `{"status":"200","body":"%","bodyEncoding":"base64"}`, 502, "not in base64"},
		{viewerRequest, `{"status":"200","body":"x","bodyEncoding":"gzip"}`, 502, "must be text or base64"},
		{viewerRequest, `{"status":"200","body":"` + strings.Repeat("x", viewerBytes+1) + `"}`, 503, "too large"},
		{originRequest, `{"status":"200","body":"` + strings.Repeat("x", viewerBytes+1) + `"}`, 0, ""},
		{originRequest, `{"status":"200","body":"` + strings.Repeat("x", originBytes+1) + `"}`, 503, "too large"},
		{viewerRequest, `{"uri":"/","headers":{` + kept + `}}`, 502, "read-only header. Header: host"},
		{viewerRequest, `{"uri":"/","headers":{"host":[{"value":"other"}],` + kept + `}}`, 502, "read-only header. Header: host"},
		{originRequest, `{"uri":"/","headers":{"host":[{"value":"other"}],` + kept + `}}`, 0, ""},
		{originRequest, request + `,"range":[{"value":"bytes=0-1"}]}}`, 502, "read-only header. Header: range"},
		{viewerRequest, request + `,"connection":[{"value":"close"}]}}`, 502, "disallowed header. Header: connection"},
		{viewerRequest, request + `,"x-edge-result":[{"value":"1"}]}}`, 502, "disallowed header. Header: x-edge-result"},
		{viewerRequest, request + `,"x-amz-cf-pop":[{"value":"1"}]}}`, 502, "disallowed header. Header: x-amz-cf-pop"},
		{viewerRequest, request + `,"x-more":"1"}}`, 502, "invalid json output"},
		{viewerRequest, request + `,"X-More":[{"value":"1"}]}}`, 502, "must be lower-case"},
		{viewerRequest, request + `,"x more":[{"value":"1"}]}}`, 502, "invalid characters"},
		{viewerRequest, request + `,"x-more":[{"key":"Other","value":"1"}]}}`, 502, "does not match the name"},
		{viewerRequest, request + `,"x-more":[{"value":"a\r\nb: c"}]}}`, 502, "invalid characters"},
		{viewerRequest, strings.Replace(request, `"GET"`, `"POST"`, 1) + `}}`, 502, "read-only field"},
		{viewerRequest, strings.Replace(request, `{"uri"`, `{"clientIp":"1.1.1.1","uri"`, 1) + `}}`, 502, "read-only field"},
		{viewerRequest, strings.Replace(request, `"/"`, `"relative"`, 1) + `}}`, 502, "invalid request uri"},
		{viewerRequest, strings.Replace(request, `"/"`, `"/a?b"`, 1) + `}}`, 502, "invalid request uri"},
		{viewerRequest, strings.Replace(request, `{"uri"`, `{"querystring":"a b","uri"`, 1) + `}}`, 502, "invalid request querystring"},
		{viewerRequest, request + `},"body":{"action":"replace","data":""}}`, 502, "a body that it was not given"},
		{viewerResponse, answer + `}}`, 0, ""},
		{viewerResponse, answer + `,"content-encoding":[{"value":"gzip"}]}}`, 502, "read-only header. Header: content-encoding"},
		{originResponse, `{"status":"404","headers":{"via":[{"value":"1.1 x"}],"content-encoding":[{"value":"gzip"}]}}`, 0, ""},
		{originResponse, `{"status":"200","headers":{}}`, 502, "read-only header. Header: via"},
		{originResponse, request + `}}`, 502, "a response object must have a status"},
	} {
		_, bad := readResult([]byte(c.payload), seen(c.event))
		switch {
		case c.status == 0 && bad != nil, c.status != 0 && (bad == nil || bad.status != c.status || !strings.Contains(bad.text, c.text)):
			t.Errorf("%s of %.80s: %v, want %d %s", c.event, c.payload, bad, c.status, c.text)
		}
	}
}

func TestPathsMatchPatterns(t *testing.T) {
	for _, c := range []struct {
		pattern, path string
		want          bool
	}{
		{"*.jpg", "a/b.jpg", true}, {"*.jpg", "a.jpeg", false}, {"/images/*", "/images/a", true}, {"/images/*", "/image", false}, {"a??.x", "abc.x", true},
		{"a??.x", "ab.x", false}, {"*", "", true}, {"**a**", "bab", true}, {"", "", true}, {"", "a", false}, {"/A", "/a", false},
	} {
		if got := matches(c.pattern, c.path); got != c.want {
			t.Errorf("%s of %s: %v", c.pattern, c.path, got)
		}
	}
}

func TestAnswersAreKeptAsLongAsTheyMay(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	usual := plan{byDefault: day, max: year}
	for _, c := range []struct {
		rules  plan
		name   string
		value  string
		status int
		want   time.Duration
	}{
		{usual, "", "", 200, day},
		{usual, "cache-control", "max-age=60", 200, time.Minute},
		{usual, "cache-control", "public, max-age=60, s-maxage=90", 200, 90 * time.Second},
		{usual, "cache-control", "no-store", 200, 0},
		{usual, "cache-control", "private", 200, 0},
		{usual, "cache-control", "max-age=-1", 200, day},
		{usual, "cache-control", "max-age=99999999999999999999", 200, day},
		{usual, "expires", now.Add(time.Hour).Format(http.TimeFormat), 200, time.Hour},
		{usual, "expires", now.Add(-time.Hour).Format(http.TimeFormat), 200, 0},
		{usual, "expires", "never", 200, 0},
		{plan{min: time.Hour, byDefault: day, max: year}, "cache-control", "no-cache", 200, time.Hour},
		{plan{byDefault: day, max: time.Minute}, "", "", 200, time.Minute},
		{plan{}, "cache-control", "max-age=60", 200, 0},
		{usual, "", "", 404, keepError},
		{plan{}, "", "", 404, 0},
		{usual, "", "", 206, 0},
	} {
		h := Headers{}
		if c.name != "" {
			h.set(c.name, c.value)
		}
		if got := c.rules.keep(h, c.status, now); got != c.want {
			t.Errorf("%d, %s: %s: %v, want %v", c.status, c.name, c.value, got, c.want)
		}
	}
}

func TestTheCacheIsBounded(t *testing.T) {
	c, now := newCache(), time.Unix(0, 0)
	c.max = 10_000
	for i := range 100 {
		c.put(&stored{key: string(rune('a' + i)), body: make([]byte, 1000), until: now.Add(time.Hour)}, 0)
	}
	if c.bytes > c.max || c.used.Len() == 0 || len(c.byKey) != c.used.Len() {
		t.Errorf("%d answers of %d bytes", c.used.Len(), c.bytes)
	}
	if _, ok := c.get("a", now); ok {
		t.Error("the oldest answer is there")
	}
	if _, ok := c.get(string(rune('a'+99)), now.Add(time.Hour)); ok {
		t.Error("an answer that does not hold any more is there")
	}
}

// FuzzReadResult: whatever a function answers is a result or a page.
func FuzzReadResult(f *testing.F) {
	f.Add([]byte(`{"status":"200","headers":{"a":[{"value":"b"}]},"body":"x"}`))
	f.Add([]byte(`{"uri":"/","headers":{},"origin":{"custom":{}}}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		for _, event := range []string{viewerRequest, originRequest, originResponse, viewerResponse} {
			got, bad := readResult(payload, seen(event))
			if bad == nil && got.request == nil && got.response == nil {
				t.Error("neither a result nor a page")
			}
			if _, err := json.Marshal(got.response); err != nil {
				t.Error(err)
			}
		}
	})
}
