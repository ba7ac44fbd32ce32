package config

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"plumb/internal/aggregation"
	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model"
	"plumb/internal/model/configapi"
	"plumb/internal/store"
)

type configurationAggregators struct{ Options }

func (c configurationAggregators) register(s *configapi.Service) {
	s.PutConfigurationAggregator(c.PutConfigurationAggregator)
	s.DescribeConfigurationAggregators(c.DescribeConfigurationAggregators)
	s.DeleteConfigurationAggregator(c.DeleteConfigurationAggregator)
	s.DescribeConfigurationAggregatorSourcesStatus(c.DescribeConfigurationAggregatorSourcesStatus)
}

// PutConfigurationAggregator creates an aggregator or replaces its sources. Tags
// are those of a new one only.
func (c configurationAggregators) PutConfigurationAggregator(
	ctx context.Context, in *configapi.PutConfigurationAggregatorInput,
) (*configapi.PutConfigurationAggregatorOutput, error) {
	tags, err := tagsFromShape(in.Tags)
	if err != nil {
		return nil, err
	}
	a, err := aggregatorFromShape(caller.Place(ctx), in)
	if err != nil {
		return nil, err
	}
	err = c.DB.Write(ctx, func(tx *db.Tx) (err error) {
		a, err = c.Aggregation.Put(ctx, tx, a, tags)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("put aggregator %s: %w", a.Name, err)
	}
	return &configapi.PutConfigurationAggregatorOutput{ConfigurationAggregator: new(aggregatorShape(a))}, nil
}

func aggregatorFromShape(p config.Place, in *configapi.PutConfigurationAggregatorInput) (config.Aggregator, error) {
	a := config.Aggregator{Place: p, Name: *in.ConfigurationAggregatorName}
	regions := func(all *bool, names []string) config.Regions {
		return config.Regions{All: all != nil && *all, Names: names}
	}
	if len(in.AccountAggregationSources) > 0 {
		s := in.AccountAggregationSources[0] // the model takes one
		a.Accounts = &config.AccountSource{Regions: regions(s.AllAwsRegions, s.AwsRegions), IDs: s.AccountIds}
	}
	if s := in.OrganizationAggregationSource; s != nil {
		a.Organization = &config.OrganizationSource{Regions: regions(s.AllAwsRegions, s.AwsRegions), RoleARN: *s.RoleArn}
	}
	f := in.AggregatorFilters
	if f == nil {
		return a, nil
	}
	if f.ServicePrincipal != nil {
		return a, configapi.InvalidParameterValueException("AggregatorFilters with a ServicePrincipal are not supported: " +
			"service-linked configuration recorders record nothing here that could be aggregated.")
	}
	if f.ResourceType == nil {
		return a, configapi.InvalidParameterValueException("The AggregatorFilters must have a ResourceType.")
	}
	a.Types = f.ResourceType.Value
	return a, nil
}

func aggregatorShape(a config.Aggregator) configapi.ConfigurationAggregator {
	out := configapi.ConfigurationAggregator{
		ConfigurationAggregatorName: &a.Name, ConfigurationAggregatorArn: &a.ARN, CreationTime: &a.Created, LastUpdatedTime: &a.Updated,
	}
	if s := a.Accounts; s != nil {
		out.AccountAggregationSources = []configapi.AccountAggregationSource{{AccountIds: s.IDs, AllAwsRegions: &s.All, AwsRegions: s.Names}}
	}
	if s := a.Organization; s != nil {
		out.OrganizationAggregationSource = &configapi.OrganizationAggregationSource{RoleArn: &s.RoleARN, AllAwsRegions: &s.All, AwsRegions: s.Names}
	}
	if a.Types != nil {
		out.AggregatorFilters = &configapi.AggregatorFilters{
			ResourceType: &configapi.AggregatorFilterResourceType{Type: configapi.AggregatorFilterTypeInclude, Value: a.Types},
		}
	}
	return out
}

// DescribeConfigurationAggregators returns the named aggregators, each of which
// must exist, or pages of all of them in the byte order of their names.
func (c configurationAggregators) DescribeConfigurationAggregators(
	ctx context.Context, in *configapi.DescribeConfigurationAggregatorsInput,
) (*configapi.DescribeConfigurationAggregatorsOutput, error) {
	p, n := caller.Place(ctx), limit(in.Limit, 100)
	pages := pager{c.Tokens, "DescribeConfigurationAggregators", []string{p.String()}}
	after, err := pages.after(in.NextToken, 1)
	if err != nil {
		return nil, err
	}
	out := &configapi.DescribeConfigurationAggregatorsOutput{ConfigurationAggregators: []configapi.ConfigurationAggregator{}}
	err = c.DB.Read(ctx, func(tx *db.Tx) error {
		found, err := namedAggregators(ctx, tx, p, in.ConfigurationAggregatorNames)
		if len(in.ConfigurationAggregatorNames) == 0 {
			if found, err = store.Aggregators(ctx, tx, p, after[0], n+1); err == nil {
				found, out.NextToken = cut(pages, found, n, func(a config.Aggregator) []string { return []string{a.Name} })
			}
		}
		if err != nil {
			return err
		}
		for _, a := range found {
			if a.Accounts != nil {
				source := *a.Accounts
				if source.IDs, err = store.ListedAccounts(ctx, tx, a); err != nil {
					return err
				}
				a.Accounts = &source
			}
			out.ConfigurationAggregators = append(out.ConfigurationAggregators, aggregatorShape(a))
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("describe aggregators: %w", err)
	}
	return out, nil
}

// namedAggregators returns the aggregators of those names, each once.
func namedAggregators(ctx context.Context, tx *db.Tx, p config.Place, names []string) ([]config.Aggregator, error) {
	var out []config.Aggregator
	seen := map[string]bool{}
	for _, name := range names {
		a, err := aggregation.Named(ctx, tx, p, name)
		if e := new(model.Error); len(names) > 1 && errors.As(err, &e) {
			return nil, configapi.NoSuchConfigurationAggregatorException(
				"At least one of the configuration aggregators does not exist. Check the configuration aggregator names and try again.")
		}
		if err != nil {
			return nil, err
		}
		if !seen[name] {
			seen[name] = true
			out = append(out, a)
		}
	}
	return out, nil
}

// DeleteConfigurationAggregator forgets an aggregator.
func (c configurationAggregators) DeleteConfigurationAggregator(
	ctx context.Context, in *configapi.DeleteConfigurationAggregatorInput,
) (*configapi.DeleteConfigurationAggregatorOutput, error) {
	err := c.DB.Write(ctx, func(tx *db.Tx) error {
		return c.Aggregation.Delete(ctx, tx, caller.Place(ctx), *in.ConfigurationAggregatorName)
	})
	if err != nil {
		return nil, fmt.Errorf("delete aggregator %s: %w", *in.ConfigurationAggregatorName, err)
	}
	return &configapi.DeleteConfigurationAggregatorOutput{}, nil
}

// DescribeConfigurationAggregatorSourcesStatus says of each account and region of
// an aggregator's source whether it can be shown.
func (c configurationAggregators) DescribeConfigurationAggregatorSourcesStatus(
	ctx context.Context, in *configapi.DescribeConfigurationAggregatorSourcesStatusInput,
) (*configapi.DescribeConfigurationAggregatorSourcesStatusOutput, error) {
	p, n, wanted := caller.Place(ctx), limit(in.Limit, 100), plain(in.UpdateStatus)
	pages := pager{c.Tokens, "DescribeConfigurationAggregatorSourcesStatus", []string{p.String(), *in.ConfigurationAggregatorName, strings.Join(wanted, " ")}}
	after, err := pages.after(in.NextToken, 2)
	if err != nil {
		return nil, err
	}
	var found []aggregation.SourceStatus
	err = c.DB.Read(ctx, func(tx *db.Tx) error {
		a, err := aggregation.Named(ctx, tx, p, *in.ConfigurationAggregatorName)
		if err != nil {
			return err
		}
		found, err = c.Aggregation.Statuses(ctx, tx, a, wanted, config.Place{Account: after[0], Region: after[1]}, n+1)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("describe the sources of aggregator %s: %w", *in.ConfigurationAggregatorName, err)
	}
	out := &configapi.DescribeConfigurationAggregatorSourcesStatusOutput{AggregatedSourceStatusList: []configapi.AggregatedSourceStatus{}}
	found, out.NextToken = cut(pages, found, n, func(s aggregation.SourceStatus) []string { return placeParts(s.Place) })
	for _, s := range found {
		kind := configapi.AggregatedSourceTypeAccount
		if s.Organization {
			kind = configapi.AggregatedSourceTypeOrganization
		}
		out.AggregatedSourceStatusList = append(out.AggregatedSourceStatusList, configapi.AggregatedSourceStatus{
			SourceId: &s.Account, SourceType: kind, AwsRegion: optional(s.Region),
			LastUpdateStatus: configapi.AggregatedSourceStatusType(s.Status), LastUpdateTime: model.Moment(s.Updated),
			LastErrorCode: optional(s.Code), LastErrorMessage: optional(s.Message),
		})
	}
	return out, nil
}
