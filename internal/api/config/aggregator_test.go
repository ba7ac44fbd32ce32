package config_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"plumb/internal/apptest"
)

const (
	hub    = "111111111111"
	spokeA = "222222222222"
	spokeB = "333333333333"
)

// aggregator puts an aggregator of accounts in all regions, or in some.
func (a account) aggregator(name string, accounts []string, regions ...string) (*types.ConfigurationAggregator, error) {
	out, err := a.aws.PutConfigurationAggregator(a.t.Context(), &configservice.PutConfigurationAggregatorInput{
		ConfigurationAggregatorName: &name,
		AccountAggregationSources: []types.AccountAggregationSource{
			{AccountIds: accounts, AllAwsRegions: len(regions) == 0, AwsRegions: regions},
		},
		Tags: []types.Tag{{Key: new("team"), Value: new("audit")}},
	})
	if err != nil {
		return nil, err
	}
	return out.ConfigurationAggregator, nil
}

func (a account) authorize(by account) {
	a.t.Helper()
	_, err := a.aws.PutAggregationAuthorization(a.t.Context(), &configservice.PutAggregationAuthorizationInput{
		AuthorizedAccountId: new(by.Account()), AuthorizedAwsRegion: new(by.Region()),
	})
	a.must(err)
}

// record records resources without a channel.
func (a account) record(ids ...string) {
	a.t.Helper()
	a.recorder()
	a.must(a.startWithoutBucket())
	for i, id := range ids {
		a.push(id, fmt.Sprintf(`{"wheels":%d}`, 3+i%2))
	}
	a.must(a.put(policy("wheels", `rule wheels when resourceType == "`+custom+`" { configuration.wheels == 4 }`)))
	a.Drain(a.t)
}

func (a account) startWithoutBucket() error {
	bucket := "bucket-" + a.Account() + "-" + a.Region()
	s := a.As(a.Account(), "us-east-1").S3()
	if _, err := s.CreateBucket(a.t.Context(), createBucket(bucket)); err != nil {
		return err
	}
	_, err := a.aws.PutDeliveryChannel(a.t.Context(), &configservice.PutDeliveryChannelInput{
		DeliveryChannel: &types.DeliveryChannel{Name: new("default"), S3BucketName: &bucket},
	})
	if err != nil {
		return err
	}
	_, err = a.aws.StartConfigurationRecorder(a.t.Context(), &configservice.StartConfigurationRecorderInput{ConfigurationRecorderName: new("default")})
	return err
}

