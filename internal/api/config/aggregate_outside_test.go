package config_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"plumb/internal/apptest"
	"plumb/internal/settings"
)

// sources returns the status of the sources of the aggregator all.
func (a account) sources() string {
	a.t.Helper()
	out, err := a.aws.DescribeConfigurationAggregatorSourcesStatus(a.t.Context(), &configservice.DescribeConfigurationAggregatorSourcesStatusInput{ConfigurationAggregatorName: new("all")})
	a.must(err)
	var all []string
	for _, s := range out.AggregatedSourceStatusList {
		line := *s.SourceId + " " + *s.AwsRegion + " " + string(s.LastUpdateStatus)
		if s.LastErrorCode != nil {
			line += " " + *s.LastErrorCode
		}
		if s.LastUpdateTime != nil {
			line += " " + s.LastUpdateTime.UTC().Format(time.TimeOnly)
		}
		all = append(all, line)
	}
	return strings.Join(all, ", ")
}

// failing returns what an aggregator says of rules.
func (a account) failing(aggregator string) string {
	a.t.Helper()
	out, err := a.aws.DescribeAggregateComplianceByConfigRules(a.t.Context(), &configservice.DescribeAggregateComplianceByConfigRulesInput{ConfigurationAggregatorName: &aggregator})
	a.must(err)
	var all []string
	for _, r := range out.AggregateComplianceByConfigRules {
		all = append(all, fmt.Sprint(*r.ConfigRuleName, " ", r.Compliance.ComplianceType, " ", r.Compliance.ComplianceContributorCount.CappedCount))
	}
	return strings.Join(all, ", ")
}

func TestAnAggregatorShowsAnAccountWhoseConfigIsElsewhere(t *testing.T) {
	elsewhere := apptest.Start(t)
	there := open(t, elsewhere.As(spokeA, "eu-west-1"))
	there.record("car-1", "car-2", "car-3")
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		noon := time.Date(2040, 1, 2, 12, 0, 0, 0, time.UTC)
		p.Clock().Freeze(noon)
		later := func() {
			p.Clock().Advance(6 * time.Minute)
			p.Drain(t)
		}
		center := open(t, p.As(hub, "eu-west-1"))
		_, err := center.aggregator("all", []string{spokeA, spokeB}, "eu-west-1")
		center.must(err)
		center.equal(center.sources(), spokeA+" eu-west-1 FAILED NotRead, "+spokeB+" eu-west-1 FAILED UnknownAccount")
		p.Drain(t)
		center.equal(strings.HasPrefix(center.sources(), spokeA+" eu-west-1 FAILED AccessDenied"), true)
		there.authorize(center)
		later()
		center.equal(strings.HasPrefix(center.sources(), spokeA+" eu-west-1 SUCCEEDED 12:06:00, "), true)

		cars := func() string {
			return strings.Join(center.selectedOf("all", "SELECT resourceId, configuration.wheels WHERE resourceType = '"+custom+"'", 9), " ")
		}
		center.equal(cars(), strings.Join(there.selected("SELECT resourceId, configuration.wheels WHERE resourceType = '"+custom+"'", 9), " "))
		center.equal(center.failing("all"), "wheels NON_COMPLIANT 2")
		_, err = there.aws.DeleteResourceConfig(t.Context(), &configservice.DeleteResourceConfigInput{ResourceType: new(custom), ResourceId: new("car-3")})
		there.must(err)
		there.push("car-1", `{"wheels":6}`)
		there.Drain(t)
		later()
		center.equal(cars(), `{"configuration":{"wheels":6.0},"resourceId":"car-1"} {"configuration":{"wheels":4.0},"resourceId":"car-2"}`)
		center.equal(center.failing("all"), "wheels NON_COMPLIANT 1")
		out, err := center.aws.GetAggregateResourceConfig(t.Context(), &configservice.GetAggregateResourceConfigInput{ConfigurationAggregatorName: new("all"),
			ResourceIdentifier: &types.AggregateResourceIdentifier{SourceAccountId: new(spokeA), SourceRegion: new("eu-west-1"), ResourceType: custom, ResourceId: new("car-1")}})
		center.must(err)
		center.equal(*out.ConfigurationItem.Configuration+*out.ConfigurationItem.AccountId+*out.ConfigurationItem.AwsRegion, `{"wheels":6}`+spokeA+"eu-west-1")

		_, err = there.aws.DeleteAggregationAuthorization(t.Context(), &configservice.DeleteAggregationAuthorizationInput{AuthorizedAccountId: new(hub), AuthorizedAwsRegion: new("eu-west-1")})
		there.must(err)
		later()
		center.equal(cars(), "")
		center.equal(strings.HasPrefix(center.sources(), spokeA+" eu-west-1 FAILED AccessDenied"), true)
		there.push("car-3", `{"wheels":3}`) // as before, for the next database
		there.push("car-1", `{"wheels":3}`)
		there.Drain(t)
	}, func(s *settings.Settings) {
		s.Accounts = append(s.Accounts, settings.Account{Account: spokeA, Endpoints: settings.Endpoints{Config: elsewhere.URL()}})
	})
}

