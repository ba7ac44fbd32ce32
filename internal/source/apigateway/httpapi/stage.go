package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model"
	"plumb/internal/model/apigatewayv2api"
	"plumb/internal/source/apigateway"
)

const (
	maxStages      = 10
	maxDeployments = 1000
)

var (
	stageName     = regexp.MustCompile(`^(\$default|[A-Za-z0-9_-]{1,128})$`)
	variableName  = regexp.MustCompile(`^\w{1,64}$`)
	variableValue = regexp.MustCompile(`^[A-Za-z0-9._~:/?#&=,\-]{0,512}$`)
)

// stageOf reads the settings of a stage.
func stageOf(st apigateway.Stage) (out apigatewayv2api.Stage, err error) {
	err = json.Unmarshal(st.Settings, &out)
	out.StageName = &st.Name
	if st.Deployment != "" {
		out.DeploymentId = &st.Deployment
	}
	return out, err
}

func putStage(ctx context.Context, tx *db.Tx, api string, st apigateway.Stage, settings apigatewayv2api.Stage) (err error) {
	settings.StageName, settings.DeploymentId = nil, nil // they have columns
	if st.Settings, err = json.Marshal(settings); err != nil {
		return err
	}
	return apigateway.PutStage(ctx, tx, api, st)
}

// inAPI runs f with an API that nobody else changes meanwhile.
func (s *Service) inAPI(ctx context.Context, p config.Place, id string, f func(tx *db.Tx, a apigateway.API, d Definition) error) error {
	return s.db.Write(ctx, func(tx *db.Tx) error {
		if err := apigateway.Lock(ctx, tx, id); err != nil {
			return err
		}
		a, d, err := find(ctx, tx, p, id)
		if err != nil {
			return err
		}
		return f(tx, a, d)
	})
}

// CreateStage makes a stage.
func (s *Service) CreateStage(ctx context.Context, p config.Place, api string, in apigatewayv2api.Stage) (out apigatewayv2api.Stage, err error) {
	err = s.inAPI(ctx, p, api, func(tx *db.Tx, a apigateway.API, d Definition) error {
		out, err = s.createStage(ctx, tx, a, d, in)
		return err
	})
	return out, err
}

func (s *Service) createStage(ctx context.Context, tx *db.Tx, a apigateway.API, d Definition, in apigatewayv2api.Stage) (out apigatewayv2api.Stage, err error) {
	name := model.Deref(in.StageName)
	if !stageName.MatchString(name) {
		return out, invalid("Stage name only allows a-zA-Z0-9_- and $default")
	}
	list, err := apigateway.Stages(ctx, tx, a.ID)
	if err != nil {
		return out, err
	}
	for _, other := range list {
		if other.Name == name {
			return out, apigatewayv2api.ConflictException("Stage %s already exists", name)
		}
	}
	if len(list) >= maxStages {
		return out, invalid("Maximum number of stages for this API has been reached: %d.", maxStages)
	}
	if a.Definition == nil {
		if a.Definition, err = json.Marshal(d); err != nil {
			return out, err
		}
	}
	now := s.now().UTC().Truncate(time.Second)
	in.CreatedDate = &now
	return s.settle(ctx, tx, a, apigateway.Stage{Name: name}, in)
}

