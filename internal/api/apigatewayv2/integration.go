package apigatewayv2

import (
	"context"

	"plumb/internal/caller"
	"plumb/internal/model/apigatewayv2api"
	"plumb/internal/source/apigateway/httpapi"
)

// CreateIntegration adds an integration to an API.
func (o operations) CreateIntegration(ctx context.Context, in *apigatewayv2api.CreateIntegrationInput) (*apigatewayv2api.CreateIntegrationOutput, error) {
	var made apigatewayv2api.Integration
	if err := httpapi.Merge(&made, in); err != nil {
		return nil, err
	}
	err := o.apis.Change(ctx, caller.Place(ctx), *in.ApiId, func(d *httpapi.Definition) error {
		added, err := d.AddIntegration(made)
		if err == nil {
			made = *added
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return new(apigatewayv2api.CreateIntegrationOutput(made)), nil
}

// GetIntegration tells of an integration.
func (o operations) GetIntegration(ctx context.Context, in *apigatewayv2api.GetIntegrationInput) (*apigatewayv2api.GetIntegrationOutput, error) {
	d, err := o.apis.Get(ctx, caller.Place(ctx), *in.ApiId)
	if err != nil {
		return nil, err
	}
	found, err := d.Integration(*in.IntegrationId)
	if err != nil {
		return nil, err
	}
	return new(apigatewayv2api.GetIntegrationOutput(*found)), nil
}

// GetIntegrations lists those of an API.
func (o operations) GetIntegrations(ctx context.Context, in *apigatewayv2api.GetIntegrationsInput) (*apigatewayv2api.GetIntegrationsOutput, error) {
	d, err := o.apis.Get(ctx, caller.Place(ctx), *in.ApiId)
	if err != nil {
		return nil, err
	}
	list, next, err := page(o, "GetIntegrations", *in.ApiId, d.Integrations, in.MaxResults, in.NextToken)
	return &apigatewayv2api.GetIntegrationsOutput{Items: list, NextToken: next}, err
}

// UpdateIntegration changes an integration.
func (o operations) UpdateIntegration(ctx context.Context, in *apigatewayv2api.UpdateIntegrationInput) (*apigatewayv2api.UpdateIntegrationOutput, error) {
	var out apigatewayv2api.Integration
	err := o.apis.Change(ctx, caller.Place(ctx), *in.ApiId, func(d *httpapi.Definition) error {
		found, err := d.Integration(*in.IntegrationId)
		if err != nil {
			return err
		}
		if err := httpapi.Merge(found, in); err != nil {
			return err
		}
		err = httpapi.CheckIntegration(found)
		out = *found
		return err
	})
	if err != nil {
		return nil, err
	}
	return new(apigatewayv2api.UpdateIntegrationOutput(out)), nil
}

// DeleteIntegration removes an integration.
func (o operations) DeleteIntegration(ctx context.Context, in *apigatewayv2api.DeleteIntegrationInput) (*apigatewayv2api.DeleteIntegrationOutput, error) {
	return nil, o.apis.Change(ctx, caller.Place(ctx), *in.ApiId, func(d *httpapi.Definition) error { return d.DeleteIntegration(*in.IntegrationId) })
}
