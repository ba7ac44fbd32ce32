package restapi

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"plumb/internal/model"
	"plumb/internal/model/apigatewayapi"
	"plumb/internal/source/apigateway"
	"plumb/internal/source/httpevent"
	"plumb/internal/velocity"
)

var variables = regexp.MustCompile(`\$\{stageVariables\.(\w+)\}`)

// integrate has the method's integration answer.
func (s *Service) integrate(x *exchange) (httpevent.Answer, *failure) {
	in := x.match.method.MethodIntegration
	switch in.Type {
	case apigatewayapi.IntegrationTypeAwsProxy:
		return s.proxy(x, *in)
	case apigatewayapi.IntegrationTypeHttpProxy:
		return s.forward(x, *in, x.body)
	}
	body, f := s.requestBody(x, *in)
	if f != nil {
		return httpevent.Answer{}, f
	}
	switch in.Type {
	case apigatewayapi.IntegrationTypeMock:
		return s.mock(x, *in, body)
	case apigatewayapi.IntegrationTypeHttp:
		a, f := s.forward(x, *in, []byte(body))
		if f != nil {
			return a, f
		}
		return s.mapped(x, *in, strconv.Itoa(a.Status), a)
	}
	return s.custom(x, *in, body)
}

// isBinary reports whether a media type is one of the API's binary ones.
func (x *exchange) isBinary(header string) bool {
	kind, _, err := mime.ParseMediaType(header)
	return slices.ContainsFunc(x.def.API.BinaryMediaTypes, func(b string) bool {
		return b == "*/*" || err == nil && (b == kind || strings.HasSuffix(b, "/*") && strings.HasPrefix(kind, strings.TrimSuffix(b, "*")))
	})
}

// event is what a function gets of a request in a proxy integration.
func (x *exchange) event() httpevent.V1 {
	e := httpevent.NewV1(x.Request.Request, x.Host)
	e.Resource, e.Path, e.Context = *x.match.resource.Path, unescape(x.path), x.about()
	if len(x.match.params) > 0 {
		e.PathParameters = x.match.params
	}
	if len(x.stage.Variables) > 0 {
		e.StageVariables = x.stage.Variables
	}
	switch {
	case len(x.body) == 0:
	case x.isBinary(x.Header.Get("Content-Type")):
		text := base64.StdEncoding.EncodeToString(x.body)
		e.Body, e.Base64 = &text, true
	default:
		text := strings.ToValidUTF8(string(x.body), string(utf8.RuneError))
		e.Body = &text
	}
	if x.trial != nil {
		return x.triedEvent(e)
	}
	return e
}

// call invokes the integration's function.
func (s *Service) call(x *exchange, in apigatewayapi.Integration, payload []byte) (result []byte, failed bool, f *failure) {
	x.note("Endpoint request URI: %s", x.stageVariables(model.Deref(in.Uri)))
	x.note("Endpoint request body after transformations: %s", payload)
	a, err := s.invoker.Invoke(x.Context(), x.invocation(in, payload))
	if err == nil {
		x.note("Received response. Status: 200")
		x.note("Endpoint response body before transformations: %s", a.Payload)
	}
	switch {
	case errors.Is(err, apigateway.ErrTimeout):
		return nil, false, &timedOut
	case err != nil:
		if errors.Is(err, apigateway.ErrForbidden) {
			x.note("Invalid permissions on Lambda function")
		}
		if !errors.Is(err, apigateway.ErrForbidden) {
			s.log.Warn("the function of an integration could not be invoked", "api", x.API.ID, "request", x.id, "err", err)
		}
		return nil, false, &internal
	}
	return a.Payload, a.FunctionError != "", nil
}

func (x *exchange) invocation(in apigatewayapi.Integration, payload []byte) apigateway.Call {
	return apigateway.Call{
		Function: x.stageVariables(model.Deref(in.Uri)), Role: model.Deref(in.Credentials), Source: x.source(), Account: x.API.Account, Payload: payload,
		TraceID: x.Header.Get("X-Amzn-Trace-Id"), Timeout: time.Duration(*in.TimeoutInMillis) * time.Millisecond,
	}
}

// proxy hands a function the whole request.
func (s *Service) proxy(x *exchange, in apigatewayapi.Integration) (httpevent.Answer, *failure) {
	payload, failed, f := s.call(x, in, x.event().JSON())
	if f != nil {
		return httpevent.Answer{}, f
	}
	a, err := httpevent.ReadV1(payload, x.isBinary(firstOf(x.Header.Get("Accept"))))
	if failed || err != nil {
		return a, &badAnswer
	}
	remap(a.Header)
	return a, nil
}

// firstOf is the media type that a client wants most.
func firstOf(accept string) string {
	kind, _, _ := strings.Cut(accept, ",")
	return strings.TrimSpace(kind)
}

// remapped are headers that API Gateway does not hand on under their own names.
var remapped = []string{"Authorization", "Date", "Host", "Server", "Www-Authenticate", "X-Amzn-Requestid", "X-Amz-Apigw-Id"}

