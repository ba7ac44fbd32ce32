package config_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"plumb/internal/apptest"
)

func createBucket(name string) *s3.CreateBucketInput { return &s3.CreateBucketInput{Bucket: &name} }

// three starts a hub that shows itself and two others, one of them in two regions,
// and one more that is not shown.
func three(t *testing.T, p *apptest.Plumb) (center account, parts []account) {
	t.Helper()
	center = open(t, p.As(hub, "eu-west-1"))
	parts = []account{center, open(t, p.As(spokeA, "eu-west-1")), open(t, p.As(spokeA, "us-east-1")), open(t, p.As(spokeB, "eu-west-1"))}
	for i, a := range parts {
		var ids []string
		for j := range i + 2 {
			ids = append(ids, fmt.Sprintf("car-%d", j))
		}
		a.record(ids...)
		if a.Account() != hub {
			a.authorize(center)
		}
	}
	open(t, p.As("999999999999", "eu-west-1")).record("stranger")
	_, err := center.aggregator("all", []string{spokeB, spokeA, hub})
	center.must(err)
	return center, parts
}

func TestAggregateReadsAreTheSumOfTheParts(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		center, parts := three(t, p)
		ctx, name := t.Context(), new("all")

		// Counts.
		byType, byAccount, byRegion := map[string]int64{}, map[string]int64{}, map[string]int64{}
		var total int64
		for _, a := range parts {
			out, err := a.aws.GetDiscoveredResourceCounts(ctx, &configservice.GetDiscoveredResourceCountsInput{})
			a.must(err)
			total += out.TotalDiscoveredResources
			byAccount[a.Account()] += out.TotalDiscoveredResources
			byRegion[a.Region()] += out.TotalDiscoveredResources
			for _, c := range out.ResourceCounts {
				byType[string(c.ResourceType)] += c.Count
			}
		}
		for key, want := range map[types.ResourceCountGroupKey]map[string]int64{
			types.ResourceCountGroupKeyResourceType: byType, types.ResourceCountGroupKeyAccountId: byAccount, types.ResourceCountGroupKeyAwsRegion: byRegion, "": {},
		} {
			got, in := map[string]int64{}, &configservice.GetAggregateDiscoveredResourceCountsInput{ConfigurationAggregatorName: name, GroupByKey: key, Limit: 1}
			for {
				out, err := center.aws.GetAggregateDiscoveredResourceCounts(ctx, in)
				center.must(err)
				center.equal(out.TotalDiscoveredResources, total)
				for _, g := range out.GroupedResourceCounts {
					got[*g.GroupName] += g.ResourceCount
				}
				if in.NextToken = out.NextToken; in.NextToken == nil {
					break
				}
			}
			center.equal(got, want)
		}
		one, err := center.aws.GetAggregateDiscoveredResourceCounts(ctx, &configservice.GetAggregateDiscoveredResourceCountsInput{ConfigurationAggregatorName: name,
			Filters: &types.ResourceCountFilters{ResourceType: custom, AccountId: new(spokeA), Region: new("us-east-1")}})
		center.must(err)
		center.equal(one.TotalDiscoveredResources, 4)

		// Resources.
		var want, got []string
		for _, a := range parts {
			out, err := a.aws.ListDiscoveredResources(ctx, &configservice.ListDiscoveredResourcesInput{ResourceType: custom})
			a.must(err)
			for _, r := range out.ResourceIdentifiers {
				want = append(want, a.Account()+"/"+a.Region()+"/"+*r.ResourceId)
			}
		}
		pages := configservice.NewListAggregateDiscoveredResourcesPaginator(center.aws,
			&configservice.ListAggregateDiscoveredResourcesInput{ConfigurationAggregatorName: name, ResourceType: custom, Limit: 3})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			center.must(err)
			for _, r := range page.ResourceIdentifiers {
				got = append(got, *r.SourceAccountId+"/"+*r.SourceRegion+"/"+*r.ResourceId)
			}
		}
		center.equal(got, want)
		for n, f := range map[int]*types.ResourceFilters{4: {ResourceId: new("car-0")}, 0: {ResourceName: new("x")}, 7: {AccountId: new(spokeA)}, 10: {Region: new("eu-west-1")}} {
			out, err := center.aws.ListAggregateDiscoveredResources(ctx, &configservice.ListAggregateDiscoveredResourcesInput{
				ConfigurationAggregatorName: name, ResourceType: custom, Filters: f})
			center.must(err)
			center.equal(len(out.ResourceIdentifiers), n)
		}
	})
}

