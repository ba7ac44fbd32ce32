package restapi

import (
	"encoding/json"
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"

	"plumb/internal/caller"
	"plumb/internal/model"
	"plumb/internal/model/apigatewayapi"
	"plumb/internal/policy"
	"plumb/internal/source/apigateway"
	"plumb/internal/source/httpevent"
)

// A verdict is what an authorizer decided about a request.
type verdict struct {
	asked     bool // there was one
	policy    policy.Document
	principal string
	usageKey  string // the API key that it names
	context   map[string]any
}

const notAuthorized = "User is not authorized to access this resource"

// admitByHead says why a request may not pass whose method wants a signature, and whose
// signature holds for no body; nil if it may.
func (s *Service) admitByHead(x *exchange) *failure {
	if model.Deref(x.match.method.AuthorizationType) != "AWS_IAM" || s.Admit == nil || s.Admit(x.Request.Request) == nil {
		return nil
	}
	return &missingToken
}

// admitSigned says why a request may not pass whose method wants a signature, or whose API
// has a policy; nil if it may.
func (s *Service) admitSigned(x *exchange) *failure {
	if model.Deref(x.match.method.AuthorizationType) == "AWS_IAM" {
		c, err := s.Identify(x.Request.Request, x.body)
		x.who = &c
		if err == nil && c.Account == x.API.Account && s.Authorize != nil {
			err = s.Authorize(caller.With(x.Context(), c), x.resource())
		}
		if err != nil {
			return &missingToken
		}
		if c.Account != x.API.Account && model.Deref(x.def.API.Policy) == "" {
			return &forbidden
		}
	}
	return x.resourcePolicy()
}

// resourcePolicy asks the API's own policy.
func (x *exchange) resourcePolicy() *failure {
	text := model.Deref(x.def.API.Policy)
	if text == "" {
		return nil
	}
	prefix := apigateway.SourceARN(x.API.Place, x.API.ID, "")
	d, err := policy.Parse(strings.ReplaceAll(text, `"execute-api:/`, `"`+prefix))
	if err != nil {
		return &internal
	}
	who := "anonymous"
	principals := []policy.Principal{{Type: "AWS", ID: "*"}}
	if x.who != nil {
		who = x.who.PrincipalARN
		for _, id := range []string{x.who.PrincipalARN, x.who.Account, "arn:aws:iam::" + x.who.Account + ":root"} {
			principals = append(principals, policy.Principal{Type: "AWS", ID: id})
		}
	}
	decision := d.Evaluate(policy.Request{Principals: principals, Action: "execute-api:Invoke", Resource: x.resource(), Context: policy.Context{
		"aws:sourceip": {httpevent.HostName(x.RemoteAddr)}, "aws:useragent": {x.UserAgent()},
	}})
	if decision.Allowed || !decision.Denied && x.who != nil && x.who.Account == x.API.Account {
		return nil
	}
	message := "User: " + who + " is not authorized to perform: execute-api:Invoke on resource: " + x.resource()
	if decision.Denied {
		message += " with an explicit deny"
	}
	return denied(message)
}

// ask has the method's authorizer decide, where it has one.
func (s *Service) ask(x *exchange) *failure {
	if model.Deref(x.match.method.AuthorizationType) != "CUSTOM" {
		return nil
	}
	a, err := x.def.Authorizer(model.Deref(x.match.method.AuthorizerId))
	if err != nil {
		return &noVerdict
	}
	identity, ok := x.identity(*a)
	if !ok {
		return &unauthorized
	}
	v, err := s.verdict(x, *a, identity)
	switch {
	case errors.Is(err, errUnauthorized):
		return &unauthorized
	case err != nil:
		if !errors.Is(err, apigateway.ErrForbidden) && !errors.Is(err, apigateway.ErrTimeout) && !errors.Is(err, errBroken) {
			s.report(x, err)
		}
		return &noVerdict
	}
	decision := v.policy.Evaluate(policy.Request{
		Principals: []policy.Principal{{Type: "AWS", ID: "*"}}, Action: "execute-api:Invoke", Resource: x.resource(),
		Context: policy.Context{"aws:sourceip": {httpevent.HostName(x.RemoteAddr)}},
	})
	switch {
	case decision.Denied:
		return denied(notAuthorized + " with an explicit deny")
	case !decision.Allowed:
		return denied(notAuthorized)
	}
	x.allowance = v
	return nil
}

