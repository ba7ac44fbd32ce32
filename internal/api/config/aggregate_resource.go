package config

import (
	"context"
	"fmt"

	"plumb/internal/aggregation"
	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model/configapi"
	"plumb/internal/store"
)

type aggregateResources struct{ Options }

func (a aggregateResources) register(s *configapi.Service) {
	s.ListAggregateDiscoveredResources(a.ListAggregateDiscoveredResources)
	s.GetAggregateDiscoveredResourceCounts(a.GetAggregateDiscoveredResourceCounts)
	s.GetAggregateResourceConfig(a.GetAggregateResourceConfig)
	s.BatchGetAggregateResourceConfig(a.BatchGetAggregateResourceConfig)
}

// ListAggregateDiscoveredResources lists the live resources of a type of all
// places that an aggregator shows, in the order of place and id.
func (a aggregateResources) ListAggregateDiscoveredResources(
	ctx context.Context, in *configapi.ListAggregateDiscoveredResourcesInput,
) (*configapi.ListAggregateDiscoveredResourcesOutput, error) {
	if err := checkType("resourceType", string(in.ResourceType)); err != nil {
		return nil, err
	}
	n, within := limit(in.Limit, 100), aggregation.Within{}
	q := store.ResourceQuery{Type: string(in.ResourceType), Limit: n + 1}
	filters := []string{caller.Place(ctx).String(), *in.ConfigurationAggregatorName, q.Type}
	if f := in.Filters; f != nil {
		within = aggregation.Within{Account: text(f.AccountId), Region: text(f.Region)}
		q.Name = text(f.ResourceName)
		if f.ResourceId != nil {
			q.IDs = []string{*f.ResourceId}
		}
		filters = append(filters, within.Account, within.Region, q.Name, text(f.ResourceId))
	}
	pages := pager{a.Tokens, "ListAggregateDiscoveredResources", filters}
	after, err := pages.after(in.NextToken, 3)
	if err != nil {
		return nil, err
	}
	q.Place, q.After = config.Place{Account: after[0], Region: after[1]}, after[2]
	var found []store.Resource
	err = a.onAggregator(ctx, *in.ConfigurationAggregatorName, func(tx *db.Tx, agg config.Aggregator) (err error) {
		found, err = a.Aggregation.Resources(ctx, tx, agg, within, q)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list aggregate resources: %w", err)
	}
	out := &configapi.ListAggregateDiscoveredResourcesOutput{ResourceIdentifiers: []configapi.AggregateResourceIdentifier{}}
	found, out.NextToken = cut(pages, found, n, func(r store.Resource) []string { return append(placeParts(r.Place), r.ID) })
	for _, r := range found {
		out.ResourceIdentifiers = append(out.ResourceIdentifiers, identifierShape(r.ResourceKey, optional(r.Name)))
	}
	return out, nil
}

func identifierShape(k config.ResourceKey, name *string) configapi.AggregateResourceIdentifier {
	return configapi.AggregateResourceIdentifier{
		SourceAccountId: &k.Account, SourceRegion: &k.Region, ResourceType: configapi.ResourceType(k.Type), ResourceId: &k.ID, ResourceName: name,
	}
}

// GetAggregateDiscoveredResourceCounts counts the recorded resources of all places
// that an aggregator shows: together, and in groups if asked for.
func (a aggregateResources) GetAggregateDiscoveredResourceCounts(
	ctx context.Context, in *configapi.GetAggregateDiscoveredResourceCountsInput,
) (*configapi.GetAggregateDiscoveredResourceCountsOutput, error) {
	n, within, resourceType, key := limit(in.Limit, 1000), aggregation.Within{}, "", string(in.GroupByKey)
	if f := in.Filters; f != nil {
		within, resourceType = aggregation.Within{Account: text(f.AccountId), Region: text(f.Region)}, string(f.ResourceType)
	}
	if resourceType != "" {
		if err := checkType("filters.resourceType", resourceType); err != nil {
			return nil, err
		}
	}
	pages := pager{a.Tokens, "GetAggregateDiscoveredResourceCounts", []string{
		caller.Place(ctx).String(), *in.ConfigurationAggregatorName, within.Account, within.Region, resourceType, key}}
	after, err := pages.after(in.NextToken, 1)
	if err != nil {
		return nil, err
	}
	var groups map[string]int64
	var total int64
	err = a.onAggregator(ctx, *in.ConfigurationAggregatorName, func(tx *db.Tx, agg config.Aggregator) (err error) {
		groups, total, err = a.Aggregation.Counts(ctx, tx, agg, within, resourceType, aggregation.GroupKey(key))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("count aggregate resources: %w", err)
	}
	out := &configapi.GetAggregateDiscoveredResourceCountsOutput{
		TotalDiscoveredResources: &total, GroupByKey: optional(key), GroupedResourceCounts: []configapi.GroupedResourceCount{},
	}
	if key == "" {
		return out, nil
	}
	names, token := groupPage(pages, groups, after[0], n)
	out.NextToken = token
	for _, name := range names {
		out.GroupedResourceCounts = append(out.GroupedResourceCounts, configapi.GroupedResourceCount{GroupName: &name, ResourceCount: new(groups[name])})
	}
	return out, nil
}

func keyFromShape(path string, id configapi.AggregateResourceIdentifier) (config.ResourceKey, error) {
	k := config.ResourceKey{
		Place: config.Place{Account: *id.SourceAccountId, Region: *id.SourceRegion}, Type: string(id.ResourceType), ID: *id.ResourceId,
	}
	return k, checkType(path+".resourceType", k.Type)
}

// GetAggregateResourceConfig returns the newest item of a live resource that an
// aggregator shows.
func (a aggregateResources) GetAggregateResourceConfig(
	ctx context.Context, in *configapi.GetAggregateResourceConfigInput,
) (*configapi.GetAggregateResourceConfigOutput, error) {
	key, err := keyFromShape("resourceIdentifier", *in.ResourceIdentifier)
	if err != nil {
		return nil, err
	}
	found, err := a.items(ctx, *in.ConfigurationAggregatorName, []config.ResourceKey{key})
	if err != nil {
		return nil, fmt.Errorf("get aggregate resource: %w", err)
	}
	it, ok := found[key]
	if !ok {
		return nil, configapi.ResourceNotDiscoveredException("Resource %s of resourceType:%s is unknown or has not been discovered", key.ID, key.Type)
	}
	shape, err := itemShape(it)
	if err != nil {
		return nil, fmt.Errorf("get aggregate resource: %w", err)
	}
	return &configapi.GetAggregateResourceConfigOutput{ConfigurationItem: &shape}, nil
}

func (a aggregateResources) items(ctx context.Context, name string, keys []config.ResourceKey) (found map[config.ResourceKey]config.Item, err error) {
	err = a.onAggregator(ctx, name, func(tx *db.Tx, agg config.Aggregator) error {
		found, err = a.Aggregation.Items(ctx, tx, agg, keys)
		return err
	})
	return found, err
}

// BatchGetAggregateResourceConfig returns the newest items of live resources,
// without tags and relationships. What is unknown, gone, or not shown by the
// aggregator comes back unprocessed.
func (a aggregateResources) BatchGetAggregateResourceConfig(
	ctx context.Context, in *configapi.BatchGetAggregateResourceConfigInput,
) (*configapi.BatchGetAggregateResourceConfigOutput, error) {
	keys := make([]config.ResourceKey, 0, len(in.ResourceIdentifiers))
	for i, id := range in.ResourceIdentifiers {
		k, err := keyFromShape(fmt.Sprintf("resourceIdentifiers.%d.member", i+1), id)
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	found, err := a.items(ctx, *in.ConfigurationAggregatorName, keys)
	if err != nil {
		return nil, fmt.Errorf("batch get aggregate resources: %w", err)
	}
	out := &configapi.BatchGetAggregateResourceConfigOutput{
		BaseConfigurationItems: []configapi.BaseConfigurationItem{}, UnprocessedResourceIdentifiers: []configapi.AggregateResourceIdentifier{},
	}
	for i, k := range keys {
		it, ok := found[k]
		if !ok {
			out.UnprocessedResourceIdentifiers = append(out.UnprocessedResourceIdentifiers, in.ResourceIdentifiers[i])
			continue
		}
		shape, err := baseItemShape(it)
		if err != nil {
			return nil, err
		}
		out.BaseConfigurationItems = append(out.BaseConfigurationItems, shape)
	}
	return out, nil
}
