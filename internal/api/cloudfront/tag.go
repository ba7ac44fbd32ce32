package cloudfront

import (
	"context"
	"maps"
	"slices"
	"strings"

	"plumb/internal/arn"
	"plumb/internal/db"
	"plumb/internal/model"
	api "plumb/internal/model/cloudfrontapi"
	"plumb/internal/source/cloudfront"
)

func tagsOf(in *api.Tags) map[string]string {
	out := map[string]string{}
	if in != nil {
		for _, t := range in.Items {
			out[*t.Key] = model.Deref(t.Value)
		}
	}
	return out
}

// resource returns the distribution that an ARN names, or the error NoSuchResource.
func resource(ctx context.Context, tx *db.Tx, text string) (cloudfront.Distribution, error) {
	none := api.NoSuchResource("The specified resource does not exist.")
	a, err := arn.Parse(text)
	id, ok := strings.CutPrefix(a.Resource, "distribution/")
	if err != nil || !ok || a.Service != "cloudfront" || a.Account != account(ctx) {
		return cloudfront.Distribution{}, none
	}
	d, err := cloudfront.Find(ctx, tx, a.Account, id)
	if model.IsCode(err, "NoSuchDistribution") {
		err = none
	}
	return d, err
}

func (o operations) change(ctx context.Context, text string, change func(tags map[string]string)) error {
	return o.distributions.Write(ctx, func(tx *db.Tx) error {
		d, err := resource(ctx, tx, text)
		if err != nil {
			return err
		}
		return o.distributions.Tag(ctx, tx, d, change)
	})
}

// TagResource adds tags.
func (o operations) TagResource(ctx context.Context, in *api.TagResourceInput) (*api.TagResourceOutput, error) {
	err := o.change(ctx, *in.Resource, func(tags map[string]string) { maps.Copy(tags, tagsOf(in.Tags)) })
	return &api.TagResourceOutput{}, err
}

// UntagResource removes tags.
func (o operations) UntagResource(ctx context.Context, in *api.UntagResourceInput) (*api.UntagResourceOutput, error) {
	err := o.change(ctx, *in.Resource, func(tags map[string]string) {
		for _, k := range in.TagKeys.Items {
			delete(tags, k)
		}
	})
	return &api.UntagResourceOutput{}, err
}

// ListTagsForResource lists tags by key.
func (o operations) ListTagsForResource(ctx context.Context, in *api.ListTagsForResourceInput) (*api.ListTagsForResourceOutput, error) {
	var d cloudfront.Distribution
	err := o.distributions.Read(ctx, func(tx *db.Tx) (err error) {
		d, err = resource(ctx, tx, *in.Resource)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &api.Tags{Items: []api.Tag{}}
	for _, k := range slices.Sorted(maps.Keys(d.Tags)) {
		out.Items = append(out.Items, api.Tag{Key: &k, Value: new(d.Tags[k])})
	}
	return &api.ListTagsForResourceOutput{Tags: out}, nil
}
