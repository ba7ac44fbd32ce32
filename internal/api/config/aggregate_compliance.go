package config

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"plumb/internal/aggregation"
	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model"
	"plumb/internal/model/configapi"
	"plumb/internal/store"
)

type aggregateCompliances struct{ Options }

func (a aggregateCompliances) register(s *configapi.Service) {
	s.DescribeAggregateComplianceByConfigRules(a.DescribeAggregateComplianceByConfigRules)
	s.GetAggregateComplianceDetailsByConfigRule(a.GetAggregateComplianceDetailsByConfigRule)
	s.GetAggregateConfigRuleComplianceSummary(a.GetAggregateConfigRuleComplianceSummary)
}

// shownCompliance checks a filter of aggregate reads, which show what complies and
// what does not.
func shownCompliance(c configapi.ComplianceType) (config.Compliance, error) {
	switch c {
	case "", configapi.ComplianceTypeCompliant, configapi.ComplianceTypeNonCompliant:
		return config.Compliance(c), nil
	default:
		return "", model.ValidationException("The ComplianceType %s is not supported. Only the following values are permitted: COMPLIANT, NON_COMPLIANT", c)
	}
}

// DescribeAggregateComplianceByConfigRules tells the compliance of the rules of
// all places that an aggregator shows. Rules without results are left out.
func (a aggregateCompliances) DescribeAggregateComplianceByConfigRules(
	ctx context.Context, in *configapi.DescribeAggregateComplianceByConfigRulesInput,
) (*configapi.DescribeAggregateComplianceByConfigRulesOutput, error) {
	f := in.Filters
	if f == nil {
		f = &configapi.ConfigRuleComplianceFilters{}
	}
	wanted, err := shownCompliance(f.ComplianceType)
	if err != nil {
		return nil, err
	}
	p, n := caller.Place(ctx), limit(in.Limit, 1000)
	within := aggregation.Within{Account: text(f.AccountId), Region: text(f.AwsRegion)}
	q := store.RuleResultQuery{Name: text(f.ConfigRuleName), Compliance: wanted, Limit: n + 1}
	pages := pager{a.Tokens, "DescribeAggregateComplianceByConfigRules", []string{
		p.String(), *in.ConfigurationAggregatorName, within.Account, within.Region, q.Name, string(wanted)}}
	after, err := pages.after(in.NextToken, 3)
	if err != nil {
		return nil, err
	}
	q.After = after[2]
	var found []aggregation.Rule
	err = a.onAggregator(ctx, *in.ConfigurationAggregatorName, func(tx *db.Tx, agg config.Aggregator) (err error) {
		found, err = a.Aggregation.Rules(ctx, tx, agg, within, q, config.Place{Account: after[0], Region: after[1]})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("describe aggregate compliance by rule: %w", err)
	}
	out := &configapi.DescribeAggregateComplianceByConfigRulesOutput{AggregateComplianceByConfigRules: []configapi.AggregateComplianceByConfigRule{}}
	found, out.NextToken = cut(pages, found, n, func(r aggregation.Rule) []string { return append(placeParts(r.Place), r.Name) })
	for _, r := range found {
		out.AggregateComplianceByConfigRules = append(out.AggregateComplianceByConfigRules, configapi.AggregateComplianceByConfigRule{
			ConfigRuleName: &r.Name, AccountId: &r.Account, AwsRegion: &r.Region, Compliance: complianceShape(r.Tally, resourceCap),
		})
	}
	return out, nil
}

// onAggregator calls f in a read with the place's aggregator of that name.
func (o Options) onAggregator(ctx context.Context, name string, f func(*db.Tx, config.Aggregator) error) error {
	return o.DB.Read(ctx, func(tx *db.Tx) error {
		agg, err := aggregation.Named(ctx, tx, caller.Place(ctx), name)
		if err != nil {
			return err
		}
		return f(tx, agg)
	})
}

// GetAggregateComplianceDetailsByConfigRule returns what a rule of one of the
// places says of each resource. A place that the aggregator does not show, and a
// rule that is not there, have no results.
func (a aggregateCompliances) GetAggregateComplianceDetailsByConfigRule(
	ctx context.Context, in *configapi.GetAggregateComplianceDetailsByConfigRuleInput,
) (*configapi.GetAggregateComplianceDetailsByConfigRuleOutput, error) {
	wanted, err := shownCompliance(in.ComplianceType)
	if err != nil {
		return nil, err
	}
	source, n := config.Place{Account: *in.AccountId, Region: *in.AwsRegion}, limit(in.Limit, 50)
	pages := pager{a.Tokens, "GetAggregateComplianceDetailsByConfigRule", []string{
		caller.Place(ctx).String(), *in.ConfigurationAggregatorName, source.String(), *in.ConfigRuleName, string(wanted)}}
	after, err := pages.after(in.NextToken, 2)
	if err != nil {
		return nil, err
	}
	page := store.VerdictPage{AfterType: after[0], AfterID: after[1], Limit: n + 1}
	if wanted != "" {
		page.Compliance = []config.Compliance{wanted}
	}
	var found []config.Verdict
	err = a.onAggregator(ctx, *in.ConfigurationAggregatorName, func(tx *db.Tx, agg config.Aggregator) error {
		shown, err := a.Aggregation.Place(ctx, tx, agg, source)
		if err != nil || !shown {
			return err
		}
		r, err := store.Rule(ctx, tx, source, *in.ConfigRuleName)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		found, err = store.VerdictsByRule(ctx, tx, r, page)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("get aggregate details by rule: %w", err)
	}
	out := &configapi.GetAggregateComplianceDetailsByConfigRuleOutput{AggregateEvaluationResults: []configapi.AggregateEvaluationResult{}}
	found, out.NextToken = cut(pages, found, n, func(v config.Verdict) []string { return []string{v.ResourceType, v.ResourceID} })
	for _, r := range resultShapes(found) {
		out.AggregateEvaluationResults = append(out.AggregateEvaluationResults, configapi.AggregateEvaluationResult{
			AccountId: &source.Account, AwsRegion: &source.Region, EvaluationResultIdentifier: r.EvaluationResultIdentifier,
			ComplianceType: r.ComplianceType, Annotation: r.Annotation, ResultRecordedTime: r.ResultRecordedTime, ConfigRuleInvokedTime: r.ConfigRuleInvokedTime,
		})
	}
	return out, nil
}

// GetAggregateConfigRuleComplianceSummary counts the rules that comply and those
// that do not, by account, by region or together. Unlike the counts of one place
// these have no cap.
func (a aggregateCompliances) GetAggregateConfigRuleComplianceSummary(
	ctx context.Context, in *configapi.GetAggregateConfigRuleComplianceSummaryInput,
) (*configapi.GetAggregateConfigRuleComplianceSummaryOutput, error) {
	q := summaryQuery{
		operation: "GetAggregateConfigRuleComplianceSummary", aggregator: *in.ConfigurationAggregatorName,
		by: string(in.GroupByKey), token: in.NextToken, limit: limit(in.Limit, 1000),
	}
	if f := in.Filters; f != nil {
		q.within = aggregation.Within{Account: text(f.AccountId), Region: text(f.AwsRegion)}
	}
	groups, names, token, err := a.summarize(ctx, q, a.Aggregation.RuleTallies)
	if err != nil {
		return nil, fmt.Errorf("summarize aggregate compliance by rule: %w", err)
	}
	out := &configapi.GetAggregateConfigRuleComplianceSummaryOutput{
		GroupByKey: optional(q.by), NextToken: token, AggregateComplianceCounts: []configapi.AggregateComplianceCount{},
	}
	for _, name := range names {
		t := groups[name]
		out.AggregateComplianceCounts = append(out.AggregateComplianceCounts, configapi.AggregateComplianceCount{
			GroupName: optional(name), ComplianceSummary: complianceSummaries(a).summary(t, max(t.Compliant, t.NonCompliant)),
		})
	}
	return out, nil
}

// A summaryQuery asks what an aggregator shows, counted in groups, for a page of the
// groups.
type summaryQuery struct {
	operation, aggregator, by string
	within                    aggregation.Within
	token                     *string
	limit                     int
}

// summarize counts, and returns the groups with the names of those of the page. All
// that is shown is one group if nothing groups it, also where there is nothing.
func (o Options) summarize(
	ctx context.Context, q summaryQuery,
	count func(context.Context, *db.Tx, config.Aggregator, aggregation.Within, aggregation.GroupKey) (map[string]store.Tally, error),
) (groups map[string]store.Tally, names []string, token *string, err error) {
	pages := pager{o.Tokens, q.operation, []string{caller.Place(ctx).String(), q.aggregator, q.within.Account, q.within.Region, q.by}}
	after, err := pages.after(q.token, 1)
	if err != nil {
		return nil, nil, nil, err
	}
	err = o.onAggregator(ctx, q.aggregator, func(tx *db.Tx, agg config.Aggregator) (err error) {
		groups, err = count(ctx, tx, agg, q.within, aggregation.GroupKey(q.by))
		return err
	})
	if err != nil {
		return nil, nil, nil, err
	}
	if q.by == "" && len(groups) == 0 {
		groups[""] = store.Tally{}
	}
	names, token = groupPage(pages, groups, after[0], q.limit)
	return groups, names, token, nil
}

// groupPage returns a page of the names of groups, in their order, after one.
func groupPage[T any](p pager, groups map[string]T, after string, n int) ([]string, *string) {
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(groups)), func(name string) bool { return after != "" && strings.Compare(name, after) <= 0 })
	return cut(p, names, n, func(name string) []string { return []string{name} })
}
