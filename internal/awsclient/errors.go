package awsclient

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"plumb/internal/model"
)

// An Error is what a service answered instead of success. Code is the service's name for it ("NoSuchBucket"); an answer
// without a code has its HTTP status there ("503", and "404" of a HEAD request).
type Error struct {
	Code      string
	Message   string
	Status    int
	RequestID string
}

func (e *Error) Error() string {
	if e.Message == "" {
		return fmt.Sprintf("%s (HTTP %d)", e.Code, e.Status)
	}
	return fmt.Sprintf("%s (HTTP %d): %s", e.Code, e.Status, e.Message)
}

// ErrorCode and HTTPStatusCode are what the SDK's retry policy looks at.
func (e *Error) ErrorCode() string { return e.Code }

// HTTPStatusCode is the status of the answer.
func (e *Error) HTTPStatusCode() int { return e.Status }

// Code returns the code of an *Error in the chain of err, and "" when there is none.
func Code(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// readError makes an Error of any answer, also of one that is not the service's: a proxy's page, an empty body.
func readError(api *model.API, ans *answer) error {
	e := &Error{Status: ans.status, RequestID: firstHeader(ans.header, "X-Amzn-Requestid", "X-Amz-Request-Id")}
	switch api.Metadata.Protocol {
	case "json", "rest-json":
		e.fromJSON(ans)
	default:
		e.fromXML(ans.body)
	}
	if e.Code == "" {
		e.Code = httpCode(ans.status)
		e.Message = orElse(e.Message, http.StatusText(ans.status))
	}
	return e
}

func firstHeader(h http.Header, names ...string) string {
	for _, n := range names {
		if v := h.Get(n); v != "" {
			return v
		}
	}
	return ""
}

// fromJSON knows the header and the two places in the body; the name may wear a namespace before and a URL behind.
func (e *Error) fromJSON(ans *answer) {
	var body map[string]any
	_ = json.Unmarshal(ans.body, &body) // no JSON, no more to know
	code := ans.header.Get("X-Amzn-Errortype")
	for _, k := range []string{"__type", "code", "Code"} {
		if s, ok := body[k].(string); ok && code == "" {
			code = s
		}
	}
	if _, after, ok := strings.Cut(code, "#"); ok {
		code = after
	}
	e.Code, _, _ = strings.Cut(code, ":")
	for _, k := range []string{"message", "Message", "errorMessage"} {
		if s, ok := body[k].(string); ok && e.Message == "" {
			e.Message = s
		}
	}
}

// fromXML finds <Error> at the root (S3), below it (query) or below <Errors> (EC2).
func (e *Error) fromXML(body []byte) {
	root, err := parseXML(body)
	if err != nil {
		return
	}
	n := root
	if errs := root.child("Errors"); errs != nil {
		n = errs
	}
	if inner := n.child("Error"); inner != nil {
		n = inner
	}
	if c := n.child("Code"); c != nil {
		e.Code = strings.TrimSpace(c.text)
	}
	if c := n.child("Message"); c != nil {
		e.Message = strings.TrimSpace(c.text)
	}
	for _, name := range []string{"RequestId", "RequestID"} {
		if c := root.child(name); c != nil && e.RequestID == "" {
			e.RequestID = c.text
		}
	}
}