func TestAggregateComplianceIsThatOfTheParts(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		center, parts := three(t, p)
		ctx, name := t.Context(), new("all")
		var want, got []string
		for _, a := range parts {
			out, err := a.aws.DescribeComplianceByConfigRule(ctx, &configservice.DescribeComplianceByConfigRuleInput{})
			a.must(err)
			c := out.ComplianceByConfigRules[0]
			want = append(want, fmt.Sprint(a.Account(), a.Region(), *c.ConfigRuleName, c.Compliance.ComplianceType, c.Compliance.ComplianceContributorCount.CappedCount))
		}
		pages := configservice.NewDescribeAggregateComplianceByConfigRulesPaginator(center.aws,
			&configservice.DescribeAggregateComplianceByConfigRulesInput{ConfigurationAggregatorName: name, Limit: 1})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			center.must(err)
			for _, r := range page.AggregateComplianceByConfigRules {
				got = append(got, fmt.Sprint(*r.AccountId, *r.AwsRegion, *r.ConfigRuleName, r.Compliance.ComplianceType, r.Compliance.ComplianceContributorCount.CappedCount))
			}
		}
		center.equal(got, want)
		filtered := func(f types.ConfigRuleComplianceFilters) (int, error) {
			out, err := center.aws.DescribeAggregateComplianceByConfigRules(ctx, &configservice.DescribeAggregateComplianceByConfigRulesInput{ConfigurationAggregatorName: name, Filters: &f})
			if err != nil {
				return 0, err
			}
			return len(out.AggregateComplianceByConfigRules), nil
		}
		for _, c := range []struct {
			f types.ConfigRuleComplianceFilters
			n int
		}{
			{types.ConfigRuleComplianceFilters{ComplianceType: types.ComplianceTypeNonCompliant}, 4}, {types.ConfigRuleComplianceFilters{ComplianceType: types.ComplianceTypeCompliant}, 0},
			{types.ConfigRuleComplianceFilters{ConfigRuleName: new("wheels"), AccountId: new(spokeA)}, 2}, {types.ConfigRuleComplianceFilters{ConfigRuleName: new("none")}, 0},
			{types.ConfigRuleComplianceFilters{AwsRegion: new("us-east-1")}, 1}, {types.ConfigRuleComplianceFilters{AccountId: new("999999999999")}, 0},
		} {
			n, err := filtered(c.f)
			center.must(err)
			center.equal(n, c.n)
		}
		_, err := filtered(types.ConfigRuleComplianceFilters{ComplianceType: types.ComplianceTypeInsufficientData})
		center.refused(err, "ValidationException", "INSUFFICIENT_DATA")

		for key, want := range map[types.ConfigRuleComplianceSummaryGroupKey]string{
			"": "[ 4]", types.ConfigRuleComplianceSummaryGroupKeyAccountId: "[" + hub + " 1 " + spokeA + " 2 " + spokeB + " 1]",
			types.ConfigRuleComplianceSummaryGroupKeyAwsRegion: "[eu-west-1 3 us-east-1 1]",
		} {
			got, in := []string{}, &configservice.GetAggregateConfigRuleComplianceSummaryInput{ConfigurationAggregatorName: name, GroupByKey: key, Limit: 1}
			for {
				out, err := center.aws.GetAggregateConfigRuleComplianceSummary(ctx, in)
				center.must(err)
				for _, g := range out.AggregateComplianceCounts {
					group := ""
					if g.GroupName != nil {
						group = *g.GroupName
					}
					center.equal(g.ComplianceSummary.CompliantResourceCount.CappedCount, 0)
					got = append(got, fmt.Sprint(group, " ", g.ComplianceSummary.NonCompliantResourceCount.CappedCount))
				}
				if in.NextToken = out.NextToken; in.NextToken == nil {
					break
				}
			}
			center.equal(got, want)
		}

		details := func(account, region, rule string, c types.ComplianceType) (out []string) {
			pages := configservice.NewGetAggregateComplianceDetailsByConfigRulePaginator(center.aws, &configservice.GetAggregateComplianceDetailsByConfigRuleInput{
				ConfigurationAggregatorName: name, AccountId: &account, AwsRegion: &region, ConfigRuleName: &rule, ComplianceType: c, Limit: 2})
			for pages.HasMorePages() {
				page, err := pages.NextPage(ctx)
				center.must(err)
				for _, r := range page.AggregateEvaluationResults {
					center.equal(*r.AccountId+*r.AwsRegion, account+region)
					out = append(out, *r.EvaluationResultIdentifier.EvaluationResultQualifier.ResourceId)
				}
			}
			return out
		}
		center.equal(details(spokeB, "eu-west-1", "wheels", ""), "[car-0 car-1 car-2 car-3 car-4]")
		center.equal(details(spokeB, "eu-west-1", "wheels", types.ComplianceTypeCompliant), "[car-1 car-3]")
		center.equal(len(details(spokeB, "eu-west-1", "none", "")), 0)
		center.equal(len(details("999999999999", "eu-west-1", "wheels", "")), 0)
	})
}

