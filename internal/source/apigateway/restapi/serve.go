package restapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"plumb/internal/caller"
	"plumb/internal/db"
	"plumb/internal/lambda"
	"plumb/internal/model"
	"plumb/internal/model/apigatewayapi"
	"plumb/internal/source/apigateway"
	"plumb/internal/source/apigateway/usage"
	"plumb/internal/source/httpevent"
	"plumb/internal/velocity"
)

// An exchange is a request on its way.
type exchange struct {
	apigateway.Request
	def       *Definition
	stage     apigatewayapi.Stage
	flushed   int64
	path      string // without the stage
	match     match
	body      []byte
	id        string
	at        time.Time
	who       *caller.Caller // who signed it
	allowance verdict        // of an authorizer
	pass      *usage.Pass    // of an API key; else nil
	trial     *record        // of a request that is only tried; else nil
}

func (x *exchange) query() url.Values {
	q, _ := url.ParseQuery(x.URL.RawQuery) // as far as it parses
	return q
}

// header are the request's headers, with those that API Gateway adds.
func (x *exchange) header() http.Header {
	h := x.Header.Clone()
	h.Set("Host", x.Host)
	h.Set("X-Forwarded-For", httpevent.HostName(x.RemoteAddr))
	h.Set("X-Forwarded-Proto", httpevent.Scheme(x.Request.Request))
	return h
}

// A failure is what API Gateway itself answers.
type failure struct {
	status   int
	kind     string // x-amzn-ErrorType
	text     string // empty is null
	member   string // that carries the text: message where empty
	response apigatewayapi.GatewayResponseType
	detail   string // of what is wrong with a body
}

// Their types are API Gateway's; what has none of its own is of its class.
var (
	missingToken = failure{403, "MissingAuthenticationTokenException", "Missing Authentication Token", "", apigatewayapi.GatewayResponseTypeMissingAuthenticationToken, ""}
	forbidden    = failure{403, "ForbiddenException", "Forbidden", "", apigatewayapi.GatewayResponseTypeAccessDenied, ""}
	unauthorized = failure{401, "UnauthorizedException", "Unauthorized", "", apigatewayapi.GatewayResponseTypeUnauthorized, ""}
	invalidKey   = failure{403, "ForbiddenException", "Forbidden", "", apigatewayapi.GatewayResponseTypeInvalidApiKey, ""}
	throttled    = failure{429, "TooManyRequestsException", "Too Many Requests", "", apigatewayapi.GatewayResponseTypeThrottled, ""}
	exceeded     = failure{429, "LimitExceededException", "Limit Exceeded", "", apigatewayapi.GatewayResponseTypeQuotaExceeded, ""}
	tooLong      = failure{413, "RequestTooLargeException", "Request Too Long", "", apigatewayapi.GatewayResponseTypeRequestTooLarge, ""}
	unsupported  = failure{415, "UnsupportedMediaTypeException", "Unsupported Media Type", "", apigatewayapi.GatewayResponseTypeUnsupportedMediaType, ""}
	internal     = failure{500, "InternalServerErrorException", "Internal server error", "", apigatewayapi.GatewayResponseTypeApiConfigurationError, ""}
	badAnswer    = failure{502, "InternalServerErrorException", "Internal server error", "", apigatewayapi.GatewayResponseTypeDefault5xx, ""}
	unread       = failure{503, "ServiceUnavailableException", "Service Unavailable", "", apigatewayapi.GatewayResponseTypeDefault5xx, ""}
	timedOut     = failure{504, "InternalServerErrorException", "Endpoint request timed out", "", apigatewayapi.GatewayResponseTypeIntegrationTimeout, ""}
	unreachable  = failure{504, "InternalServerErrorException", "Network error communicating with endpoint", "", apigatewayapi.GatewayResponseTypeIntegrationFailure, ""}
	noVerdict    = failure{500, "AuthorizerConfigurationException", "", "", apigatewayapi.GatewayResponseTypeAuthorizerConfigurationError, ""}
)

// denied is the answer to a caller that may not invoke the method.
func denied(text string) *failure {
	return &failure{403, "AccessDeniedException", text, "Message", apigatewayapi.GatewayResponseTypeAccessDenied, ""}
}

// body is what is answered where nobody changed that.
func (f failure) body() []byte {
	member := "message"
	if f.member != "" {
		member = f.member
	}
	return []byte(jsonText(map[string]*string{member: model.Optional(f.text)}))
}

// Serve answers one request.
func (s *Service) Serve(w http.ResponseWriter, r apigateway.Request) {
	x := &exchange{Request: r, id: lambda.NewID(), at: s.now()}
	w.Header()["x-amzn-RequestId"] = []string{x.id}
	w.Header().Set("x-amz-apigw-id", apigateway.NewID(15)+"=")
	found, err := s.open(x)
	switch {
	case err != nil:
		s.fail(w, x, err)
		return
	case !found, model.Deref(x.def.API.DisableExecuteApiEndpoint):
		s.refuse(w, x, forbidden)
		return
	}
	if x.match, found = x.def.find(r.Method, x.path); !found {
		s.refuse(w, x, missingToken)
		return
	}
	f := s.admitByHead(x)
	if f == nil {
		f = s.ask(x)
	}
	if f == nil {
		f = s.findKey(x)
	}
	if f != nil { // a stranger's body is not read
		s.refuse(w, x, *f)
		return
	}
	if x.body, err = apigateway.ReadBody(w, r.Request); errors.Is(err, apigateway.ErrBodyTooLarge) {
		s.refuse(w, x, tooLong)
		return
	}
	if err != nil {
		s.refuse(w, x, unread)
		return
	}
	if f := s.admitSigned(x); f != nil {
		s.refuse(w, x, *f)
		return
	}
	if f = s.throttle(x); f == nil { // what it refuses is not counted for a key
		f = s.spend(x)
	}
	if f != nil {
		s.refuse(w, x, *f)
		return
	}
	if f := s.validate(x); f != nil {
		s.refuse(w, x, *f)
		return
	}
	a, f := s.integrate(x)
	if f != nil {
		s.refuse(w, x, *f)
		return
	}
	a.WriteTo(w)
}