// settle checks and keeps a stage.
func (s *Service) settle(ctx context.Context, tx *db.Tx, a apigateway.API, st apigateway.Stage, in apigatewayv2api.Stage) (out apigatewayv2api.Stage, err error) {
	dropEmpty(in.StageVariables)
	for name, value := range in.StageVariables {
		if !variableName.MatchString(name) || !variableValue.MatchString(value) {
			return out, invalid("Stage variable %s or its value is invalid: names are letters, digits and _, values up to 512 of A-Za-z0-9-._~:/?#&=,", name)
		}
	}
	if len(in.Tags) > maxTags {
		return out, invalid("A stage may have up to %d tags.", maxTags)
	}
	now := s.now().UTC().Truncate(time.Second)
	in.LastUpdatedDate = &now
	if in.AutoDeploy == nil {
		in.AutoDeploy = new(false)
	}
	if in.DefaultRouteSettings == nil {
		in.DefaultRouteSettings = &apigatewayv2api.RouteSettings{DetailedMetricsEnabled: new(false)}
	}
	if in.RouteSettings == nil {
		in.RouteSettings = map[string]apigatewayv2api.RouteSettings{}
	}
	if in.StageVariables == nil {
		in.StageVariables = map[string]string{}
	}
	wanted := model.Deref(in.DeploymentId)
	switch {
	case *in.AutoDeploy && wanted != "" && wanted != st.Deployment:
		return out, invalid("Deployment ID cannot be set on stage when AutoDeploy is enabled")
	case *in.AutoDeploy && wanted == "":
		if st.Deployment, err = s.deploy(ctx, tx, a, "Automatic deployment triggered by changes to the Api configuration", true); err != nil {
			return out, err
		}
		in.LastDeploymentStatusMessage = new("Successfully deployed stage with deployment ID '" + st.Deployment + "'")
	case wanted != "" && wanted != st.Deployment:
		if _, err := apigateway.FindDeployment(ctx, tx, a.ID, wanted); errors.Is(err, apigateway.ErrNotFound) {
			return out, notFound("Deployment", wanted)
		} else if err != nil {
			return out, err
		}
		st.Deployment = wanted
	}
	if err := putStage(ctx, tx, a.ID, st, in); err != nil {
		return out, err
	}
	in.StageName = &st.Name
	if st.Deployment != "" {
		in.DeploymentId = &st.Deployment
	}
	return in, nil
}

// noStage is the error of a stage that is not there.
func noStage(name string) error { return notFound("Stage", name) }

// ChangeStage changes a stage.
func (s *Service) ChangeStage(ctx context.Context, p config.Place, api, name string, change func(*apigatewayv2api.Stage) error) (out apigatewayv2api.Stage, err error) {
	err = s.inAPI(ctx, p, api, func(tx *db.Tx, a apigateway.API, _ Definition) error {
		st, err := apigateway.FindStage(ctx, tx, api, name)
		if errors.Is(err, apigateway.ErrNotFound) {
			return noStage(name)
		}
		if err != nil {
			return err
		}
		in, err := stageOf(st)
		if err != nil {
			return err
		}
		was := model.Deref(in.AutoDeploy)
		if err := change(&in); err != nil {
			return err
		}
		if model.Deref(in.AutoDeploy) && !was { // what was changed meanwhile is shown at once
			in.DeploymentId = nil
		}
		out, err = s.settle(ctx, tx, a, st, in)
		return err
	})
	return out, err
}

// Flush has a stage forget what authorizers answered.
func (s *Service) Flush(ctx context.Context, p config.Place, api, name string) error {
	return s.inAPI(ctx, p, api, func(tx *db.Tx, _ apigateway.API, _ Definition) error {
		st, err := apigateway.FindStage(ctx, tx, api, name)
		if errors.Is(err, apigateway.ErrNotFound) {
			return noStage(name)
		}
		if err != nil {
			return err
		}
		st.Flushed++
		return apigateway.PutStage(ctx, tx, api, st)
	})
}

// Stages lists the stages of an API.
func (s *Service) Stages(ctx context.Context, p config.Place, api string) (out []apigatewayv2api.Stage, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		if _, _, err := find(ctx, tx, p, api); err != nil {
			return err
		}
		list, err := apigateway.Stages(ctx, tx, api)
		for _, st := range list {
			settings, err := stageOf(st)
			if err != nil {
				return err
			}
			out = append(out, settings)
		}
		return err
	})
	return out, err
}

// Stage returns a stage of an API.
func (s *Service) Stage(ctx context.Context, p config.Place, api, name string) (apigatewayv2api.Stage, error) {
	list, err := s.Stages(ctx, p, api)
	for _, st := range list {
		if *st.StageName == name {
			return st, err
		}
	}
	if err == nil {
		err = noStage(name)
	}
	return apigatewayv2api.Stage{}, err
}

