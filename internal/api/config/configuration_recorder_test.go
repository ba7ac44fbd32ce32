package config_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"plumb/internal/apptest"
)

func TestRecordingGroupIsCheckedAndKeptInItsNormalForm(t *testing.T) {
	a := open(t, apptest.Start(t))
	bucket, vpc := []types.ResourceType{types.ResourceTypeBucket}, []types.ResourceType{types.ResourceTypeVpc}
	excluding := func(t []types.ResourceType) *types.ExclusionByResourceTypes {
		return &types.ExclusionByResourceTypes{ResourceTypes: t}
	}
	only := func(s types.RecordingStrategyType) *types.RecordingStrategy {
		return &types.RecordingStrategy{UseOnly: s}
	}
	for name, c := range map[string]struct {
		group *types.RecordingGroup
		want  types.RecordingStrategyType // empty: refused
	}{
		"absent":                     {nil, types.RecordingStrategyTypeAllSupportedResourceTypes},
		"empty":                      {&types.RecordingGroup{}, ""},
		"everything":                 {&types.RecordingGroup{AllSupported: true, IncludeGlobalResourceTypes: true}, types.RecordingStrategyTypeAllSupportedResourceTypes},
		"everything and a type":      {&types.RecordingGroup{AllSupported: true, ResourceTypes: bucket}, ""},
		"everything but a type":      {&types.RecordingGroup{AllSupported: true, ExclusionByResourceTypes: excluding(bucket)}, ""},
		"everything by inclusion":    {&types.RecordingGroup{AllSupported: true, RecordingStrategy: only(types.RecordingStrategyTypeInclusionByResourceTypes)}, ""},
		"a type":                     {&types.RecordingGroup{ResourceTypes: bucket}, types.RecordingStrategyTypeInclusionByResourceTypes},
		"a type and global ones":     {&types.RecordingGroup{ResourceTypes: bucket, IncludeGlobalResourceTypes: true}, ""},
		"a type but another":         {&types.RecordingGroup{ResourceTypes: bucket, ExclusionByResourceTypes: excluding(vpc)}, ""},
		"exclusion":                  {&types.RecordingGroup{ExclusionByResourceTypes: excluding(vpc), RecordingStrategy: only(types.RecordingStrategyTypeExclusionByResourceTypes)}, types.RecordingStrategyTypeExclusionByResourceTypes},
		"exclusion without strategy": {&types.RecordingGroup{ExclusionByResourceTypes: excluding(vpc)}, ""},
		"exclusion of nothing":       {&types.RecordingGroup{RecordingStrategy: only(types.RecordingStrategyTypeExclusionByResourceTypes)}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			a := account{a.Plumb, t, a.aws}
			_, err := a.aws.PutConfigurationRecorder(t.Context(), &configservice.PutConfigurationRecorderInput{
				ConfigurationRecorder: &types.ConfigurationRecorder{Name: new("default"), RoleARN: new(role), RecordingGroup: c.group},
			})
			if c.want == "" {
				a.refused(err, "InvalidRecordingGroupException", "The recording group provided is not valid")
				return
			}
			a.must(err)
			out, err := a.aws.DescribeConfigurationRecorders(t.Context(), &configservice.DescribeConfigurationRecordersInput{})
			a.must(err)
			group := out.ConfigurationRecorders[0].RecordingGroup
			a.equal(group.RecordingStrategy.UseOnly, c.want)
			if group.ResourceTypes == nil || group.ExclusionByResourceTypes == nil {
				t.Fatalf("a member is missing: %+v", group)
			}
		})
	}
}

func TestWhatConfigSaysOfComplianceIsNotDaily(t *testing.T) {
	a := open(t, apptest.Start(t))
	for _, daily := range []types.ResourceType{types.ResourceTypeResourceCompliance, types.ResourceTypeConformancePackCompliance} {
		_, err := a.aws.PutConfigurationRecorder(t.Context(), &configservice.PutConfigurationRecorderInput{ConfigurationRecorder: &types.ConfigurationRecorder{
			Name: new("default"), RoleARN: new(role), RecordingMode: &types.RecordingMode{
				RecordingFrequency:     types.RecordingFrequencyContinuous,
				RecordingModeOverrides: []types.RecordingModeOverride{{ResourceTypes: []types.ResourceType{daily}, RecordingFrequency: types.RecordingFrequencyDaily}},
			},
		}})
		a.refused(err, "ValidationException", string(daily)+" cannot be recorded with the frequency DAILY")
	}
}

