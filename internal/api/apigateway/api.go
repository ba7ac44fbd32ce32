package apigateway

import (
	"context"
	"maps"
	"regexp"

	"plumb/internal/caller"
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

// tagged are the names of what has tags: APIs and stages.
var tagged = regexp.MustCompile(`^arn:aws[a-z-]*:apigateway:([a-z0-9-]+)::/restapis/([a-z0-9]+)(?:/stages/([^/]+))?$`)

func (o operations) changeTags(ctx context.Context, name string, change func(map[string]string)) error {
	m := tagged.FindStringSubmatch(name)
	p := caller.Place(ctx)
	if m == nil || m[1] != p.Region {
		return invalid("Invalid ARN specified: %s", name)
	}
	edit := func(tags *map[string]string) {
		if *tags = maps.Clone(*tags); *tags == nil {
			*tags = map[string]string{}
		}
		change(*tags)
	}
	if m[3] != "" {
		_, err := o.apis.ChangeStage(ctx, p, m[2], m[3], func(st *apigatewayapi.Stage) error {
			edit(&st.Tags)
			return nil
		})
		return err
	}
	return o.apis.Change(ctx, p, m[2], func(d *restapi.Definition) error {
		edit(&d.API.Tags)
		return nil
	})
}

// TagResource adds tags to an API or a stage.
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

// GetTags lists the tags of an API or a stage.
func (o operations) GetTags(ctx context.Context, in *apigatewayapi.GetTagsInput) (*apigatewayapi.GetTagsOutput, error) {
	m := tagged.FindStringSubmatch(*in.ResourceArn)
	if m == nil {
		return nil, invalid("Invalid ARN specified: %s", *in.ResourceArn)
	}
	out := &apigatewayapi.GetTagsOutput{Tags: map[string]string{}}
	if m[3] != "" {
		st, err := o.stage(ctx, m[2], m[3])
		maps.Copy(out.Tags, st.Tags)
		return out, err
	}
	d, err := o.apis.Get(ctx, caller.Place(ctx), m[2])
	maps.Copy(out.Tags, d.API.Tags)
	return out, err
}
