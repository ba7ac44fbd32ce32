package restapi

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model"
	"plumb/internal/model/apigatewayapi"
	"plumb/internal/policy"
	"plumb/internal/source/apigateway"
	"plumb/internal/source/apigateway/usage"
)

// find returns an API of a place.
func find(ctx context.Context, tx *db.Tx, p config.Place, id string) (apigateway.API, Definition, error) {
	a, err := apigateway.FindAPI(ctx, tx, id)
	if errors.Is(err, apigateway.ErrNotFound) || err == nil && (a.Kind != apigateway.REST || a.Place != p) {
		return a, Definition{}, notFound("Invalid API identifier specified %s:%s", p.Account, id)
	}
	if err != nil {
		return a, Definition{}, err
	}
	d, err := read(a.Definition)
	return a, d, err
}

// Get returns what an API is.
func (s *Service) Get(ctx context.Context, p config.Place, id string) (d Definition, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		_, d, err = find(ctx, tx, p, id)
		return err
	})
	return d, err
}

// List lists APIs of a place by id, those after the given one.
func (s *Service) List(ctx context.Context, p config.Place, after string, limit int) (out []Definition, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		list, err := apigateway.APIs(ctx, tx, p, apigateway.REST, after, limit)
		for _, a := range list {
			d, err := read(a.Definition)
			if err != nil {
				return err
			}
			out = append(out, d)
		}
		return err
	})
	return out, err
}

// Create makes an API with its root resource.
func (s *Service) Create(ctx context.Context, p config.Place, api apigatewayapi.RestApi) (Definition, error) {
	now := s.now().UTC().Truncate(time.Second)
	root := apigateway.NewID(10)
	api.Id, api.CreatedDate, api.RootResourceId = new(apigateway.NewID(10)), &now, &root
	d := Definition{API: api, Resources: []apigatewayapi.Resource{{Id: &root, Path: new("/")}}, Models: usualModels()}
	if err := d.check(); err != nil {
		return d, err
	}
	a := apigateway.API{Place: p, ID: *api.Id, Kind: apigateway.REST, Created: now}
	return d, s.db.Write(ctx, func(tx *db.Tx) error { return put(ctx, tx, a, d) })
}

// check sets what an API leaves out.
func (d *Definition) check() error {
	if model.Deref(d.API.Name) == "" {
		return invalid("API name cannot be empty")
	}
	if d.API.ApiKeySource == "" {
		d.API.ApiKeySource = apigatewayapi.ApiKeySourceTypeHeader
	}
	if d.API.DisableExecuteApiEndpoint == nil {
		d.API.DisableExecuteApiEndpoint = new(false)
	}
	if c := d.API.EndpointConfiguration; c == nil || len(c.Types) == 0 {
		d.API.EndpointConfiguration = &apigatewayapi.EndpointConfiguration{Types: []apigatewayapi.EndpointType{apigatewayapi.EndpointTypeEdge}}
	}
	if len(d.API.Tags) > maxTags {
		return invalid("An API may have up to %d tags.", maxTags)
	}
	if text := model.Deref(d.API.Policy); text != "" {
		if _, err := policy.Parse(text); err != nil {
			return invalid("Invalid policy document. Please check the policy syntax and ensure that Principals are valid.")
		}
	}
	return nil
}

func put(ctx context.Context, tx *db.Tx, a apigateway.API, d Definition) (err error) {
	if a.Definition, err = json.Marshal(d); err != nil {
		return err
	}
	err = apigateway.PutAPI(ctx, tx, a)
	if errors.Is(err, apigateway.ErrTooLarge) {
		return invalid("The API is too large.")
	}
	return err
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

// Change changes an API. What is deployed stays as it is.
func (s *Service) Change(ctx context.Context, p config.Place, id string, change func(d *Definition) error) error {
	return s.inAPI(ctx, p, id, func(tx *db.Tx, a apigateway.API, d Definition) error {
		if err := change(&d); err != nil {
			return err
		}
		if err := d.check(); err != nil {
			return err
		}
		return put(ctx, tx, a, d)
	})
}

// Delete removes an API.
func (s *Service) Delete(ctx context.Context, p config.Place, id string) error {
	return s.inAPI(ctx, p, id, func(tx *db.Tx, _ apigateway.API, _ Definition) error {
		stages, err := apigateway.Stages(ctx, tx, id)
		if err != nil {
			return err
		}
		for _, st := range stages {
			if err := usage.ForgetStage(ctx, tx, p, id, st.Name); err != nil {
				return err
			}
		}
		return apigateway.DeleteAPI(ctx, tx, id)
	})
}

const (
	maxStages      = 10
	maxDeployments = 1000
)

var (
	stageName     = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)
	variableName  = regexp.MustCompile(`^\w{1,64}$`)
	variableValue = regexp.MustCompile(`^[A-Za-z0-9._~:/?#&=,\-]{0,512}$`)
)

