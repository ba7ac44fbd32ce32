package cognitosync

import (
	"context"

	"plumb/internal/caller"
	"plumb/internal/cognito"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model"
	api "plumb/internal/model/cognitosyncapi"
	"plumb/internal/source/cognitosync"
)

func datasetShape(d cognitosync.Dataset) *api.Dataset {
	return &api.Dataset{IdentityId: &d.Identity, DatasetName: &d.Name, CreationDate: &d.Created, LastModifiedDate: &d.Changed, LastModifiedBy: &d.By,
		DataStorage: &d.Storage, NumRecords: &d.Records}
}

// DescribeDataset tells of a dataset.
func (o operations) DescribeDataset(ctx context.Context, in *api.DescribeDatasetInput) (*api.DescribeDatasetOutput, error) {
	out := &api.DescribeDatasetOutput{}
	err := o.sync.Read(ctx, func(tx *db.Tx) error {
		p, err := identity(ctx, tx, *in.IdentityPoolId, *in.IdentityId)
		if err != nil {
			return err
		}
		d, err := cognitosync.Describe(ctx, tx, p.ID, *in.IdentityId, *in.DatasetName)
		out.Dataset = datasetShape(d)
		return err
	})
	return out, err
}

// DeleteDataset deletes a dataset with its records.
func (o operations) DeleteDataset(ctx context.Context, in *api.DeleteDatasetInput) (*api.DeleteDatasetOutput, error) {
	out := &api.DeleteDatasetOutput{}
	err := o.sync.Write(ctx, func(tx *db.Tx) error {
		p, err := identity(ctx, tx, *in.IdentityPoolId, *in.IdentityId)
		if err != nil {
			return err
		}
		d, err := o.sync.Delete(ctx, tx, p.ID, *in.IdentityId, *in.DatasetName)
		out.Dataset = datasetShape(d)
		return err
	})
	return out, err
}

// ListDatasets lists the datasets of an identity by their names.
func (o operations) ListDatasets(ctx context.Context, in *api.ListDatasetsInput) (*api.ListDatasetsOutput, error) {
	limit, err := pageSize(in.MaxResults)
	if err != nil {
		return nil, err
	}
	after, ok := o.tokens.Decode("ListDatasets", model.Deref(in.NextToken), *in.IdentityPoolId, *in.IdentityId)
	if !ok {
		return nil, badToken()
	}
	var list []cognitosync.Dataset
	err = o.sync.Read(ctx, func(tx *db.Tx) error {
		p, err := identity(ctx, tx, *in.IdentityPoolId, *in.IdentityId)
		if err != nil {
			return err
		}
		list, err = cognitosync.Datasets(ctx, tx, p.ID, *in.IdentityId, after, limit+1)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &api.ListDatasetsOutput{Datasets: []api.Dataset{}}
	if len(list) > limit {
		list = list[:limit]
		out.NextToken = new(o.tokens.Encode("ListDatasets", list[limit-1].Name, *in.IdentityPoolId, *in.IdentityId))
	}
	for _, d := range list {
		out.Datasets = append(out.Datasets, *datasetShape(d))
	}
	out.Count = new(int32(len(list)))
	return out, nil
}

// DescribeIdentityUsage tells how much an identity keeps.
func (o operations) DescribeIdentityUsage(ctx context.Context, in *api.DescribeIdentityUsageInput) (*api.DescribeIdentityUsageOutput, error) {
	out := &api.DescribeIdentityUsageOutput{}
	err := o.sync.Read(ctx, func(tx *db.Tx) error {
		p, err := identity(ctx, tx, *in.IdentityPoolId, *in.IdentityId)
		if err != nil {
			return err
		}
		u, err := cognitosync.UsageOf(ctx, tx, p.ID, *in.IdentityId)
		out.IdentityUsage = &api.IdentityUsage{IdentityId: in.IdentityId, IdentityPoolId: &p.ID, DatasetCount: new(int32(u.Datasets)), DataStorage: &u.Storage}
		if u.Datasets > 0 {
			out.IdentityUsage.LastModifiedDate = &u.Changed
		}
		return err
	})
	return out, err
}

func poolUsage(ctx context.Context, tx *db.Tx, p cognito.Pool) (api.IdentityPoolUsage, error) {
	u, err := cognitosync.UsageOf(ctx, tx, p.ID, "")
	out := api.IdentityPoolUsage{IdentityPoolId: &p.ID, DataStorage: &u.Storage}
	if u.Datasets > 0 {
		out.LastModifiedDate = &u.Changed
	}
	return out, err
}

// DescribeIdentityPoolUsage tells how much the identities of a pool keep.
func (o operations) DescribeIdentityPoolUsage(ctx context.Context, in *api.DescribeIdentityPoolUsageInput) (*api.DescribeIdentityPoolUsageOutput, error) {
	out := &api.DescribeIdentityPoolUsageOutput{}
	err := o.sync.Read(ctx, func(tx *db.Tx) error {
		p, err := pool(ctx, tx, *in.IdentityPoolId)
		if err != nil {
			return err
		}
		u, err := poolUsage(ctx, tx, p)
		out.IdentityPoolUsage = &u
		return err
	})
	return out, err
}

// ListIdentityPoolUsage tells how much is kept, by pools.
func (o operations) ListIdentityPoolUsage(ctx context.Context, in *api.ListIdentityPoolUsageInput) (*api.ListIdentityPoolUsageOutput, error) {
	limit, err := pageSize(in.MaxResults)
	if err != nil {
		return nil, err
	}
	after, ok := o.tokens.Decode("ListIdentityPoolUsage", model.Deref(in.NextToken))
	if !ok {
		return nil, badToken()
	}
	c := caller.From(ctx)
	out := &api.ListIdentityPoolUsageOutput{IdentityPoolUsages: []api.IdentityPoolUsage{}}
	err = o.sync.Read(ctx, func(tx *db.Tx) error {
		list, err := cognito.Pools(ctx, tx, config.Place{Account: c.Account, Region: c.Region}, after, limit+1)
		if len(list) > limit {
			list = list[:limit]
			out.NextToken = new(o.tokens.Encode("ListIdentityPoolUsage", list[limit-1].ID))
		}
		for _, p := range list {
			u, err := poolUsage(ctx, tx, p)
			if err != nil {
				return err
			}
			out.IdentityPoolUsages = append(out.IdentityPoolUsages, u)
		}
		out.Count, out.MaxResults = new(int32(len(list))), new(int32(limit))
		return err
	})
	return out, err
}
