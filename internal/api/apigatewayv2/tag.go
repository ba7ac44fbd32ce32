package apigatewayv2

import (
	"context"
	"maps"
	"regexp"

	"plumb/internal/caller"
	"plumb/internal/model/apigatewayv2api"
	"plumb/internal/source/apigateway/httpapi"
)

// tagged are the names of what has tags: APIs and stages.
var tagged = regexp.MustCompile(`^arn:aws[a-z-]*:apigateway:([a-z0-9-]+)::/apis/([a-z0-9]+)(?:/stages/([^/]+))?$`)

// change changes the tags of an API or a stage.
func (o operations) changeTags(ctx context.Context, name string, change func(map[string]string)) error {
	m := tagged.FindStringSubmatch(name)
	p := caller.Place(ctx)
	if m == nil || m[1] != p.Region {
		return invalid("Invalid resource ARN specified: %s", name)
	}
	edit := func(tags *map[string]string) {
		if *tags = maps.Clone(*tags); *tags == nil {
			*tags = map[string]string{}
		}
		change(*tags)
	}
	if m[3] != "" {
		_, err := o.apis.ChangeStage(ctx, p, m[2], m[3], func(st *apigatewayv2api.Stage) error {
			edit(&st.Tags)
			return nil
		})
		return err
	}
	return o.apis.Change(ctx, p, m[2], func(d *httpapi.Definition) error {
		edit(&d.API.Tags)
		return nil
	})
}

// TagResource adds tags.
func (o operations) TagResource(ctx context.Context, in *apigatewayv2api.TagResourceInput) (*apigatewayv2api.TagResourceOutput, error) {
	return nil, o.changeTags(ctx, *in.ResourceArn, func(tags map[string]string) { maps.Copy(tags, in.Tags) })
}

// UntagResource removes tags.
func (o operations) UntagResource(ctx context.Context, in *apigatewayv2api.UntagResourceInput) (*apigatewayv2api.UntagResourceOutput, error) {
	return nil, o.changeTags(ctx, *in.ResourceArn, func(tags map[string]string) {
		for _, key := range in.TagKeys {
			delete(tags, key)
		}
	})
}

// GetTags lists the tags of an API or a stage.
func (o operations) GetTags(ctx context.Context, in *apigatewayv2api.GetTagsInput) (*apigatewayv2api.GetTagsOutput, error) {
	m := tagged.FindStringSubmatch(*in.ResourceArn)
	if m == nil {
		return nil, invalid("Invalid resource ARN specified: %s", *in.ResourceArn)
	}
	out := &apigatewayv2api.GetTagsOutput{Tags: map[string]string{}}
	if m[3] != "" {
		st, err := o.apis.Stage(ctx, caller.Place(ctx), m[2], m[3])
		maps.Copy(out.Tags, st.Tags)
		return out, err
	}
	d, err := o.apis.Get(ctx, caller.Place(ctx), m[2])
	maps.Copy(out.Tags, d.API.Tags)
	return out, err
}
