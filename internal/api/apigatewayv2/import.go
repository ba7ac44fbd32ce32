package apigatewayv2

import (
	"context"

	"plumb/internal/caller"
	"plumb/internal/model"
	"plumb/internal/model/apigatewayv2api"
	"plumb/internal/source/apigateway/httpapi"
)

// ImportApi makes an API of a document of OpenAPI.
func (o operations) ImportApi(ctx context.Context, in *apigatewayv2api.ImportApiInput) (*apigatewayv2api.ImportApiOutput, error) {
	d, err := o.apis.Import(ctx, caller.Place(ctx), httpapi.Import{
		Body: []byte(model.Deref(in.Body)), BasePath: model.Deref(in.Basepath), FailOnWarnings: model.Deref(in.FailOnWarnings)})
	if err != nil {
		return nil, err
	}
	return new(apigatewayv2api.ImportApiOutput(apiShape(ctx, d))), nil
}

// ReimportApi makes an API what a document says.
func (o operations) ReimportApi(ctx context.Context, in *apigatewayv2api.ReimportApiInput) (*apigatewayv2api.ReimportApiOutput, error) {
	d, err := o.apis.Reimport(ctx, caller.Place(ctx), *in.ApiId, httpapi.Import{
		Body: []byte(model.Deref(in.Body)), BasePath: model.Deref(in.Basepath), FailOnWarnings: model.Deref(in.FailOnWarnings)})
	if err != nil {
		return nil, err
	}
	return new(apigatewayv2api.ReimportApiOutput(apiShape(ctx, d))), nil
}
