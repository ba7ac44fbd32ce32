package functionurl

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"mime"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"plumb/internal/caller"
	"plumb/internal/lambda"
)

// A request is one in the payload format 2.0.
type request struct {
	Version  string            `json:"version"`
	RouteKey string            `json:"routeKey"`
	Path     string            `json:"rawPath"`
	RawQuery string            `json:"rawQueryString"`
	Cookies  []string          `json:"cookies,omitempty"`
	Headers  map[string]string `json:"headers"`
	Query    map[string]string `json:"queryStringParameters,omitempty"`
	Context  requestContext    `json:"requestContext"`
	Body     string            `json:"body,omitempty"`
	Base64   bool              `json:"isBase64Encoded"`
}

type requestContext struct {
	Account      string          `json:"accountId"`
	API          string          `json:"apiId"`
	Authorizer   *authorizer     `json:"authorizer,omitempty"`
	Domain       string          `json:"domainName"`
	DomainPrefix string          `json:"domainPrefix"`
	HTTP         httpDescription `json:"http"`
	ID           string          `json:"requestId"`
	RouteKey     string          `json:"routeKey"`
	Stage        string          `json:"stage"`
	Time         string          `json:"time"`
	Epoch        int64           `json:"timeEpoch"`
}

type httpDescription struct {
	Method    string `json:"method"`
	Path      string `json:"path"`
	Protocol  string `json:"protocol"`
	SourceIP  string `json:"sourceIp"`
	UserAgent string `json:"userAgent"`
}

type authorizer struct {
	IAM struct {
		AccessKey string  `json:"accessKey"`
		Account   string  `json:"accountId"`
		Caller    string  `json:"callerId"`
		Cognito   *string `json:"cognitoIdentity"`
		OrgID     *string `json:"principalOrgId"`
		UserARN   string  `json:"userArn"`
		User      string  `json:"userId"`
	} `json:"iam"`
}

// event is what the function gets of a request; who is nil for one that nobody signed.
func event(r *http.Request, u lambda.URL, who *caller.Caller, body []byte, now time.Time) []byte {
	domain, source := hostName(r.Host), hostName(r.RemoteAddr)
	e := request{
		Version: "2.0", RouteKey: "$default", Path: r.URL.EscapedPath(), RawQuery: r.URL.RawQuery, Cookies: cookies(r), Headers: headers(r, source),
		Query: map[string]string{},
		Context: requestContext{
			Account: "anonymous", API: u.ID, Domain: domain, DomainPrefix: u.ID, ID: lambda.NewID(), RouteKey: "$default", Stage: "$default",
			HTTP: httpDescription{r.Method, r.URL.Path, r.Proto, source, r.UserAgent()},
			Time: now.UTC().Format("02/Jan/2006:15:04:05 -0700"), Epoch: now.UnixMilli(),
		},
	}
	if e.Path == "" {
		e.Path = "/"
	}
	for name, values := range r.URL.Query() {
		e.Query[name] = strings.Join(values, ",")
	}
	if who != nil {
		a := &authorizer{}
		a.IAM.AccessKey, a.IAM.Account, a.IAM.Caller, a.IAM.User, a.IAM.UserARN = who.AccessKeyID, who.Account, who.UserID, who.UserID, who.PrincipalARN
		e.Context.Account, e.Context.Authorizer = who.Account, a
	}
	switch {
	case len(body) == 0:
	case isText(r.Header) && utf8.Valid(body):
		e.Body = string(body)
	default:
		e.Body, e.Base64 = base64.StdEncoding.EncodeToString(body), true
	}
	text, _ := json.Marshal(e) // text and numbers always can
	return text
}

func hostName(address string) string {
	if name, _, err := net.SplitHostPort(address); err == nil {
		return name
	}
	return address
}

// headers joins what a request says more than once, under names in lower case.
// Cookies have a list of their own.
func headers(r *http.Request, source string) map[string]string {
	out := map[string]string{"host": r.Host, "x-forwarded-for": source, "x-forwarded-proto": "http"}
	if r.TLS != nil {
		out["x-forwarded-proto"] = "https"
	}
	for name, values := range r.Header {
		if name != "Cookie" {
			out[strings.ToLower(name)] = strings.Join(values, ",")
		}
	}
	return out
}

func cookies(r *http.Request) (out []string) {
	for _, line := range r.Header["Cookie"] {
		for _, c := range strings.Split(line, ";") {
			if c = strings.TrimSpace(c); c != "" {
				out = append(out, c)
			}
		}
	}
	return out
}

// isText reports whether a body goes to the function as it is. Others go as base64.
func isText(h http.Header) bool {
	if h.Get("Content-Encoding") != "" {
		return false
	}
	kind, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		return false
	}
	return strings.HasPrefix(kind, "text/") || kind == "application/json" || kind == "application/javascript" || kind == "application/xml" ||
		strings.HasSuffix(kind, "+json") || strings.HasSuffix(kind, "+xml")
}

// A response is what a function says in the payload format 2.0.
type response struct {
	Status  json.RawMessage            `json:"statusCode"`
	Headers map[string]json.RawMessage `json:"headers"`
	Cookies []string                   `json:"cookies"`
	Body    *string                    `json:"body"`
	Base64  bool                       `json:"isBase64Encoded"`
}

// answer writes what a function answered: a response, or any other JSON as it is.
func answer(w http.ResponseWriter, payload []byte) {
	var members map[string]json.RawMessage
	if json.Unmarshal(payload, &members) == nil && members["statusCode"] != nil {
		r, status, body, err := read(payload)
		if err != nil {
			badGateway(w)
			return
		}
		r.write(w, status, body)
		return
	}
	var text string
	if json.Unmarshal(payload, &text) == nil && len(payload) > 0 && payload[0] == '"' {
		payload = []byte(text)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(payload) // a client that has gone away is not our error
}

// read checks a response as a whole before any of it is written.
func read(payload []byte) (r response, status int, body []byte, err error) {
	if err := json.Unmarshal(payload, &r); err != nil {
		return r, 0, nil, err
	}
	if status, err = strconv.Atoi(strings.Trim(string(r.Status), `"`)); err != nil || status < 200 || status > 599 {
		return r, 0, nil, fmt.Errorf("the status code %s is none", r.Status)
	}
	if r.Body != nil {
		body = []byte(*r.Body)
	}
	if r.Base64 {
		body, err = base64.StdEncoding.DecodeString(string(body))
	}
	return r, status, body, err
}

func (r response) write(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	for name, value := range r.Headers {
		text := string(value)
		_ = json.Unmarshal(value, &text) // numbers and booleans stay as they are written
		if !hopByHop(name) {
			w.Header().Set(name, text)
		}
	}
	for _, c := range r.Cookies {
		w.Header().Add("Set-Cookie", c)
	}
	w.WriteHeader(status)
	w.Write(body) // a client that has gone away is not our error
}

// hopByHop reports whether a header speaks of the connection, which is not the
// function's.
func hopByHop(name string) bool {
	switch http.CanonicalHeaderKey(name) {
	case "Connection", "Content-Length", "Keep-Alive", "Transfer-Encoding", "Upgrade", "Trailer", "Te":
		return true
	}
	return false
}

func number(n int) string { return strconv.Itoa(n) }
