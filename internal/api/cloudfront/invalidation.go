package cloudfront

import (
	"context"
	"math"
	"strconv"

	"plumb/internal/caller"
	"plumb/internal/db"
	"plumb/internal/model"
	api "plumb/internal/model/cloudfrontapi"
	"plumb/internal/source/cloudfront"
)

// CreateInvalidation has paths forgotten.
func (o operations) CreateInvalidation(ctx context.Context, in *api.CreateInvalidationInput) (*api.CreateInvalidationOutput, error) {
	b := in.InvalidationBatch
	if int(model.Deref(b.Paths.Quantity)) != len(b.Paths.Items) {
		return nil, api.InconsistentQuantities("The value of Quantity and the size of Items don't match.")
	}
	i := cloudfront.Invalidation{Reference: *b.CallerReference, Paths: b.Paths.Items}
	err := o.distributions.Write(ctx, func(tx *db.Tx) error {
		made, err := o.distributions.Invalidate(ctx, tx, account(ctx), *in.DistributionId, i)
		if err == nil {
			i = made
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	location := caller.From(ctx).Endpoint + "/2020-05-31/distribution/" + *in.DistributionId + "/invalidation/" + i.ID
	return &api.CreateInvalidationOutput{Invalidation: invalidation(i), Location: &location}, nil
}

// completed is what an invalidation is at once.
const completed = "Completed"

func invalidation(i cloudfront.Invalidation) *api.Invalidation {
	return &api.Invalidation{Id: &i.ID, Status: new(completed), CreateTime: &i.Created, InvalidationBatch: &api.InvalidationBatch{
		CallerReference: &i.Reference, Paths: &api.Paths{Quantity: new(int32(len(i.Paths))), Items: i.Paths},
	}}
}

// GetInvalidation tells of an invalidation.
func (o operations) GetInvalidation(ctx context.Context, in *api.GetInvalidationInput) (*api.GetInvalidationOutput, error) {
	var i cloudfront.Invalidation
	err := o.distributions.Read(ctx, func(tx *db.Tx) error {
		d, err := cloudfront.Find(ctx, tx, account(ctx), *in.DistributionId)
		if err == nil {
			i, err = cloudfront.FindInvalidation(ctx, tx, d.ID, *in.Id)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return &api.GetInvalidationOutput{Invalidation: invalidation(i)}, nil
}

// ListInvalidations lists invalidations from the newest on.
func (o operations) ListInvalidations(ctx context.Context, in *api.ListInvalidationsInput) (*api.ListInvalidationsOutput, error) {
	limit, err := pageSize(in.MaxItems)
	if err != nil {
		return nil, err
	}
	below := math.MaxInt32
	if m := model.Deref(in.Marker); m != "" {
		if below, err = strconv.Atoi(m); err != nil {
			return nil, api.InvalidArgument("The marker is not valid.")
		}
	}
	var list []cloudfront.Invalidation
	err = o.distributions.Read(ctx, func(tx *db.Tx) error {
		d, err := cloudfront.Find(ctx, tx, account(ctx), *in.DistributionId)
		if err == nil {
			list, err = cloudfront.Invalidations(ctx, tx, d.ID, below, limit+1)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &api.InvalidationList{Marker: new(model.Deref(in.Marker)), MaxItems: new(int32(limit)), IsTruncated: new(len(list) > limit)}
	if len(list) > limit {
		list = list[:limit]
		out.NextMarker = new(strconv.Itoa(list[limit-1].Number))
	}
	for _, i := range list {
		out.Items = append(out.Items, api.InvalidationSummary{Id: &i.ID, CreateTime: &i.Created, Status: new(completed)})
	}
	out.Quantity = new(int32(len(out.Items)))
	return &api.ListInvalidationsOutput{InvalidationList: out}, nil
}
