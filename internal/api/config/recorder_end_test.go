package config_test

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"plumb/internal/apptest"
)

// names lists the recorders of the account, page by page.
func (a account) names(filters ...types.ConfigurationRecorderFilter) (names []string) {
	a.t.Helper()
	pages := configservice.NewListConfigurationRecordersPaginator(a.aws, &configservice.ListConfigurationRecordersInput{MaxResults: new(int32(1)), Filters: filters})
	for pages.HasMorePages() {
		out, err := pages.NextPage(a.t.Context())
		a.must(err)
		if len(out.ConfigurationRecorderSummaries) > 1 {
			a.t.Fatalf("a page of one has %d", len(out.ConfigurationRecorderSummaries))
		}
		for _, r := range out.ConfigurationRecorderSummaries {
			names = append(names, *r.Name)
		}
	}
	slices.Sort(names)
	return names
}

func TestDeletedRecorderIsGoneAndItsItemsStay(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		a := open(t, p)
		ctx := t.Context()
		_, err := a.aws.DeleteConfigurationRecorder(ctx, &configservice.DeleteConfigurationRecorderInput{ConfigurationRecorderName: new("default")})
		a.refused(err, "NoSuchConfigurationRecorderException", "default")
		a.running()
		a.push("car", `{"wheels":4}`)
		_, err = a.aws.DeleteConfigurationRecorder(ctx, &configservice.DeleteConfigurationRecorderInput{ConfigurationRecorderName: new("default")})
		a.must(err)
		a.Drain(t)
		a.equal(a.names(), []string{})
		list, err := a.aws.ListDiscoveredResources(ctx, &configservice.ListDiscoveredResourcesInput{ResourceType: custom})
		a.must(err)
		a.equal(len(list.ResourceIdentifiers), 1)
		batch, err := a.aws.BatchGetResourceConfig(ctx, &configservice.BatchGetResourceConfigInput{ResourceKeys: []types.ResourceKey{{ResourceType: custom, ResourceId: new("car")}}})
		a.must(err)
		a.equal(len(batch.BaseConfigurationItems), 1)
		_, err = a.aws.GetResourceConfigHistory(ctx, &configservice.GetResourceConfigHistoryInput{ResourceType: custom, ResourceId: new("bike")})
		a.refused(err, "NoAvailableConfigurationRecorderException", "")
		history, err := a.aws.GetResourceConfigHistory(ctx, &configservice.GetResourceConfigHistoryInput{
			ResourceType: types.ResourceType(custom), ResourceId: new("car"),
		})
		a.must(err)
		a.equal(len(history.ConfigurationItems), 1)
		a.recorder() // there may be one again
		a.equal(a.names(), []string{"default"})
	})
}

func TestServiceLinkedRecorderIsListedAndDeletedByItsPrincipal(t *testing.T) {
	a := open(t, apptest.Start(t))
	ctx := t.Context()
	a.recorder()
	principal := "securityhub.amazonaws.com"
	put, err := a.aws.PutServiceLinkedConfigurationRecorder(ctx, &configservice.PutServiceLinkedConfigurationRecorderInput{ServicePrincipal: &principal})
	a.must(err)
	a.equal(a.names(), []string{*put.Name, "default"})
	a.equal(a.names(types.ConfigurationRecorderFilter{
		FilterName: types.ConfigurationRecorderFilterNameRecordingScope, FilterValue: []string{"INTERNAL"},
	}), []string{*put.Name})
	deleted, err := a.aws.DeleteServiceLinkedConfigurationRecorder(ctx, &configservice.DeleteServiceLinkedConfigurationRecorderInput{ServicePrincipal: &principal})
	a.must(err)
	a.equal(*deleted.Arn+" "+*deleted.Name, *put.Arn+" "+*put.Name)
	a.equal(a.names(), []string{"default"})
	_, err = a.aws.DeleteServiceLinkedConfigurationRecorder(ctx, &configservice.DeleteServiceLinkedConfigurationRecorderInput{ServicePrincipal: &principal})
	a.refused(err, "NoSuchConfigurationRecorderException", principal)
}