func TestAnAggregatorGivesItemsOfWhatItShowsOnly(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		center, parts := three(t, p)
		ctx, name := t.Context(), new("all")
		_, err := parts[3].aws.DeleteResourceConfig(ctx, &configservice.DeleteResourceConfigInput{ResourceType: new(custom), ResourceId: new("car-4")})
		center.must(err)
		id := func(account, region, id string) types.AggregateResourceIdentifier {
			return types.AggregateResourceIdentifier{SourceAccountId: &account, SourceRegion: &region, ResourceType: custom, ResourceId: &id}
		}
		get := func(i types.AggregateResourceIdentifier) (*types.ConfigurationItem, error) {
			out, err := center.aws.GetAggregateResourceConfig(ctx, &configservice.GetAggregateResourceConfigInput{ConfigurationAggregatorName: name, ResourceIdentifier: &i})
			if err != nil {
				return nil, err
			}
			return out.ConfigurationItem, nil
		}
		it, err := get(id(spokeB, "eu-west-1", "car-1"))
		center.must(err)
		center.equal(*it.AccountId+*it.Configuration, spokeB+`{"wheels":4}`)
		hidden := []types.AggregateResourceIdentifier{
			id(spokeB, "eu-west-1", "car-4"), id(spokeB, "eu-west-1", "never"), id(spokeB, "us-east-1", "car-1"), id("999999999999", "eu-west-1", "stranger"),
		}
		for _, i := range hidden {
			_, err := get(i)
			center.refused(err, "ResourceNotDiscoveredException", "")
		}
		batch, err := center.aws.BatchGetAggregateResourceConfig(ctx, &configservice.BatchGetAggregateResourceConfigInput{ConfigurationAggregatorName: name,
			ResourceIdentifiers: append(hidden, id(spokeA, "us-east-1", "car-0"), id(hub, "eu-west-1", "car-0"))})
		center.must(err)
		center.equal(len(batch.BaseConfigurationItems), 2)
		center.equal(*batch.BaseConfigurationItems[0].AccountId, spokeA)
		center.equal(len(batch.UnprocessedResourceIdentifiers), 4)
		_, err = center.aws.BatchGetAggregateResourceConfig(ctx, &configservice.BatchGetAggregateResourceConfigInput{ConfigurationAggregatorName: name, ResourceIdentifiers: make([]types.AggregateResourceIdentifier, 0)})
		center.refused(err, "ValidationException", "resourceIdentifiers")

		_, err = center.aws.PutConfigurationAggregator(ctx, &configservice.PutConfigurationAggregatorInput{ConfigurationAggregatorName: name,
			AccountAggregationSources: []types.AccountAggregationSource{{AccountIds: []string{spokeB}, AllAwsRegions: true}},
			AggregatorFilters:         &types.AggregatorFilters{ResourceType: &types.AggregatorFilterResourceType{Type: types.AggregatorFilterTypeInclude, Value: []string{"AWS::S3::Bucket"}}}})
		center.must(err)
		_, err = get(id(spokeB, "eu-west-1", "car-1"))
		center.refused(err, "ResourceNotDiscoveredException", "")
		out, err := center.aws.GetAggregateDiscoveredResourceCounts(ctx, &configservice.GetAggregateDiscoveredResourceCountsInput{ConfigurationAggregatorName: name, GroupByKey: types.ResourceCountGroupKeyResourceType})
		center.must(err)
		for _, g := range out.GroupedResourceCounts {
			center.equal(*g.GroupName, "AWS::S3::Bucket")
		}
	})
}