func noStage() error { return notFound("Invalid Stage identifier specified") }

func noDeployment() error { return notFound("Invalid Deployment identifier specified") }

// stageOf reads the settings of a stage.
func stageOf(st apigateway.Stage) (out apigatewayapi.Stage, err error) {
	err = json.Unmarshal(st.Settings, &out)
	out.StageName, out.DeploymentId = &st.Name, &st.Deployment
	return out, err
}

// CreateStage makes a stage that shows a deployment.
func (s *Service) CreateStage(ctx context.Context, p config.Place, api string, in apigatewayapi.Stage) (out apigatewayapi.Stage, err error) {
	err = s.inAPI(ctx, p, api, func(tx *db.Tx, _ apigateway.API, _ Definition) error {
		out, err = s.createStage(ctx, tx, api, in)
		return err
	})
	return out, err
}

func (s *Service) createStage(ctx context.Context, tx *db.Tx, api string, in apigatewayapi.Stage) (apigatewayapi.Stage, error) {
	name := model.Deref(in.StageName)
	if !stageName.MatchString(name) {
		return in, invalid("Stage name only allows a-zA-Z0-9_-")
	}
	list, err := apigateway.Stages(ctx, tx, api)
	if err != nil {
		return in, err
	}
	for _, other := range list {
		if other.Name == name {
			return in, apigatewayapi.ConflictException("Stage already exists")
		}
	}
	if len(list) >= maxStages {
		return in, apigatewayapi.LimitExceededException("Maximum number of stages for this API has been reached: %d.", maxStages)
	}
	now := s.now().UTC().Truncate(time.Second)
	in.CreatedDate = &now
	return s.settle(ctx, tx, api, apigateway.Stage{Name: name}, in)
}

// settle checks and keeps a stage.
func (s *Service) settle(ctx context.Context, tx *db.Tx, api string, st apigateway.Stage, in apigatewayapi.Stage) (out apigatewayapi.Stage, err error) {
	for name, value := range in.Variables {
		if !variableName.MatchString(name) || !variableValue.MatchString(value) {
			return in, invalid("Stage variable %s or its value is invalid: names are letters, digits and _, values up to 512 of A-Za-z0-9-._~:/?#&=,", name)
		}
	}
	if len(in.Tags) > maxTags {
		return in, invalid("A stage may have up to %d tags.", maxTags)
	}
	if in.CanarySettings != nil {
		return in, invalid("Canary deployments are not supported here.")
	}
	st.Deployment = model.Deref(in.DeploymentId)
	if _, err := apigateway.FindDeployment(ctx, tx, api, st.Deployment); errors.Is(err, apigateway.ErrNotFound) {
		return in, noDeployment()
	} else if err != nil {
		return in, err
	}
	now := s.now().UTC().Truncate(time.Second)
	in.LastUpdatedDate = &now
	if in.CacheClusterEnabled == nil {
		in.CacheClusterEnabled = new(false)
	}
	in.CacheClusterStatus = apigatewayapi.CacheClusterStatusNotAvailable
	if in.TracingEnabled == nil {
		in.TracingEnabled = new(false)
	}
	if in.MethodSettings == nil {
		in.MethodSettings = map[string]apigatewayapi.MethodSetting{}
	}
	kept := in
	kept.StageName, kept.DeploymentId = nil, nil // they have columns
	if st.Settings, err = json.Marshal(kept); err != nil {
		return in, err
	}
	in.StageName, in.DeploymentId = &st.Name, &st.Deployment
	return in, apigateway.PutStage(ctx, tx, api, st)
}

// ChangeStage changes a stage.
func (s *Service) ChangeStage(ctx context.Context, p config.Place, api, name string, change func(*apigatewayapi.Stage) error) (out apigatewayapi.Stage, err error) {
	err = s.inAPI(ctx, p, api, func(tx *db.Tx, _ apigateway.API, _ Definition) error {
		st, err := apigateway.FindStage(ctx, tx, api, name)
		if errors.Is(err, apigateway.ErrNotFound) {
			return noStage()
		}
		if err != nil {
			return err
		}
		in, err := stageOf(st)
		if err != nil {
			return err
		}
		if err := change(&in); err != nil {
			return err
		}
		out, err = s.settle(ctx, tx, api, st, in)
		return err
	})
	return out, err
}

