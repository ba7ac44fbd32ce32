package apigateway

import (
	"context"

	"plumb/internal/caller"
	"plumb/internal/model/apigatewayapi"
	"plumb/internal/source/apigateway/restapi"
)

// changeMethod changes a method of a resource.
func (o operations) changeMethod(ctx context.Context, api, resource, verb *string, change func(m *apigatewayapi.Method) error) (out apigatewayapi.Method, err error) {
	err = o.apis.Change(ctx, caller.Place(ctx), *api, func(d *restapi.Definition) error {
		m, err := d.Method(*resource, *verb)
		if err != nil {
			return err
		}
		if err := change(&m); err != nil {
			return err
		}
		if err := d.PutMethod(*resource, *verb, m); err != nil {
			return err
		}
		out, err = d.Method(*resource, *verb)
		return err
	})
	return out, err
}

func (o operations) method(ctx context.Context, api, resource, verb *string) (apigatewayapi.Method, error) {
	d, err := o.apis.Get(ctx, caller.Place(ctx), *api)
	if err != nil {
		return apigatewayapi.Method{}, err
	}
	return d.Method(*resource, *verb)
}

// PutMethod adds a method to a resource.
func (o operations) PutMethod(ctx context.Context, in *apigatewayapi.PutMethodInput) (*apigatewayapi.PutMethodOutput, error) {
	var out apigatewayapi.Method
	err := o.apis.Change(ctx, caller.Place(ctx), *in.RestApiId, func(d *restapi.Definition) (err error) {
		if _, err := d.Method(*in.ResourceId, *in.HttpMethod); err == nil {
			return apigatewayapi.ConflictException("Method already exists for this resource")
		}
		if err := restapi.Copy(&out, in); err != nil {
			return err
		}
		if err := d.PutMethod(*in.ResourceId, *in.HttpMethod, out); err != nil {
			return err
		}
		out, err = d.Method(*in.ResourceId, *in.HttpMethod)
		return err
	})
	if err != nil {
		return nil, err
	}
	return new(apigatewayapi.PutMethodOutput(out)), nil
}

// GetMethod tells of a method.
func (o operations) GetMethod(ctx context.Context, in *apigatewayapi.GetMethodInput) (*apigatewayapi.GetMethodOutput, error) {
	m, err := o.method(ctx, in.RestApiId, in.ResourceId, in.HttpMethod)
	if err != nil {
		return nil, err
	}
	return new(apigatewayapi.GetMethodOutput(m)), nil
}

// UpdateMethod changes a method.
func (o operations) UpdateMethod(ctx context.Context, in *apigatewayapi.UpdateMethodInput) (*apigatewayapi.UpdateMethodOutput, error) {
	m, err := o.changeMethod(ctx, in.RestApiId, in.ResourceId, in.HttpMethod, func(m *apigatewayapi.Method) error {
		return restapi.Patch(m, in.PatchOperations, "authorizationType", "authorizerId", "authorizationScopes", "apiKeyRequired", "operationName", "requestParameters",
			"requestModels", "requestValidatorId")
	})
	if err != nil {
		return nil, err
	}
	return new(apigatewayapi.UpdateMethodOutput(m)), nil
}

// DeleteMethod removes a method.
func (o operations) DeleteMethod(ctx context.Context, in *apigatewayapi.DeleteMethodInput) (*apigatewayapi.DeleteMethodOutput, error) {
	return nil, o.apis.Change(ctx, caller.Place(ctx), *in.RestApiId, func(d *restapi.Definition) error {
		r, err := d.Resource(*in.ResourceId)
		if err != nil {
			return err
		}
		if _, err := d.Method(*in.ResourceId, *in.HttpMethod); err != nil {
			return err
		}
		delete(r.ResourceMethods, *in.HttpMethod)
		return nil
	})
}

func noResponse() error {
	return apigatewayapi.NotFoundException("Invalid Response status code specified")
}

// PutMethodResponse adds a response to a method.
func (o operations) PutMethodResponse(ctx context.Context, in *apigatewayapi.PutMethodResponseInput) (*apigatewayapi.PutMethodResponseOutput, error) {
	r := apigatewayapi.MethodResponse{StatusCode: in.StatusCode, ResponseParameters: in.ResponseParameters, ResponseModels: in.ResponseModels}
	_, err := o.changeMethod(ctx, in.RestApiId, in.ResourceId, in.HttpMethod, func(m *apigatewayapi.Method) error {
		if _, ok := m.MethodResponses[*in.StatusCode]; ok {
			return apigatewayapi.ConflictException("Response already exists for this resource")
		}
		if m.MethodResponses == nil {
			m.MethodResponses = map[string]apigatewayapi.MethodResponse{}
		}
		m.MethodResponses[*in.StatusCode] = r
		return nil
	})
	if err != nil {
		return nil, err
	}
	return new(apigatewayapi.PutMethodResponseOutput(r)), nil
}

// GetMethodResponse tells of a response.
func (o operations) GetMethodResponse(ctx context.Context, in *apigatewayapi.GetMethodResponseInput) (*apigatewayapi.GetMethodResponseOutput, error) {
	m, err := o.method(ctx, in.RestApiId, in.ResourceId, in.HttpMethod)
	if err != nil {
		return nil, err
	}
	r, ok := m.MethodResponses[*in.StatusCode]
	if !ok {
		return nil, noResponse()
	}
	return new(apigatewayapi.GetMethodResponseOutput(r)), nil
}

// UpdateMethodResponse changes a response.
func (o operations) UpdateMethodResponse(
	ctx context.Context, in *apigatewayapi.UpdateMethodResponseInput,
) (*apigatewayapi.UpdateMethodResponseOutput, error) {
	var r apigatewayapi.MethodResponse
	_, err := o.changeMethod(ctx, in.RestApiId, in.ResourceId, in.HttpMethod, func(m *apigatewayapi.Method) (err error) {
		var ok bool
		if r, ok = m.MethodResponses[*in.StatusCode]; !ok {
			return noResponse()
		}
		err = restapi.Patch(&r, in.PatchOperations, "responseParameters", "responseModels")
		m.MethodResponses[*in.StatusCode] = r
		return err
	})
	if err != nil {
		return nil, err
	}
	return new(apigatewayapi.UpdateMethodResponseOutput(r)), nil
}

// DeleteMethodResponse removes a response.
func (o operations) DeleteMethodResponse(
	ctx context.Context, in *apigatewayapi.DeleteMethodResponseInput,
) (*apigatewayapi.DeleteMethodResponseOutput, error) {
	_, err := o.changeMethod(ctx, in.RestApiId, in.ResourceId, in.HttpMethod, func(m *apigatewayapi.Method) error {
		if _, ok := m.MethodResponses[*in.StatusCode]; !ok {
			return noResponse()
		}
		delete(m.MethodResponses, *in.StatusCode)
		return nil
	})
	return nil, err
}