func TestTokensOfAggregateReadsAreBoundToTheirList(t *testing.T) {
	p := apptest.Start(t)
	center, _ := three(t, p)
	ctx := t.Context()
	list := func(a account, token *string, resourceType types.ResourceType) (*string, error) {
		out, err := a.aws.ListAggregateDiscoveredResources(ctx, &configservice.ListAggregateDiscoveredResourcesInput{
			ConfigurationAggregatorName: new("all"), ResourceType: resourceType, Limit: 2, NextToken: token})
		if err != nil {
			return nil, err
		}
		return out.NextToken, nil
	}
	token, err := list(center, nil, custom)
	center.must(err)
	_, err = list(center, token, "AWS::S3::Bucket")
	center.refused(err, "InvalidNextTokenException", "")
	_, err = list(open(t, p.As(spokeA, "eu-west-1")), token, custom)
	center.refused(err, "InvalidNextTokenException", "")
	_, err = list(center, new(strings.ToUpper(*token)), custom)
	center.refused(err, "InvalidNextTokenException", "")
	_, err = center.aws.DescribeAggregateComplianceByConfigRules(ctx, &configservice.DescribeAggregateComplianceByConfigRulesInput{ConfigurationAggregatorName: new("all"), NextToken: token})
	center.refused(err, "InvalidNextTokenException", "")
	_, err = center.aws.ListAggregateDiscoveredResources(ctx, &configservice.ListAggregateDiscoveredResourcesInput{
		ConfigurationAggregatorName: new("all"), ResourceType: custom, Limit: 101})
	center.refused(err, "InvalidLimitException", "100")
	_, err = center.aws.GetAggregateDiscoveredResourceCounts(ctx, &configservice.GetAggregateDiscoveredResourceCountsInput{ConfigurationAggregatorName: new("x")})
	center.refused(err, "NoSuchConfigurationAggregatorException", "The configuration aggregator does not exist.")
	_, err = center.aws.DescribeConfigurationAggregatorSourcesStatus(ctx, &configservice.DescribeConfigurationAggregatorSourcesStatusInput{ConfigurationAggregatorName: new("x")})
	center.refused(err, "NoSuchConfigurationAggregatorException", "")
	_, err = center.aws.GetAggregateComplianceDetailsByConfigRule(ctx, &configservice.GetAggregateComplianceDetailsByConfigRuleInput{
		ConfigurationAggregatorName: new("all"), AccountId: new(hub), AwsRegion: new("eu-west-1"), ConfigRuleName: new("wheels"), Limit: 101})
	center.refused(err, "InvalidLimitException", "100")
}

// selectedOf returns the rows of all pages of an advanced query over an aggregator.
func (a account) selectedOf(aggregator, expression string, limit int32) (rows []string) {
	a.t.Helper()
	pages := configservice.NewSelectAggregateResourceConfigPaginator(a.aws,
		&configservice.SelectAggregateResourceConfigInput{ConfigurationAggregatorName: &aggregator, Expression: &expression, Limit: limit})
	for pages.HasMorePages() {
		page, err := pages.NextPage(a.t.Context())
		a.must(err)
		rows = append(rows, page.Results...)
	}
	return rows
}

