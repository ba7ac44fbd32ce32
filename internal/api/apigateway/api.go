package apigateway

import (
	"context"
	"maps"
	"regexp"

	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/model"
	"plumb/internal/model/apigatewayapi"
	"plumb/internal/source/apigateway/restapi"
)

// CreateRestApi makes an API with its root resource.
func (o operations) CreateRestApi(ctx context.Context, in *apigatewayapi.CreateRestApiInput) (*apigatewayapi.CreateRestApiOutput, error) {
	if in.CloneFrom != nil {
		return nil, invalid("CloneFrom is not supported here.")
	}
	var api apigatewayapi.RestApi
	if err := restapi.Copy(&api, in); err != nil {
		return nil, err
	}
	d, err := o.apis.Create(ctx, caller.Place(ctx), api)
	if err != nil {
		return nil, err
	}
	return new(apigatewayapi.CreateRestApiOutput(d.API)), nil
}

// GetRestApi tells of an API.
func (o operations) GetRestApi(ctx context.Context, in *apigatewayapi.GetRestApiInput) (*apigatewayapi.GetRestApiOutput, error) {
	d, err := o.apis.Get(ctx, caller.Place(ctx), *in.RestApiId)
	if err != nil {
		return nil, err
	}
	return new(apigatewayapi.GetRestApiOutput(d.API)), nil
}

// GetRestApis lists APIs.
func (o operations) GetRestApis(ctx context.Context, in *apigatewayapi.GetRestApisInput) (*apigatewayapi.GetRestApisOutput, error) {
	limit := pageSize(in.Limit)
	after, ok := o.tokens.Decode("GetRestApis", model.Deref(in.Position))
	if !ok {
		return nil, invalid("Invalid position parameter")
	}
	list, err := o.apis.List(ctx, caller.Place(ctx), after, limit+1)
	if err != nil {
		return nil, err
	}
	out := &apigatewayapi.GetRestApisOutput{Items: []apigatewayapi.RestApi{}}
	if len(list) > limit {
		list = list[:limit]
		out.Position = new(o.tokens.Encode("GetRestApis", *list[limit-1].API.Id))
	}
	for _, d := range list {
		out.Items = append(out.Items, d.API)
	}
	return out, nil
}

// UpdateRestApi changes an API.
func (o operations) UpdateRestApi(ctx context.Context, in *apigatewayapi.UpdateRestApiInput) (*apigatewayapi.UpdateRestApiOutput, error) {
	var out apigatewayapi.RestApi
	err := o.apis.Change(ctx, caller.Place(ctx), *in.RestApiId, func(d *restapi.Definition) error {
		err := restapi.Patch(&d.API, in.PatchOperations, "name", "description", "version", "policy", "binaryMediaTypes", "minimumCompressionSize", "apiKeySource",
			"disableExecuteApiEndpoint", "endpointConfiguration")
		out = d.API
		return err
	})
	if err != nil {
		return nil, err
	}
	return new(apigatewayapi.UpdateRestApiOutput(out)), nil
}

// DeleteRestApi removes an API.
func (o operations) DeleteRestApi(ctx context.Context, in *apigatewayapi.DeleteRestApiInput) (*apigatewayapi.DeleteRestApiOutput, error) {
	return nil, o.apis.Delete(ctx, caller.Place(ctx), *in.RestApiId)
}

// tagged are the names of what has tags: APIs, stages, API keys and usage plans.
var tagged = regexp.MustCompile(`^arn:aws[a-z-]*:apigateway:([a-z0-9-]+)::/(restapis|apikeys|usageplans)/([a-z0-9]+)(?:/stages/([^/]+))?$`)

// taggedIn returns the kind of what a name leads to, its id, and its stage, if any.
func taggedIn(p config.Place, name string) (kind, id, stage string, err error) {
	m := tagged.FindStringSubmatch(name)
	if m == nil || m[1] != p.Region || m[2] != "restapis" && m[4] != "" {
		return "", "", "", invalid("Invalid ARN specified: %s", name)
	}
	return m[2], m[3], m[4], nil
}

func (o operations) changeTags(ctx context.Context, name string, change func(map[string]string)) error {
	p := caller.Place(ctx)
	kind, id, stage, err := taggedIn(p, name)
	if err != nil {
		return err
	}
	edit := func(tags *map[string]string) error {
		if *tags = maps.Clone(*tags); *tags == nil {
			*tags = map[string]string{}
		}
		change(*tags)
		return nil
	}
	switch {
	case kind == "apikeys":
		_, err = o.apis.Plans.ChangeKey(ctx, p, id, func(k *apigatewayapi.ApiKey) error { return edit(&k.Tags) })
	case kind == "usageplans":
		_, err = o.apis.Plans.ChangePlan(ctx, p, id, func(u *apigatewayapi.UsagePlan) error { return edit(&u.Tags) })
	case stage != "":
		_, err = o.apis.ChangeStage(ctx, p, id, stage, func(st *apigatewayapi.Stage) error { return edit(&st.Tags) })
	default:
		err = o.apis.Change(ctx, p, id, func(d *restapi.Definition) error { return edit(&d.API.Tags) })
	}
	return err
}

// TagResource adds tags to an API, a stage, an API key or a usage plan.
func (o operations) TagResource(ctx context.Context, in *apigatewayapi.TagResourceInput) (*apigatewayapi.TagResourceOutput, error) {
	return nil, o.changeTags(ctx, *in.ResourceArn, func(tags map[string]string) { maps.Copy(tags, in.Tags) })
}

// UntagResource removes tags.
func (o operations) UntagResource(ctx context.Context, in *apigatewayapi.UntagResourceInput) (*apigatewayapi.UntagResourceOutput, error) {
	return nil, o.changeTags(ctx, *in.ResourceArn, func(tags map[string]string) {
		for _, key := range in.TagKeys {
			delete(tags, key)
		}
	})
}

// GetTags lists the tags of an API, a stage, an API key or a usage plan.
func (o operations) GetTags(ctx context.Context, in *apigatewayapi.GetTagsInput) (*apigatewayapi.GetTagsOutput, error) {
	p := caller.Place(ctx)
	kind, id, stage, err := taggedIn(p, *in.ResourceArn)
	if err != nil {
		return nil, err
	}
	out := &apigatewayapi.GetTagsOutput{Tags: map[string]string{}}
	var tags map[string]string
	switch {
	case kind == "apikeys":
		k, failed := o.apis.Plans.Key(ctx, p, id)
		tags, err = k.Tags, failed
	case kind == "usageplans":
		u, failed := o.apis.Plans.Plan(ctx, p, id)
		tags, err = u.Tags, failed
	case stage != "":
		st, failed := o.stage(ctx, id, stage)
		tags, err = st.Tags, failed
	default:
		d, failed := o.apis.Get(ctx, p, id)
		tags, err = d.API.Tags, failed
	}
	maps.Copy(out.Tags, tags)
	return out, err
}