func TestAnAggregatorIsKeptAsItWasPut(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		a := open(t, p.As(hub, "eu-west-1"))
		first, err := a.aggregator("all", []string{spokeB, spokeA, spokeB})
		a.must(err)
		if !strings.HasPrefix(*first.ConfigurationAggregatorArn, "arn:aws:config:eu-west-1:"+hub+":config-aggregator/config-aggregator-") {
			t.Fatal(*first.ConfigurationAggregatorArn)
		}
		again, err := a.aggregator("all", []string{spokeA}, "us-east-1", "eu-west-1")
		a.must(err)
		a.equal(*again.ConfigurationAggregatorArn, *first.ConfigurationAggregatorArn)
		a.equal(*again.CreationTime, *first.CreationTime)
		for _, name := range []string{"b", "c", "D"} {
			_, err := a.aggregator(name, []string{spokeB, spokeA, spokeB})
			a.must(err)
		}
		p.Restart(t)
		a = open(t, p.As(hub, "eu-west-1"))
		var names []string
		pages := configservice.NewDescribeConfigurationAggregatorsPaginator(a.aws, &configservice.DescribeConfigurationAggregatorsInput{Limit: 3})
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			a.must(err)
			for _, agg := range page.ConfigurationAggregators {
				names = append(names, *agg.ConfigurationAggregatorName)
				if source := agg.AccountAggregationSources[0]; *agg.ConfigurationAggregatorName == "all" {
					a.equal(source.AwsRegions, "[us-east-1 eu-west-1]")
				} else {
					a.equal(source.AccountIds, []string{spokeB, spokeA})
				}
			}
		}
		a.equal(names, "[D all b c]")
		describe := func(names ...string) error {
			_, err := a.aws.DescribeConfigurationAggregators(t.Context(), &configservice.DescribeConfigurationAggregatorsInput{ConfigurationAggregatorNames: names})
			return err
		}
		a.must(describe("b", "c"))
		a.refused(describe("x"), "NoSuchConfigurationAggregatorException", "The configuration aggregator does not exist.")
		a.refused(describe("b", "x"), "NoSuchConfigurationAggregatorException", "At least one of the configuration aggregators does not exist.")
		tags, err := a.aws.ListTagsForResource(t.Context(), &configservice.ListTagsForResourceInput{ResourceArn: first.ConfigurationAggregatorArn})
		a.must(err)
		a.equal(*tags.Tags[0].Value, "audit")
		remove := func() error {
			_, err := a.aws.DeleteConfigurationAggregator(t.Context(), &configservice.DeleteConfigurationAggregatorInput{ConfigurationAggregatorName: new("all")})
			return err
		}
		a.must(remove())
		a.refused(remove(), "NoSuchConfigurationAggregatorException", "")
		_, err = a.aws.ListTagsForResource(t.Context(), &configservice.ListTagsForResourceInput{ResourceArn: first.ConfigurationAggregatorArn})
		a.refused(err, "ResourceNotFoundException", "")
	})
}

func TestAnAggregatorsSourcesAreChecked(t *testing.T) {
	a := open(t, apptest.Start(t).As(hub, "eu-west-1"))
	accounts := func(s ...types.AccountAggregationSource) *configservice.PutConfigurationAggregatorInput {
		return &configservice.PutConfigurationAggregatorInput{AccountAggregationSources: s}
	}
	organization := &types.OrganizationAggregationSource{RoleArn: new("arn:aws:iam::111111111111:role/x"), AllAwsRegions: true}
	both := accounts(types.AccountAggregationSource{AccountIds: []string{spokeA}, AllAwsRegions: true})
	both.OrganizationAggregationSource = organization
	many := make([]string, 10_001)
	for i := range many {
		many[i] = fmt.Sprintf("%012d", i)
	}
	principal := accounts(types.AccountAggregationSource{AccountIds: []string{spokeA}, AllAwsRegions: true})
	principal.AggregatorFilters = &types.AggregatorFilters{ServicePrincipal: &types.AggregatorFilterServicePrincipal{Type: types.AggregatorFilterTypeInclude, Value: []string{"x.amazonaws.com"}}}
	for _, c := range []struct {
		in         *configservice.PutConfigurationAggregatorInput
		code, part string
	}{
		{both, "InvalidParameterValueException", "contains both the AccountAggregationSource and the OrganizationAggregationSource"},
		{accounts(), "InvalidParameterValueException", "missing either the AccountAggregationSource or the OrganizationAggregationSource"},
		{accounts(types.AccountAggregationSource{AccountIds: []string{spokeA}}), "InvalidParameterValueException", "does not specify any regions"},
		{accounts(types.AccountAggregationSource{AccountIds: []string{spokeA}, AllAwsRegions: true, AwsRegions: []string{"eu-west-1"}}), "InvalidParameterValueException", "also specifies the use of all regions"},
		{accounts(types.AccountAggregationSource{AccountIds: []string{spokeA}, AwsRegions: []string{"nowhere"}}), "InvalidParameterValueException", "nowhere"},
		{accounts(types.AccountAggregationSource{AccountIds: []string{"12"}, AllAwsRegions: true}), "ValidationException", "accountIds"},
		{accounts(types.AccountAggregationSource{AccountIds: []string{}, AllAwsRegions: true}), "ValidationException", "accountIds"},
		{accounts(types.AccountAggregationSource{AccountIds: many, AllAwsRegions: true}), "LimitExceededException", "10000"},
		{accounts(make([]types.AccountAggregationSource, 2)...), "", ""},
		{&configservice.PutConfigurationAggregatorInput{OrganizationAggregationSource: organization}, "NoAvailableOrganizationException", ""},
		{&configservice.PutConfigurationAggregatorInput{OrganizationAggregationSource: &types.OrganizationAggregationSource{RoleArn: new("x"), AllAwsRegions: true}}, "InvalidRoleException", "'x'"},
		{principal, "InvalidParameterValueException", "ServicePrincipal"},
	} {
		c.in.ConfigurationAggregatorName = new("a")
		_, err := a.aws.PutConfigurationAggregator(t.Context(), c.in)
		if c.code == "" {
			if err == nil {
				t.Error("two account sources were taken")
			}
			continue
		}
		a.refused(err, c.code, c.part)
	}
	for i := range 50 {
		_, err := a.aggregator(fmt.Sprint("a", i), []string{spokeA})
		a.must(err)
	}
	_, err := a.aggregator("one-more", []string{spokeA})
	a.refused(err, "LimitExceededException", "50")
	_, err = a.aggregator("a1", []string{spokeB})
	a.must(err)
}