// DeleteStage removes a stage.
func (s *Service) DeleteStage(ctx context.Context, p config.Place, api, name string) error {
	return s.inAPI(ctx, p, api, func(tx *db.Tx, _ apigateway.API, _ Definition) error {
		there, err := apigateway.DeleteStage(ctx, tx, api, name)
		if err == nil && !there {
			err = noStage(name)
		}
		return err
	})
}

// Deploy makes a deployment of an API as it is, and shows it at a stage if one is named.
func (s *Service) Deploy(ctx context.Context, p config.Place, api, about, stage string) (out apigatewayv2api.Deployment, err error) {
	err = s.inAPI(ctx, p, api, func(tx *db.Tx, a apigateway.API, d Definition) error {
		list, err := apigateway.Deployments(ctx, tx, api)
		if err != nil {
			return err
		}
		if len(list) >= maxDeployments {
			return invalid("Maximum number of deployments for this API has been reached: %d.", maxDeployments)
		}
		if len(d.Routes) == 0 {
			return invalid("At least one route is required before deploying the Api.")
		}
		id, err := s.deploy(ctx, tx, a, about, false)
		if err != nil {
			return err
		}
		out = deploymentShape(apigateway.Deployment{ID: id, Created: s.now(), About: about})
		if stage == "" {
			return nil
		}
		st, err := apigateway.FindStage(ctx, tx, api, stage)
		if errors.Is(err, apigateway.ErrNotFound) {
			return noStage(stage)
		}
		if err != nil {
			return err
		}
		in, err := stageOf(st)
		if err != nil {
			return err
		}
		in.DeploymentId = &id
		_, err = s.settle(ctx, tx, a, st, in)
		return err
	})
	return out, err
}

func deploymentShape(d apigateway.Deployment) apigatewayv2api.Deployment {
	out := apigatewayv2api.Deployment{DeploymentId: &d.ID, CreatedDate: new(d.Created.UTC().Truncate(time.Second)), AutoDeployed: &d.Automatic,
		DeploymentStatus: apigatewayv2api.DeploymentStatusDeployed}
	if d.About != "" {
		out.Description = &d.About
	}
	return out
}

// Deployments lists the deployments of an API, the newest first.
func (s *Service) Deployments(ctx context.Context, p config.Place, api string) (out []apigatewayv2api.Deployment, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		if _, _, err := find(ctx, tx, p, api); err != nil {
			return err
		}
		list, err := apigateway.Deployments(ctx, tx, api)
		for _, d := range list {
			out = append(out, deploymentShape(d))
		}
		return err
	})
	return out, err
}

// Deployment returns a deployment of an API.
func (s *Service) Deployment(ctx context.Context, p config.Place, api, id string) (apigatewayv2api.Deployment, error) {
	list, err := s.Deployments(ctx, p, api)
	for _, d := range list {
		if *d.DeploymentId == id {
			return d, err
		}
	}
	if err == nil {
		err = notFound("Deployment", id)
	}
	return apigatewayv2api.Deployment{}, err
}

// DescribeDeployment changes the description of a deployment.
func (s *Service) DescribeDeployment(ctx context.Context, p config.Place, api, id, about string) (out apigatewayv2api.Deployment, err error) {
	err = s.inAPI(ctx, p, api, func(tx *db.Tx, _ apigateway.API, _ Definition) error {
		d, err := apigateway.FindDeployment(ctx, tx, api, id)
		if errors.Is(err, apigateway.ErrNotFound) {
			return notFound("Deployment", id)
		}
		if err != nil {
			return err
		}
		d.About = about
		out = deploymentShape(d)
		return apigateway.PutDeployment(ctx, tx, api, d)
	})
	return out, err
}

// DeleteDeployment removes a deployment that no stage shows.
func (s *Service) DeleteDeployment(ctx context.Context, p config.Place, api, id string) error {
	return s.inAPI(ctx, p, api, func(tx *db.Tx, _ apigateway.API, _ Definition) error {
		err := apigateway.DeleteDeployment(ctx, tx, api, id)
		switch {
		case errors.Is(err, apigateway.ErrShown):
			return invalid("Active stages pointing to this deployment must be moved or deleted")
		case errors.Is(err, apigateway.ErrNotFound):
			return notFound("Deployment", id)
		}
		return err
	})
}
