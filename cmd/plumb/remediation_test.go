package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"plumb/internal/apptest"
)

func TestADryRunPrintsWhatARemediationWouldDoAndDoesNothing(t *testing.T) {
	p := apptest.Start(t)
	ctx, c := t.Context(), p.Config()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := p.S3().CreateBucket(ctx, &s3.CreateBucketInput{Bucket: new("logs")})
	must(err)
	_, err = c.PutConfigurationRecorder(ctx, &configservice.PutConfigurationRecorderInput{ConfigurationRecorder: &types.ConfigurationRecorder{
		Name: new("default"), RoleARN: new("arn:aws:iam::123456789012:role/config")}})
	must(err)
	_, err = c.PutDeliveryChannel(ctx, &configservice.PutDeliveryChannelInput{DeliveryChannel: &types.DeliveryChannel{Name: new("default"), S3BucketName: new("logs")}})
	must(err)
	_, err = c.StartConfigurationRecorder(ctx, &configservice.StartConfigurationRecorderInput{ConfigurationRecorderName: new("default")})
	must(err)
	_, err = c.PutConfigRule(ctx, &configservice.PutConfigRuleInput{ConfigRule: &types.ConfigRule{ConfigRuleName: new("versioned"),
		Source: &types.Source{Owner: types.OwnerAws, SourceIdentifier: new("S3_BUCKET_VERSIONING_ENABLED")}}})
	must(err)
	p.Drain(t)
	run := func(args ...string) (string, int) {
		var out, errOut bytes.Buffer
		status := run(ctx, append([]string{"remediation", "dry-run", "--endpoint", p.URL(), "--region", p.Region()}, args...), nil, &out, &errOut)
		return out.String() + errOut.String(), status
	}
	if out, status := run("versioned"); status != 1 || !strings.Contains(out, "has no remediation configuration") {
		t.Error(status, out)
	}
	put, err := c.PutRemediationConfigurations(ctx, &configservice.PutRemediationConfigurationsInput{RemediationConfigurations: []types.RemediationConfiguration{{
		ConfigRuleName: new("versioned"), TargetType: types.RemediationTargetTypeSsmDocument, TargetId: new("AWS-ConfigureS3BucketVersioning"),
		Parameters: map[string]types.RemediationParameterValue{
			"BucketName":           {ResourceValue: &types.ResourceValue{Value: types.ResourceValueTypeResourceId}},
			"VersioningState":      {StaticValue: &types.StaticValue{Values: []string{"Enabled"}}},
			"AutomationAssumeRole": {StaticValue: &types.StaticValue{Values: []string{"arn:aws:iam::123456789012:role/fix"}}},
		}}}})
	must(err)
	if len(put.FailedBatches) > 0 {
		t.Fatal(*put.FailedBatches[0].FailureMessage)
	}
	out, status := run("versioned")
	if want := "AWS::S3::Bucket logs, by AWS-ConfigureS3BucketVersioning:\n   1. "; status != 0 || !strings.HasPrefix(out, want) ||
		!strings.Contains(out, `"Bucket":"logs"`) || !strings.Contains(out, `"Status":"Enabled"`) {
		t.Errorf("status %d\n%s", status, out)
	}
	if out, status := run("versioned", "--resource", "other"); status != 1 || !strings.Contains(out, "has no result on the resource other") {
		t.Error(status, out)
	}
	p.Drain(t)
	v, err := p.S3().GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: new("logs")})
	must(err)
	if v.Status != "" {
		t.Errorf("the dry run made versioning %s", v.Status)
	}
}
