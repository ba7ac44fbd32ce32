package config_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"plumb/internal/apptest"
)

func TestHistoryIsReadInPagesBothWays(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		a := open(t, p)
		a.running()
		for n := range 12 {
			a.push("car", fmt.Sprintf(`{"n":%d}`, n))
		}
		a.equal(a.walk(types.ChronologicalOrderForward), "[0 1 2 3 4 5 6 7 8 9 10 11]")
		a.equal(a.walk(types.ChronologicalOrderReverse), "[11 10 9 8 7 6 5 4 3 2 1 0]")
	})
}

func (a account) walk(order types.ChronologicalOrder) (seen []string) {
	a.t.Helper()
	in := &configservice.GetResourceConfigHistoryInput{ResourceType: custom, ResourceId: new("car"), ChronologicalOrder: order, Limit: 5}
	for {
		out, err := a.aws.GetResourceConfigHistory(a.t.Context(), in)
		a.must(err)
		for _, it := range out.ConfigurationItems {
			var n int
			fmt.Sscanf(*it.Configuration, `{"n":%d}`, &n)
			seen = append(seen, fmt.Sprint(n))
		}
		if out.NextToken == nil {
			return seen
		}
		in.NextToken = out.NextToken
	}
}

func TestLaterTimeCoversItsWholeSecond(t *testing.T) {
	a := open(t, apptest.Start(t))
	a.Clock().Freeze(time.Date(2026, 3, 1, 12, 0, 0, 750e6, time.UTC))
	a.running()
	a.push("car", `{"n":1}`)
	for later, want := range map[time.Time]int{
		time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC):     1, // boto3 cut the fraction
		time.Date(2026, 3, 1, 12, 0, 0, 750e6, time.UTC): 1,
		time.Date(2026, 3, 1, 12, 0, 0, 500e6, time.UTC): 0,
	} {
		out, err := a.aws.GetResourceConfigHistory(t.Context(), &configservice.GetResourceConfigHistoryInput{
			ResourceType: custom, ResourceId: new("car"), LaterTime: &later, Limit: 1,
		})
		a.must(err)
		a.equal(len(out.ConfigurationItems), want)
	}
}

func TestItemHasTheSpellingOfTheAPI(t *testing.T) {
	a := open(t, apptest.Start(t))
	a.running()
	a.push("car", `{"n":1,"big":9007199254740993,"f":1.5}`)
	out, err := a.aws.GetResourceConfigHistory(t.Context(), &configservice.GetResourceConfigHistoryInput{ResourceType: custom, ResourceId: new("car")})
	a.must(err)
	it := out.ConfigurationItems[0]
	a.equal(*it.Configuration, `{"big":9007199254740993,"f":1.5,"n":1}`)
	a.equal(it.ConfigurationItemStatus, types.ConfigurationItemStatusResourceDiscovered)
	a.equal(*it.Version, "1.3")
	a.equal(*it.ConfigurationItemMD5Hash, "")
	a.equal(*it.ConfigurationStateId, fmt.Sprint(it.ConfigurationItemCaptureTime.UnixMilli()))
	if it.Tags == nil || it.Relationships == nil || it.RelatedEvents == nil || it.SupplementaryConfiguration == nil || it.Arn != nil {
		t.Fatalf("got %+v", it)
	}
}

func TestBatchGetReturnsWhatIsThereAndNamesTheRest(t *testing.T) {
	a := open(t, apptest.Start(t))
	a.running()
	a.push("car", `{"n":1}`)
	a.push("gone", `{"n":1}`)
	_, err := a.aws.DeleteResourceConfig(t.Context(), &configservice.DeleteResourceConfigInput{ResourceType: new(custom), ResourceId: new("gone")})
	a.must(err)
	out, err := a.aws.BatchGetResourceConfig(t.Context(), &configservice.BatchGetResourceConfigInput{ResourceKeys: []types.ResourceKey{
		{ResourceType: custom, ResourceId: new("car")}, {ResourceType: custom, ResourceId: new("gone")}, {ResourceType: custom, ResourceId: new("never")},
	}})
	a.must(err)
	a.equal(len(out.BaseConfigurationItems), 1)
	a.equal(len(out.UnprocessedResourceKeys), 2)
}