func remap(h http.Header) {
	for _, name := range remapped {
		if values := h[name]; values != nil {
			h["x-amzn-Remapped-"+name] = values
			delete(h, name)
		}
	}
}

// requestBody maps a request's body with the template for its media type.
func (s *Service) requestBody(x *exchange, in apigatewayapi.Integration) (string, *failure) {
	kind := "application/json"
	if header := x.Header.Get("Content-Type"); header != "" {
		if parsed, _, err := mime.ParseMediaType(header); err == nil {
			kind = parsed
		}
	}
	body := string(x.body)
	text, ok := in.RequestTemplates[kind]
	if !ok {
		if *in.PassthroughBehavior == "NEVER" || *in.PassthroughBehavior == "WHEN_NO_TEMPLATES" && len(in.RequestTemplates) > 0 {
			return "", &unsupported
		}
		return body, nil
	}
	out, _, err := s.render(x, text, body)
	if err != nil {
		s.log.Warn("a mapping template failed", "api", x.API.ID, "request", x.id, "err", err)
		return "", &internal
	}
	return out, nil
}

// mock answers with the status that the template writes.
func (s *Service) mock(x *exchange, in apigatewayapi.Integration, body string) (httpevent.Answer, *failure) {
	v, err := velocity.ParseJSON(body)
	m, ok := v.(*velocity.Map)
	if err != nil || !ok {
		return httpevent.Answer{}, &internal
	}
	status, ok := m.Value("statusCode").(int64)
	if !ok {
		return httpevent.Answer{}, &internal
	}
	return s.mapped(x, in, strconv.FormatInt(status, 10), httpevent.Answer{Header: http.Header{}})
}

// custom hands a function what the template made of the request.
func (s *Service) custom(x *exchange, in apigatewayapi.Integration, body string) (httpevent.Answer, *failure) {
	if x.parameter(in.RequestParameters["integration.request.header.X-Amz-Invocation-Type"]) == "Event" {
		err := s.invoker.Hand(x.Context(), x.invocation(in, []byte(body)))
		if err != nil {
			if !errors.Is(err, apigateway.ErrForbidden) {
				s.log.Warn("the function of an integration could not be invoked", "api", x.API.ID, "request", x.id, "err", err)
			}
			return httpevent.Answer{}, &internal
		}
		return s.mapped(x, in, "", httpevent.Answer{Header: http.Header{}})
	}
	payload, failed, f := s.call(x, in, []byte(body))
	if f != nil {
		return httpevent.Answer{}, f
	}
	selector := ""
	if failed {
		var e struct {
			Message string `json:"errorMessage"`
		}
		_ = json.Unmarshal(payload, &e) // an error without a message matches nothing
		selector = e.Message
	}
	return s.mapped(x, in, selector, httpevent.Answer{Header: http.Header{}, Body: payload})
}

// mapped picks the integration's response for what came, and maps it.
func (s *Service) mapped(x *exchange, in apigatewayapi.Integration, selector string, came httpevent.Answer) (httpevent.Answer, *failure) {
	r, ok := pick(in, selector)
	if !ok {
		return came, &internal
	}
	out := httpevent.Answer{Header: http.Header{}, Body: came.Body}
	out.Status, _ = strconv.Atoi(model.Deref(r.StatusCode)) // it was checked
	kind := "application/json"
	text, ok := r.ResponseTemplates[kind]
	if !ok && len(r.ResponseTemplates) > 0 {
		names := make([]string, 0, len(r.ResponseTemplates))
		for name := range r.ResponseTemplates {
			names = append(names, name)
		}
		slices.Sort(names)
		kind = names[0]
		text = r.ResponseTemplates[kind]
	}
	var set override
	if text != "" {
		body, o, err := s.render(x, text, string(came.Body))
		if err != nil {
			s.log.Warn("a mapping template failed", "api", x.API.ID, "request", x.id, "err", err)
			return out, &internal
		}
		out.Body, set = []byte(body), o
	} else if in.Type == apigatewayapi.IntegrationTypeMock {
		out.Body = nil
	}
	out.Header.Set("Content-Type", kind)
	for name, from := range r.ResponseParameters {
		header, ok := strings.CutPrefix(name, "method.response.header.")
		if value := x.answerParameter(from, came); ok && value != "" && !strings.ContainsAny(value, "\r\n\x00") {
			out.Header.Set(header, value)
		}
	}
	for name, value := range set.headers {
		if !strings.ContainsAny(name, "\r\n\x00: ") && !strings.ContainsAny(value, "\r\n\x00") {
			out.Header.Set(name, value)
		}
	}
	if set.status >= 200 && set.status <= 599 {
		out.Status = int(set.status)
	}
	remap(out.Header)
	return out, nil
}

