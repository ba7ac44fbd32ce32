package apigateway

import (
	"context"

	"plumb/internal/caller"
	"plumb/internal/model/apigatewayapi"
	"plumb/internal/source/apigateway/restapi"
)

// PutGatewayResponse changes what API Gateway itself answers of a type.
func (o operations) PutGatewayResponse(ctx context.Context, in *apigatewayapi.PutGatewayResponseInput) (*apigatewayapi.PutGatewayResponseOutput, error) {
	var out apigatewayapi.GatewayResponse
	err := o.apis.Change(ctx, caller.Place(ctx), *in.RestApiId, func(d *restapi.Definition) (err error) {
		out, err = d.PutResponse(apigatewayapi.GatewayResponse{
			ResponseType: in.ResponseType, StatusCode: in.StatusCode, ResponseParameters: in.ResponseParameters, ResponseTemplates: in.ResponseTemplates,
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return new(apigatewayapi.PutGatewayResponseOutput(out)), nil
}

// GetGatewayResponse tells what API Gateway itself answers of a type.
func (o operations) GetGatewayResponse(ctx context.Context, in *apigatewayapi.GetGatewayResponseInput) (*apigatewayapi.GetGatewayResponseOutput, error) {
	d, err := o.apis.Get(ctx, caller.Place(ctx), *in.RestApiId)
	if err != nil {
		return nil, err
	}
	r, err := d.Response(in.ResponseType)
	if err != nil {
		return nil, err
	}
	return new(apigatewayapi.GetGatewayResponseOutput(r)), nil
}

// GetGatewayResponses lists what API Gateway itself answers, of all types.
func (o operations) GetGatewayResponses(ctx context.Context, in *apigatewayapi.GetGatewayResponsesInput) (*apigatewayapi.GetGatewayResponsesOutput, error) {
	d, err := o.apis.Get(ctx, caller.Place(ctx), *in.RestApiId)
	if err != nil {
		return nil, err
	}
	items, next, err := page(o, "GetGatewayResponses", *in.RestApiId, d.AllResponses(), in.Limit, in.Position)
	return &apigatewayapi.GetGatewayResponsesOutput{Items: items, Position: next}, err
}

// UpdateGatewayResponse changes a part of what API Gateway itself answers of a type.
func (o operations) UpdateGatewayResponse(
	ctx context.Context, in *apigatewayapi.UpdateGatewayResponseInput,
) (*apigatewayapi.UpdateGatewayResponseOutput, error) {
	var out apigatewayapi.GatewayResponse
	err := o.apis.Change(ctx, caller.Place(ctx), *in.RestApiId, func(d *restapi.Definition) error {
		r, err := d.Response(in.ResponseType)
		if err != nil {
			return err
		}
		if err := restapi.Patch(&r, in.PatchOperations, "statusCode", "responseParameters", "responseTemplates"); err != nil {
			return err
		}
		out, err = d.PutResponse(r)
		return err
	})
	if err != nil {
		return nil, err
	}
	return new(apigatewayapi.UpdateGatewayResponseOutput(out)), nil
}

// DeleteGatewayResponse has API Gateway answer as usual again.
func (o operations) DeleteGatewayResponse(
	ctx context.Context, in *apigatewayapi.DeleteGatewayResponseInput,
) (*apigatewayapi.DeleteGatewayResponseOutput, error) {
	return nil, o.apis.Change(ctx, caller.Place(ctx), *in.RestApiId, func(d *restapi.Definition) error { return d.DeleteResponse(in.ResponseType) })
}
