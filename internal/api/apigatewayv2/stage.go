package apigatewayv2

import (
	"context"

	"plumb/internal/caller"
	"plumb/internal/model/apigatewayv2api"
	"plumb/internal/source/apigateway/httpapi"
)

// CreateStage makes a stage.
func (o operations) CreateStage(ctx context.Context, in *apigatewayv2api.CreateStageInput) (*apigatewayv2api.CreateStageOutput, error) {
	var st apigatewayv2api.Stage
	if err := httpapi.Merge(&st, in); err != nil {
		return nil, err
	}
	made, err := o.apis.CreateStage(ctx, caller.Place(ctx), *in.ApiId, st)
	if err != nil {
		return nil, err
	}
	return new(apigatewayv2api.CreateStageOutput(made)), nil
}

// GetStage tells of a stage.
func (o operations) GetStage(ctx context.Context, in *apigatewayv2api.GetStageInput) (*apigatewayv2api.GetStageOutput, error) {
	st, err := o.apis.Stage(ctx, caller.Place(ctx), *in.ApiId, *in.StageName)
	if err != nil {
		return nil, err
	}
	return new(apigatewayv2api.GetStageOutput(st)), nil
}

// GetStages lists the stages of an API.
func (o operations) GetStages(ctx context.Context, in *apigatewayv2api.GetStagesInput) (*apigatewayv2api.GetStagesOutput, error) {
	all, err := o.apis.Stages(ctx, caller.Place(ctx), *in.ApiId)
	if err != nil {
		return nil, err
	}
	list, next, err := page(o, "GetStages", *in.ApiId, all, in.MaxResults, in.NextToken)
	return &apigatewayv2api.GetStagesOutput{Items: list, NextToken: next}, err
}

// UpdateStage changes a stage.
func (o operations) UpdateStage(ctx context.Context, in *apigatewayv2api.UpdateStageInput) (*apigatewayv2api.UpdateStageOutput, error) {
	st, err := o.apis.ChangeStage(ctx, caller.Place(ctx), *in.ApiId, *in.StageName, func(st *apigatewayv2api.Stage) error { return httpapi.Merge(st, in) })
	if err != nil {
		return nil, err
	}
	return new(apigatewayv2api.UpdateStageOutput(st)), nil
}

// DeleteStage removes a stage.
func (o operations) DeleteStage(ctx context.Context, in *apigatewayv2api.DeleteStageInput) (*apigatewayv2api.DeleteStageOutput, error) {
	return nil, o.apis.DeleteStage(ctx, caller.Place(ctx), *in.ApiId, *in.StageName)
}

// DeleteRouteSettings removes what a stage says about a route.
func (o operations) DeleteRouteSettings(
	ctx context.Context, in *apigatewayv2api.DeleteRouteSettingsInput,
) (*apigatewayv2api.DeleteRouteSettingsOutput, error) {
	_, err := o.apis.ChangeStage(ctx, caller.Place(ctx), *in.ApiId, *in.StageName, func(st *apigatewayv2api.Stage) error {
		if _, ok := st.RouteSettings[*in.RouteKey]; !ok {
			return apigatewayv2api.NotFoundException("Unable to find Route Settings by key %s within the provided Stage", *in.RouteKey)
		}
		delete(st.RouteSettings, *in.RouteKey)
		return nil
	})
	return nil, err
}

// DeleteAccessLogSettings removes what a stage says about its access log.
func (o operations) DeleteAccessLogSettings(
	ctx context.Context, in *apigatewayv2api.DeleteAccessLogSettingsInput,
) (*apigatewayv2api.DeleteAccessLogSettingsOutput, error) {
	_, err := o.apis.ChangeStage(ctx, caller.Place(ctx), *in.ApiId, *in.StageName, func(st *apigatewayv2api.Stage) error {
		st.AccessLogSettings = nil
		return nil
	})
	return nil, err
}
