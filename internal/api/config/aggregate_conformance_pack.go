package config

import (
	"context"
	"fmt"

	"plumb/internal/aggregation"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model/configapi"
	"plumb/internal/store"
)

type aggregateConformancePacks struct{ Options }

func (a aggregateConformancePacks) register(s *configapi.Service) {
	s.DescribeAggregateComplianceByConformancePacks(a.DescribeAggregateComplianceByConformancePacks)
	s.GetAggregateConformancePackComplianceSummary(a.GetAggregateConformancePackComplianceSummary)
}

// DescribeAggregateComplianceByConformancePacks tells the compliance of the packs of
// all places that an aggregator shows, those without results among them.
func (a aggregateConformancePacks) DescribeAggregateComplianceByConformancePacks(
	ctx context.Context, in *configapi.DescribeAggregateComplianceByConformancePacksInput,
) (*configapi.DescribeAggregateComplianceByConformancePacksOutput, error) {
	f := in.Filters
	if f == nil {
		f = &configapi.AggregateConformancePackComplianceFilters{}
	}
	n := limit(in.Limit, 100)
	q := aggregation.PackQuery{
		Within: aggregation.Within{Account: text(f.AccountId), Region: text(f.AwsRegion)}, Name: text(f.ConformancePackName),
		Compliance: config.Compliance(f.ComplianceType), Limit: n + 1,
	}
	pages := pager{a.Tokens, "DescribeAggregateComplianceByConformancePacks", []string{
		place(ctx).String(), *in.ConfigurationAggregatorName, q.Within.Account, q.Within.Region, q.Name, string(q.Compliance)}}
	after, err := pages.after(in.NextToken, 3)
	if err != nil {
		return nil, err
	}
	q.From, q.After = config.Place{Account: after[0], Region: after[1]}, after[2]
	var found []aggregation.Pack
	err = a.onAggregator(ctx, *in.ConfigurationAggregatorName, func(tx *db.Tx, agg config.Aggregator) (err error) {
		found, err = a.Aggregation.Packs(ctx, tx, agg, q)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("describe aggregate compliance by pack: %w", err)
	}
	out := &configapi.DescribeAggregateComplianceByConformancePacksOutput{
		AggregateComplianceByConformancePacks: []configapi.AggregateComplianceByConformancePack{},
	}
	found, out.NextToken = cut(pages, found, n, func(p aggregation.Pack) []string { return append(placeParts(p.Place), p.Name) })
	for _, p := range found {
		out.AggregateComplianceByConformancePacks = append(out.AggregateComplianceByConformancePacks, configapi.AggregateComplianceByConformancePack{
			ConformancePackName: &p.Name, AccountId: &p.Account, AwsRegion: &p.Region,
			Compliance: &configapi.AggregateConformancePackCompliance{
				ComplianceType:     configapi.ConformancePackComplianceType(p.Compliance()),
				CompliantRuleCount: new(int32(p.Compliant)), NonCompliantRuleCount: new(int32(p.NonCompliant)), TotalRuleCount: new(int32(p.Rules)),
			},
		})
	}
	return out, nil
}

// GetAggregateConformancePackComplianceSummary counts the packs that comply and
// those that do not, by account, by region or together.
func (a aggregateConformancePacks) GetAggregateConformancePackComplianceSummary(
	ctx context.Context, in *configapi.GetAggregateConformancePackComplianceSummaryInput,
) (*configapi.GetAggregateConformancePackComplianceSummaryOutput, error) {
	n, within, key := limit(in.Limit, 100), aggregation.Within{}, string(in.GroupByKey)
	if f := in.Filters; f != nil {
		within = aggregation.Within{Account: text(f.AccountId), Region: text(f.AwsRegion)}
	}
	pages := pager{a.Tokens, "GetAggregateConformancePackComplianceSummary", []string{
		place(ctx).String(), *in.ConfigurationAggregatorName, within.Account, within.Region, key}}
	after, err := pages.after(in.NextToken, 1)
	if err != nil {
		return nil, err
	}
	var groups map[string]store.Tally
	err = a.onAggregator(ctx, *in.ConfigurationAggregatorName, func(tx *db.Tx, agg config.Aggregator) (err error) {
		groups, err = a.Aggregation.PackTallies(ctx, tx, agg, within, aggregation.GroupKey(key))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("summarize aggregate compliance by pack: %w", err)
	}
	if key == "" && len(groups) == 0 {
		groups[""] = store.Tally{}
	}
	out := &configapi.GetAggregateConformancePackComplianceSummaryOutput{
		GroupByKey: optional(key), AggregateConformancePackComplianceSummaries: []configapi.AggregateConformancePackComplianceSummary{},
	}
	names, token := groupPage(pages, groups, after[0], n)
	out.NextToken = token
	for _, name := range names {
		t := groups[name]
		out.AggregateConformancePackComplianceSummaries = append(out.AggregateConformancePackComplianceSummaries,
			configapi.AggregateConformancePackComplianceSummary{
				GroupName: optional(name), ComplianceSummary: &configapi.AggregateConformancePackComplianceCount{
					CompliantConformancePackCount: new(int32(t.Compliant)), NonCompliantConformancePackCount: new(int32(t.NonCompliant)),
				},
			})
	}
	return out, nil
}
