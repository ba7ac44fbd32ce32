package restapi

import (
	"errors"

	"plumb/internal/model"
	"plumb/internal/model/apigatewayapi"
	"plumb/internal/source/apigateway/usage"
)

// keyHeader is where requests have their API key, unless an authorizer names it.
const keyHeader = "X-Api-Key"

// findKey says why a request may not pass whose method wants an API key; nil if it may, or
// none is wanted.
func (s *Service) findKey(x *exchange) *failure {
	if !model.Deref(x.match.method.ApiKeyRequired) {
		return nil
	}
	value := x.Header.Get(keyHeader)
	if x.def.API.ApiKeySource == apigatewayapi.ApiKeySourceTypeAuthorizer {
		value = x.allowance.usageKey
	}
	pass, err := s.Plans.Find(x.Context(), x.API.Place, value, x.API.ID, model.Deref(x.stage.StageName))
	switch {
	case errors.Is(err, usage.ErrNoKey):
		return &invalidKey
	case err != nil:
		s.report(x, err)
		return &internal
	}
	x.pass = &pass
	return nil
}

// throttle says why a request may not pass that comes faster than its method's settings at
// the stage allow.
func (s *Service) throttle(x *exchange) *failure {
	path := model.Deref(x.match.resource.Path)
	limits, ok := limitsOf(x.stage, path, x.Method)
	if !ok {
		return nil
	}
	err := s.Plans.Throttle(x.Context(), x.API.Place, x.API.ID, model.Deref(x.stage.StageName), path+"/"+x.Method, limits)
	switch {
	case errors.Is(err, usage.ErrThrottled):
		return &throttled
	case err != nil:
		s.report(x, err)
		return &internal
	}
	return nil
}

// spend counts a request with a key, and says why it may not pass: it comes too fast, or
// too often.
func (s *Service) spend(x *exchange) *failure {
	if x.pass == nil {
		return nil
	}
	err := s.Plans.Spend(x.Context(), *x.pass, model.Deref(x.match.resource.Path)+"/"+model.Deref(x.match.method.HttpMethod))
	switch {
	case errors.Is(err, usage.ErrThrottled):
		return &throttled
	case errors.Is(err, usage.ErrExceeded):
		return &exceeded
	case err != nil:
		s.report(x, err)
		return &internal
	}
	return nil
}
