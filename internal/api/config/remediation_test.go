package config_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"plumb/internal/apptest"
)

func resourceID() types.RemediationParameterValue {
	return types.RemediationParameterValue{ResourceValue: &types.ResourceValue{Value: types.ResourceValueTypeResourceId}}
}

func static(values ...string) types.RemediationParameterValue {
	return types.RemediationParameterValue{StaticValue: &types.StaticValue{Values: values}}
}

// versioning is the remediation of buckets whose versioning is off.
func versioning(automatic bool) types.RemediationConfiguration {
	return types.RemediationConfiguration{
		ConfigRuleName: new("versioned"), TargetType: types.RemediationTargetTypeSsmDocument, TargetId: new("AWS-ConfigureS3BucketVersioning"),
		Parameters: map[string]types.RemediationParameterValue{
			"BucketName": resourceID(), "VersioningState": static("Enabled"), "AutomationAssumeRole": static(role),
		},
		Automatic: automatic, MaximumAutomaticAttempts: new(int32(5)), RetryAttemptSeconds: new(int64(60)),
	}
}

// failing is one whose document cannot succeed.
func failing(automatic bool) types.RemediationConfiguration {
	c := versioning(automatic)
	c.TargetId = new("AWS-ConfigureS3BucketLogging")
	c.Parameters = map[string]types.RemediationParameterValue{
		"BucketName": resourceID(), "TargetBucket": static("nowhere"), "GrantedPermission": static("READ"), "GranteeType": static("Group"),
		"GranteeUri": static("http://acs.amazonaws.com/groups/s3/LogDelivery"), "AutomationAssumeRole": static(role),
	}
	return c
}

func (a account) putRemediation(c types.RemediationConfiguration) {
	a.t.Helper()
	out, err := a.aws.PutRemediationConfigurations(a.t.Context(), &configservice.PutRemediationConfigurationsInput{
		RemediationConfigurations: []types.RemediationConfiguration{c},
	})
	a.must(err)
	for _, f := range out.FailedBatches {
		a.t.Fatal(*f.FailureMessage)
	}
}

// suspended makes a bucket whose versioning is suspended, and a rule that it does
// not comply with.
func (a account) suspended(buckets ...string) {
	a.t.Helper()
	a.running()
	for _, b := range append(buckets, "deliveries") {
		if b != "deliveries" {
			_, err := a.S3().CreateBucket(a.t.Context(), &s3.CreateBucketInput{Bucket: &b})
			a.must(err)
		}
		status := s3types.BucketVersioningStatusSuspended
		if b == "deliveries" {
			status = s3types.BucketVersioningStatusEnabled
		}
		_, err := a.S3().PutBucketVersioning(a.t.Context(), &s3.PutBucketVersioningInput{
			Bucket: &b, VersioningConfiguration: &s3types.VersioningConfiguration{Status: status},
		})
		a.must(err)
	}
	a.Drain(a.t)
	a.must(a.put(managed("versioned", "S3_BUCKET_VERSIONING_ENABLED")))
	a.Drain(a.t)
}

// verdict is what the rule says of a bucket.
func (a account) verdict(bucket string) types.ComplianceType {
	a.t.Helper()
	out, err := a.aws.GetComplianceDetailsByResource(a.t.Context(), &configservice.GetComplianceDetailsByResourceInput{
		ResourceType: new("AWS::S3::Bucket"), ResourceId: &bucket,
	})
	a.must(err)
	if len(out.EvaluationResults) == 0 {
		return "none"
	}
	return out.EvaluationResults[0].ComplianceType
}

func bucketKey(name string) types.ResourceKey {
	return types.ResourceKey{ResourceType: types.ResourceTypeBucket, ResourceId: &name}
}

func (a account) startRemediation(keys ...types.ResourceKey) *configservice.StartRemediationExecutionOutput {
	a.t.Helper()
	out, err := a.aws.StartRemediationExecution(a.t.Context(), &configservice.StartRemediationExecutionInput{ConfigRuleName: new("versioned"), ResourceKeys: keys})
	a.must(err)
	return out
}

