package httpevent

import (
	"encoding/json"
	"net/http"
	"strings"

	"plumb/internal/caller"
)

// V2 is a request in the payload format 2.0. What is empty is left out.
type V2 struct {
	Version        string            `json:"version"`
	RouteKey       string            `json:"routeKey"`
	Path           string            `json:"rawPath"`
	RawQuery       string            `json:"rawQueryString"`
	Cookies        []string          `json:"cookies,omitempty"`
	Headers        map[string]string `json:"headers"`
	Query          map[string]string `json:"queryStringParameters,omitempty"`
	Context        V2Context         `json:"requestContext"`
	Body           string            `json:"body,omitempty"`
	PathParameters map[string]string `json:"pathParameters,omitempty"`
	Base64         bool              `json:"isBase64Encoded"`
	StageVariables map[string]string `json:"stageVariables,omitempty"`
}

// V2Context is what the format says around a request.
type V2Context struct {
	Account      string        `json:"accountId"`
	API          string        `json:"apiId"`
	Authorizer   *V2Authorizer `json:"authorizer,omitempty"`
	Domain       string        `json:"domainName"`
	DomainPrefix string        `json:"domainPrefix"`
	HTTP         V2HTTP        `json:"http"`
	ID           string        `json:"requestId"`
	RouteKey     string        `json:"routeKey"`
	Stage        string        `json:"stage"`
	Time         string        `json:"time"`
	Epoch        int64         `json:"timeEpoch"`
}

// V2HTTP is the request in short.
type V2HTTP struct {
	Method    string `json:"method"`
	Path      string `json:"path"`
	Protocol  string `json:"protocol"`
	SourceIP  string `json:"sourceIp"`
	UserAgent string `json:"userAgent"`
}

// V2Authorizer is what is known of the caller: one of its members is set.
type V2Authorizer struct {
	IAM    *V2IAM         `json:"iam,omitempty"`
	Lambda map[string]any `json:"lambda,omitempty"`
}

// V2IAM is a caller who signed the request.
type V2IAM struct {
	AccessKey string  `json:"accessKey"`
	Account   string  `json:"accountId"`
	Caller    string  `json:"callerId"`
	Cognito   *string `json:"cognitoIdentity"`
	OrgID     *string `json:"principalOrgId"`
	UserARN   string  `json:"userArn"`
	User      string  `json:"userId"`
}

// IAM describes a caller.
func IAM(who caller.Caller) *V2Authorizer {
	return &V2Authorizer{IAM: &V2IAM{
		AccessKey: who.AccessKeyID, Account: who.Account, Caller: who.UserID, User: who.UserID, UserARN: who.PrincipalARN,
	}}
}

// JSON is the event.
func (e V2) JSON() []byte {
	text, _ := json.Marshal(e) // text, numbers, and what was JSON always can
	return text
}

// Headers joins what a request says more than once, under names in lower case. Cookies
// have a list of their own.
func Headers(r *http.Request) map[string]string {
	out := map[string]string{"host": r.Host, "x-forwarded-for": HostName(r.RemoteAddr), "x-forwarded-proto": Scheme(r)}
	for name, values := range r.Header {
		if name != "Cookie" {
			out[strings.ToLower(name)] = strings.Join(values, ",")
		}
	}
	return out
}

// Query joins what a query says more than once.
func Query(r *http.Request) map[string]string {
	out := map[string]string{}
	for name, values := range r.URL.Query() {
		out[name] = strings.Join(values, ",")
	}
	return out
}

// Cookies are those of a request, one by one.
func Cookies(r *http.Request) (out []string) {
	for _, line := range r.Header["Cookie"] {
		for _, c := range strings.Split(line, ";") {
			if c = strings.TrimSpace(c); c != "" {
				out = append(out, c)
			}
		}
	}
	return out
}
