package cloudfront

import (
	"context"

	"plumb/internal/caller"
	"plumb/internal/db"
	"plumb/internal/model"
	api "plumb/internal/model/cloudfrontapi"
	"plumb/internal/source/cloudfront"
)

// CreateDistribution makes a distribution.
func (o operations) CreateDistribution(ctx context.Context, in *api.CreateDistributionInput) (*api.CreateDistributionOutput, error) {
	return o.create(ctx, in.DistributionConfig, nil)
}

// CreateDistributionWithTags makes a distribution that has tags.
func (o operations) CreateDistributionWithTags(
	ctx context.Context, in *api.CreateDistributionWithTagsInput,
) (*api.CreateDistributionWithTagsOutput, error) {
	out, err := o.create(ctx, in.DistributionConfigWithTags.DistributionConfig, in.DistributionConfigWithTags.Tags)
	return (*api.CreateDistributionWithTagsOutput)(out), err
}

func (o operations) create(ctx context.Context, c *api.DistributionConfig, tags *api.Tags) (*api.CreateDistributionOutput, error) {
	d := cloudfront.Distribution{Account: account(ctx), Config: c, Tags: tagsOf(tags)}
	err := o.distributions.Write(ctx, func(tx *db.Tx) error {
		made, err := o.distributions.Create(ctx, tx, d)
		if err == nil {
			d = made
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	location := caller.From(ctx).Endpoint + "/2020-05-31/distribution/" + d.ID
	return &api.CreateDistributionOutput{Distribution: shape(d), ETag: &d.ETag, Location: &location}, nil
}

// deployed is what a distribution is at once.
const deployed = "Deployed"

func shape(d cloudfront.Distribution) *api.Distribution {
	return &api.Distribution{
		Id: &d.ID, ARN: new(d.ARN()), Status: new(deployed), LastModifiedTime: &d.Modified, InProgressInvalidationBatches: new(int32(0)), DomainName: &d.Domain,
		ActiveTrustedSigners:   &api.ActiveTrustedSigners{Enabled: new(false), Quantity: new(int32(0))},
		ActiveTrustedKeyGroups: &api.ActiveTrustedKeyGroups{Enabled: new(false), Quantity: new(int32(0))},
		DistributionConfig:     d.Config,
	}
}

func (o operations) find(ctx context.Context, id string) (d cloudfront.Distribution, err error) {
	err = o.distributions.Read(ctx, func(tx *db.Tx) error {
		d, err = cloudfront.Find(ctx, tx, account(ctx), id)
		return err
	})
	return d, err
}

// GetDistribution tells of a distribution.
func (o operations) GetDistribution(ctx context.Context, in *api.GetDistributionInput) (*api.GetDistributionOutput, error) {
	d, err := o.find(ctx, *in.Id)
	if err != nil {
		return nil, err
	}
	return &api.GetDistributionOutput{Distribution: shape(d), ETag: &d.ETag}, nil
}

// GetDistributionConfig tells how a distribution is configured.
func (o operations) GetDistributionConfig(ctx context.Context, in *api.GetDistributionConfigInput) (*api.GetDistributionConfigOutput, error) {
	d, err := o.find(ctx, *in.Id)
	if err != nil {
		return nil, err
	}
	return &api.GetDistributionConfigOutput{DistributionConfig: d.Config, ETag: &d.ETag}, nil
}

// UpdateDistribution replaces a distribution's configuration.
func (o operations) UpdateDistribution(ctx context.Context, in *api.UpdateDistributionInput) (*api.UpdateDistributionOutput, error) {
	var d cloudfront.Distribution
	err := o.distributions.Write(ctx, func(tx *db.Tx) (err error) {
		d, err = o.distributions.Update(ctx, tx, account(ctx), *in.Id, model.Deref(in.IfMatch), in.DistributionConfig)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &api.UpdateDistributionOutput{Distribution: shape(d), ETag: &d.ETag}, nil
}

// DeleteDistribution removes a distribution that is disabled.
func (o operations) DeleteDistribution(ctx context.Context, in *api.DeleteDistributionInput) (*api.DeleteDistributionOutput, error) {
	err := o.distributions.Write(ctx, func(tx *db.Tx) error {
		return o.distributions.Delete(ctx, tx, account(ctx), *in.Id, model.Deref(in.IfMatch))
	})
	return &api.DeleteDistributionOutput{}, err
}

// ListDistributions lists distributions by id.
func (o operations) ListDistributions(ctx context.Context, in *api.ListDistributionsInput) (*api.ListDistributionsOutput, error) {
	limit, err := pageSize(in.MaxItems)
	if err != nil {
		return nil, err
	}
	var list []cloudfront.Distribution
	err = o.distributions.Read(ctx, func(tx *db.Tx) (err error) {
		list, err = cloudfront.List(ctx, tx, account(ctx), model.Deref(in.Marker), limit+1)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &api.DistributionList{Marker: new(model.Deref(in.Marker)), MaxItems: new(int32(limit)), IsTruncated: new(len(list) > limit)}
	if len(list) > limit {
		list = list[:limit]
		out.NextMarker = &list[limit-1].ID
	}
	for _, d := range list {
		c := d.Config
		out.Items = append(out.Items, api.DistributionSummary{
			Id: &d.ID, ARN: new(d.ARN()), ETag: &d.ETag, Status: new(deployed), LastModifiedTime: &d.Modified, DomainName: &d.Domain, Aliases: c.Aliases, Origins: c.Origins,
			OriginGroups: c.OriginGroups, DefaultCacheBehavior: c.DefaultCacheBehavior, CacheBehaviors: c.CacheBehaviors, CustomErrorResponses: c.CustomErrorResponses,
			Comment: c.Comment, PriceClass: c.PriceClass, Enabled: c.Enabled, ViewerCertificate: c.ViewerCertificate, Restrictions: c.Restrictions,
			WebACLId: c.WebACLId, HttpVersion: c.HttpVersion, IsIPV6Enabled: c.IsIPV6Enabled, Staging: new(false),
		})
	}
	out.Quantity = new(int32(len(out.Items)))
	return &api.ListDistributionsOutput{DistributionList: out}, nil
}
