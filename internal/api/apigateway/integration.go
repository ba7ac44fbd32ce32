package apigateway

import (
	"context"

	"plumb/internal/model/apigatewayapi"
	"plumb/internal/source/apigateway/restapi"
)

func noIntegration() error {
	return apigatewayapi.NotFoundException("Invalid Integration identifier specified")
}

// PutIntegration gives a method its integration.
func (o operations) PutIntegration(ctx context.Context, in *apigatewayapi.PutIntegrationInput) (*apigatewayapi.PutIntegrationOutput, error) {
	made := apigatewayapi.Integration{
		Type: in.Type, HttpMethod: in.IntegrationHttpMethod, Uri: in.Uri, ConnectionType: in.ConnectionType, Credentials: in.Credentials,
		RequestParameters: in.RequestParameters, RequestTemplates: in.RequestTemplates, PassthroughBehavior: in.PassthroughBehavior,
		CacheNamespace: in.ResourceId, CacheKeyParameters: []string{}, ContentHandling: in.ContentHandling, TimeoutInMillis: in.TimeoutInMillis, TlsConfig: in.TlsConfig,
	}
	if in.CacheNamespace != nil {
		made.CacheNamespace = in.CacheNamespace
	}
	if in.ContentHandling != "" {
		return nil, invalid("ContentHandling is not supported here.")
	}
	m, err := o.changeMethod(ctx, in.RestApiId, in.ResourceId, in.HttpMethod, func(m *apigatewayapi.Method) error {
		m.MethodIntegration = &made
		return nil
	})
	if err != nil {
		return nil, err
	}
	return new(apigatewayapi.PutIntegrationOutput(*m.MethodIntegration)), nil
}

// changeIntegration changes the integration of a method.
func (o operations) changeIntegration(ctx context.Context, api, resource, verb *string, change func(i *apigatewayapi.Integration) error) (apigatewayapi.Integration, error) {
	m, err := o.changeMethod(ctx, api, resource, verb, func(m *apigatewayapi.Method) error {
		if m.MethodIntegration == nil {
			return noIntegration()
		}
		return change(m.MethodIntegration)
	})
	if err != nil {
		return apigatewayapi.Integration{}, err
	}
	return *m.MethodIntegration, nil
}

// GetIntegration tells of the integration of a method.
func (o operations) GetIntegration(ctx context.Context, in *apigatewayapi.GetIntegrationInput) (*apigatewayapi.GetIntegrationOutput, error) {
	m, err := o.method(ctx, in.RestApiId, in.ResourceId, in.HttpMethod)
	if err != nil {
		return nil, err
	}
	if m.MethodIntegration == nil {
		return nil, noIntegration()
	}
	return new(apigatewayapi.GetIntegrationOutput(*m.MethodIntegration)), nil
}

// UpdateIntegration changes the integration of a method.
func (o operations) UpdateIntegration(ctx context.Context, in *apigatewayapi.UpdateIntegrationInput) (*apigatewayapi.UpdateIntegrationOutput, error) {
	i, err := o.changeIntegration(ctx, in.RestApiId, in.ResourceId, in.HttpMethod, func(i *apigatewayapi.Integration) error {
		return restapi.Patch(i, in.PatchOperations, "type", "httpMethod", "uri", "requestParameters", "requestTemplates", "passthroughBehavior",
			"timeoutInMillis", "cacheNamespace", "cacheKeyParameters", "tlsConfig")
	})
	if err != nil {
		return nil, err
	}
	return new(apigatewayapi.UpdateIntegrationOutput(i)), nil
}

// DeleteIntegration takes a method's integration away.
func (o operations) DeleteIntegration(ctx context.Context, in *apigatewayapi.DeleteIntegrationInput) (*apigatewayapi.DeleteIntegrationOutput, error) {
	_, err := o.changeMethod(ctx, in.RestApiId, in.ResourceId, in.HttpMethod, func(m *apigatewayapi.Method) error {
		if m.MethodIntegration == nil {
			return noIntegration()
		}
		m.MethodIntegration = nil
		return nil
	})
	return nil, err
}

