package apigateway

import (
	"context"
	"strings"

	"plumb/internal/caller"
	"plumb/internal/model"
	"plumb/internal/model/apigatewayapi"
	"plumb/internal/source/apigateway/restapi"
)

// CreateModel adds a model.
func (o operations) CreateModel(ctx context.Context, in *apigatewayapi.CreateModelInput) (*apigatewayapi.CreateModelOutput, error) {
	var out apigatewayapi.Model
	err := o.apis.Change(ctx, caller.Place(ctx), *in.RestApiId, func(d *restapi.Definition) (err error) {
		out, err = d.AddModel(apigatewayapi.Model{Name: in.Name, Description: in.Description, Schema: in.Schema, ContentType: in.ContentType})
		return err
	})
	if err != nil {
		return nil, err
	}
	return &out, nil
}

// GetModel tells of a model. References in its schema are not flattened.
func (o operations) GetModel(ctx context.Context, in *apigatewayapi.GetModelInput) (*apigatewayapi.GetModelOutput, error) {
	d, err := o.apis.Get(ctx, caller.Place(ctx), *in.RestApiId)
	if err != nil {
		return nil, err
	}
	m, err := d.Model(*in.ModelName)
	if err == nil && model.Deref(in.Flatten) && strings.Contains(model.Deref(m.Schema), `"$ref"`) {
		err = invalid("Models with references are not flattened here.")
	}
	return m, err
}

// GetModels lists the models of an API.
func (o operations) GetModels(ctx context.Context, in *apigatewayapi.GetModelsInput) (*apigatewayapi.GetModelsOutput, error) {
	d, err := o.apis.Get(ctx, caller.Place(ctx), *in.RestApiId)
	if err != nil {
		return nil, err
	}
	list, next, err := page(o, "GetModels", *in.RestApiId, d.Models, in.Limit, in.Position)
	return &apigatewayapi.GetModelsOutput{Items: list, Position: next}, err
}

// UpdateModel changes the schema or the description of a model.
func (o operations) UpdateModel(ctx context.Context, in *apigatewayapi.UpdateModelInput) (*apigatewayapi.UpdateModelOutput, error) {
	var out apigatewayapi.Model
	err := o.apis.Change(ctx, caller.Place(ctx), *in.RestApiId, func(d *restapi.Definition) error {
		m, err := d.Model(*in.ModelName)
		if err != nil {
			return err
		}
		if err := restapi.Patch(m, in.PatchOperations, "schema", "description"); err != nil {
			return err
		}
		out = *m
		return d.CheckModel(m)
	})
	if err != nil {
		return nil, err
	}
	return &out, nil
}

// DeleteModel removes a model that nothing names.
func (o operations) DeleteModel(ctx context.Context, in *apigatewayapi.DeleteModelInput) (*apigatewayapi.DeleteModelOutput, error) {
	return nil, o.apis.Change(ctx, caller.Place(ctx), *in.RestApiId, func(d *restapi.Definition) error { return d.DeleteModel(*in.ModelName) })
}

// CreateRequestValidator adds a request validator.
func (o operations) CreateRequestValidator(
	ctx context.Context, in *apigatewayapi.CreateRequestValidatorInput,
) (*apigatewayapi.CreateRequestValidatorOutput, error) {
	var out apigatewayapi.RequestValidator
	err := o.apis.Change(ctx, caller.Place(ctx), *in.RestApiId, func(d *restapi.Definition) (err error) {
		out, err = d.AddValidator(apigatewayapi.RequestValidator{
			Name: in.Name, ValidateRequestBody: in.ValidateRequestBody, ValidateRequestParameters: in.ValidateRequestParameters,
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return &out, nil
}

// GetRequestValidator tells of a request validator.
func (o operations) GetRequestValidator(
	ctx context.Context, in *apigatewayapi.GetRequestValidatorInput,
) (*apigatewayapi.GetRequestValidatorOutput, error) {
	d, err := o.apis.Get(ctx, caller.Place(ctx), *in.RestApiId)
	if err != nil {
		return nil, err
	}
	return d.Validator(*in.RequestValidatorId)
}

// GetRequestValidators lists the request validators of an API.
func (o operations) GetRequestValidators(
	ctx context.Context, in *apigatewayapi.GetRequestValidatorsInput,
) (*apigatewayapi.GetRequestValidatorsOutput, error) {
	d, err := o.apis.Get(ctx, caller.Place(ctx), *in.RestApiId)
	if err != nil {
		return nil, err
	}
	list, next, err := page(o, "GetRequestValidators", *in.RestApiId, d.Validators, in.Limit, in.Position)
	return &apigatewayapi.GetRequestValidatorsOutput{Items: list, Position: next}, err
}

// UpdateRequestValidator changes a request validator.
func (o operations) UpdateRequestValidator(
	ctx context.Context, in *apigatewayapi.UpdateRequestValidatorInput,
) (*apigatewayapi.UpdateRequestValidatorOutput, error) {
	var out apigatewayapi.RequestValidator
	err := o.apis.Change(ctx, caller.Place(ctx), *in.RestApiId, func(d *restapi.Definition) error {
		v, err := d.Validator(*in.RequestValidatorId)
		if err != nil {
			return err
		}
		err = restapi.Patch(v, in.PatchOperations, "name", "validateRequestBody", "validateRequestParameters")
		out = *v
		return err
	})
	if err != nil {
		return nil, err
	}
	return &out, nil
}

// DeleteRequestValidator removes a request validator that no method names.
func (o operations) DeleteRequestValidator(
	ctx context.Context, in *apigatewayapi.DeleteRequestValidatorInput,
) (*apigatewayapi.DeleteRequestValidatorOutput, error) {
	return nil, o.apis.Change(ctx, caller.Place(ctx), *in.RestApiId, func(d *restapi.Definition) error { return d.DeleteValidator(*in.RequestValidatorId) })
}