// refuse answers with a failure, and tells of one that says that the sender may not.
func (s *Service) refuse(w http.ResponseWriter, x *exchange, f failure) {
	s.Note.Refused(x.Request, x.who, x.resource(), f.status)
	x.refusal(f).WriteTo(w)
}

// open finds the stage and what it shows; false if there is none.
func (s *Service) open(x *exchange) (found bool, err error) {
	name := x.Request.Stage
	if x.path = x.Path; name == "" {
		first, rest, _ := strings.Cut(strings.TrimPrefix(x.Path, "/"), "/")
		name, x.path = unescape(first), "/"+rest
	}
	err = s.db.Read(x.Context(), func(tx *db.Tx) error {
		st, err := apigateway.FindStage(x.Context(), tx, x.API.ID, name)
		if errors.Is(err, apigateway.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		found, x.flushed = true, st.Flushed
		if x.stage, err = stageOf(st); err != nil {
			return err
		}
		key := x.API.ID + "/" + st.Deployment
		if d, ok := s.deployed.Get(key, time.Time{}); ok {
			x.def = d
			return nil
		}
		d, err := apigateway.FindDeployment(x.Context(), tx, x.API.ID, st.Deployment)
		if err != nil {
			return err
		}
		parsed, err := read(d.Definition)
		if err == nil {
			x.def = &parsed
			s.deployed.Put(key, &parsed, time.Time{})
		}
		return err
	})
	return found, err
}

func (s *Service) fail(w http.ResponseWriter, x *exchange, err error) {
	s.report(x, err)
	x.refusal(internal).WriteTo(w)
}

func (s *Service) report(x *exchange, err error) {
	if !errors.Is(err, context.Canceled) {
		s.log.Error("request for an api failed", "api", x.API.ID, "request", x.id, "err", err)
	}
}

// source is what a function's policy knows the request by.
func (x *exchange) source() string {
	verb := model.Deref(x.match.method.HttpMethod)
	if verb == "ANY" {
		verb = "*"
	}
	return apigateway.SourceARN(x.API.Place, x.API.ID, model.Deref(x.stage.StageName)+"/"+verb+*x.match.resource.Path)
}

// resource is what policies know the request by: with its own method and path.
func (x *exchange) resource() string {
	return apigateway.SourceARN(x.API.Place, x.API.ID, model.Deref(x.stage.StageName)+"/"+x.Method+unescape(x.path))
}

// outerPath is the path with the stage.
func (x *exchange) outerPath() string {
	return "/" + model.Deref(x.stage.StageName) + unescape(x.path)
}

// stageVariables fills ${stageVariables.name} in.
func (x *exchange) stageVariables(text string) string {
	return variables.ReplaceAllStringFunc(text, func(name string) string {
		return x.stage.Variables[variables.FindStringSubmatch(name)[1]]
	})
}

// about is what events say around a request.
func (x *exchange) about() httpevent.V1Context {
	c := httpevent.V1Context{
		Account: x.API.Account, API: x.API.ID, Deployment: model.Deref(x.stage.DeploymentId), Domain: x.Host, DomainPrefix: x.API.ID, ExtendedID: x.id, ID: x.id,
		Method: x.Method, Path: x.outerPath(), Protocol: x.Proto, Resource: model.Deref(x.match.resource.Id), ResourcePath: model.Deref(x.match.resource.Path),
		Stage: model.Deref(x.stage.StageName), Time: x.at.UTC().Format(httpevent.TimeLayout), Epoch: x.at.UnixMilli(),
		Identity: httpevent.IdentityOf(x.Request.Request, x.who),
	}
	if x.pass != nil {
		c.Identity.APIKey, c.Identity.APIKeyID = x.pass.Key.Value, x.pass.Key.Id
	}
	if x.allowance.asked {
		c.Authorizer = map[string]any{"principalId": x.allowance.principal, "integrationLatency": 0}
		for k, v := range x.allowance.context {
			c.Authorizer[k] = v
		}
	}
	if x.trial != nil {
		return x.triedContext(c)
	}
	return c
}

// context is $context.
func (x *exchange) context() *velocity.Map {
	text, _ := json.Marshal(x.about()) // text and numbers always can
	v, _ := velocity.ParseJSON(string(text))
	m, ok := v.(*velocity.Map)
	if !ok {
		m = velocity.NewMap()
	}
	for _, name := range []string{"requestOverride", "responseOverride"} {
		o := velocity.NewMap()
		for _, part := range []string{"header", "path", "querystring"} {
			o.Set(part, velocity.NewMap())
		}
		m.Set(name, o)
	}
	return m
}
