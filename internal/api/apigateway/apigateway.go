// Package apigateway is the API of API Gateway's REST APIs: it checks what a request means,
// asks package restapi, and answers in AWS's shapes. It keeps nothing.
package apigateway

import (
	"strconv"

	"plumb/internal/model"
	"plumb/internal/model/apigatewayapi"
	"plumb/internal/source/apigateway/restapi"
	"plumb/internal/wire"
)

// New returns API Gateway with its operations bound to the APIs.
func New(s *restapi.Service, tokens wire.Tokens) *model.Registry {
	service := apigatewayapi.NewService()
	register(service, operations{s, tokens})
	return service.Registry()
}

// register is the table of contents. Domain names and export are not built.
func register(s *apigatewayapi.Service, o operations) {
	s.CreateRestApi(o.CreateRestApi)
	s.GetRestApi(o.GetRestApi)
	s.GetRestApis(o.GetRestApis)
	s.UpdateRestApi(o.UpdateRestApi)
	s.DeleteRestApi(o.DeleteRestApi)
	s.ImportRestApi(o.ImportRestApi)
	s.PutRestApi(o.PutRestApi)

	s.CreateResource(o.CreateResource)
	s.GetResource(o.GetResource)
	s.GetResources(o.GetResources)
	s.UpdateResource(o.UpdateResource)
	s.DeleteResource(o.DeleteResource)

	s.PutMethod(o.PutMethod)
	s.GetMethod(o.GetMethod)
	s.UpdateMethod(o.UpdateMethod)
	s.DeleteMethod(o.DeleteMethod)
	s.PutMethodResponse(o.PutMethodResponse)
	s.GetMethodResponse(o.GetMethodResponse)
	s.UpdateMethodResponse(o.UpdateMethodResponse)
	s.DeleteMethodResponse(o.DeleteMethodResponse)

	s.TestInvokeMethod(o.TestInvokeMethod)

	s.CreateModel(o.CreateModel)
	s.GetModel(o.GetModel)
	s.GetModels(o.GetModels)
	s.UpdateModel(o.UpdateModel)
	s.DeleteModel(o.DeleteModel)

	s.CreateRequestValidator(o.CreateRequestValidator)
	s.GetRequestValidator(o.GetRequestValidator)
	s.GetRequestValidators(o.GetRequestValidators)
	s.UpdateRequestValidator(o.UpdateRequestValidator)
	s.DeleteRequestValidator(o.DeleteRequestValidator)

	s.PutGatewayResponse(o.PutGatewayResponse)
	s.GetGatewayResponse(o.GetGatewayResponse)
	s.GetGatewayResponses(o.GetGatewayResponses)
	s.UpdateGatewayResponse(o.UpdateGatewayResponse)
	s.DeleteGatewayResponse(o.DeleteGatewayResponse)

	s.PutIntegration(o.PutIntegration)
	s.GetIntegration(o.GetIntegration)
	s.UpdateIntegration(o.UpdateIntegration)
	s.DeleteIntegration(o.DeleteIntegration)
	s.PutIntegrationResponse(o.PutIntegrationResponse)
	s.GetIntegrationResponse(o.GetIntegrationResponse)
	s.UpdateIntegrationResponse(o.UpdateIntegrationResponse)
	s.DeleteIntegrationResponse(o.DeleteIntegrationResponse)

	s.CreateDeployment(o.CreateDeployment)
	s.GetDeployment(o.GetDeployment)
	s.GetDeployments(o.GetDeployments)
	s.UpdateDeployment(o.UpdateDeployment)
	s.DeleteDeployment(o.DeleteDeployment)

	s.CreateStage(o.CreateStage)
	s.GetStage(o.GetStage)
	s.GetStages(o.GetStages)
	s.UpdateStage(o.UpdateStage)
	s.DeleteStage(o.DeleteStage)
	s.FlushStageAuthorizersCache(o.FlushStageAuthorizersCache)

	s.CreateAuthorizer(o.CreateAuthorizer)
	s.GetAuthorizer(o.GetAuthorizer)
	s.GetAuthorizers(o.GetAuthorizers)
	s.UpdateAuthorizer(o.UpdateAuthorizer)
	s.DeleteAuthorizer(o.DeleteAuthorizer)

	s.CreateApiKey(o.CreateApiKey)
	s.GetApiKey(o.GetApiKey)
	s.GetApiKeys(o.GetApiKeys)
	s.UpdateApiKey(o.UpdateApiKey)
	s.DeleteApiKey(o.DeleteApiKey)

	s.CreateUsagePlan(o.CreateUsagePlan)
	s.GetUsagePlan(o.GetUsagePlan)
	s.GetUsagePlans(o.GetUsagePlans)
	s.UpdateUsagePlan(o.UpdateUsagePlan)
	s.DeleteUsagePlan(o.DeleteUsagePlan)
	s.CreateUsagePlanKey(o.CreateUsagePlanKey)
	s.GetUsagePlanKey(o.GetUsagePlanKey)
	s.GetUsagePlanKeys(o.GetUsagePlanKeys)
	s.DeleteUsagePlanKey(o.DeleteUsagePlanKey)
	s.GetUsage(o.GetUsage)

	s.TagResource(o.TagResource)
	s.UntagResource(o.UntagResource)
	s.GetTags(o.GetTags)
}

type operations struct {
	apis   *restapi.Service
	tokens wire.Tokens
}

func invalid(format string, args ...any) error {
	return apigatewayapi.BadRequestException(format, args...)
}

// The sizes of pages: the default and the largest.
const (
	usualPage = 25
	maxPage   = 500
)

func pageSize(limit *int32) int {
	if limit == nil || *limit < 1 {
		return usualPage
	}
	return min(int(*limit), maxPage)
}

// page cuts a page out of a list whose whole is at hand; the position is the place where it
// begins.
func page[T any](o operations, operation, api string, list []T, limit *int32, position *string) (out []T, next *string, err error) {
	text, ok := o.tokens.Decode(operation, model.Deref(position), api)
	at := 0
	if ok && text != "" {
		at, err = strconv.Atoi(text)
	}
	if !ok || err != nil {
		return nil, nil, invalid("Invalid position parameter")
	}
	at = min(at, len(list))
	end := min(at+pageSize(limit), len(list))
	if end < len(list) {
		next = new(o.tokens.Encode(operation, strconv.Itoa(end), api))
	}
	return append([]T{}, list[at:end]...), next, nil
}