func TestDisassociatedTypesAreRecordedNoMore(t *testing.T) {
	a := open(t, apptest.Start(t))
	ctx := t.Context()
	_, err := a.aws.PutConfigurationRecorder(ctx, &configservice.PutConfigurationRecorderInput{ConfigurationRecorder: &types.ConfigurationRecorder{
		Name: new("default"), RoleARN: new(role),
		RecordingGroup: &types.RecordingGroup{ResourceTypes: []types.ResourceType{types.ResourceTypeBucket, types.ResourceTypeVpc}},
	}})
	a.must(err)
	list, err := a.aws.ListConfigurationRecorders(ctx, nil)
	a.must(err)
	recorder := list.ConfigurationRecorderSummaries[0].Arn
	out, err := a.aws.DisassociateResourceTypes(ctx, &configservice.DisassociateResourceTypesInput{
		ConfigurationRecorderArn: recorder, ResourceTypes: []types.ResourceType{types.ResourceTypeVpc},
	})
	a.must(err)
	a.equal(out.ConfigurationRecorder.RecordingGroup.ResourceTypes, []types.ResourceType{types.ResourceTypeBucket})
	described, err := a.aws.DescribeConfigurationRecorders(ctx, nil)
	a.must(err)
	a.equal(described.ConfigurationRecorders[0].RecordingGroup.ResourceTypes, []types.ResourceType{types.ResourceTypeBucket})
	_, err = a.aws.DisassociateResourceTypes(ctx, &configservice.DisassociateResourceTypesInput{
		ConfigurationRecorderArn: new(*recorder + "x"), ResourceTypes: []types.ResourceType{types.ResourceTypeVpc},
	})
	a.refused(err, "NoSuchConfigurationRecorderException", "")
}

func TestTagsAreAddedOverwrittenAndRemoved(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		a := open(t, p)
		ctx := t.Context()
		a.recorder()
		list, err := a.aws.ListConfigurationRecorders(ctx, nil)
		a.must(err)
		on := list.ConfigurationRecorderSummaries[0].Arn
		tag := func(pairs ...string) error {
			in := &configservice.TagResourceInput{ResourceArn: on}
			for i := 0; i < len(pairs); i += 2 {
				in.Tags = append(in.Tags, types.Tag{Key: &pairs[i], Value: &pairs[i+1]})
			}
			_, err := a.aws.TagResource(ctx, in)
			return err
		}
		tags := func() string {
			out, err := a.aws.ListTagsForResource(ctx, &configservice.ListTagsForResourceInput{ResourceArn: on})
			a.must(err)
			text := ""
			for _, t := range out.Tags {
				text += *t.Key + "=" + *t.Value + " "
			}
			return text
		}
		a.must(tag("team", "one", "stage", "test"))
		a.must(tag("team", "two"))
		a.equal(tags(), "stage=test team=two ")
		_, err = a.aws.UntagResource(ctx, &configservice.UntagResourceInput{ResourceArn: on, TagKeys: []string{"stage", "absent"}})
		a.must(err)
		a.equal(tags(), "team=two ")
		a.refused(tag("aws:mine", "x"), "ValidationException", "aws:")
		a.must(tag("Größe 1_.:/=+-@", "<any>"))
		_, err = a.aws.UntagResource(ctx, &configservice.UntagResourceInput{ResourceArn: on, TagKeys: []string{"Größe 1_.:/=+-@"}})
		a.must(err)
		a.refused(tag("fine", "x", "a#b", "x"), "ValidationException", "Value 'a#b' at 'tags.2.member.key' failed to satisfy constraint: Member must satisfy regular expression pattern")
		_, err = a.aws.TagResource(ctx, &configservice.TagResourceInput{ResourceArn: on, Tags: []types.Tag{{Value: new("x")}}})
		a.refused(err, "ValidationException", "Value null at 'tags.1.member.key' failed to satisfy constraint: Member must not be null")
		a.equal(tags(), "team=two ")
		on = new(*on + "x")
		a.refused(tag("team", "three"), "ResourceNotFoundException", "does not exist")
		_, err = a.aws.UntagResource(ctx, &configservice.UntagResourceInput{ResourceArn: on, TagKeys: []string{"team"}})
		a.refused(err, "ResourceNotFoundException", "does not exist")
	})
}
