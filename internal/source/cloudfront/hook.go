package cloudfront

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"plumb/internal/lambda"
	"plumb/internal/model"
	api "plumb/internal/model/cloudfrontapi"
)

// What functions of an event may make: bytes of an answer, and of a request's body that
// they see or put in its place.
const (
	viewerBytes = 40 << 10
	originBytes = 1 << 20
)

func limitOf(event string) int {
	if strings.HasPrefix(event, "viewer-") {
		return viewerBytes
	}
	return originBytes
}

// A problem is a page that says why there is no answer.
type problem struct {
	status int
	cache  string // what X-Cache says
	text   string
}

func invalidResult(format string, args ...any) *problem {
	return &problem{http.StatusBadGateway, "LambdaValidationError from cloudfront", fmt.Sprintf(format, args...)}
}

// A result is what a function answers: a request or a response, with a body of its own
// where it has one.
type result struct {
	request  *request
	response *response
	body     []byte // of the response
	hasBody  bool
}

// association returns the function of an event, if there is one.
func association(b api.DefaultCacheBehavior, event string) (api.LambdaFunctionAssociation, bool) {
	for _, a := range b.LambdaFunctionAssociations.Items {
		if string(a.EventType) == event {
			return a, true
		}
	}
	return api.LambdaFunctionAssociation{}, false
}

// invoke asks a function, and checks what it answers. before are the headers that it saw.
func (p *Proxy) invoke(ctx context.Context, functionARN string, e event) (result, *problem) {
	c := e.Records[0].CF
	payload, err := json.Marshal(e)
	if err != nil {
		return result{}, p.broken(functionARN, err)
	}
	ref, err := lambda.ParseARN(functionARN)
	if err != nil {
		return result{}, p.broken(functionARN, err)
	}
	a, err := p.functions.Invoke(ctx, ref, lambda.Call{Payload: payload})
	switch {
	case model.IsCode(err, "ResourceNotFoundException"):
		return result{}, invalidResult("The Lambda function associated with the CloudFront distribution is invalid or doesn't have the required permissions.")
	case model.IsCode(err, "TooManyRequestsException"):
		return result{}, limitExceeded("The Lambda function associated with the CloudFront distribution was throttled.")
	case err != nil:
		return result{}, p.broken(functionARN, err)
	case a.FunctionError != "":
		return result{}, &problem{http.StatusBadGateway, "LambdaExecutionError from cloudfront", "The Lambda function associated with the CloudFront distribution failed."}
	}
	return readResult(a.Payload, c)
}

func limitExceeded(text string) *problem {
	return &problem{http.StatusServiceUnavailable, "LambdaLimitExceeded from cloudfront", text}
}

// noMemory is the answer while others' bodies take all the memory there is for them.
func noMemory() *problem {
	return &problem{status: http.StatusServiceUnavailable, text: "The server has no memory for another body at the moment. Try again."}
}

func (p *Proxy) broken(functionARN string, err error) *problem {
	p.log.Warn("a function of a distribution could not be invoked", "function", functionARN, "err", err)
	return &problem{http.StatusBadGateway, "LambdaExecutionError from cloudfront", "The Lambda function associated with the CloudFront distribution could not be invoked."}
}

// An answer is what a function answers, before it is known to be a request or a response.
type answer struct {
	ClientIP     *string         `json:"clientIp"`
	Method       *string         `json:"method"`
	URI          *string         `json:"uri"`
	Query        *string         `json:"querystring"`
	Origin       *origin         `json:"origin"`
	Headers      Headers         `json:"headers"`
	Body         json.RawMessage `json:"body"`
	Status       json.RawMessage `json:"status"`
	Description  string          `json:"statusDescription"`
	BodyEncoding string          `json:"bodyEncoding"`
}

func readResult(payload []byte, c cf) (result, *problem) {
	var a answer
	if !bytes.HasPrefix(bytes.TrimSpace(payload), []byte("{")) {
		return result{}, invalidResult("The Lambda function returned an invalid result: it must be a request or a response object.")
	}
	if err := json.Unmarshal(payload, &a); err != nil {
		return result{}, invalidResult("The Lambda function returned an invalid json output: %s", err)
	}
	if a.Headers == nil {
		a.Headers = Headers{}
	}
	if a.Status != nil {
		return readResponse(a, c)
	}
	if c.Response != nil {
		return result{}, invalidResult("The Lambda function returned an invalid result: a response object must have a status.")
	}
	return readRequest(a, c)
}

