package apigatewayv2

import (
	"context"

	"plumb/internal/caller"
	"plumb/internal/model"
	"plumb/internal/model/apigatewayv2api"
)

// CreateDeployment makes a deployment of an API as it is.
func (o operations) CreateDeployment(ctx context.Context, in *apigatewayv2api.CreateDeploymentInput) (*apigatewayv2api.CreateDeploymentOutput, error) {
	d, err := o.apis.Deploy(ctx, caller.Place(ctx), *in.ApiId, model.Deref(in.Description), model.Deref(in.StageName))
	if err != nil {
		return nil, err
	}
	return new(apigatewayv2api.CreateDeploymentOutput(d)), nil
}

// GetDeployment tells of a deployment.
func (o operations) GetDeployment(ctx context.Context, in *apigatewayv2api.GetDeploymentInput) (*apigatewayv2api.GetDeploymentOutput, error) {
	d, err := o.apis.Deployment(ctx, caller.Place(ctx), *in.ApiId, *in.DeploymentId)
	if err != nil {
		return nil, err
	}
	return new(apigatewayv2api.GetDeploymentOutput(d)), nil
}

// GetDeployments lists the deployments of an API, the newest first.
func (o operations) GetDeployments(ctx context.Context, in *apigatewayv2api.GetDeploymentsInput) (*apigatewayv2api.GetDeploymentsOutput, error) {
	all, err := o.apis.Deployments(ctx, caller.Place(ctx), *in.ApiId)
	if err != nil {
		return nil, err
	}
	list, next, err := page(o, "GetDeployments", *in.ApiId, all, in.MaxResults, in.NextToken)
	return &apigatewayv2api.GetDeploymentsOutput{Items: list, NextToken: next}, err
}

// UpdateDeployment changes the description of a deployment.
func (o operations) UpdateDeployment(ctx context.Context, in *apigatewayv2api.UpdateDeploymentInput) (*apigatewayv2api.UpdateDeploymentOutput, error) {
	d, err := o.apis.DescribeDeployment(ctx, caller.Place(ctx), *in.ApiId, *in.DeploymentId, model.Deref(in.Description))
	if err != nil {
		return nil, err
	}
	return new(apigatewayv2api.UpdateDeploymentOutput(d)), nil
}

// DeleteDeployment removes a deployment that no stage shows.
func (o operations) DeleteDeployment(ctx context.Context, in *apigatewayv2api.DeleteDeploymentInput) (*apigatewayv2api.DeleteDeploymentOutput, error) {
	return nil, o.apis.DeleteDeployment(ctx, caller.Place(ctx), *in.ApiId, *in.DeploymentId)
}
