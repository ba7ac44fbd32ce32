package restapi

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"plumb/internal/model"
	"plumb/internal/model/apigatewayapi"
	"plumb/internal/source/httpevent"
)

// standard are the statuses of API Gateway's own answers by their type; empty is that of
// whatever happened.
var standard = map[apigatewayapi.GatewayResponseType]string{
	apigatewayapi.GatewayResponseTypeDefault4xx: "", apigatewayapi.GatewayResponseTypeDefault5xx: "",
	apigatewayapi.GatewayResponseTypeResourceNotFound: "404", apigatewayapi.GatewayResponseTypeUnauthorized: "401",
	apigatewayapi.GatewayResponseTypeInvalidApiKey: "403", apigatewayapi.GatewayResponseTypeAccessDenied: "403",
	apigatewayapi.GatewayResponseTypeAuthorizerFailure: "500", apigatewayapi.GatewayResponseTypeAuthorizerConfigurationError: "500",
	apigatewayapi.GatewayResponseTypeInvalidSignature: "403", apigatewayapi.GatewayResponseTypeExpiredToken: "403",
	apigatewayapi.GatewayResponseTypeMissingAuthenticationToken: "403", apigatewayapi.GatewayResponseTypeIntegrationFailure: "504",
	apigatewayapi.GatewayResponseTypeIntegrationTimeout: "504", apigatewayapi.GatewayResponseTypeApiConfigurationError: "500",
	apigatewayapi.GatewayResponseTypeUnsupportedMediaType: "415", apigatewayapi.GatewayResponseTypeBadRequestParameters: "400",
	apigatewayapi.GatewayResponseTypeBadRequestBody: "400", apigatewayapi.GatewayResponseTypeRequestTooLarge: "413",
	apigatewayapi.GatewayResponseTypeThrottled: "429", apigatewayapi.GatewayResponseTypeQuotaExceeded: "429", apigatewayapi.GatewayResponseTypeWafFiltered: "403",
}

// standardTemplates are those of answers that nobody changed.
func standardTemplates() map[string]string {
	return map[string]string{"application/json": `{"message":$context.error.messageString}`}
}

// Response returns what API Gateway itself answers of a type.
func (d *Definition) Response(kind apigatewayapi.GatewayResponseType) (apigatewayapi.GatewayResponse, error) {
	if r, ok := d.Responses[kind]; ok {
		return r, nil
	}
	status, ok := standard[kind]
	if !ok {
		return apigatewayapi.GatewayResponse{}, notFound("Invalid gateway response type specified")
	}
	return apigatewayapi.GatewayResponse{
		ResponseType: kind, StatusCode: model.Optional(status), ResponseParameters: map[string]string{}, ResponseTemplates: standardTemplates(), DefaultResponse: new(true),
	}, nil
}

// AllResponses are all of them by type.
func (d *Definition) AllResponses() (out []apigatewayapi.GatewayResponse) {
	for _, kind := range slices.Sorted(maps.Keys(standard)) {
		r, _ := d.Response(kind) // it is one of them
		out = append(out, r)
	}
	return out
}

var (
	statusCode    = regexp.MustCompile(`^[1-5]\d\d$`)
	responseName  = regexp.MustCompile(`^gatewayresponse\.(header|path|querystring)\.[A-Za-z0-9!#$%&'*+.^_|~-]+$`)
	responseValue = regexp.MustCompile(`^('[^\r\n']*'|method\.request\.(header|multivalueheader|querystring|multivaluequerystring|path)\..+|context\..+|stageVariables\..+)$`)
)

