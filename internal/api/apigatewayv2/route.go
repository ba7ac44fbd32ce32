package apigatewayv2

import (
	"context"

	"plumb/internal/caller"
	"plumb/internal/model/apigatewayv2api"
	"plumb/internal/source/apigateway/httpapi"
)

// CreateRoute adds a route to an API.
func (o operations) CreateRoute(ctx context.Context, in *apigatewayv2api.CreateRouteInput) (*apigatewayv2api.CreateRouteOutput, error) {
	var made apigatewayv2api.Route
	if err := httpapi.Merge(&made, in); err != nil {
		return nil, err
	}
	err := o.apis.Change(ctx, caller.Place(ctx), *in.ApiId, func(d *httpapi.Definition) error {
		added, err := d.AddRoute(made)
		if err == nil {
			made = *added
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return new(apigatewayv2api.CreateRouteOutput(made)), nil
}

// GetRoute tells of a route.
func (o operations) GetRoute(ctx context.Context, in *apigatewayv2api.GetRouteInput) (*apigatewayv2api.GetRouteOutput, error) {
	d, err := o.apis.Get(ctx, caller.Place(ctx), *in.ApiId)
	if err != nil {
		return nil, err
	}
	found, err := d.Route(*in.RouteId)
	if err != nil {
		return nil, err
	}
	return new(apigatewayv2api.GetRouteOutput(*found)), nil
}

// GetRoutes lists those of an API.
func (o operations) GetRoutes(ctx context.Context, in *apigatewayv2api.GetRoutesInput) (*apigatewayv2api.GetRoutesOutput, error) {
	d, err := o.apis.Get(ctx, caller.Place(ctx), *in.ApiId)
	if err != nil {
		return nil, err
	}
	list, next, err := page(o, "GetRoutes", *in.ApiId, d.Routes, in.MaxResults, in.NextToken)
	return &apigatewayv2api.GetRoutesOutput{Items: list, NextToken: next}, err
}

// UpdateRoute changes a route.
func (o operations) UpdateRoute(ctx context.Context, in *apigatewayv2api.UpdateRouteInput) (*apigatewayv2api.UpdateRouteOutput, error) {
	var out apigatewayv2api.Route
	err := o.apis.Change(ctx, caller.Place(ctx), *in.ApiId, func(d *httpapi.Definition) error {
		found, err := d.Route(*in.RouteId)
		if err != nil {
			return err
		}
		if err := httpapi.Merge(found, in); err != nil {
			return err
		}
		err = d.CheckRoute(found)
		out = *found
		return err
	})
	if err != nil {
		return nil, err
	}
	return new(apigatewayv2api.UpdateRouteOutput(out)), nil
}

// DeleteRoute removes a route.
func (o operations) DeleteRoute(ctx context.Context, in *apigatewayv2api.DeleteRouteInput) (*apigatewayv2api.DeleteRouteOutput, error) {
	return nil, o.apis.Change(ctx, caller.Place(ctx), *in.ApiId, func(d *httpapi.Definition) error { return d.DeleteRoute(*in.RouteId) })
}