func (a account) executions() []types.RemediationExecutionStatus {
	a.t.Helper()
	out, err := a.aws.DescribeRemediationExecutionStatus(a.t.Context(), &configservice.DescribeRemediationExecutionStatusInput{ConfigRuleName: new("versioned")})
	a.must(err)
	return out.RemediationExecutionStatuses
}

func (a account) exceptions() []types.RemediationException {
	a.t.Helper()
	out, err := a.aws.DescribeRemediationExceptions(a.t.Context(), &configservice.DescribeRemediationExceptionsInput{ConfigRuleName: new("versioned")})
	a.must(err)
	return out.RemediationExceptions
}

func TestSuspendedBucketIsPutRightWhenSomebodyAsks(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		a := open(t, p)
		a.suspended("bbb")
		a.putRemediation(versioning(false))
		a.equal(a.verdict("bbb"), types.ComplianceTypeNonCompliant)
		a.Drain(t)
		a.equal(len(a.executions()), 0)
		out := a.startRemediation(bucketKey("bbb"), bucketKey("deliveries"))
		a.equal(*out.FailedItems[0].ResourceId+": "+*out.FailureMessage, "deliveries: The resource is already compliant, or was not evaluated.")
		a.Drain(t)
		e := a.executions()[0]
		a.equal([]any{*e.ResourceKey.ResourceId, e.State, *e.StepDetails[0].Name, e.StepDetails[0].State}, "[bbb SUCCEEDED PutBucketVersioning SUCCEEDED]")
		if e.InvocationTime == nil || e.LastUpdatedTime == nil || e.StepDetails[0].StartTime == nil || e.StepDetails[0].StopTime == nil {
			t.Fatalf("times are missing: %+v", e)
		}
		v, err := a.S3().GetBucketVersioning(t.Context(), &s3.GetBucketVersioningInput{Bucket: new("bbb")})
		a.must(err)
		a.equal(v.Status, s3types.BucketVersioningStatusEnabled)
		a.equal(a.verdict("bbb"), types.ComplianceTypeCompliant)
		out = a.startRemediation(bucketKey("bbb"))
		a.equal(len(out.FailedItems), 1)
	})
}

func TestSuspendedBucketIsPutRightByItself(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		a := open(t, p)
		a.suspended("bbb", "ccc")
		a.putRemediation(versioning(true)) // puts right what does not comply already
		a.Drain(t)
		a.equal([]any{a.verdict("bbb"), a.verdict("ccc")}, "[COMPLIANT COMPLIANT]")
		_, err := a.S3().PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{
			Bucket: new("bbb"), VersioningConfiguration: &s3types.VersioningConfiguration{Status: s3types.BucketVersioningStatusSuspended},
		})
		a.must(err)
		p.Restart(t)
		a = open(t, p)
		a.Drain(t)
		a.equal(a.verdict("bbb"), types.ComplianceTypeCompliant)
		a.equal(len(a.exceptions()), 0)
		history, err := a.aws.GetResourceConfigHistory(t.Context(), &configservice.GetResourceConfigHistoryInput{
			ResourceType: types.ResourceTypeBucket, ResourceId: new("bbb"),
		})
		a.must(err)
		if newest := history.ConfigurationItems[0].SupplementaryConfiguration["BucketVersioningConfiguration"]; !strings.Contains(newest, "Enabled") {
			t.Fatalf("the newest item says %s", newest)
		}
	})
}

func TestRemediationThatFailsIsTriedAgainAndThenAnException(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		a := open(t, p)
		a.suspended("bbb")
		a.putRemediation(failing(true))
		a.Drain(t)
		e := a.executions()[0]
		a.equal(e.State, types.RemediationExecutionStateFailed)
		last := e.StepDetails[len(e.StepDetails)-1]
		a.equal([]any{*last.Name, last.State}, "[PutBucketLoggingByUri FAILED]")
		if !strings.Contains(*last.ErrorMessage, "when calling the PutBucketLogging operation") {
			t.Fatal(*last.ErrorMessage)
		}
		for range 5 {
			a.equal(len(a.exceptions()), 0)
			p.Clock().Advance(6 * time.Second)
			a.Drain(t)
		}
		a.equal(*a.exceptions()[0].ResourceId, "bbb")
		invoked := *a.executions()[0].InvocationTime
		p.Clock().Advance(time.Hour)
		a.Drain(t)
		a.equal(*a.executions()[0].InvocationTime, invoked) // nothing more
		a.equal(a.verdict("bbb"), types.ComplianceTypeNonCompliant)
	})
}

