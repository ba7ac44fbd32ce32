package apigateway

import (
	"context"

	"plumb/internal/caller"
	"plumb/internal/model"
	"plumb/internal/model/apigatewayapi"
	"plumb/internal/source/apigateway/restapi"
)

// CreateStage makes a stage that shows a deployment.
func (o operations) CreateStage(ctx context.Context, in *apigatewayapi.CreateStageInput) (*apigatewayapi.CreateStageOutput, error) {
	var st apigatewayapi.Stage
	if err := restapi.Copy(&st, in); err != nil {
		return nil, err
	}
	st, err := o.apis.CreateStage(ctx, caller.Place(ctx), *in.RestApiId, st)
	if err != nil {
		return nil, err
	}
	return new(apigatewayapi.CreateStageOutput(st)), nil
}

func (o operations) stage(ctx context.Context, api, name string) (apigatewayapi.Stage, error) {
	list, err := o.apis.Stages(ctx, caller.Place(ctx), api, "")
	for _, st := range list {
		if *st.StageName == name {
			return st, err
		}
	}
	if err == nil {
		err = apigatewayapi.NotFoundException("Invalid Stage identifier specified")
	}
	return apigatewayapi.Stage{}, err
}

// GetStage tells of a stage.
func (o operations) GetStage(ctx context.Context, in *apigatewayapi.GetStageInput) (*apigatewayapi.GetStageOutput, error) {
	st, err := o.stage(ctx, *in.RestApiId, *in.StageName)
	if err != nil {
		return nil, err
	}
	return new(apigatewayapi.GetStageOutput(st)), nil
}

// GetStages lists the stages of an API, or those of one deployment.
func (o operations) GetStages(ctx context.Context, in *apigatewayapi.GetStagesInput) (*apigatewayapi.GetStagesOutput, error) {
	list, err := o.apis.Stages(ctx, caller.Place(ctx), *in.RestApiId, model.Deref(in.DeploymentId))
	return &apigatewayapi.GetStagesOutput{Item: append([]apigatewayapi.Stage{}, list...)}, err
}

// UpdateStage changes a stage.
func (o operations) UpdateStage(ctx context.Context, in *apigatewayapi.UpdateStageInput) (*apigatewayapi.UpdateStageOutput, error) {
	st, err := o.apis.ChangeStage(ctx, caller.Place(ctx), *in.RestApiId, *in.StageName, func(st *apigatewayapi.Stage) error {
		return restapi.PatchStage(st, in.PatchOperations)
	})
	if err != nil {
		return nil, err
	}
	return new(apigatewayapi.UpdateStageOutput(st)), nil
}

// DeleteStage removes a stage.
func (o operations) DeleteStage(ctx context.Context, in *apigatewayapi.DeleteStageInput) (*apigatewayapi.DeleteStageOutput, error) {
	return nil, o.apis.DeleteStage(ctx, caller.Place(ctx), *in.RestApiId, *in.StageName)
}

// FlushStageAuthorizersCache has a stage forget what authorizers answered.
func (o operations) FlushStageAuthorizersCache(
	ctx context.Context, in *apigatewayapi.FlushStageAuthorizersCacheInput,
) (*apigatewayapi.FlushStageAuthorizersCacheOutput, error) {
	return nil, o.apis.Flush(ctx, caller.Place(ctx), *in.RestApiId, *in.StageName)
}

// CreateDeployment makes a deployment of an API as it is, and shows it at a stage if one is
// named.
func (o operations) CreateDeployment(ctx context.Context, in *apigatewayapi.CreateDeploymentInput) (*apigatewayapi.CreateDeploymentOutput, error) {
	var stage *apigatewayapi.Stage
	if model.Deref(in.StageName) != "" {
		stage = &apigatewayapi.Stage{StageName: in.StageName, Description: in.StageDescription, Variables: in.Variables, TracingEnabled: in.TracingEnabled}
	}
	if in.CanarySettings != nil {
		return nil, invalid("Canary deployments are not supported here.")
	}
	d, err := o.apis.Deploy(ctx, caller.Place(ctx), *in.RestApiId, model.Deref(in.Description), stage)
	if err != nil {
		return nil, err
	}
	return new(apigatewayapi.CreateDeploymentOutput(d)), nil
}

// GetDeployment tells of a deployment.
func (o operations) GetDeployment(ctx context.Context, in *apigatewayapi.GetDeploymentInput) (*apigatewayapi.GetDeploymentOutput, error) {
	list, err := o.apis.Deployments(ctx, caller.Place(ctx), *in.RestApiId)
	for _, d := range list {
		if *d.Id == *in.DeploymentId {
			return new(apigatewayapi.GetDeploymentOutput(d)), err
		}
	}
	if err == nil {
		err = apigatewayapi.NotFoundException("Invalid Deployment identifier specified")
	}
	return nil, err
}

// GetDeployments lists the deployments of an API, the newest first.
func (o operations) GetDeployments(ctx context.Context, in *apigatewayapi.GetDeploymentsInput) (*apigatewayapi.GetDeploymentsOutput, error) {
	all, err := o.apis.Deployments(ctx, caller.Place(ctx), *in.RestApiId)
	if err != nil {
		return nil, err
	}
	list, next, err := page(o, "GetDeployments", *in.RestApiId, all, in.Limit, in.Position)
	return &apigatewayapi.GetDeploymentsOutput{Items: list, Position: next}, err
}

// UpdateDeployment changes the description of a deployment.
func (o operations) UpdateDeployment(ctx context.Context, in *apigatewayapi.UpdateDeploymentInput) (*apigatewayapi.UpdateDeploymentOutput, error) {
	d, err := o.apis.ChangeDeployment(ctx, caller.Place(ctx), *in.RestApiId, *in.DeploymentId, func(d *apigatewayapi.Deployment) error {
		return restapi.Patch(d, in.PatchOperations, "description")
	})
	if err != nil {
		return nil, err
	}
	return new(apigatewayapi.UpdateDeploymentOutput(d)), nil
}

// DeleteDeployment removes a deployment that no stage shows.
func (o operations) DeleteDeployment(ctx context.Context, in *apigatewayapi.DeleteDeploymentInput) (*apigatewayapi.DeleteDeploymentOutput, error) {
	return nil, o.apis.DeleteDeployment(ctx, caller.Place(ctx), *in.RestApiId, *in.DeploymentId)
}
