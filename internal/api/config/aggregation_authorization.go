package config

import (
	"context"
	"fmt"

	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model/configapi"
	"plumb/internal/store"
)

type aggregationAuthorizations struct{ Options }

func (a aggregationAuthorizations) register(s *configapi.Service) {
	s.PutAggregationAuthorization(a.PutAggregationAuthorization)
	s.DescribeAggregationAuthorizations(a.DescribeAggregationAuthorizations)
	s.DeleteAggregationAuthorization(a.DeleteAggregationAuthorization)
	s.DescribePendingAggregationRequests(a.DescribePendingAggregationRequests)
	s.DeletePendingAggregationRequest(a.DeletePendingAggregationRequest)
}

// PutAggregationAuthorization lets the aggregators of an account in a region show
// the place. Tags are those of a new authorization only.
func (a aggregationAuthorizations) PutAggregationAuthorization(
	ctx context.Context, in *configapi.PutAggregationAuthorizationInput,
) (*configapi.PutAggregationAuthorizationOutput, error) {
	tags, err := tagsFromShape(in.Tags)
	if err != nil {
		return nil, err
	}
	var put config.AggregationAuthorization
	err = a.DB.Write(ctx, func(tx *db.Tx) (err error) {
		whom := config.Place{Account: *in.AuthorizedAccountId, Region: *in.AuthorizedAwsRegion}
		put, err = a.Aggregation.Authorize(ctx, tx, caller.Place(ctx), whom, tags)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("put aggregation authorization: %w", err)
	}
	return &configapi.PutAggregationAuthorizationOutput{AggregationAuthorization: new(authorizationShape(put))}, nil
}

func authorizationShape(a config.AggregationAuthorization) configapi.AggregationAuthorization {
	return configapi.AggregationAuthorization{
		AggregationAuthorizationArn: &a.ARN, AuthorizedAccountId: &a.Authorized.Account, AuthorizedAwsRegion: &a.Authorized.Region, CreationTime: &a.Created,
	}
}

// DescribeAggregationAuthorizations lists whom the place has authorized.
func (a aggregationAuthorizations) DescribeAggregationAuthorizations(
	ctx context.Context, in *configapi.DescribeAggregationAuthorizationsInput,
) (*configapi.DescribeAggregationAuthorizationsOutput, error) {
	p, n := caller.Place(ctx), limit(in.Limit, 100)
	pages := pager{a.Tokens, "DescribeAggregationAuthorizations", []string{p.String()}}
	after, err := pages.after(in.NextToken, 2)
	if err != nil {
		return nil, err
	}
	var found []config.AggregationAuthorization
	err = a.DB.Read(ctx, func(tx *db.Tx) (err error) {
		found, err = store.Authorizations(ctx, tx, p, config.Place{Account: after[0], Region: after[1]}, n+1)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("describe aggregation authorizations: %w", err)
	}
	out := &configapi.DescribeAggregationAuthorizationsOutput{AggregationAuthorizations: []configapi.AggregationAuthorization{}}
	found, out.NextToken = cut(pages, found, n, func(a config.AggregationAuthorization) []string { return placeParts(a.Authorized) })
	for _, f := range found {
		out.AggregationAuthorizations = append(out.AggregationAuthorizations, authorizationShape(f))
	}
	return out, nil
}

// DeleteAggregationAuthorization takes an authorization back. One that is not
// there is no error.
func (a aggregationAuthorizations) DeleteAggregationAuthorization(
	ctx context.Context, in *configapi.DeleteAggregationAuthorizationInput,
) (*configapi.DeleteAggregationAuthorizationOutput, error) {
	err := a.DB.Write(ctx, func(tx *db.Tx) error {
		return a.Aggregation.Withdraw(ctx, tx, caller.Place(ctx), config.Place{Account: *in.AuthorizedAccountId, Region: *in.AuthorizedAwsRegion})
	})
	if err != nil {
		return nil, fmt.Errorf("delete aggregation authorization: %w", err)
	}
	return &configapi.DeleteAggregationAuthorizationOutput{}, nil
}

// DescribePendingAggregationRequests lists whose aggregators name the place
// without its authorization.
func (a aggregationAuthorizations) DescribePendingAggregationRequests(
	ctx context.Context, in *configapi.DescribePendingAggregationRequestsInput,
) (*configapi.DescribePendingAggregationRequestsOutput, error) {
	p, n := caller.Place(ctx), limit(in.Limit, 20)
	pages := pager{a.Tokens, "DescribePendingAggregationRequests", []string{p.String()}}
	after, err := pages.after(in.NextToken, 2)
	if err != nil {
		return nil, err
	}
	var found []config.Place
	err = a.DB.Read(ctx, func(tx *db.Tx) (err error) {
		found, err = a.Aggregation.Pending(ctx, tx, p, config.Place{Account: after[0], Region: after[1]}, n+1)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("describe pending aggregation requests: %w", err)
	}
	out := &configapi.DescribePendingAggregationRequestsOutput{PendingAggregationRequests: []configapi.PendingAggregationRequest{}}
	found, out.NextToken = cut(pages, found, n, placeParts)
	for _, by := range found {
		out.PendingAggregationRequests = append(out.PendingAggregationRequests,
			configapi.PendingAggregationRequest{RequesterAccountId: &by.Account, RequesterAwsRegion: &by.Region})
	}
	return out, nil
}

// DeletePendingAggregationRequest has the place not asked again until the
// requester puts an aggregator. A request that is not there is no error.
func (a aggregationAuthorizations) DeletePendingAggregationRequest(
	ctx context.Context, in *configapi.DeletePendingAggregationRequestInput,
) (*configapi.DeletePendingAggregationRequestOutput, error) {
	err := a.DB.Write(ctx, func(tx *db.Tx) error {
		return a.Aggregation.Refuse(ctx, tx, caller.Place(ctx), config.Place{Account: *in.RequesterAccountId, Region: *in.RequesterAwsRegion})
	})
	if err != nil {
		return nil, fmt.Errorf("delete pending aggregation request: %w", err)
	}
	return &configapi.DeletePendingAggregationRequestOutput{}, nil
}
