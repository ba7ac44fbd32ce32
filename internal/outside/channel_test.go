package outside_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	configtypes "github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"plumb/internal/apptest"
)

// centralPolicy is the policy that AWS's guide gives for a bucket of another account.
func centralPolicy(bucket, account string) *string {
	return aws.String(fmt.Sprintf(`{"Version":"2012-10-17","Statement":[
		{"Sid":"AWSConfigBucketPermissionsCheck","Effect":"Allow","Principal":{"Service":"config.amazonaws.com"},"Action":"s3:GetBucketAcl",
		 "Resource":"arn:aws:s3:::%[1]s","Condition":{"StringEquals":{"AWS:SourceAccount":"%[2]s"}}},
		{"Sid":"AWSConfigBucketDelivery","Effect":"Allow","Principal":{"Service":"config.amazonaws.com"},"Action":"s3:PutObject",
		 "Resource":"arn:aws:s3:::%[1]s/AWSLogs/%[2]s/Config/*",
		 "Condition":{"StringEquals":{"s3:x-amz-acl":"bucket-owner-full-control","AWS:SourceAccount":"%[2]s"},
		  "ArnLike":{"AWS:SourceArn":"arn:aws:config:*:%[2]s:*"}}}]}`, bucket, account))
}

func putChannel(t *testing.T, p *apptest.Plumb, c configtypes.DeliveryChannel) string {
	t.Helper()
	_, err := p.Config().PutDeliveryChannel(t.Context(), &configservice.PutDeliveryChannelInput{DeliveryChannel: &c})
	if err == nil {
		return ""
	}
	var api smithy.APIError
	if !errors.As(err, &api) {
		t.Fatal(err)
	}
	return api.ErrorCode() + ": " + api.ErrorMessage()
}

func recorder(t *testing.T, p *apptest.Plumb) {
	t.Helper()
	must[*configservice.PutConfigurationRecorderOutput](t)(p.Config().PutConfigurationRecorder(t.Context(), &configservice.PutConfigurationRecorderInput{
		ConfigurationRecorder: &configtypes.ConfigurationRecorder{Name: aws.String("default"), RoleARN: aws.String("arn:aws:iam::" + p.Account() + ":role/config")}}))
}

func TestAChannelReachesAnotherAccountsBucketByItsPolicyOnly(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		ctx, hers, his := t.Context(), p.As(alice, "us-east-1"), p.As(bob, "us-east-1")
		must[*s3.CreateBucketOutput](t)(hers.S3().CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("central")}))
		recorder(t, his)
		central := configtypes.DeliveryChannel{Name: aws.String("default"), S3BucketName: aws.String("central")}
		const refused = "InsufficientDeliveryPolicyException: Insufficient delivery policy to s3 bucket: central, unable to write to bucket, " +
			"provided s3 key prefix is 'null', provided kms key is 'null'."
		if got := putChannel(t, his, central); got != refused {
			t.Errorf("without a policy: %s", got)
		}
		allow := func(account string) {
			must[*s3.PutBucketPolicyOutput](t)(hers.S3().PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: aws.String("central"), Policy: centralPolicy("central", account)}))
		}
		allow("333333333333")
		if got := putChannel(t, his, central); got != refused {
			t.Errorf("with a policy for somebody else: %s", got)
		}
		allow(bob)
		if got := putChannel(t, his, central); got != "" {
			t.Errorf("with a policy: %s", got)
		}
		other := central
		other.S3KeyPrefix = aws.String("elsewhere")
		if got := putChannel(t, his, other); !strings.HasPrefix(got, "InsufficientDeliveryPolicyException") || !strings.Contains(got, "prefix is 'elsewhere'") {
			t.Errorf("with a prefix that the policy does not name: %s", got)
		}
		must[*configservice.StartConfigurationRecorderOutput](t)(his.Config().StartConfigurationRecorder(ctx,
			&configservice.StartConfigurationRecorderInput{ConfigurationRecorderName: aws.String("default")}))
		snapshot := func() configtypes.ConfigExportDeliveryInfo {
			must[*configservice.DeliverConfigSnapshotOutput](t)(his.Config().DeliverConfigSnapshot(ctx, &configservice.DeliverConfigSnapshotInput{DeliveryChannelName: aws.String("default")}))
			p.Drain(t)
			got := must[*configservice.DescribeDeliveryChannelStatusOutput](t)(his.Config().DescribeDeliveryChannelStatus(ctx, &configservice.DescribeDeliveryChannelStatusInput{}))
			return *got.DeliveryChannelsStatus[0].ConfigSnapshotDeliveryInfo
		}
		p.Clock().Freeze(time.Date(2040, 1, 2, 3, 4, 5, 0, time.UTC))
		if s := snapshot(); s.LastStatus != "SUCCESS" || s.LastErrorCode != nil {
			t.Errorf("status %s, %v", s.LastStatus, s.LastErrorCode)
		}
		must[*s3.DeleteBucketPolicyOutput](t)(hers.S3().DeleteBucketPolicy(ctx, &s3.DeleteBucketPolicyInput{Bucket: aws.String("central")}))
		p.Clock().Advance(time.Hour)
		if s := snapshot(); s.LastStatus != "FAILURE" || aws.ToString(s.LastErrorCode) != "AccessDenied" ||
			!s.LastAttemptTime.Equal(p.Clock().Now()) || !s.LastSuccessfulTime.Equal(p.Clock().Now().Add(-time.Hour)) {
			t.Errorf("once the policy is gone: %+v", s)
		}
	})
}

func TestAChannelSaysWhatIsWrongWithIt(t *testing.T) {
	p := apptest.Start(t)
	ctx := t.Context()
	must[*s3.CreateBucketOutput](t)(p.S3().CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("logs")}))
	recorder(t, p)
	topic := "arn:aws:sns:us-east-1:" + alice + ":news"
	for _, c := range []struct {
		channel configtypes.DeliveryChannel
		want    string
	}{
		{configtypes.DeliveryChannel{S3BucketName: aws.String("none")}, "NoSuchBucketException: Cannot find a S3 bucket with the bucket name none."},
		{configtypes.DeliveryChannel{S3BucketName: aws.String("logs"), S3KmsKeyArn: aws.String("key")},
			"InvalidS3KmsKeyArnException: The arn 'key' is not a valid kms key or alias arn."},
		{configtypes.DeliveryChannel{S3BucketName: aws.String("logs"), SnsTopicARN: &topic},
			"InvalidSNSTopicARNException: The sns topic arn '" + topic + "' is not valid."},
	} {
		if got := putChannel(t, p, c.channel); got != c.want {
			t.Errorf("got %s\nwant %s", got, c.want)
		}
	}
	must[*s3.PutBucketPolicyOutput](t)(p.S3().PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: aws.String("logs"),
		Policy: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::logs/*"}]}`)}))
	if got := putChannel(t, p, configtypes.DeliveryChannel{S3BucketName: aws.String("logs")}); !strings.HasPrefix(got, "InsufficientDeliveryPolicyException") {
		t.Errorf("a policy that denies: %s", got)
	}
}
