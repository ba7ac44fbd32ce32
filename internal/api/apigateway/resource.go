package apigateway

import (
	"context"
	"slices"

	"plumb/internal/caller"
	"plumb/internal/model/apigatewayapi"
	"plumb/internal/source/apigateway/restapi"
)

// resourceShape is a resource as it is answered: its methods in full only where that is
// asked for.
func resourceShape(r apigatewayapi.Resource, embed []string) apigatewayapi.Resource {
	if slices.Contains(embed, "methods") {
		return r
	}
	methods := map[string]apigatewayapi.Method{}
	for verb := range r.ResourceMethods {
		methods[verb] = apigatewayapi.Method{}
	}
	if r.ResourceMethods = methods; len(methods) == 0 {
		r.ResourceMethods = nil
	}
	return r
}

// CreateResource adds a resource below another one.
func (o operations) CreateResource(ctx context.Context, in *apigatewayapi.CreateResourceInput) (*apigatewayapi.CreateResourceOutput, error) {
	var out apigatewayapi.Resource
	err := o.apis.Change(ctx, caller.Place(ctx), *in.RestApiId, func(d *restapi.Definition) (err error) {
		out, err = d.AddResource(*in.ParentId, *in.PathPart)
		return err
	})
	if err != nil {
		return nil, err
	}
	return new(apigatewayapi.CreateResourceOutput(out)), nil
}

// GetResource tells of a resource.
func (o operations) GetResource(ctx context.Context, in *apigatewayapi.GetResourceInput) (*apigatewayapi.GetResourceOutput, error) {
	d, err := o.apis.Get(ctx, caller.Place(ctx), *in.RestApiId)
	if err != nil {
		return nil, err
	}
	r, err := d.Resource(*in.ResourceId)
	if err != nil {
		return nil, err
	}
	return new(apigatewayapi.GetResourceOutput(resourceShape(*r, in.Embed))), nil
}

// GetResources lists the resources of an API.
func (o operations) GetResources(ctx context.Context, in *apigatewayapi.GetResourcesInput) (*apigatewayapi.GetResourcesOutput, error) {
	d, err := o.apis.Get(ctx, caller.Place(ctx), *in.RestApiId)
	if err != nil {
		return nil, err
	}
	list, next, err := page(o, "GetResources", *in.RestApiId, d.Resources, in.Limit, in.Position)
	for i := range list {
		list[i] = resourceShape(list[i], in.Embed)
	}
	return &apigatewayapi.GetResourcesOutput{Items: list, Position: next}, err
}

// UpdateResource moves or renames a resource.
func (o operations) UpdateResource(ctx context.Context, in *apigatewayapi.UpdateResourceInput) (*apigatewayapi.UpdateResourceOutput, error) {
	var out apigatewayapi.Resource
	err := o.apis.Change(ctx, caller.Place(ctx), *in.RestApiId, func(d *restapi.Definition) (err error) {
		out, err = d.PatchResource(*in.ResourceId, in.PatchOperations)
		return err
	})
	if err != nil {
		return nil, err
	}
	return new(apigatewayapi.UpdateResourceOutput(out)), nil
}

// DeleteResource removes a resource with those below it.
func (o operations) DeleteResource(ctx context.Context, in *apigatewayapi.DeleteResourceInput) (*apigatewayapi.DeleteResourceOutput, error) {
	return nil, o.apis.Change(ctx, caller.Place(ctx), *in.RestApiId, func(d *restapi.Definition) error { return d.DeleteResource(*in.ResourceId) })
}
