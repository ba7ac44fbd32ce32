package config

import (
	"context"
	"fmt"

	"plumb/internal/aggregation"
	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model/configapi"
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
		caller.Place(ctx).String(), *in.ConfigurationAggregatorName, q.Within.Account, q.Within.Region, q.Name, string(q.Compliance)}}
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
	q := summaryQuery{
		operation: "GetAggregateConformancePackComplianceSummary", aggregator: *in.ConfigurationAggregatorName,
		by: string(in.GroupByKey), token: in.NextToken, limit: limit(in.Limit, 100),
	}
	if f := in.Filters; f != nil {
		q.within = aggregation.Within{Account: text(f.AccountId), Region: text(f.AwsRegion)}
	}
	groups, names, token, err := a.summarize(ctx, q, a.Aggregation.PackTallies)
	if err != nil {
		return nil, fmt.Errorf("summarize aggregate compliance by pack: %w", err)
	}
	out := &configapi.GetAggregateConformancePackComplianceSummaryOutput{
		GroupByKey: optional(q.by), NextToken: token,
		AggregateConformancePackComplianceSummaries: []configapi.AggregateConformancePackComplianceSummary{},
	}
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