func TestASourceIsShownOnceItAuthorizesTheAggregator(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		center := open(t, p.As(hub, "eu-west-1"))
		spoke := open(t, p.As(spokeA, "eu-west-1"))
		spoke.record("car")
		_, err := center.aggregator("all", []string{spokeA, spokeB}, "eu-west-1")
		center.must(err)
		states := func(wanted ...types.AggregatedSourceStatusType) (out []string) {
			in := &configservice.DescribeConfigurationAggregatorSourcesStatusInput{ConfigurationAggregatorName: new("all"), Limit: 1}
			if len(wanted) > 0 {
				in.UpdateStatus = wanted
			}
			pages := configservice.NewDescribeConfigurationAggregatorSourcesStatusPaginator(center.aws, in)
			for pages.HasMorePages() {
				page, err := pages.NextPage(t.Context())
				center.must(err)
				for _, s := range page.AggregatedSourceStatusList {
					code := ""
					if s.LastErrorCode != nil {
						code = *s.LastErrorCode
					}
					out = append(out, strings.TrimSpace(*s.SourceId+" "+*s.AwsRegion+" "+string(s.LastUpdateStatus)+" "+code))
				}
			}
			return out
		}
		pending := func() (out []string) {
			pages := configservice.NewDescribePendingAggregationRequestsPaginator(spoke.aws, &configservice.DescribePendingAggregationRequestsInput{Limit: 1})
			for pages.HasMorePages() {
				page, err := pages.NextPage(t.Context())
				spoke.must(err)
				for _, r := range page.PendingAggregationRequests {
					out = append(out, *r.RequesterAccountId+"/"+*r.RequesterAwsRegion)
				}
			}
			return out
		}
		shown := func() int64 {
			out, err := center.aws.GetAggregateDiscoveredResourceCounts(t.Context(), &configservice.GetAggregateDiscoveredResourceCountsInput{ConfigurationAggregatorName: new("all")})
			center.must(err)
			return out.TotalDiscoveredResources
		}
		center.equal(states(), "["+spokeA+" eu-west-1 FAILED AccessDenied "+spokeB+" eu-west-1 FAILED UnknownAccount]")
		center.equal(pending(), "["+hub+"/eu-west-1]")
		center.equal(shown(), 0)

		spoke.authorize(center)
		center.equal(len(pending()), 0)
		center.equal(states(types.AggregatedSourceStatusTypeSucceeded), "["+spokeA+" eu-west-1 SUCCEEDED]")
		if shown() == 0 {
			t.Fatal("nothing is shown after the authorization")
		}
		withdraw := func() {
			_, err := spoke.aws.DeleteAggregationAuthorization(t.Context(), &configservice.DeleteAggregationAuthorizationInput{
				AuthorizedAccountId: new(hub), AuthorizedAwsRegion: new("eu-west-1")})
			spoke.must(err)
		}
		withdraw()
		withdraw()
		center.equal(shown(), 0)
		center.equal(pending(), "["+hub+"/eu-west-1]")

		other := open(t, p.As(spokeB, "us-east-1"))
		_, err = other.aggregator("x", []string{spokeA})
		other.must(err)
		_, err = other.aggregator("y", []string{spokeA})
		other.must(err)
		_, err = other.aggregator("z", []string{spokeA}, "ap-south-1")
		other.must(err)
		center.equal(pending(), "["+hub+"/eu-west-1 "+spokeB+"/us-east-1]")
		refuse := func(account, region string) {
			_, err := spoke.aws.DeletePendingAggregationRequest(t.Context(), &configservice.DeletePendingAggregationRequestInput{
				RequesterAccountId: &account, RequesterAwsRegion: &region})
			spoke.must(err)
		}
		refuse(hub, "eu-west-1")
		refuse("444444444444", "eu-west-1")
		center.equal(pending(), "["+spokeB+"/us-east-1]")
		_, err = center.aggregator("all", []string{spokeA}, "eu-west-1")
		center.must(err)
		center.equal(pending(), "["+hub+"/eu-west-1 "+spokeB+"/us-east-1]")
	})
}