// packsOf returns what the aggregator all says of packs, and of how many of them.
func (a account) packsOf() string {
	a.t.Helper()
	out, err := a.aws.DescribeAggregateComplianceByConformancePacks(a.t.Context(),
		&configservice.DescribeAggregateComplianceByConformancePacksInput{ConfigurationAggregatorName: new("all")})
	a.must(err)
	var all []string
	for _, p := range out.AggregateComplianceByConformancePacks {
		c := p.Compliance
		all = append(all, fmt.Sprint(*p.AccountId, " ", *p.ConformancePackName, " ", c.ComplianceType, " ", c.CompliantRuleCount, " ", c.NonCompliantRuleCount, " ", c.TotalRuleCount))
	}
	sum, err := a.aws.GetAggregateConformancePackComplianceSummary(a.t.Context(),
		&configservice.GetAggregateConformancePackComplianceSummaryInput{ConfigurationAggregatorName: new("all"), GroupByKey: types.AggregateConformancePackComplianceSummaryGroupKeyAccountId})
	a.must(err)
	for _, s := range sum.AggregateConformancePackComplianceSummaries {
		all = append(all, fmt.Sprint(*s.GroupName, " ", s.ComplianceSummary.CompliantConformancePackCount, " ", s.ComplianceSummary.NonCompliantConformancePackCount))
	}
	return strings.Join(all, ", ")
}

func TestAnAggregatorShowsTheConformancePacksOfAnAccountElsewhere(t *testing.T) {
	var elsewhere *apptest.Plumb // another one for each database
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		there := open(t, elsewhere.As(spokeA, "eu-west-1"))
		there.recorder()
		there.must(there.startWithoutBucket())
		there.cars()
		center := open(t, p.As(hub, "eu-west-1"))
		there.authorize(center)
		_, err := center.aggregator("all", []string{spokeA}, "eu-west-1")
		center.must(err)
		later := func() {
			elsewhere.Drain(t)
			p.Clock().Advance(6 * time.Minute)
			p.Drain(t)
		}
		later()
		center.equal(center.packsOf(), spokeA+" garage NON_COMPLIANT 0 2 3, "+spokeA+" 0 1")
		there.deployed("garage", resources(guardOf("doors", "doors", 2))) // two rules leave
		for n := range 5 {
			there.push(fmt.Sprintf("car-%d", n), `{"doors":2}`)
		}
		later()
		center.equal(center.packsOf(), spokeA+" garage COMPLIANT 1 0 1, "+spokeA+" 1 0")
		_, err = there.aws.DeleteConformancePack(t.Context(), &configservice.DeleteConformancePackInput{ConformancePackName: new("garage")})
		there.must(err)
		there.deployed("lot", resources(guardOf("doors", "doors", 9)))
		later()
		center.equal(center.packsOf(), spokeA+" lot NON_COMPLIANT 0 1 1, "+spokeA+" 0 1")

		// Items are read in one call, and those that are not there come back.
		id := func(id string) types.AggregateResourceIdentifier {
			return types.AggregateResourceIdentifier{SourceAccountId: new(spokeA), SourceRegion: new("eu-west-1"), ResourceType: custom, ResourceId: &id}
		}
		out, err := center.aws.BatchGetAggregateResourceConfig(t.Context(), &configservice.BatchGetAggregateResourceConfigInput{
			ConfigurationAggregatorName: new("all"), ResourceIdentifiers: []types.AggregateResourceIdentifier{id("car-1"), id("nobody"), id("car-3")}})
		center.must(err)
		center.equal(len(out.BaseConfigurationItems), 2)
		center.equal(*out.BaseConfigurationItems[0].Configuration, `{"doors":2}`)
		center.equal(len(out.UnprocessedResourceIdentifiers), 1)
		center.equal(*out.UnprocessedResourceIdentifiers[0].ResourceId, "nobody")
	}, func(s *settings.Settings) {
		elsewhere = apptest.Start(t)
		s.Accounts = append(s.Accounts, settings.Account{Account: spokeA, Endpoints: settings.Endpoints{Config: elsewhere.URL()}})
	})
}

