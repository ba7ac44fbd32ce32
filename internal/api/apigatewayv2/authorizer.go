package apigatewayv2

import (
	"context"

	"plumb/internal/caller"
	"plumb/internal/model/apigatewayv2api"
	"plumb/internal/source/apigateway/httpapi"
)

// CreateAuthorizer adds an authorizer to an API.
func (o operations) CreateAuthorizer(ctx context.Context, in *apigatewayv2api.CreateAuthorizerInput) (*apigatewayv2api.CreateAuthorizerOutput, error) {
	var made apigatewayv2api.Authorizer
	if err := httpapi.Merge(&made, in); err != nil {
		return nil, err
	}
	err := o.apis.Change(ctx, caller.Place(ctx), *in.ApiId, func(d *httpapi.Definition) error {
		added, err := d.AddAuthorizer(made)
		if err == nil {
			made = *added
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return new(apigatewayv2api.CreateAuthorizerOutput(made)), nil
}

// GetAuthorizer tells of an authorizer.
func (o operations) GetAuthorizer(ctx context.Context, in *apigatewayv2api.GetAuthorizerInput) (*apigatewayv2api.GetAuthorizerOutput, error) {
	d, err := o.apis.Get(ctx, caller.Place(ctx), *in.ApiId)
	if err != nil {
		return nil, err
	}
	found, err := d.Authorizer(*in.AuthorizerId)
	if err != nil {
		return nil, err
	}
	return new(apigatewayv2api.GetAuthorizerOutput(*found)), nil
}

// GetAuthorizers lists those of an API.
func (o operations) GetAuthorizers(ctx context.Context, in *apigatewayv2api.GetAuthorizersInput) (*apigatewayv2api.GetAuthorizersOutput, error) {
	d, err := o.apis.Get(ctx, caller.Place(ctx), *in.ApiId)
	if err != nil {
		return nil, err
	}
	list, next, err := page(o, "GetAuthorizers", *in.ApiId, d.Authorizers, in.MaxResults, in.NextToken)
	return &apigatewayv2api.GetAuthorizersOutput{Items: list, NextToken: next}, err
}

// UpdateAuthorizer changes an authorizer.
func (o operations) UpdateAuthorizer(ctx context.Context, in *apigatewayv2api.UpdateAuthorizerInput) (*apigatewayv2api.UpdateAuthorizerOutput, error) {
	var out apigatewayv2api.Authorizer
	err := o.apis.Change(ctx, caller.Place(ctx), *in.ApiId, func(d *httpapi.Definition) error {
		found, err := d.Authorizer(*in.AuthorizerId)
		if err != nil {
			return err
		}
		if err := httpapi.Merge(found, in); err != nil {
			return err
		}
		err = d.CheckAuthorizer(found)
		out = *found
		return err
	})
	if err != nil {
		return nil, err
	}
	return new(apigatewayv2api.UpdateAuthorizerOutput(out)), nil
}

// DeleteAuthorizer removes an authorizer.
func (o operations) DeleteAuthorizer(ctx context.Context, in *apigatewayv2api.DeleteAuthorizerInput) (*apigatewayv2api.DeleteAuthorizerOutput, error) {
	return nil, o.apis.Change(ctx, caller.Place(ctx), *in.ApiId, func(d *httpapi.Definition) error { return d.DeleteAuthorizer(*in.AuthorizerId) })
}

// ResetAuthorizersCache has a stage forget what authorizers answered.
func (o operations) ResetAuthorizersCache(
	ctx context.Context, in *apigatewayv2api.ResetAuthorizersCacheInput,
) (*apigatewayv2api.ResetAuthorizersCacheOutput, error) {
	return nil, o.apis.Flush(ctx, caller.Place(ctx), *in.ApiId, *in.StageName)
}
