package apigateway

import (
	"context"

	"plumb/internal/caller"
	"plumb/internal/model/apigatewayapi"
	"plumb/internal/source/apigateway/restapi"
)

// CreateAuthorizer adds an authorizer to an API.
func (o operations) CreateAuthorizer(ctx context.Context, in *apigatewayapi.CreateAuthorizerInput) (*apigatewayapi.CreateAuthorizerOutput, error) {
	var made apigatewayapi.Authorizer
	if err := restapi.Copy(&made, in); err != nil {
		return nil, err
	}
	err := o.apis.Change(ctx, caller.Place(ctx), *in.RestApiId, func(d *restapi.Definition) error {
		added, err := d.AddAuthorizer(made)
		if err == nil {
			made = *added
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return new(apigatewayapi.CreateAuthorizerOutput(made)), nil
}

// GetAuthorizer tells of an authorizer.
func (o operations) GetAuthorizer(ctx context.Context, in *apigatewayapi.GetAuthorizerInput) (*apigatewayapi.GetAuthorizerOutput, error) {
	d, err := o.apis.Get(ctx, caller.Place(ctx), *in.RestApiId)
	if err != nil {
		return nil, err
	}
	a, err := d.Authorizer(*in.AuthorizerId)
	if err != nil {
		return nil, err
	}
	return new(apigatewayapi.GetAuthorizerOutput(*a)), nil
}

// GetAuthorizers lists the authorizers of an API.
func (o operations) GetAuthorizers(ctx context.Context, in *apigatewayapi.GetAuthorizersInput) (*apigatewayapi.GetAuthorizersOutput, error) {
	d, err := o.apis.Get(ctx, caller.Place(ctx), *in.RestApiId)
	if err != nil {
		return nil, err
	}
	list, next, err := page(o, "GetAuthorizers", *in.RestApiId, d.Authorizers, in.Limit, in.Position)
	return &apigatewayapi.GetAuthorizersOutput{Items: list, Position: next}, err
}

// UpdateAuthorizer changes an authorizer.
func (o operations) UpdateAuthorizer(ctx context.Context, in *apigatewayapi.UpdateAuthorizerInput) (*apigatewayapi.UpdateAuthorizerOutput, error) {
	var out apigatewayapi.Authorizer
	err := o.apis.Change(ctx, caller.Place(ctx), *in.RestApiId, func(d *restapi.Definition) error {
		a, err := d.Authorizer(*in.AuthorizerId)
		if err != nil {
			return err
		}
		err = restapi.Patch(a, in.PatchOperations, "name", "type", "authorizerUri", "identitySource", "identityValidationExpression",
			"authorizerResultTtlInSeconds", "authorizerCredentials", "authType")
		if err != nil {
			return err
		}
		err = d.CheckAuthorizer(a)
		out = *a
		return err
	})
	if err != nil {
		return nil, err
	}
	return new(apigatewayapi.UpdateAuthorizerOutput(out)), nil
}

// DeleteAuthorizer removes an authorizer.
func (o operations) DeleteAuthorizer(ctx context.Context, in *apigatewayapi.DeleteAuthorizerInput) (*apigatewayapi.DeleteAuthorizerOutput, error) {
	return nil, o.apis.Change(ctx, caller.Place(ctx), *in.RestApiId, func(d *restapi.Definition) error { return d.DeleteAuthorizer(*in.AuthorizerId) })
}