func TestExceptionHoldsBackWhatIsAutomaticUntilItExpires(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		a := open(t, p)
		a.suspended("bbb", "ccc")
		key := types.RemediationExceptionResourceKey{ResourceType: new("AWS::S3::Bucket"), ResourceId: new("bbb")}
		good := types.RemediationExceptionResourceKey{ResourceType: new("AWS::S3::Bucket"), ResourceId: new("deliveries")}
		put, err := a.aws.PutRemediationExceptions(t.Context(), &configservice.PutRemediationExceptionsInput{
			ConfigRuleName: new("versioned"), ResourceKeys: []types.RemediationExceptionResourceKey{key, good}, Message: new("later"),
			ExpirationTime: new(p.Clock().Now().Add(time.Hour)),
		})
		a.must(err)
		a.equal(*put.FailedBatches[0].FailedItems[0].ResourceId, "deliveries")
		a.putRemediation(versioning(true))
		a.Drain(t)
		a.equal([]any{a.verdict("bbb"), a.verdict("ccc")}, "[NON_COMPLIANT COMPLIANT]")
		a.equal(*a.exceptions()[0].Message, "later")
		p.Clock().Advance(61 * time.Minute)
		a.Drain(t)
		a.equal(len(a.exceptions()), 0)
		a.equal(a.verdict("bbb"), types.ComplianceTypeCompliant)
		_, err = a.aws.DeleteRemediationExceptions(t.Context(), &configservice.DeleteRemediationExceptionsInput{
			ConfigRuleName: new("versioned"), ResourceKeys: []types.RemediationExceptionResourceKey{key},
		})
		a.refused(err, "NoSuchRemediationExceptionException", "versioned")
		_, err = a.aws.PutRemediationExceptions(t.Context(), &configservice.PutRemediationExceptionsInput{
			ConfigRuleName: new("nobody"), ResourceKeys: []types.RemediationExceptionResourceKey{key},
		})
		a.refused(err, "InvalidParameterValueException", "nobody")
	})
}

func TestControlsBoundHowManyRunAndHowManyMayFail(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		a := open(t, p)
		var buckets []string
		for n := range 8 {
			buckets = append(buckets, fmt.Sprintf("bucket-%d", n))
		}
		a.suspended(buckets...)
		c := failing(true)
		c.ExecutionControls = &types.ExecutionControls{SsmControls: &types.SsmControls{
			ConcurrentExecutionRatePercentage: new(int32(13)), ErrorPercentage: new(int32(25)),
		}}
		a.putRemediation(c)
		a.Drain(t)
		ran, given := 0, 0
		for _, e := range a.executions() {
			a.equal(e.State, types.RemediationExecutionStateFailed)
			if *e.StepDetails[0].Name == "ErrorPercentage" {
				given++
			} else {
				ran++
			}
		}
		a.equal([]int{ran, given}, []int{3, 5}) // one at a time, until more than a quarter failed
		pages := configservice.NewDescribeRemediationExecutionStatusPaginator(a.aws, &configservice.DescribeRemediationExecutionStatusInput{
			ConfigRuleName: new("versioned"), Limit: 3,
		})
		seen := 0
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			a.must(err)
			seen += len(page.RemediationExecutionStatuses)
		}
		a.equal(seen, 8)
	})
}

