package httpapi

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"plumb/internal/caller"
	"plumb/internal/model"
	"plumb/internal/model/apigatewayv2api"
	"plumb/internal/policy"
	"plumb/internal/source/apigateway"
)

// authorizerTimeout is how long the function of an authorizer may take.
const authorizerTimeout = 30 * time.Second

// A verdict is what an authorizer decided about a request.
type verdict struct {
	asked     bool // there was one
	allowed   bool // by a simple response
	policy    *policy.Document
	principal string
	context   map[string]any
}

// covers reports whether the verdict lets a request pass.
func (v verdict) covers(resource string) bool {
	if v.policy == nil {
		return v.allowed
	}
	return v.policy.Evaluate(policy.Request{
		Principals: []policy.Principal{{Type: "AWS", ID: "*"}}, Action: "execute-api:Invoke", Resource: resource, Context: policy.Context{},
	}).Allowed
}

// resource is what policies know the request by: with its own method and path.
func (x *exchange) resource() string {
	return apigateway.SourceARN(x.Request.API.Place, x.Request.API.ID, model.Deref(x.stage.StageName)+"/"+x.Method+unescape(x.path))
}

// refuse answers who may not, and tells of it.
func (s *Service) refuse(w http.ResponseWriter, x *exchange, status int, text string) {
	s.Note.Refused(x.Request, x.who, x.resource(), status)
	apigateway.Message(w, status, text)
}

// admitByHead lets a request pass whose signature may hold for some body, where the route
// wants one; false if it was refused, and answered.
func (s *Service) admitByHead(w http.ResponseWriter, x *exchange) bool {
	if x.match.route.AuthorizationType != apigatewayv2api.AuthorizationTypeAwsIam || s.Admit == nil || s.Admit(x.Request.Request) == nil {
		return true
	}
	s.refuse(w, x, http.StatusForbidden, "Forbidden")
	return false
}

// admitSigned lets a request pass whose signature is of the API's account, where the route
// wants one; false if it was refused, and answered.
func (s *Service) admitSigned(w http.ResponseWriter, x *exchange) bool {
	if x.match.route.AuthorizationType != apigatewayv2api.AuthorizationTypeAwsIam {
		return true
	}
	c, err := s.Identify(x.Request.Request, x.body)
	x.who = &c
	if err == nil && c.Account == x.Request.API.Account && s.Authorize != nil {
		err = s.Authorize(caller.With(x.Context(), c), x.resource())
	}
	if err != nil || c.Account != x.Request.API.Account {
		s.refuse(w, x, http.StatusForbidden, "Forbidden")
		return false
	}
	return true
}

// admitByFunction lets a request pass as the route's authorizer says, where it has one;
// false if it was refused, and answered.
func (s *Service) admitByFunction(w http.ResponseWriter, x *exchange) bool {
	if x.match.route.AuthorizationType != apigatewayv2api.AuthorizationTypeCustom {
		return true
	}
	a, err := x.Authorizer(model.Deref(x.match.route.AuthorizerId))
	if err != nil {
		apigateway.Message(w, http.StatusInternalServerError, "Internal Server Error")
		return false
	}
	identity, ok := x.identity(a.IdentitySource)
	if !ok {
		s.refuse(w, x, http.StatusUnauthorized, "Unauthorized")
		return false
	}
	v, err := s.verdict(x, *a, identity)
	switch {
	case errors.Is(err, errUnauthorized):
		s.refuse(w, x, http.StatusUnauthorized, "Unauthorized")
	case err != nil:
		if !errors.Is(err, apigateway.ErrForbidden) && !errors.Is(err, apigateway.ErrTimeout) && !errors.Is(err, errBroken) {
			s.fail(w, x, err)
			return false
		}
		apigateway.Message(w, http.StatusInternalServerError, "Internal Server Error")
	case !v.covers(x.resource()):
		s.refuse(w, x, http.StatusForbidden, "Forbidden")
	default:
		x.allowance = v
		return true
	}
	return false
}

// identity returns the values of the identity sources; false if one is missing.
func (x *exchange) identity(sources []string) (out []string, ok bool) {
	for _, source := range sources {
		v := x.value(strings.TrimPrefix(source, "$"))
		if v == "" {
			return nil, false
		}
		out = append(out, v)
	}
	return out, true
}

var (
	errBroken       = errors.New("the authorizer did not answer as authorizers do")
	errUnauthorized = errors.New("the authorizer answered Unauthorized")
)

// verdict asks an authorizer, or remembers what it decided.
func (s *Service) verdict(x *exchange, a apigatewayv2api.Authorizer, identity []string) (verdict, error) {
	ttl := time.Duration(model.Deref(a.AuthorizerResultTtlInSeconds)) * time.Second
	text, _ := json.Marshal(identity) // text always can
	key := strings.Join([]string{x.Request.API.ID, model.Deref(x.stage.StageName), model.Deref(x.stage.DeploymentId), *a.AuthorizerId, strconv.FormatInt(x.flushed, 10), string(text)}, " ")
	if ttl > 0 {
		if v, ok := s.verdicts.Get(key, s.now()); ok {
			return v, nil
		}
	}
	res, err := s.invoker.Invoke(x.Context(), apigateway.Call{
		Function: x.stageVariables(model.Deref(a.AuthorizerUri)), Role: model.Deref(a.AuthorizerCredentialsArn), Account: x.Request.API.Account,
		Source:  apigateway.SourceARN(x.Request.API.Place, x.Request.API.ID, "authorizers/"+*a.AuthorizerId),
		Payload: s.authorizerEvent(x, a, identity), TraceID: x.Header.Get("X-Amzn-Trace-Id"), Timeout: authorizerTimeout,
	})
	if err != nil {
		return verdict{}, err
	}
	if res.FunctionError != "" {
		if strings.Contains(string(res.Payload), `"errorMessage": "Unauthorized"`) || strings.Contains(string(res.Payload), `"errorMessage":"Unauthorized"`) {
			return verdict{}, errUnauthorized
		}
		return verdict{}, errBroken
	}
	v, err := readVerdict(res.Payload, model.Deref(a.EnableSimpleResponses))
	if err == nil && ttl > 0 {
		s.verdicts.Put(key, v, s.now().Add(ttl))
	}
	return v, err
}

func readVerdict(payload []byte, simple bool) (verdict, error) {
	var answer struct {
		Authorized *bool           `json:"isAuthorized"`
		Principal  string          `json:"principalId"`
		Policy     json.RawMessage `json:"policyDocument"`
		Context    map[string]any  `json:"context"`
	}
	if err := json.Unmarshal(payload, &answer); err != nil {
		return verdict{}, errBroken
	}
	v := verdict{asked: true, context: answer.Context, principal: answer.Principal}
	if simple {
		if answer.Authorized == nil {
			return verdict{}, errBroken
		}
		v.allowed = *answer.Authorized
		return v, nil
	}
	d, err := policy.Parse(string(answer.Policy))
	if err != nil || answer.Policy == nil {
		return verdict{}, errBroken
	}
	v.policy = &d
	return v, nil
}