// PutResponse changes what API Gateway itself answers of a type.
func (d *Definition) PutResponse(r apigatewayapi.GatewayResponse) (apigatewayapi.GatewayResponse, error) {
	status, ok := standard[r.ResponseType]
	if !ok {
		return r, invalid("Invalid gateway response type specified: %s", r.ResponseType)
	}
	if r.StatusCode != nil && !statusCode.MatchString(*r.StatusCode) {
		return r, invalid("Invalid status code specified: %s", *r.StatusCode)
	}
	for name, value := range r.ResponseParameters {
		if !responseName.MatchString(name) || !responseValue.MatchString(value) {
			return r, invalid("Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression parameter specified: %s: %s]", name, value)
		}
	}
	if r.StatusCode == nil {
		r.StatusCode = model.Optional(status)
	}
	if r.ResponseParameters == nil {
		r.ResponseParameters = map[string]string{}
	}
	if len(r.ResponseTemplates) == 0 {
		r.ResponseTemplates = standardTemplates()
	}
	if d.Responses == nil {
		d.Responses = map[apigatewayapi.GatewayResponseType]apigatewayapi.GatewayResponse{}
	}
	r.DefaultResponse = new(false)
	d.Responses[r.ResponseType] = r
	return r, nil
}

// DeleteResponse has API Gateway answer as usual again.
func (d *Definition) DeleteResponse(kind apigatewayapi.GatewayResponseType) error {
	if _, ok := d.Responses[kind]; !ok {
		return notFound("Gateway response type not defined on api")
	}
	delete(d.Responses, kind)
	return nil
}

// refusal is the answer to a request that fails here: the API's own for its type, or for all
// of its class, else the usual one.
func (x *exchange) refusal(f failure) httpevent.Answer {
	a := httpevent.Answer{Status: f.status, Header: http.Header{"Content-Type": {"application/json"}, "x-amzn-ErrorType": {f.kind}}, Body: f.body()}
	if x.def == nil {
		return a
	}
	r, ok := x.def.Responses[f.response]
	if !ok {
		class := apigatewayapi.GatewayResponseTypeDefault4xx
		if f.status >= 500 {
			class = apigatewayapi.GatewayResponseTypeDefault5xx
		}
		if r, ok = x.def.Responses[class]; !ok {
			return a
		}
	}
	if n, err := strconv.Atoi(model.Deref(r.StatusCode)); err == nil && n >= 200 {
		a.Status = n
	}
	kind, text := x.responseTemplate(r.ResponseTemplates)
	a.Body = []byte(x.fill(text, f))
	a.Header.Set("Content-Type", kind)
	for name, from := range r.ResponseParameters {
		header, ok := strings.CutPrefix(name, "gatewayresponse.header.")
		value, isError := f.variable(from)
		if !isError {
			value = x.parameter(from)
		}
		if ok && value != "" && !strings.ContainsAny(value, "\r\n\x00") {
			a.Header.Set(header, value)
		}
	}
	return a
}

// responseTemplate picks the template for what the client wants to have.
func (x *exchange) responseTemplate(all map[string]string) (kind, text string) {
	for _, kind := range append([]string{firstOf(x.Header.Get("Accept")), "application/json"}, slices.Sorted(maps.Keys(all))...) {
		if text, ok := all[kind]; ok {
			return kind, text
		}
	}
	return "application/json", ""
}

// named is a variable in a template of an answer. Such templates have nothing else: they are no
// mapping templates.
var named = regexp.MustCompile(`\$\{` + variableIn + `\}|\$` + variableIn)

const variableIn = `((?:context|stageVariables|method\.request\.(?:header|path|querystring))(?:\.[A-Za-z_][\w-]*)+)`

// fill puts values into the template of an answer.
func (x *exchange) fill(text string, f failure) string {
	return named.ReplaceAllStringFunc(text, func(found string) string {
		groups := named.FindStringSubmatch(found)
		name := groups[1] + groups[2] // one of the two spellings
		if v, ok := f.variable(name); ok {
			return v
		}
		return x.value(name)
	})
}

// variable is what a failure says of itself.
func (f failure) variable(name string) (value string, ok bool) {
	switch name {
	case "context.error.message":
		return f.text, true
	case "context.error.messageString":
		return jsonText(model.Optional(f.text)), true // null without one
	case "context.error.responseType":
		return string(f.response), true
	case "context.error.validationErrorString":
		return f.detail, true
	}
	return "", false
}