func TestAQueryOverAnAggregatorSelectsWhatThePartsDo(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		center, parts := three(t, p)
		const expression = "SELECT accountId, awsRegion, resourceId WHERE resourceType = '" + custom + "' ORDER BY accountId, awsRegion, resourceId"
		var want []string
		for _, a := range parts {
			want = append(want, a.selected(expression, 0)...)
		}
		for _, limit := range []int32{0, 1, 4, 100} {
			center.equal(center.selectedOf("all", expression, limit), want)
		}
		center.equal(len(center.selectedOf("all", "SELECT resourceId WHERE resourceType = '"+custom+"'", 3)), len(want))
		center.equal(center.selectedOf("all", "SELECT accountId, COUNT(*) WHERE resourceType = '"+custom+"' GROUP BY accountId ORDER BY accountId", 1),
			[]string{`{"COUNT(*)":2,"accountId":"` + hub + `"}`, `{"COUNT(*)":7,"accountId":"` + spokeA + `"}`, `{"COUNT(*)":5,"accountId":"` + spokeB + `"}`})
		center.equal(center.selectedOf("all", "SELECT COUNT(*) WHERE accountId = '999999999999'", 0), `[{"COUNT(*)":0}]`)

		// Limit and MaxResults are the same, and a token is of its aggregator.
		ctx := t.Context()
		out, err := center.aws.SelectAggregateResourceConfig(ctx, &configservice.SelectAggregateResourceConfigInput{
			ConfigurationAggregatorName: new("all"), Expression: new(expression), MaxResults: 2})
		center.must(err)
		center.equal(len(out.Results), 2)
		center.equal(*out.QueryInfo.SelectFields[2].Name, "resourceId")
		_, err = center.aggregator("other", []string{hub})
		center.must(err)
		_, err = center.aws.SelectAggregateResourceConfig(ctx, &configservice.SelectAggregateResourceConfigInput{
			ConfigurationAggregatorName: new("other"), Expression: new(expression), NextToken: out.NextToken})
		center.refused(err, "InvalidNextTokenException", "")
		center.equal(len(center.selectedOf("other", expression, 0)), 2)
		_, err = center.aws.SelectAggregateResourceConfig(ctx, &configservice.SelectAggregateResourceConfigInput{
			ConfigurationAggregatorName: new("none"), Expression: new(expression)})
		center.refused(err, "NoSuchConfigurationAggregatorException", "")
		_, err = center.aws.SelectAggregateResourceConfig(ctx, &configservice.SelectAggregateResourceConfigInput{
			ConfigurationAggregatorName: new("all"), Expression: new("SELECT")})
		center.refused(err, "InvalidExpressionException", "line 1, column 7")

		// An aggregator of some types selects these only.
		_, err = center.aws.PutConfigurationAggregator(ctx, &configservice.PutConfigurationAggregatorInput{ConfigurationAggregatorName: new("buckets"),
			AccountAggregationSources: []types.AccountAggregationSource{{AccountIds: []string{hub, spokeA}, AllAwsRegions: true}},
			AggregatorFilters:         &types.AggregatorFilters{ResourceType: &types.AggregatorFilterResourceType{Type: types.AggregatorFilterTypeInclude, Value: []string{"AWS::S3::Bucket"}}}})
		center.must(err)
		center.equal(len(center.selectedOf("buckets", expression, 0)), 0)
		center.equal(center.selectedOf("buckets", "SELECT COUNT(*) WHERE resourceType LIKE 'Acme%' OR resourceId = 'car-0'", 0), `[{"COUNT(*)":0}]`)
	})
}