func TestRemediationConfigurationsAreKeptAndRefused(t *testing.T) {
	a := open(t, apptest.Start(t))
	ctx := t.Context()
	a.suspended("bbb")
	a.putRemediation(versioning(false))
	out, err := a.aws.DescribeRemediationConfigurations(ctx, &configservice.DescribeRemediationConfigurationsInput{ConfigRuleNames: []string{"nobody", "versioned"}})
	a.must(err)
	got := out.RemediationConfigurations[0]
	a.equal([]any{len(out.RemediationConfigurations), *got.TargetId, got.Parameters["BucketName"].ResourceValue.Value, got.Parameters["VersioningState"].StaticValue.Values},
		"[1 AWS-ConfigureS3BucketVersioning RESOURCE_ID [Enabled]]")
	if !strings.Contains(*got.Arn, ":remediation-configuration/versioned/") {
		t.Fatal(*got.Arn)
	}
	for part, change := range map[string]func(*types.RemediationConfiguration){
		"There were invalid RemediationParameterValues": func(c *types.RemediationConfiguration) {
			c.Parameters["BucketName"] = types.RemediationParameterValue{ResourceValue: resourceID().ResourceValue, StaticValue: static("x").StaticValue}
		},
		"needs the parameter AutomationAssumeRole": func(c *types.RemediationConfiguration) { delete(c.Parameters, "AutomationAssumeRole") },
	} {
		c := versioning(true)
		change(&c)
		_, err := a.aws.PutRemediationConfigurations(ctx, &configservice.PutRemediationConfigurationsInput{RemediationConfigurations: []types.RemediationConfiguration{c}})
		a.refused(err, "InvalidParameterValueException", part)
	}
	for part, change := range map[string]func(*types.RemediationConfiguration){
		"The ConfigRule 'nobody' does not exist": func(c *types.RemediationConfiguration) { c.ConfigRuleName = new("nobody") },
		"The SSM document AWS-Nothing":           func(c *types.RemediationConfiguration) { c.TargetId = new("AWS-Nothing") },
		"has no parameter Colour":                func(c *types.RemediationConfiguration) { c.Parameters["Colour"] = static("red") },
	} {
		c := versioning(false)
		change(&c)
		out, err := a.aws.PutRemediationConfigurations(ctx, &configservice.PutRemediationConfigurationsInput{RemediationConfigurations: []types.RemediationConfiguration{c}})
		a.must(err)
		if len(out.FailedBatches) != 1 || !strings.Contains(*out.FailedBatches[0].FailureMessage, part) {
			t.Fatalf("%s: %+v", part, out.FailedBatches)
		}
	}
	_, err = a.aws.DeleteConfigRule(ctx, &configservice.DeleteConfigRuleInput{ConfigRuleName: new("versioned")})
	a.refused(err, "ResourceInUseException", "currently has a RemediationConfiguration")
	forBuckets := versioning(false)
	forBuckets.ResourceType, forBuckets.TargetId = new("AWS::S3::Bucket"), new("arn:aws:ssm:"+a.Region()+"::document/AWS-ConfigureS3BucketVersioning")
	a.putRemediation(forBuckets) // by the document's ARN
	_, err = a.aws.DeleteRemediationConfiguration(ctx, &configservice.DeleteRemediationConfigurationInput{ConfigRuleName: new("versioned"), ResourceType: new("AWS::SNS::Topic")})
	a.refused(err, "NoSuchRemediationConfigurationException", "AWS::SNS::Topic")
	a.must(func() error {
		_, err := a.aws.DeleteRemediationConfiguration(ctx, &configservice.DeleteRemediationConfigurationInput{ConfigRuleName: new("versioned")})
		return err
	}())
	_, err = a.aws.DeleteRemediationConfiguration(ctx, &configservice.DeleteRemediationConfigurationInput{ConfigRuleName: new("versioned")})
	a.refused(err, "NoSuchRemediationConfigurationException", "versioned")
	_, err = a.aws.StartRemediationExecution(ctx, &configservice.StartRemediationExecutionInput{ConfigRuleName: new("versioned"), ResourceKeys: []types.ResourceKey{bucketKey("bbb")}})
	a.refused(err, "NoSuchRemediationConfigurationException", "versioned")
	_, err = a.aws.DescribeRemediationExecutionStatus(ctx, &configservice.DescribeRemediationExecutionStatusInput{ConfigRuleName: new("versioned")})
	a.refused(err, "NoSuchRemediationConfigurationException", "versioned")
	_, err = a.aws.DeleteConfigRule(ctx, &configservice.DeleteConfigRuleInput{ConfigRuleName: new("versioned")})
	a.must(err)
}