func TestAuthorizationsArePagedAndTagged(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		a := open(t, p.As(spokeA, "eu-west-1"))
		put := func(account, region, tag string) (*types.AggregationAuthorization, error) {
			out, err := a.aws.PutAggregationAuthorization(t.Context(), &configservice.PutAggregationAuthorizationInput{
				AuthorizedAccountId: &account, AuthorizedAwsRegion: &region, Tags: []types.Tag{{Key: new("k"), Value: &tag}}})
			if err != nil {
				return nil, err
			}
			return out.AggregationAuthorization, nil
		}
		first, err := put(hub, "us-east-1", "one")
		a.must(err)
		a.equal(*first.AggregationAuthorizationArn, "arn:aws:config:eu-west-1:"+spokeA+":aggregation-authorization/"+hub+"/us-east-1")
		again, err := put(hub, "us-east-1", "two")
		a.must(err)
		a.equal(*again.CreationTime, *first.CreationTime)
		tags, err := a.aws.ListTagsForResource(t.Context(), &configservice.ListTagsForResourceInput{ResourceArn: first.AggregationAuthorizationArn})
		a.must(err)
		a.equal(*tags.Tags[0].Value, "one")
		for _, whom := range [][2]string{{spokeB, "eu-west-1"}, {hub, "eu-west-1"}, {spokeB, "ap-south-1"}} {
			_, err := put(whom[0], whom[1], "x")
			a.must(err)
		}
		var got []string
		pages := configservice.NewDescribeAggregationAuthorizationsPaginator(a.aws, &configservice.DescribeAggregationAuthorizationsInput{Limit: 1})
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			a.must(err)
			for _, u := range page.AggregationAuthorizations {
				got = append(got, *u.AuthorizedAccountId+"/"+*u.AuthorizedAwsRegion)
			}
		}
		if len(got) != 4 || !slices.IsSorted(got) {
			t.Fatal(got)
		}
		_, err = put("12", "eu-west-1", "x")
		a.refused(err, "ValidationException", "authorizedAccountId")
		_, err = put(hub, "mars", "x")
		a.refused(err, "InvalidParameterValueException", "mars")
		_, err = a.aws.DescribeAggregationAuthorizations(t.Context(), &configservice.DescribeAggregationAuthorizationsInput{NextToken: new("AAAA")})
		a.refused(err, "InvalidNextTokenException", "")
		_, err = a.aws.DescribePendingAggregationRequests(t.Context(), &configservice.DescribePendingAggregationRequestsInput{Limit: 21})
		a.refused(err, "InvalidLimitException", "20")
	})
}