// Flush has a stage forget what authorizers answered.
func (s *Service) Flush(ctx context.Context, p config.Place, api, name string) error {
	return s.inAPI(ctx, p, api, func(tx *db.Tx, _ apigateway.API, _ Definition) error {
		st, err := apigateway.FindStage(ctx, tx, api, name)
		if errors.Is(err, apigateway.ErrNotFound) {
			return noStage()
		}
		if err != nil {
			return err
		}
		st.Flushed++
		return apigateway.PutStage(ctx, tx, api, st)
	})
}

// Stages lists the stages of an API, or those of one deployment.
func (s *Service) Stages(ctx context.Context, p config.Place, api, deployment string) (out []apigatewayapi.Stage, err error) {
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
			if deployment == "" || st.Deployment == deployment {
				out = append(out, settings)
			}
		}
		return err
	})
	return out, err
}

// DeleteStage removes a stage.
func (s *Service) DeleteStage(ctx context.Context, p config.Place, api, name string) error {
	return s.inAPI(ctx, p, api, func(tx *db.Tx, _ apigateway.API, _ Definition) error {
		there, err := apigateway.DeleteStage(ctx, tx, api, name)
		if err == nil && !there {
			err = noStage()
		}
		if err != nil {
			return err
		}
		return usage.ForgetStage(ctx, tx, p, api, name)
	})
}

// deployable refuses an API of which nothing could be called.
func (d *Definition) deployable() error {
	found := false
	for _, r := range d.Resources {
		for _, m := range r.ResourceMethods {
			if m.MethodIntegration == nil {
				return invalid("No integration defined for method")
			}
			found = true
		}
	}
	if !found {
		return invalid("The REST API doesn't contain any methods")
	}
	return nil
}

// Deploy makes a deployment of an API as it is. A stage that is named shows it, and is made
// if it is not there.
func (s *Service) Deploy(ctx context.Context, p config.Place, api, about string, stage *apigatewayapi.Stage) (out apigatewayapi.Deployment, err error) {
	err = s.inAPI(ctx, p, api, func(tx *db.Tx, a apigateway.API, d Definition) error {
		if err := d.deployable(); err != nil {
			return err
		}
		list, err := apigateway.Deployments(ctx, tx, api)
		if err != nil {
			return err
		}
		if len(list) >= maxDeployments {
			return apigatewayapi.LimitExceededException("Maximum number of deployments for this API has been reached: %d.", maxDeployments)
		}
		made := apigateway.Deployment{ID: apigateway.NewID(6), Created: s.now(), About: about, Definition: a.Definition}
		out = deploymentShape(made)
		if err := apigateway.PutDeployment(ctx, tx, api, made); err != nil || stage == nil {
			return err
		}
		return s.show(ctx, tx, api, made.ID, *stage)
	})
	return out, err
}

func (s *Service) show(ctx context.Context, tx *db.Tx, api, deployment string, stage apigatewayapi.Stage) error {
	st, err := apigateway.FindStage(ctx, tx, api, model.Deref(stage.StageName))
	if errors.Is(err, apigateway.ErrNotFound) {
		stage.DeploymentId = &deployment
		_, err := s.createStage(ctx, tx, api, stage)
		return err
	}
	if err != nil {
		return err
	}
	in, err := stageOf(st)
	if err != nil {
		return err
	}
	in.DeploymentId = &deployment
	if stage.Variables != nil {
		in.Variables = stage.Variables
	}
	if stage.Description != nil {
		in.Description = stage.Description
	}
	_, err = s.settle(ctx, tx, api, st, in)
	return err
}

func deploymentShape(d apigateway.Deployment) apigatewayapi.Deployment {
	out := apigatewayapi.Deployment{Id: &d.ID, CreatedDate: new(d.Created.UTC().Truncate(time.Second))}
	if d.About != "" {
		out.Description = &d.About
	}
	return out
}

// Deployments lists the deployments of an API, the newest first.
func (s *Service) Deployments(ctx context.Context, p config.Place, api string) (out []apigatewayapi.Deployment, err error) {
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

// ChangeDeployment changes the description of a deployment.
func (s *Service) ChangeDeployment(
	ctx context.Context, p config.Place, api, id string, change func(*apigatewayapi.Deployment) error,
) (out apigatewayapi.Deployment, err error) {
	err = s.inAPI(ctx, p, api, func(tx *db.Tx, _ apigateway.API, _ Definition) error {
		d, err := apigateway.FindDeployment(ctx, tx, api, id)
		if errors.Is(err, apigateway.ErrNotFound) {
			return noDeployment()
		}
		if err != nil {
			return err
		}
		out = deploymentShape(d)
		if err := change(&out); err != nil {
			return err
		}
		d.About = model.Deref(out.Description)
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
			return noDeployment()
		}
		return err
	})
}