func TestRecorderIsOneOfAPlaceAndNeedsAChannelToStart(t *testing.T) {
	a := open(t, apptest.Start(t))
	_, err := a.aws.StartConfigurationRecorder(t.Context(), &configservice.StartConfigurationRecorderInput{ConfigurationRecorderName: new("default")})
	a.refused(err, "NoSuchConfigurationRecorderException", "Cannot find configuration recorder with the specified name 'default'.")
	a.recorder()
	_, err = a.aws.PutConfigurationRecorder(t.Context(), &configservice.PutConfigurationRecorderInput{
		ConfigurationRecorder: &types.ConfigurationRecorder{Name: new("other"), RoleARN: new(role)},
	})
	a.refused(err, "MaxNumberOfConfigurationRecordersExceededException", "configuration recorders: 1 is reached")
	_, err = a.aws.StartConfigurationRecorder(t.Context(), &configservice.StartConfigurationRecorderInput{ConfigurationRecorderName: new("default")})
	a.refused(err, "NoAvailableDeliveryChannelException", "Delivery channel is not available to start configuration recorder.")
	_, err = a.aws.PutConfigurationRecorder(t.Context(), &configservice.PutConfigurationRecorderInput{
		ConfigurationRecorder: &types.ConfigurationRecorder{Name: new("default"), RoleARN: new("me")},
	})
	a.refused(err, "InvalidRoleException", "'me'")
}

func TestRecorderStatusFollowsItsLife(t *testing.T) {
	a := open(t, apptest.Start(t))
	status := func() types.ConfigurationRecorderStatus {
		t.Helper()
		out, err := a.aws.DescribeConfigurationRecorderStatus(t.Context(), &configservice.DescribeConfigurationRecorderStatusInput{})
		a.must(err)
		return out.ConfigurationRecordersStatus[0]
	}
	a.recorder()
	if s := status(); s.Recording || s.LastStatus != "" || s.LastStartTime != nil {
		t.Fatalf("before the start: %+v", s)
	}
	a.running()
	if s := status(); !s.Recording || s.LastStatus != "SUCCESS" || s.LastStartTime == nil {
		t.Fatalf("running: %+v", s)
	}
	_, err := a.aws.StopConfigurationRecorder(t.Context(), &configservice.StopConfigurationRecorderInput{ConfigurationRecorderName: new("default")})
	a.must(err)
	if s := status(); s.Recording || s.LastStatus != "SUCCESS" || s.LastStopTime == nil {
		t.Fatalf("stopped: %+v", s)
	}
}

func TestServiceLinkedRecorderIsSeenOnlyWhenAskedFor(t *testing.T) {
	a := open(t, apptest.Start(t))
	put, err := a.aws.PutServiceLinkedConfigurationRecorder(t.Context(), &configservice.PutServiceLinkedConfigurationRecorderInput{
		ServicePrincipal: new("securityhub.amazonaws.com"),
	})
	a.must(err)
	out, err := a.aws.DescribeConfigurationRecorders(t.Context(), &configservice.DescribeConfigurationRecordersInput{})
	a.must(err)
	a.equal(len(out.ConfigurationRecorders), 0)
	out, err = a.aws.DescribeConfigurationRecorders(t.Context(), &configservice.DescribeConfigurationRecordersInput{ServicePrincipal: new("securityhub.amazonaws.com")})
	a.must(err)
	a.equal(*out.ConfigurationRecorders[0].Name, "AWSConfigurationRecorderForSecurityHubCSPM")
	_, err = a.aws.StopConfigurationRecorder(t.Context(), &configservice.StopConfigurationRecorderInput{ConfigurationRecorderName: put.Name})
	a.refused(err, "UnmodifiableEntityException", *put.Name)
	_, err = a.aws.PutServiceLinkedConfigurationRecorder(t.Context(), &configservice.PutServiceLinkedConfigurationRecorderInput{
		ServicePrincipal: new("securityhub.amazonaws.com"),
	})
	a.refused(err, "ConflictException", "already")
}

func TestTypesAreAssociatedByTheStrategyOfTheGroup(t *testing.T) {
	a := open(t, apptest.Start(t))
	_, err := a.aws.PutConfigurationRecorder(t.Context(), &configservice.PutConfigurationRecorderInput{
		ConfigurationRecorder: &types.ConfigurationRecorder{Name: new("default"), RoleARN: new(role),
			RecordingGroup: &types.RecordingGroup{ResourceTypes: []types.ResourceType{types.ResourceTypeBucket}}},
	})
	a.must(err)
	described, err := a.aws.DescribeConfigurationRecorders(t.Context(), &configservice.DescribeConfigurationRecordersInput{})
	a.must(err)
	out, err := a.aws.AssociateResourceTypes(t.Context(), &configservice.AssociateResourceTypesInput{
		ConfigurationRecorderArn: described.ConfigurationRecorders[0].Arn, ResourceTypes: []types.ResourceType{types.ResourceTypeVpc, types.ResourceTypeVpc},
	})
	a.must(err)
	a.equal(out.ConfigurationRecorder.RecordingGroup.ResourceTypes, "[AWS::S3::Bucket AWS::EC2::VPC]")
	_, err = a.aws.AssociateResourceTypes(t.Context(), &configservice.AssociateResourceTypesInput{
		ConfigurationRecorderArn: described.ConfigurationRecorders[0].Arn, ResourceTypes: []types.ResourceType{types.ResourceTypeVpc},
	})
	a.refused(err, "ValidationException", "already associated")
}
