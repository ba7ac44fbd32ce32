// Package apigatewayv2 is the API of API Gateway's HTTP APIs: it checks what a request
// means, asks package httpapi, and answers in AWS's shapes. It keeps nothing.
package apigatewayv2

import (
	"strconv"

	"plumb/internal/model"
	"plumb/internal/model/apigatewayv2api"
	"plumb/internal/source/apigateway/httpapi"
	"plumb/internal/wire"
)

// New returns API Gateway's second version with its operations bound to the APIs.
func New(s *httpapi.Service, tokens wire.Tokens) *model.Registry {
	service := apigatewayv2api.NewService()
	register(service, operations{s, tokens})
	return service.Registry()
}

// register is the table of contents. Export, domain names, VPC links, models,
// and what only WebSocket APIs have are not built.
func register(s *apigatewayv2api.Service, o operations) {
	s.CreateApi(o.CreateApi)
	s.GetApi(o.GetApi)
	s.GetApis(o.GetApis)
	s.UpdateApi(o.UpdateApi)
	s.DeleteApi(o.DeleteApi)
	s.ImportApi(o.ImportApi)
	s.ReimportApi(o.ReimportApi)
	s.DeleteCorsConfiguration(o.DeleteCorsConfiguration)

	s.CreateRoute(o.CreateRoute)
	s.GetRoute(o.GetRoute)
	s.GetRoutes(o.GetRoutes)
	s.UpdateRoute(o.UpdateRoute)
	s.DeleteRoute(o.DeleteRoute)

	s.CreateIntegration(o.CreateIntegration)
	s.GetIntegration(o.GetIntegration)
	s.GetIntegrations(o.GetIntegrations)
	s.UpdateIntegration(o.UpdateIntegration)
	s.DeleteIntegration(o.DeleteIntegration)

	s.CreateAuthorizer(o.CreateAuthorizer)
	s.GetAuthorizer(o.GetAuthorizer)
	s.GetAuthorizers(o.GetAuthorizers)
	s.UpdateAuthorizer(o.UpdateAuthorizer)
	s.DeleteAuthorizer(o.DeleteAuthorizer)
	s.ResetAuthorizersCache(o.ResetAuthorizersCache)

	s.CreateStage(o.CreateStage)
	s.GetStage(o.GetStage)
	s.GetStages(o.GetStages)
	s.UpdateStage(o.UpdateStage)
	s.DeleteStage(o.DeleteStage)
	s.DeleteRouteSettings(o.DeleteRouteSettings)
	s.DeleteAccessLogSettings(o.DeleteAccessLogSettings)

	s.CreateDeployment(o.CreateDeployment)
	s.GetDeployment(o.GetDeployment)
	s.GetDeployments(o.GetDeployments)
	s.UpdateDeployment(o.UpdateDeployment)
	s.DeleteDeployment(o.DeleteDeployment)

	s.TagResource(o.TagResource)
	s.UntagResource(o.UntagResource)
	s.GetTags(o.GetTags)
}

type operations struct {
	apis   *httpapi.Service
	tokens wire.Tokens
}

func invalid(format string, args ...any) error {
	return apigatewayv2api.BadRequestException(format, args...)
}

// maxPage is the largest page, and the default.
const maxPage = 500

func pageSize(text *string) (int, error) {
	if text == nil {
		return maxPage, nil
	}
	n, err := strconv.Atoi(*text)
	if err != nil || n < 1 {
		return 0, invalid("Invalid maxResults specified: %s", *text)
	}
	return min(n, maxPage), nil
}

// page cuts a page out of a list whose whole is at hand; the token is the place where it
// begins.
func page[T any](o operations, operation, api string, list []T, size, token *string) (out []T, next *string, err error) {
	n, err := pageSize(size)
	if err != nil {
		return nil, nil, err
	}
	text, ok := o.tokens.Decode(operation, model.Deref(token), api)
	at := 0
	if ok && text != "" {
		at, err = strconv.Atoi(text)
	}
	if !ok || err != nil {
		return nil, nil, invalid("Invalid NextToken.")
	}
	at = min(at, len(list))
	end := min(at+n, len(list))
	if end < len(list) {
		next = new(o.tokens.Encode(operation, strconv.Itoa(end), api))
	}
	return append([]T{}, list[at:end]...), next, nil
}
