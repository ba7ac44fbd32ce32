package httpapi

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"plumb/internal/model"
	"plumb/internal/model/apigatewayv2api"
	"plumb/internal/source/httpevent"
)

// event is what the function gets of a request.
func (s *Service) event(x *exchange, in apigatewayv2api.Integration) []byte {
	r := x.changed(in)
	if model.Deref(in.PayloadFormatVersion) == "1.0" {
		return s.v1(x, r).JSON()
	}
	return s.v2(x, r).JSON()
}

// variablesOf are the stage's variables, absent if there are none.
func (x *exchange) variablesOf() map[string]string {
	if len(x.stage.StageVariables) == 0 {
		return nil
	}
	return x.stage.StageVariables
}

// v2 is the event of a request in the format 2.0.
func (s *Service) v2(x *exchange, r *http.Request) httpevent.V2 {
	now, key := s.now().UTC(), model.Deref(x.match.route.RouteKey)
	e := httpevent.V2{
		Version: "2.0", RouteKey: key, Path: x.Path, RawQuery: r.URL.RawQuery, Cookies: httpevent.Cookies(r), Headers: httpevent.Headers(r),
		Query: httpevent.Query(r), PathParameters: x.match.params, StageVariables: x.variablesOf(),
		Context: httpevent.V2Context{
			Account: x.Request.API.Account, API: x.Request.API.ID, Domain: x.Host, DomainPrefix: x.Request.API.ID, ID: x.id, RouteKey: key,
			Stage: model.Deref(x.stage.StageName), Time: now.Format(httpevent.TimeLayout), Epoch: now.UnixMilli(),
			HTTP: httpevent.V2HTTP{Method: r.Method, Path: unescape(x.Path), Protocol: r.Proto, SourceIP: httpevent.HostName(r.RemoteAddr), UserAgent: r.UserAgent()},
		},
	}
	switch {
	case x.who != nil:
		e.Context.Authorizer = httpevent.IAM(*x.who)
	case x.allowance.asked && x.allowance.context != nil:
		e.Context.Authorizer = &httpevent.V2Authorizer{Lambda: x.allowance.context}
	}
	e.Headers["host"] = x.Host
	e.Body, e.Base64 = httpevent.Body(r.Header, x.body)
	return e
}

// v1 is the event of a request in the format 1.0, as HTTP APIs write it.
func (s *Service) v1(x *exchange, r *http.Request) httpevent.V1 {
	now, key := s.now().UTC(), model.Deref(x.match.route.RouteKey)
	_, resource, ok := strings.Cut(key, " ")
	if !ok {
		resource = Default
	}
	e := httpevent.NewV1(r, x.Host)
	e.Version, e.Resource, e.Path = "1.0", resource, unescape(x.Path)
	e.PathParameters, e.StageVariables = orNil(x.match.params), x.variablesOf()
	e.Context = httpevent.V1Context{
		Account: x.Request.API.Account, API: x.Request.API.ID, Domain: x.Host, DomainPrefix: x.Request.API.ID, ExtendedID: x.id, ID: x.id, Method: r.Method,
		Path: unescape(x.Path), Protocol: r.Proto, Resource: key, ResourcePath: resource, Stage: model.Deref(x.stage.StageName),
		Time: now.Format(httpevent.TimeLayout), Epoch: now.UnixMilli(), Identity: httpevent.IdentityOf(r, x.who),
	}
	if x.allowance.asked {
		e.Context.Authorizer = maps.Clone(x.allowance.context)
		if e.Context.Authorizer == nil {
			e.Context.Authorizer = map[string]any{}
		}
		if x.allowance.principal != "" {
			e.Context.Authorizer["principalId"] = x.allowance.principal
		}
	}
	if text, encoded := httpevent.Body(r.Header, x.body); text != "" {
		e.Body, e.Base64 = &text, encoded
	}
	return e
}

func orNil(m map[string]string) map[string]string {
	if len(m) == 0 {
		return nil
	}
	return m
}

// authorizerEvent is what an authorizer's function gets of a request.
func (s *Service) authorizerEvent(x *exchange, a apigatewayv2api.Authorizer, identity []string) []byte {
	arn := x.source()
	var event any
	if model.Deref(a.AuthorizerPayloadFormatVersion) == "1.0" {
		e := s.v1(x, x.Request.Request)
		joined := strings.Join(identity, ",")
		event = struct {
			Version  string `json:"version"`
			Type     string `json:"type"`
			ARN      string `json:"methodArn"`
			Identity string `json:"identitySource"`
			Token    string `json:"authorizationToken"`
			Resource string `json:"resource"`
			Path     string `json:"path"`
			Method   string `json:"httpMethod"`
			httpevent.V1Request
			Context httpevent.V1Context `json:"requestContext"`
		}{"1.0", "REQUEST", arn, joined, joined, e.Resource, e.Path, e.Context.Method, e.V1Request, e.Context}
	} else {
		e := s.v2(x, x.Request.Request)
		event = struct {
			Version   string              `json:"version"`
			Type      string              `json:"type"`
			ARN       string              `json:"routeArn"`
			Identity  []string            `json:"identitySource"`
			RouteKey  string              `json:"routeKey"`
			Path      string              `json:"rawPath"`
			Query     string              `json:"rawQueryString"`
			Cookies   []string            `json:"cookies,omitempty"`
			Headers   map[string]string   `json:"headers"`
			Params    map[string]string   `json:"queryStringParameters,omitempty"`
			Context   httpevent.V2Context `json:"requestContext"`
			PathNames map[string]string   `json:"pathParameters,omitempty"`
			Stage     map[string]string   `json:"stageVariables,omitempty"`
		}{"2.0", "REQUEST", arn, identity, e.RouteKey, e.Path, e.RawQuery, e.Cookies, e.Headers, e.Query, e.Context, e.PathParameters, e.StageVariables}
	}
	text, _ := json.Marshal(event) // text and numbers always can
	return text
}

// queryOf parses a query as far as it parses.
func queryOf(raw string) url.Values {
	q, _ := url.ParseQuery(raw)
	return q
}
