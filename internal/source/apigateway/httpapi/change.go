package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model"
	"plumb/internal/model/apigatewayv2api"
	"plumb/internal/source/apigateway"
)

// unknownAPI is the error of an API that is not there.
func unknownAPI(p config.Place, id string) error {
	return apigatewayv2api.NotFoundException("Invalid API identifier specified %s:%s", p.Account, id)
}

// find returns an API of a place.
func find(ctx context.Context, tx *db.Tx, p config.Place, id string) (apigateway.API, Definition, error) {
	a, err := apigateway.FindAPI(ctx, tx, id)
	if errors.Is(err, apigateway.ErrNotFound) || err == nil && (a.Kind != apigateway.HTTP || a.Place != p) {
		return a, Definition{}, unknownAPI(p, id)
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
		list, err := apigateway.APIs(ctx, tx, p, apigateway.HTTP, after, limit)
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

// A QuickTarget is what an API is made with in one step: where a route leads.
type QuickTarget struct{ RouteKey, Target, Credentials string }

// Create makes an API. With a target it has a route, an integration and a stage that shows
// every change.
func (s *Service) Create(ctx context.Context, p config.Place, api apigatewayv2api.Api, quick *QuickTarget) (Definition, error) {
	if api.ProtocolType != apigatewayv2api.ProtocolTypeHttp {
		return Definition{}, invalid("WebSocket APIs are not supported here.")
	}
	now := s.now().UTC().Truncate(time.Second)
	api.ApiId, api.CreatedDate = new(apigateway.NewID(10)), &now
	d := Definition{API: api}
	if err := d.check(); err != nil {
		return d, err
	}
	if quick != nil {
		if err := d.quick(*quick); err != nil {
			return d, err
		}
	}
	a := apigateway.API{Place: p, ID: *api.ApiId, Kind: apigateway.HTTP, Created: now}
	return d, s.db.Write(ctx, func(tx *db.Tx) error {
		if err := s.put(ctx, tx, a, d); err != nil || quick == nil {
			return err
		}
		st := apigatewayv2api.Stage{StageName: new(Default), AutoDeploy: new(true), ApiGatewayManaged: new(true)}
		_, err := s.createStage(ctx, tx, a, d, st)
		return err
	})
}

// check sets what an API leaves out.
func (d *Definition) check() error {
	if d.API.RouteSelectionExpression == nil {
		d.API.RouteSelectionExpression = new("$request.method $request.path")
	}
	if *d.API.RouteSelectionExpression != "$request.method $request.path" {
		return invalid("RouteSelectionExpression must be \"$request.method $request.path\" for HTTP APIs")
	}
	if d.API.ApiKeySelectionExpression == nil {
		d.API.ApiKeySelectionExpression = new("$request.header.x-api-key")
	}
	if d.API.DisableExecuteApiEndpoint == nil {
		d.API.DisableExecuteApiEndpoint = new(false)
	}
	if d.API.IpAddressType == "" {
		d.API.IpAddressType = apigatewayv2api.IpAddressTypeIpv4
	}
	if len(d.API.Tags) > maxTags {
		return invalid("An API may have up to %d tags.", maxTags)
	}
	if c := d.API.CorsConfiguration; c != nil {
		if age := model.Deref(c.MaxAge); age < -1 || age > 86400 {
			return invalid("MaxAge must be between -1 and 86400")
		}
		for _, o := range c.AllowOrigins {
			if o != "*" && model.Deref(c.AllowCredentials) && strings.Contains(o, "*") {
				continue
			}
			if o == "*" && model.Deref(c.AllowCredentials) {
				return invalid("AllowOrigins cannot be * when AllowCredentials is true")
			}
		}
	}
	return nil
}

// quick adds the integration and the route of an API that is made in one step.
func (d *Definition) quick(q QuickTarget) error {
	in := apigatewayv2api.Integration{IntegrationUri: &q.Target, ApiGatewayManaged: new(true)}
	if q.Credentials != "" {
		in.CredentialsArn = &q.Credentials
	}
	if strings.HasPrefix(q.Target, "http") {
		in.IntegrationType, in.IntegrationMethod, in.PayloadFormatVersion = apigatewayv2api.IntegrationTypeHttpProxy, new("ANY"), new("1.0")
	} else {
		in.IntegrationType, in.PayloadFormatVersion = apigatewayv2api.IntegrationTypeAwsProxy, new("2.0")
	}
	made, err := d.AddIntegration(in)
	if err != nil {
		return err
	}
	key := q.RouteKey
	if key == "" {
		key = Default
	}
	_, err = d.AddRoute(apigatewayv2api.Route{RouteKey: &key, Target: new("integrations/" + *made.IntegrationId), ApiGatewayManaged: new(true)})
	return err
}

func (s *Service) put(ctx context.Context, tx *db.Tx, a apigateway.API, d Definition) (err error) {
	if a.Definition, err = json.Marshal(d); err != nil {
		return err
	}
	if err := apigateway.PutAPI(ctx, tx, a); errors.Is(err, apigateway.ErrTooLarge) {
		return invalid("The API is too large.")
	} else if err != nil {
		return err
	}
	return nil
}

// Change changes an API. Stages that show every change show it at once.
func (s *Service) Change(ctx context.Context, p config.Place, id string, change func(d *Definition) error) error {
	return s.db.Write(ctx, func(tx *db.Tx) error { return s.change(ctx, tx, p, id, change) })
}

func (s *Service) change(ctx context.Context, tx *db.Tx, p config.Place, id string, change func(d *Definition) error) error {
	if err := apigateway.Lock(ctx, tx, id); err != nil {
		return err
	}
	a, d, err := find(ctx, tx, p, id)
	if err != nil {
		return err
	}
	if err := change(&d); err != nil {
		return err
	}
	if err := d.check(); err != nil {
		return err
	}
	before := a.Definition
	if err := s.put(ctx, tx, a, d); err != nil {
		return err
	}
	if a.Definition, err = json.Marshal(d); err != nil || bytes.Equal(before, a.Definition) {
		return err
	}
	return s.autoDeploy(ctx, tx, a)
}

// autoDeploy has the stages that show every change show this one.
func (s *Service) autoDeploy(ctx context.Context, tx *db.Tx, a apigateway.API) error {
	stages, err := apigateway.Stages(ctx, tx, a.ID)
	if err != nil {
		return err
	}
	made := ""
	for _, st := range stages {
		settings, err := stageOf(st)
		if err != nil {
			return err
		}
		if !model.Deref(settings.AutoDeploy) {
			continue
		}
		if made == "" {
			if made, err = s.deploy(ctx, tx, a, "Automatic deployment triggered by changes to the Api configuration", true); err != nil {
				return err
			}
		}
		st.Deployment = made
		settings.LastDeploymentStatusMessage = new("Successfully deployed stage with deployment ID '" + made + "'")
		if err := putStage(ctx, tx, a.ID, st, settings); err != nil {
			return err
		}
	}
	if made == "" {
		return nil
	}
	return apigateway.ForgetAutomatic(ctx, tx, a.ID)
}

func (s *Service) deploy(ctx context.Context, tx *db.Tx, a apigateway.API, about string, automatic bool) (string, error) {
	d := apigateway.Deployment{ID: apigateway.NewID(6), Created: s.now(), Automatic: automatic, About: about, Definition: a.Definition}
	return d.ID, apigateway.PutDeployment(ctx, tx, a.ID, d)
}

// Delete removes an API.
func (s *Service) Delete(ctx context.Context, p config.Place, id string) error {
	return s.db.Write(ctx, func(tx *db.Tx) error {
		if err := apigateway.Lock(ctx, tx, id); err != nil {
			return err
		}
		if _, _, err := find(ctx, tx, p, id); err != nil {
			return err
		}
		return apigateway.DeleteAPI(ctx, tx, id)
	})
}

// Retarget changes where the route of an API that was made in one step leads. Empty texts
// change nothing.
func (d *Definition) Retarget(target, key, credentials string) error {
	if target == "" && key == "" && credentials == "" {
		return nil
	}
	for i := range d.Routes {
		r := &d.Routes[i]
		if !model.Deref(r.ApiGatewayManaged) {
			continue
		}
		if key != "" {
			r.RouteKey = &key
		}
		in, err := d.Integration(strings.TrimPrefix(model.Deref(r.Target), "integrations/"))
		if err != nil {
			return err
		}
		if target != "" {
			in.IntegrationUri = &target
		}
		if credentials != "" {
			in.CredentialsArn = &credentials
		}
		if err := CheckIntegration(in); err != nil {
			return err
		}
		return d.CheckRoute(r)
	}
	return invalid("The API was not made with a target")
}
