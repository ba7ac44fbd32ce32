package httpevent

import (
	"encoding/json"
	"net/http"

	"plumb/internal/caller"
)

// V1 is a request in the payload format 1.0. Maps that are empty are null.
type V1 struct {
	Version  string `json:"version,omitempty"` // HTTP APIs say it
	Resource string `json:"resource"`
	Path     string `json:"path"`
	Method   string `json:"httpMethod"`
	V1Request
	Context V1Context `json:"requestContext"`
	Body    *string   `json:"body"`
	Base64  bool      `json:"isBase64Encoded"`
}

// V1Request is what events and those of authorizers have in common.
type V1Request struct {
	Headers        map[string]string   `json:"headers"`
	MultiHeaders   map[string][]string `json:"multiValueHeaders"`
	Query          map[string]string   `json:"queryStringParameters"`
	MultiQuery     map[string][]string `json:"multiValueQueryStringParameters"`
	PathParameters map[string]string   `json:"pathParameters"`
	StageVariables map[string]string   `json:"stageVariables"`
}

// V1Context is what the format says around a request.
type V1Context struct {
	Account      string         `json:"accountId"`
	API          string         `json:"apiId"`
	Authorizer   map[string]any `json:"authorizer,omitempty"`
	Deployment   string         `json:"deploymentId,omitempty"`
	Domain       string         `json:"domainName"`
	DomainPrefix string         `json:"domainPrefix"`
	ExtendedID   string         `json:"extendedRequestId"`
	Method       string         `json:"httpMethod"`
	Identity     V1Identity     `json:"identity"`
	Path         string         `json:"path"`
	Protocol     string         `json:"protocol"`
	ID           string         `json:"requestId"`
	Time         string         `json:"requestTime"`
	Epoch        int64          `json:"requestTimeEpoch"`
	Resource     string         `json:"resourceId"`
	ResourcePath string         `json:"resourcePath"`
	Stage        string         `json:"stage"`
}

// V1Identity is who sent a request.
type V1Identity struct {
	AccessKey           *string `json:"accessKey"`
	Account             *string `json:"accountId"`
	APIKey              *string `json:"apiKey,omitempty"`
	APIKeyID            *string `json:"apiKeyId,omitempty"`
	Caller              *string `json:"caller"`
	CognitoProvider     *string `json:"cognitoAuthenticationProvider"`
	CognitoType         *string `json:"cognitoAuthenticationType"`
	CognitoIdentity     *string `json:"cognitoIdentityId"`
	CognitoIdentityPool *string `json:"cognitoIdentityPoolId"`
	OrgID               *string `json:"principalOrgId"`
	SourceIP            string  `json:"sourceIp"`
	User                *string `json:"user"`
	UserAgent           *string `json:"userAgent"`
	UserARN             *string `json:"userArn"`
}

// IdentityOf describes the sender of a request; who is nil for one that nobody signed.
func IdentityOf(r *http.Request, who *caller.Caller) V1Identity {
	id := V1Identity{SourceIP: HostName(r.RemoteAddr)}
	if agent := r.UserAgent(); agent != "" {
		id.UserAgent = &agent
	}
	if who != nil {
		id.AccessKey, id.Account, id.Caller, id.User, id.UserARN = &who.AccessKeyID, &who.Account, &who.UserID, &who.UserID, &who.PrincipalARN
	}
	return id
}

// NewV1 returns the event of a request without what only its API knows.
func NewV1(r *http.Request, host string) V1 {
	e := V1{Path: Path(r), Method: r.Method}
	header := r.Header.Clone()
	header.Set("Host", host)
	header.Set("X-Forwarded-For", HostName(r.RemoteAddr))
	header.Set("X-Forwarded-Proto", Scheme(r))
	e.Headers, e.MultiHeaders = last(header), header
	if query := r.URL.Query(); len(query) > 0 {
		e.Query, e.MultiQuery = last(http.Header(query)), query
	}
	return e
}

// last has of each list the last value.
func last(values http.Header) map[string]string {
	out := make(map[string]string, len(values))
	for name, list := range values {
		if len(list) > 0 {
			out[name] = list[len(list)-1]
		}
	}
	return out
}

// JSON is the event.
func (e V1) JSON() []byte {
	text, _ := json.Marshal(e) // text, numbers, and what was JSON always can
	return text
}