func TestAnAccountElsewhereThatDoesNotAnswerIsOutdated(t *testing.T) {
	elsewhere := apptest.Start(t)
	there := open(t, elsewhere.As(spokeA, "eu-west-1"))
	there.record("car-1")
	p := apptest.Start(t, func(s *settings.Settings) {
		s.Accounts = append(s.Accounts,
			settings.Account{Account: spokeA, Region: "eu-west-1", Endpoints: settings.Endpoints{Config: elsewhere.URL()}, AccessKeyID: spokeA, SecretAccessKey: "any"},
			settings.Account{Account: spokeB, Region: "eu-west-1", Endpoints: settings.Endpoints{Config: "http://127.0.0.1:1"}})
	})
	p.Clock().Freeze(time.Date(2040, 1, 2, 12, 0, 0, 0, time.UTC))
	center := open(t, p.As(hub, "eu-west-1"))
	there.authorize(center)
	_, err := center.aggregator("all", []string{spokeA, spokeB})
	center.must(err)
	p.Drain(t)
	center.equal(center.sources(), spokeA+" eu-west-1 SUCCEEDED 12:00:00, "+spokeB+" eu-west-1 FAILED InternalError")
	elsewhere.Restart(t) // at another address
	p.Clock().Advance(6 * time.Minute)
	p.Drain(t)
	center.equal(center.sources(), spokeA+" eu-west-1 OUTDATED InternalError 12:00:00, "+spokeB+" eu-west-1 FAILED InternalError")
	center.equal(len(center.selectedOf("all", "SELECT resourceId WHERE resourceType = '"+custom+"'", 9)), 1)
}

func TestAnAccountThatIsRecordedHereIsNotReadElsewhere(t *testing.T) {
	elsewhere := apptest.Start(t)
	there := open(t, elsewhere.As(spokeA, "eu-west-1"))
	there.record("car-1", "car-2")
	p := apptest.Start(t, func(s *settings.Settings) {
		s.Accounts = append(s.Accounts, settings.Account{Account: spokeA, Endpoints: settings.Endpoints{Config: elsewhere.URL()}})
	})
	center, here := open(t, p.As(hub, "eu-west-1")), open(t, p.As(spokeA, "eu-west-1"))
	there.authorize(center)
	here.record("car-9")
	_, err := center.aggregator("all", []string{spokeA}, "eu-west-1")
	center.must(err)
	p.Drain(t)
	center.equal(center.sources(), spokeA+" eu-west-1 FAILED RecordedHere")
	out, err := here.aws.ListDiscoveredResources(t.Context(), &configservice.ListDiscoveredResourcesInput{ResourceType: custom})
	here.must(err)
	here.equal(len(out.ResourceIdentifiers), 1)
}