// identity returns the values of the identity sources; false if one is missing, or does not
// look as it should.
func (x *exchange) identity(a apigatewayapi.Authorizer) (out []string, ok bool) {
	for _, source := range sourcesOf(a) {
		v := x.value(source)
		if v == "" {
			return nil, false
		}
		out = append(out, v)
	}
	if e := model.Deref(a.IdentityValidationExpression); e != "" && a.Type == apigatewayapi.AuthorizerTypeToken {
		re, err := regexp.Compile("^(?:" + e + ")$")
		if err != nil || !re.MatchString(out[0]) {
			return nil, false
		}
	}
	return out, true
}

var (
	errBroken       = errors.New("the authorizer did not answer as authorizers do")
	errUnauthorized = errors.New("the authorizer answered Unauthorized")
)

// verdict asks an authorizer, or remembers what it decided.
func (s *Service) verdict(x *exchange, a apigatewayapi.Authorizer, identity []string) (verdict, error) {
	ttl := time.Duration(model.Deref(a.AuthorizerResultTtlInSeconds)) * time.Second
	text, _ := json.Marshal(identity) // text always can
	key := strings.Join([]string{x.API.ID, model.Deref(x.stage.StageName), model.Deref(x.stage.DeploymentId), *a.Id, strconv.FormatInt(x.flushed, 10), string(text)}, " ")
	if ttl > 0 {
		if v, ok := s.verdicts.Get(key, s.now()); ok {
			return v, nil
		}
	}
	res, err := s.invoker.Invoke(x.Context(), apigateway.Call{
		Function: x.stageVariables(model.Deref(a.AuthorizerUri)), Role: model.Deref(a.AuthorizerCredentials), Account: x.API.Account,
		Source:  apigateway.SourceARN(x.API.Place, x.API.ID, "authorizers/"+*a.Id),
		Payload: x.authorizerEvent(a, identity), TraceID: x.Header.Get("X-Amzn-Trace-Id"), Timeout: maxTimeout * time.Millisecond,
	})
	if err != nil {
		return verdict{}, err
	}
	var answer struct {
		Error     string          `json:"errorMessage"`
		Principal *string         `json:"principalId"`
		UsageKey  string          `json:"usageIdentifierKey"`
		Policy    json.RawMessage `json:"policyDocument"`
		Context   map[string]any  `json:"context"`
	}
	parsed := json.Unmarshal(res.Payload, &answer)
	if res.FunctionError != "" && answer.Error == "Unauthorized" {
		return verdict{}, errUnauthorized
	}
	if res.FunctionError != "" || parsed != nil || answer.Policy == nil || answer.Principal == nil {
		return verdict{}, errBroken
	}
	v := verdict{asked: true, principal: *answer.Principal, usageKey: answer.UsageKey, context: answer.Context}
	for name, value := range v.context { // numbers and booleans become texts
		switch value.(type) {
		case string:
		case float64, bool:
			text, _ := json.Marshal(value) // it was JSON
			v.context[name] = string(text)
		default:
			return verdict{}, errBroken
		}
	}
	if v.policy, err = policy.Parse(string(answer.Policy)); err != nil {
		return verdict{}, errBroken
	}
	if ttl > 0 {
		s.verdicts.Put(key, v, s.now().Add(ttl))
	}
	return v, nil
}

// authorizerEvent is what an authorizer's function gets of a request.
func (x *exchange) authorizerEvent(a apigatewayapi.Authorizer, identity []string) []byte {
	var event any
	if a.Type == apigatewayapi.AuthorizerTypeToken {
		event = struct {
			Type  string `json:"type"`
			ARN   string `json:"methodArn"`
			Token string `json:"authorizationToken"`
		}{"TOKEN", x.resource(), identity[0]}
	} else {
		e := x.event()
		event = struct {
			Type     string `json:"type"`
			ARN      string `json:"methodArn"`
			Resource string `json:"resource"`
			Path     string `json:"path"`
			Method   string `json:"httpMethod"`
			httpevent.V1Request
			Context httpevent.V1Context `json:"requestContext"`
		}{"REQUEST", x.resource(), e.Resource, e.Path, e.Method, e.V1Request, e.Context}
	}
	text, _ := json.Marshal(event) // text and numbers always can
	return text
}