// PutIntegrationResponse adds a response to an integration, or replaces it.
func (o operations) PutIntegrationResponse(
	ctx context.Context, in *apigatewayapi.PutIntegrationResponseInput,
) (*apigatewayapi.PutIntegrationResponseOutput, error) {
	r := apigatewayapi.IntegrationResponse{StatusCode: in.StatusCode, SelectionPattern: in.SelectionPattern, ResponseParameters: in.ResponseParameters,
		ResponseTemplates: in.ResponseTemplates, ContentHandling: in.ContentHandling}
	if err := restapi.CheckResponse(r); err != nil {
		return nil, err
	}
	_, err := o.changeMethod(ctx, in.RestApiId, in.ResourceId, in.HttpMethod, func(m *apigatewayapi.Method) error {
		if m.MethodIntegration == nil {
			return noIntegration()
		}
		if _, ok := m.MethodResponses[*in.StatusCode]; !ok {
			return apigatewayapi.NotFoundException("Invalid Response status code specified")
		}
		if m.MethodIntegration.IntegrationResponses == nil {
			m.MethodIntegration.IntegrationResponses = map[string]apigatewayapi.IntegrationResponse{}
		}
		m.MethodIntegration.IntegrationResponses[*in.StatusCode] = r
		return nil
	})
	if err != nil {
		return nil, err
	}
	return new(apigatewayapi.PutIntegrationResponseOutput(r)), nil
}

// GetIntegrationResponse tells of a response of an integration.
func (o operations) GetIntegrationResponse(
	ctx context.Context, in *apigatewayapi.GetIntegrationResponseInput,
) (*apigatewayapi.GetIntegrationResponseOutput, error) {
	m, err := o.method(ctx, in.RestApiId, in.ResourceId, in.HttpMethod)
	if err != nil {
		return nil, err
	}
	if m.MethodIntegration == nil {
		return nil, noIntegration()
	}
	r, ok := m.MethodIntegration.IntegrationResponses[*in.StatusCode]
	if !ok {
		return nil, noResponse()
	}
	return new(apigatewayapi.GetIntegrationResponseOutput(r)), nil
}

// UpdateIntegrationResponse changes a response of an integration.
func (o operations) UpdateIntegrationResponse(
	ctx context.Context, in *apigatewayapi.UpdateIntegrationResponseInput,
) (*apigatewayapi.UpdateIntegrationResponseOutput, error) {
	var r apigatewayapi.IntegrationResponse
	_, err := o.changeIntegration(ctx, in.RestApiId, in.ResourceId, in.HttpMethod, func(i *apigatewayapi.Integration) error {
		var ok bool
		if r, ok = i.IntegrationResponses[*in.StatusCode]; !ok {
			return noResponse()
		}
		if err := restapi.Patch(&r, in.PatchOperations, "selectionPattern", "responseParameters", "responseTemplates"); err != nil {
			return err
		}
		i.IntegrationResponses[*in.StatusCode] = r
		return restapi.CheckResponse(r)
	})
	if err != nil {
		return nil, err
	}
	return new(apigatewayapi.UpdateIntegrationResponseOutput(r)), nil
}

// DeleteIntegrationResponse removes a response of an integration.
func (o operations) DeleteIntegrationResponse(
	ctx context.Context, in *apigatewayapi.DeleteIntegrationResponseInput,
) (*apigatewayapi.DeleteIntegrationResponseOutput, error) {
	_, err := o.changeIntegration(ctx, in.RestApiId, in.ResourceId, in.HttpMethod, func(i *apigatewayapi.Integration) error {
		if _, ok := i.IntegrationResponses[*in.StatusCode]; !ok {
			return noResponse()
		}
		delete(i.IntegrationResponses, *in.StatusCode)
		return nil
	})
	return nil, err
}
