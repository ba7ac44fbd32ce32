package logs

import (
	"context"

	"plumb/internal/caller"
	"plumb/internal/model"
	"plumb/internal/model/logsapi"
	subscriptions "plumb/internal/source/logs"
)

// PutSubscriptionFilter has events of a group handed to a function.
func (o operations) PutSubscriptionFilter(
	ctx context.Context, in *logsapi.PutSubscriptionFilterInput,
) (*logsapi.PutSubscriptionFilterOutput, error) {
	g, err := o.store.Group(ctx, caller.Place(ctx), *in.LogGroupName)
	if err != nil {
		return nil, err
	}
	distribution := string(in.Distribution)
	if distribution == "" {
		distribution = "ByLogStream"
	}
	return nil, o.subscriptions.Put(ctx, subscriptions.Filter{
		Place: g.Place, Group: g.Name, Name: *in.FilterName, Pattern: model.Deref(in.FilterPattern), Destination: *in.DestinationArn, Distribution: distribution,
	})
}

// DescribeSubscriptionFilters lists the filters of a group.
func (o operations) DescribeSubscriptionFilters(
	ctx context.Context, in *logsapi.DescribeSubscriptionFiltersInput,
) (*logsapi.DescribeSubscriptionFiltersOutput, error) {
	g, err := o.store.Group(ctx, caller.Place(ctx), *in.LogGroupName)
	if err != nil {
		return nil, err
	}
	after, ok := o.tokens.Decode("DescribeSubscriptionFilters", model.Deref(in.NextToken), g.Name, model.Deref(in.FilterNamePrefix))
	if !ok {
		return nil, badToken()
	}
	limit := 50
	if in.Limit != nil {
		limit = int(*in.Limit)
	}
	found, err := o.subscriptions.Filters(ctx, g.Place, g.Name, model.Deref(in.FilterNamePrefix), after, limit+1)
	if err != nil {
		return nil, err
	}
	out := &logsapi.DescribeSubscriptionFiltersOutput{SubscriptionFilters: []logsapi.SubscriptionFilter{}}
	if len(found) > limit {
		found = found[:limit]
		out.NextToken = new(o.tokens.Encode("DescribeSubscriptionFilters", found[limit-1].Name, g.Name, model.Deref(in.FilterNamePrefix)))
	}
	for _, f := range found {
		out.SubscriptionFilters = append(out.SubscriptionFilters, logsapi.SubscriptionFilter{
			FilterName: &f.Name, LogGroupName: &f.Group, FilterPattern: &f.Pattern, DestinationArn: &f.Destination,
			Distribution: logsapi.Distribution(f.Distribution), CreationTime: new(f.Created.UnixMilli()),
		})
	}
	return out, nil
}

// DeleteSubscriptionFilter removes a filter.
func (o operations) DeleteSubscriptionFilter(
	ctx context.Context, in *logsapi.DeleteSubscriptionFilterInput,
) (*logsapi.DeleteSubscriptionFilterOutput, error) {
	g, err := o.store.Group(ctx, caller.Place(ctx), *in.LogGroupName)
	if err != nil {
		return nil, err
	}
	return nil, o.subscriptions.Delete(ctx, g.Place, g.Name, *in.FilterName)
}