// readResponse reads an answer that a function made or changed.
func readResponse(a answer, c cf) (result, *problem) {
	r := response{Status: strings.Trim(string(a.Status), `"`), Description: a.Description, Headers: a.Headers}
	if r.code() == 0 {
		return result{}, invalidResult("The Lambda function returned an invalid status: it must be a number between 200 and 599.")
	}
	before := Headers{}
	if c.Response != nil {
		before = c.Response.Headers
	}
	if bad := checkHeaders(responseEvent(c.Config.Type), before, a.Headers); bad != nil {
		return result{}, bad
	}
	out := result{response: &r}
	if len(a.Body) > 0 && string(a.Body) != "null" {
		var text string
		if err := json.Unmarshal(a.Body, &text); err != nil {
			return result{}, invalidResult("The Lambda function returned an invalid body: it must be a string.")
		}
		out.body, out.hasBody = []byte(text), true
		switch a.BodyEncoding {
		case "", "text":
		case "base64":
			decoded, err := base64.StdEncoding.DecodeString(text)
			if err != nil {
				return result{}, invalidResult("The Lambda function returned an invalid body: it is not in base64.")
			}
			out.body = decoded
		default:
			return result{}, invalidResult("The Lambda function returned an invalid bodyEncoding: it must be text or base64.")
		}
	}
	if (out.hasBody || c.Response == nil) && len(out.body)+a.Headers.size() > limitOf(c.Config.Type) {
		return result{}, limitExceeded("The Lambda function returned a response that is too large.")
	}
	return out, nil
}

// responseEvent is whose rules hold for an answer that was made at an event.
func responseEvent(event string) string {
	switch event {
	case viewerRequest, originRequest:
		return event + "-generated"
	}
	return event
}

// readRequest reads a request that a function changed. Some members are only to be read.
func readRequest(a answer, c cf) (result, *problem) {
	r := c.Request
	switch {
	case a.URI == nil && a.Method == nil:
		return result{}, invalidResult("The Lambda function returned an invalid result: it must be a request or a response object.")
	case a.Method != nil && *a.Method != r.Method, a.ClientIP != nil && *a.ClientIP != r.ClientIP:
		return result{}, invalidResult("The Lambda function result failed validation: The function tried to change a read-only field.")
	case a.URI != nil && (!strings.HasPrefix(*a.URI, "/") || len(*a.URI) > 8192 || strings.ContainsAny(*a.URI, "?# \r\n")):
		return result{}, invalidResult("The Lambda function returned an invalid request uri.")
	case a.Query != nil && (len(*a.Query) > 8192 || strings.ContainsAny(*a.Query, "# \r\n")):
		return result{}, invalidResult("The Lambda function returned an invalid request querystring.")
	}
	if bad := checkHeaders(c.Config.Type, r.Headers, a.Headers); bad != nil {
		return result{}, bad
	}
	if a.URI != nil {
		r.URI = *a.URI
	}
	if a.Query != nil {
		r.Query = *a.Query
	}
	r.Headers, r.Body = a.Headers, nil
	if r.Origin != nil && a.Origin != nil {
		if (a.Origin.Custom == nil) == (a.Origin.S3 == nil) {
			return result{}, invalidResult("The Lambda function returned an invalid origin: it must have either custom or s3.")
		}
		r.Origin = a.Origin
	}
	var b body
	if len(a.Body) > 0 && json.Unmarshal(a.Body, &b) == nil && b.Action == "replace" {
		if c.Request.Body == nil {
			return result{}, invalidResult("The Lambda function result failed validation: The function tried to replace a body that it was not given.")
		}
		r.Body = &b
	}
	return result{request: &r}, nil
}

// replaced is the body that a function put in place of a request's.
func (b body) replaced(event string) ([]byte, *problem) {
	data := []byte(b.Data)
	if b.Encoding != "text" {
		var err error
		if data, err = base64.StdEncoding.DecodeString(b.Data); err != nil {
			return nil, invalidResult("The Lambda function returned an invalid body: it is not in base64.")
		}
	}
	if len(data) > limitOf(event) {
		return nil, limitExceeded("The Lambda function returned a request body that is too large.")
	}
	return data, nil
}