func TestReadsWithoutARecorderOrAResourceSaySo(t *testing.T) {
	a := open(t, apptest.Start(t))
	history := func() error {
		_, err := a.aws.GetResourceConfigHistory(t.Context(), &configservice.GetResourceConfigHistoryInput{ResourceType: custom, ResourceId: new("car")})
		return err
	}
	a.refused(history(), "NoAvailableConfigurationRecorderException", "")
	_, err := a.aws.ListDiscoveredResources(t.Context(), &configservice.ListDiscoveredResourcesInput{ResourceType: custom})
	a.refused(err, "NoAvailableConfigurationRecorderException", "")
	_, err = a.aws.PutResourceConfig(t.Context(), &configservice.PutResourceConfigInput{
		ResourceType: new(custom), SchemaVersionId: new("1"), ResourceId: new("x"), Configuration: new("{}")})
	a.refused(err, "NoRunningConfigurationRecorderException", "")
	a.running()
	a.refused(history(), "ResourceNotDiscoveredException", "is unknown or has not been discovered")
	_, err = a.aws.PutResourceConfig(t.Context(), &configservice.PutResourceConfigInput{
		ResourceType: new("Acme::X::Y"), SchemaVersionId: new("1"), ResourceId: new("x"), Configuration: new("{}")})
	a.refused(err, "ValidationException", "Value 'Acme::X::Y' at 'resourceType' failed to satisfy constraint") // nor could it be read
	_, err = a.aws.PutResourceConfig(t.Context(), &configservice.PutResourceConfigInput{
		ResourceType: new("Amzn::Web::Site"), SchemaVersionId: new("1"), ResourceId: new("x"), Configuration: new("{}")})
	a.refused(err, "ValidationException", "You cannot use the organization name 'Amzn' with custom resource types.")
	_, err = a.aws.PutResourceConfig(t.Context(), &configservice.PutResourceConfigInput{
		ResourceType: new(custom), SchemaVersionId: new("1"), ResourceId: new("x"), Configuration: new("[]")})
	a.refused(err, "ValidationException", "not a JSON object")
	_, err = a.aws.DeleteResourceConfig(t.Context(), &configservice.DeleteResourceConfigInput{ResourceType: new("AWS::Config::ConfigurationRecorder"), ResourceId: new("default")})
	a.refused(err, "ValidationException", "You cannot use the organization name 'AWS' with custom resource types.") // Config records it itself
	_, err = a.aws.DeleteResourceConfig(t.Context(), &configservice.DeleteResourceConfigInput{ResourceType: new("car"), ResourceId: new("x")})
	a.refused(err, "ValidationException", "Value 'car' at 'resourceType' failed to satisfy constraint")
	_, err = a.aws.ListDiscoveredResources(t.Context(), &configservice.ListDiscoveredResourcesInput{ResourceType: custom, Limit: 101})
	a.refused(err, "InvalidLimitException", "Member must have value less than or equal to 100")
}

func TestDiscoveredResourcesAreListedAndCounted(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		a := open(t, p)
		a.running()
		for n := range 7 {
			a.push(fmt.Sprint("car-", n), `{"n":1}`)
		}
		_, err := a.aws.DeleteResourceConfig(t.Context(), &configservice.DeleteResourceConfigInput{ResourceType: new(custom), ResourceId: new("car-3")})
		a.must(err)
		list := func(all bool) (ids []string) {
			pages := configservice.NewListDiscoveredResourcesPaginator(a.aws, &configservice.ListDiscoveredResourcesInput{
				ResourceType: custom, Limit: 2, IncludeDeletedResources: all})
			for pages.HasMorePages() {
				out, err := pages.NextPage(t.Context())
				a.must(err)
				for _, r := range out.ResourceIdentifiers {
					ids = append(ids, *r.ResourceId)
				}
			}
			return ids
		}
		a.equal(list(false), "[car-0 car-1 car-2 car-4 car-5 car-6]")
		a.equal(list(true), "[car-0 car-1 car-2 car-3 car-4 car-5 car-6]")
		counts, err := a.aws.GetDiscoveredResourceCounts(t.Context(), &configservice.GetDiscoveredResourceCountsInput{ResourceTypes: []string{custom}})
		a.must(err)
		a.equal(counts.TotalDiscoveredResources, 6)
	})
}

func TestAccountsAndRegionsAreWalls(t *testing.T) {
	p := apptest.Start(t)
	a := open(t, p)
	a.running()
	a.push("car", `{"n":1}`)
	for _, other := range []account{open(t, p.As("999999999999", p.Region())), open(t, p.As(p.Account(), "eu-central-1"))} {
		other.recorder()
		out, err := other.aws.ListDiscoveredResources(t.Context(), &configservice.ListDiscoveredResourcesInput{ResourceType: custom})
		a.must(err)
		a.equal(len(out.ResourceIdentifiers), 0)
	}
}

func TestATimeRangeOfNothingIsRefused(t *testing.T) {
	a := open(t, apptest.Start(t))
	a.running()
	a.push("car", `{"n":1}`)
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, later := range []time.Time{at, at.Add(-time.Second)} {
		_, err := a.aws.GetResourceConfigHistory(t.Context(), &configservice.GetResourceConfigHistoryInput{
			ResourceType: custom, ResourceId: new("car"), EarlierTime: &at, LaterTime: &later})
		a.refused(err, "InvalidTimeRangeException", "is not before the later time")
	}
}
