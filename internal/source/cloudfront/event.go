package cloudfront

import (
	"net/http"
	"sort"
	"strconv"
	"strings"
)

// Headers are those of a request or an answer as functions see them: by name in lower
// case.
type Headers map[string][]header

type header struct {
	Key   string `json:"key,omitempty"`
	Value string `json:"value"`
}

// A request is one as functions see it.
type request struct {
	ClientIP string  `json:"clientIp"`
	Headers  Headers `json:"headers"`
	Method   string  `json:"method"`
	Query    string  `json:"querystring"`
	URI      string  `json:"uri"`
	Body     *body   `json:"body,omitempty"`
	Origin   *origin `json:"origin,omitempty"`
}

// A body is the beginning of a request's body, or what a function puts in its place.
type body struct {
	Action    string `json:"action,omitempty"`
	Data      string `json:"data"`
	Encoding  string `json:"encoding,omitempty"`
	Truncated bool   `json:"inputTruncated"`
}

// An origin is where a request goes to.
type origin struct {
	Custom *customOrigin `json:"custom,omitempty"`
	S3     *s3Origin     `json:"s3,omitempty"`
}

type customOrigin struct {
	CustomHeaders Headers  `json:"customHeaders"`
	Domain        string   `json:"domainName"`
	Keepalive     int      `json:"keepaliveTimeout"`
	Path          string   `json:"path"`
	Port          int      `json:"port"`
	Protocol      string   `json:"protocol"`
	ReadTimeout   int      `json:"readTimeout"`
	SSLProtocols  []string `json:"sslProtocols"`
}

type s3Origin struct {
	AuthMethod    string  `json:"authMethod"`
	CustomHeaders Headers `json:"customHeaders"`
	Domain        string  `json:"domainName"`
	Path          string  `json:"path"`
	Region        string  `json:"region"`
}

// A response is an answer as functions see it.
type response struct {
	Status      string  `json:"status"`
	Description string  `json:"statusDescription"`
	Headers     Headers `json:"headers"`
}

// An event is what a function gets.
type event struct {
	Records []eventRecord `json:"Records"`
}

type eventRecord struct {
	CF cf `json:"cf"`
}

type cf struct {
	Config struct {
		Domain  string `json:"distributionDomainName"`
		ID      string `json:"distributionId"`
		Type    string `json:"eventType"`
		Request string `json:"requestId"`
	} `json:"config"`
	Request  request   `json:"request"`
	Response *response `json:"response,omitempty"`
}

// headersOf shows headers to functions. Those about the connection are left out.
func headersOf(h http.Header) Headers {
	out := Headers{}
	for name, values := range h {
		if hopByHop[name] {
			continue
		}
		for _, v := range values {
			low := strings.ToLower(name)
			out[low] = append(out[low], header{name, v})
		}
	}
	return out
}

var hopByHop = map[string]bool{
	"Connection": true, "Keep-Alive": true, "Proxy-Connection": true, "Te": true, "Trailer": true, "Transfer-Encoding": true, "Upgrade": true,
}

// set replaces a header.
func (h Headers) set(name, value string) {
	h[strings.ToLower(name)] = []header{{name, value}}
}

func (h Headers) get(name string) string {
	if v := h[strings.ToLower(name)]; len(v) > 0 {
		return v[0].Value
	}
	return ""
}

func (h Headers) clone() Headers {
	out := make(Headers, len(h))
	for k, v := range h {
		out[k] = append([]header(nil), v...)
	}
	return out
}

// write adds the headers to an HTTP message.
func (h Headers) write(to http.Header) {
	names := make([]string, 0, len(h))
	for name := range h {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		for _, v := range h[name] {
			to.Add(name, v.Value)
		}
	}
}

// size is how many bytes headers have in a message.
func (h Headers) size() (n int) {
	for name, values := range h {
		for _, v := range values {
			n += len(name) + len(v.Value) + 4
		}
	}
	return n
}

// code is the status as a number; 0 if it is none.
func (r response) code() int {
	n, err := strconv.Atoi(r.Status)
	if err != nil || n < 200 || n > 599 {
		return 0
	}
	return n
}
