package apigateway

import (
	"context"

	"plumb/internal/caller"
	"plumb/internal/model"
	"plumb/internal/model/apigatewayapi"
	"plumb/internal/source/apigateway/restapi"
)

// ImportRestApi makes an API of a document of OpenAPI.
func (o operations) ImportRestApi(ctx context.Context, in *apigatewayapi.ImportRestApiInput) (*apigatewayapi.ImportRestApiOutput, error) {
	d, err := o.apis.Import(ctx, caller.Place(ctx), restapi.Import{Body: in.Body, FailOnWarnings: model.Deref(in.FailOnWarnings), Parameters: in.Parameters})
	if err != nil {
		return nil, err
	}
	return new(apigatewayapi.ImportRestApiOutput(d.API)), nil
}

// PutRestApi makes an API what a document says, or adds what it says.
func (o operations) PutRestApi(ctx context.Context, in *apigatewayapi.PutRestApiInput) (*apigatewayapi.PutRestApiOutput, error) {
	d, err := o.apis.Reimport(ctx, caller.Place(ctx), *in.RestApiId, restapi.Import{
		Body: in.Body, Merge: in.Mode != apigatewayapi.PutModeOverwrite, FailOnWarnings: model.Deref(in.FailOnWarnings), Parameters: in.Parameters,
	})
	if err != nil {
		return nil, err
	}
	return new(apigatewayapi.PutRestApiOutput(d.API)), nil
}