// pick returns the response whose pattern matches all of a text, or the one without a
// pattern.
func pick(in apigatewayapi.Integration, selector string) (out apigatewayapi.IntegrationResponse, ok bool) {
	codes := make([]string, 0, len(in.IntegrationResponses))
	for code := range in.IntegrationResponses {
		codes = append(codes, code)
	}
	slices.Sort(codes)
	for _, code := range codes {
		r := in.IntegrationResponses[code]
		pattern := model.Deref(r.SelectionPattern)
		if pattern == "" {
			if !ok {
				out, ok = r, true
			}
			continue
		}
		re, err := regexp.Compile("(?s)^(?:" + pattern + ")$")
		if selector != "" && err == nil && re.MatchString(selector) {
			return r, true
		}
	}
	return out, ok
}

// value is what method.request.header.a and the like are of a request.
func (x *exchange) value(name string) string {
	if rest, ok := strings.CutPrefix(name, "stageVariables."); ok {
		return x.stage.Variables[rest]
	}
	if rest, ok := strings.CutPrefix(name, "context."); ok {
		v, _ := lookUp(x.context(), "$."+rest)
		return textOf(v)
	}
	rest, _ := strings.CutPrefix(name, "method.request.")
	kind, key, _ := strings.Cut(rest, ".")
	switch kind {
	case "header", "multivalueheader":
		return strings.Join(x.header().Values(key), ",")
	case "querystring", "multivaluequerystring":
		return flat(x.query())[key]
	case "path":
		return x.match.params[key]
	case "body":
		v, err := velocity.ParseJSON(string(x.body))
		if key == "" || err != nil {
			return string(x.body)
		}
		got, _ := lookUp(v, "$."+key)
		return textOf(got)
	}
	return ""
}

// textOf is a value as a parameter has it: nothing for null, text as it is, other values as
// JSON.
func textOf(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	}
	text, err := velocity.JSON(v)
	if err != nil {
		return ""
	}
	return text
}

// parameter is a parameter's value: text between quotes as it is.
func (x *exchange) parameter(from string) string {
	if len(from) > 1 && strings.HasPrefix(from, "'") && strings.HasSuffix(from, "'") {
		return from[1 : len(from)-1]
	}
	if from == "" {
		return ""
	}
	return x.value(from)
}

// answerParameter is the same of an answer.
func (x *exchange) answerParameter(from string, came httpevent.Answer) string {
	if name, ok := strings.CutPrefix(from, "integration.response.header."); ok {
		return came.Header.Get(name)
	}
	if rest, ok := strings.CutPrefix(from, "integration.response.body"); ok {
		v, err := velocity.ParseJSON(string(came.Body))
		if err != nil || rest == "" {
			return string(came.Body)
		}
		got, _ := lookUp(v, "$"+rest)
		return textOf(got)
	}
	return x.parameter(from)
}

// forward sends a request on.
func (s *Service) forward(x *exchange, in apigatewayapi.Integration, body []byte) (httpevent.Answer, *failure) {
	text := x.stageVariables(model.Deref(in.Uri))
	for name, value := range x.match.params {
		text = strings.NewReplacer("{"+name+"}", escape(value), "{"+name+"+}", escape(value)).Replace(text)
	}
	header, query := x.Header.Clone(), x.query()
	if in.Type == apigatewayapi.IntegrationTypeHttp { // only what is mapped
		header, query = http.Header{}, url.Values{}
		if kind := x.Header.Get("Content-Type"); kind != "" {
			header.Set("Content-Type", kind)
		}
	}
	for name, from := range in.RequestParameters {
		kind, key, _ := strings.Cut(strings.TrimPrefix(name, "integration.request."), ".")
		value := x.parameter(from)
		if value == "" || strings.ContainsAny(value, "\r\n\x00") {
			continue
		}
		switch kind {
		case "header":
			header.Set(key, value)
		case "querystring":
			query.Set(key, value)
		case "path":
			text = strings.ReplaceAll(text, "{"+key+"}", escape(value))
		}
	}
	to, err := url.Parse(text)
	if err != nil {
		return httpevent.Answer{}, &internal
	}
	for name, values := range query {
		q := to.Query()
		q[name] = values
		to.RawQuery = q.Encode()
	}
	verb := model.Deref(in.HttpMethod)
	if verb == "ANY" {
		verb = x.Method
	}
	x.note("Endpoint request URI: %s", to)
	x.note("Endpoint request headers: %s", headersText(header))
	x.note("Endpoint request body after transformations: %s", body)
	a, err := apigateway.Forward(x.Context(), s.client, apigateway.Onward{
		Method: verb, To: to, Header: header, Body: body, From: x.Request, Timeout: time.Duration(*in.TimeoutInMillis) * time.Millisecond,
	})
	switch {
	case errors.Is(err, apigateway.ErrTimeout):
		return a, &timedOut
	case errors.Is(err, apigateway.ErrTooLarge):
		return a, &internal
	case err != nil:
		s.log.Warn("an HTTP integration did not answer", "api", x.API.ID, "request", x.id, "err", err)
		return a, &unreachable
	}
	x.note("Received response. Status: %d", a.Status)
	x.note("Endpoint response headers: %s", headersText(a.Header))
	x.note("Endpoint response body before transformations: %s", a.Body)
	remap(a.Header)
	return a, nil
}

func escape(value string) string {
	parts := strings.Split(value, "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return strings.Join(parts, "/")
}
