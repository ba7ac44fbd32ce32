package apigatewayv2

import (
	"context"

	"plumb/internal/caller"
	"plumb/internal/model"
	"plumb/internal/model/apigatewayv2api"
	"plumb/internal/source/apigateway/httpapi"
	"plumb/internal/source/httpevent"
)

// apiShape is an API with the address by which it is reached.
func apiShape(ctx context.Context, d httpapi.Definition) apigatewayv2api.Api {
	out := d.API
	p := caller.Place(ctx)
	out.ApiEndpoint = new(httpevent.Address(ctx, *out.ApiId+".execute-api."+p.Region+".", "amazonaws.com"))
	if out.Tags == nil {
		out.Tags = map[string]string{}
	}
	return out
}

// CreateApi makes an API.
func (o operations) CreateApi(ctx context.Context, in *apigatewayv2api.CreateApiInput) (*apigatewayv2api.CreateApiOutput, error) {
	var api apigatewayv2api.Api
	if err := httpapi.Merge(&api, in); err != nil {
		return nil, err
	}
	var quick *httpapi.QuickTarget
	if in.Target != nil {
		quick = &httpapi.QuickTarget{RouteKey: model.Deref(in.RouteKey), Target: *in.Target, Credentials: model.Deref(in.CredentialsArn)}
	} else if in.RouteKey != nil {
		return nil, invalid("RouteKey is specified without a Target")
	}
	d, err := o.apis.Create(ctx, caller.Place(ctx), api, quick)
	if err != nil {
		return nil, err
	}
	return new(apigatewayv2api.CreateApiOutput(apiShape(ctx, d))), nil
}

// GetApi tells of an API.
func (o operations) GetApi(ctx context.Context, in *apigatewayv2api.GetApiInput) (*apigatewayv2api.GetApiOutput, error) {
	d, err := o.apis.Get(ctx, caller.Place(ctx), *in.ApiId)
	if err != nil {
		return nil, err
	}
	return new(apigatewayv2api.GetApiOutput(apiShape(ctx, d))), nil
}

// GetApis lists APIs.
func (o operations) GetApis(ctx context.Context, in *apigatewayv2api.GetApisInput) (*apigatewayv2api.GetApisOutput, error) {
	limit, err := pageSize(in.MaxResults)
	if err != nil {
		return nil, err
	}
	after, ok := o.tokens.Decode("GetApis", model.Deref(in.NextToken))
	if !ok {
		return nil, invalid("Invalid NextToken.")
	}
	list, err := o.apis.List(ctx, caller.Place(ctx), after, limit+1)
	if err != nil {
		return nil, err
	}
	out := &apigatewayv2api.GetApisOutput{Items: []apigatewayv2api.Api{}}
	if len(list) > limit {
		list = list[:limit]
		out.NextToken = new(o.tokens.Encode("GetApis", *list[limit-1].API.ApiId))
	}
	for _, d := range list {
		out.Items = append(out.Items, apiShape(ctx, d))
	}
	return out, nil
}

// UpdateApi changes an API.
func (o operations) UpdateApi(ctx context.Context, in *apigatewayv2api.UpdateApiInput) (*apigatewayv2api.UpdateApiOutput, error) {
	var out httpapi.Definition
	err := o.apis.Change(ctx, caller.Place(ctx), *in.ApiId, func(d *httpapi.Definition) error {
		if in.CorsConfiguration != nil {
			d.API.CorsConfiguration = nil // it is replaced
		}
		if err := httpapi.Merge(&d.API, in); err != nil {
			return err
		}
		err := d.Retarget(model.Deref(in.Target), model.Deref(in.RouteKey), model.Deref(in.CredentialsArn))
		out = *d
		return err
	})
	if err != nil {
		return nil, err
	}
	return new(apigatewayv2api.UpdateApiOutput(apiShape(ctx, out))), nil
}

// DeleteApi removes an API.
func (o operations) DeleteApi(ctx context.Context, in *apigatewayv2api.DeleteApiInput) (*apigatewayv2api.DeleteApiOutput, error) {
	return nil, o.apis.Delete(ctx, caller.Place(ctx), *in.ApiId)
}

// DeleteCorsConfiguration takes what web pages may do away.
func (o operations) DeleteCorsConfiguration(
	ctx context.Context, in *apigatewayv2api.DeleteCorsConfigurationInput,
) (*apigatewayv2api.DeleteCorsConfigurationOutput, error) {
	return nil, o.apis.Change(ctx, caller.Place(ctx), *in.ApiId, func(d *httpapi.Definition) error {
		d.API.CorsConfiguration = nil
		return nil
	})
}