func TestAggregateComplianceOfPacksIsThatOfTheParts(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		center, parts := three(t, p)
		ctx, name := t.Context(), new("all")
		for i, a := range parts {
			a.deployed("cars", resources(guardOf("A", "doors", 0), ruleOf("B", "b", "AWS_CONFIG_PROCESS_CHECK")))
			if i == 1 {
				a.deployed("asked", resources(ruleOf("B", "b", "AWS_CONFIG_PROCESS_CHECK")))
			}
			id := *a.packStatus("cars").ConformancePackId
			switch i {
			case 0, 1:
				a.must(a.putExternal("b-"+id, types.ComplianceTypeCompliant, p.Clock().Now()))
			case 2:
				a.must(a.putExternal("b-"+id, types.ComplianceTypeNonCompliant, p.Clock().Now()))
			}
		}
		p.Drain(t)
		list := func(f types.AggregateConformancePackComplianceFilters) (out []string) {
			in := &configservice.DescribeAggregateComplianceByConformancePacksInput{ConfigurationAggregatorName: name, Filters: &f, Limit: 2}
			pages := configservice.NewDescribeAggregateComplianceByConformancePacksPaginator(center.aws, in)
			for pages.HasMorePages() {
				page, err := pages.NextPage(ctx)
				center.must(err)
				for _, r := range page.AggregateComplianceByConformancePacks {
					c := r.Compliance
					out = append(out, fmt.Sprintln(*r.AccountId, *r.AwsRegion, *r.ConformancePackName, c.ComplianceType, c.CompliantRuleCount, c.NonCompliantRuleCount, c.TotalRuleCount))
				}
			}
			return out
		}
		var want []string
		for _, a := range parts {
			packs, err := a.aws.DescribeConformancePacks(ctx, &configservice.DescribeConformancePacksInput{})
			a.must(err)
			for _, d := range packs.ConformancePackDetails {
				out, err := a.aws.DescribeConformancePackCompliance(ctx, &configservice.DescribeConformancePackComplianceInput{ConformancePackName: d.ConformancePackName})
				a.must(err)
				summary, err := a.aws.GetConformancePackComplianceSummary(ctx, &configservice.GetConformancePackComplianceSummaryInput{ConformancePackNames: []string{*d.ConformancePackName}})
				a.must(err)
				counts := map[types.ConformancePackComplianceType]int{}
				for _, r := range out.ConformancePackRuleComplianceList {
					counts[r.ComplianceType]++
				}
				want = append(want, fmt.Sprintln(a.Account(), a.Region(), *d.ConformancePackName, summary.ConformancePackComplianceSummaryList[0].ConformancePackComplianceStatus,
					counts["COMPLIANT"], counts["NON_COMPLIANT"], len(out.ConformancePackRuleComplianceList)))
			}
		}
		center.equal(list(types.AggregateConformancePackComplianceFilters{}), want)
		center.equal(len(want), 5)
		for n, f := range map[int]types.AggregateConformancePackComplianceFilters{
			4: {ConformancePackName: new("cars")}, 3: {AccountId: new(spokeA)}, 0: {AccountId: new("999999999999")},
		} {
			center.equal(len(list(f)), n)
		}
		compliant := list(types.AggregateConformancePackComplianceFilters{ComplianceType: types.ConformancePackComplianceTypeCompliant})
		bad := list(types.AggregateConformancePackComplianceFilters{ComplianceType: types.ConformancePackComplianceTypeNonCompliant})
		none := list(types.AggregateConformancePackComplianceFilters{ComplianceType: types.ConformancePackComplianceTypeInsufficientData})
		center.equal(len(compliant)+len(bad)+len(none), 5)
		for _, by := range []types.AggregateConformancePackComplianceSummaryGroupKey{"", "ACCOUNT_ID", "AWS_REGION"} {
			var good, wrong int32
			in := &configservice.GetAggregateConformancePackComplianceSummaryInput{ConfigurationAggregatorName: name, GroupByKey: by, Limit: 1}
			for {
				out, err := center.aws.GetAggregateConformancePackComplianceSummary(ctx, in)
				center.must(err)
				for _, g := range out.AggregateConformancePackComplianceSummaries {
					good += g.ComplianceSummary.CompliantConformancePackCount
					wrong += g.ComplianceSummary.NonCompliantConformancePackCount
					center.equal(g.GroupName == nil, by == "")
				}
				if in.NextToken = out.NextToken; in.NextToken == nil {
					break
				}
			}
			center.equal(int(good), len(compliant))
			center.equal(int(wrong), len(bad))
		}
		_, err := center.aws.DescribeAggregateComplianceByConformancePacks(ctx, &configservice.DescribeAggregateComplianceByConformancePacksInput{ConfigurationAggregatorName: new("none")})
		center.refused(err, "NoSuchConfigurationAggregatorException", "")
	})
}
