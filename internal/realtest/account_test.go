package realtest

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"plumb/internal/apptest"
)

// record starts a recorder in an account, with a bucket of its own to deliver to.
func record(t *testing.T, p *apptest.Plumb) {
	t.Helper()
	bucket, name := "delivered-"+p.Account(), aws.String("default")
	ctx, c := t.Context(), p.Config()
	must := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(p.S3().CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &bucket}))
	must(c.PutConfigurationRecorder(ctx, &configservice.PutConfigurationRecorderInput{
		ConfigurationRecorder: &types.ConfigurationRecorder{
			Name: name, RoleARN: aws.String("arn:aws:iam::" + p.Account() + ":role/config"),
			RecordingGroup: &types.RecordingGroup{AllSupported: true, IncludeGlobalResourceTypes: true},
		},
	}))
	must(c.PutDeliveryChannel(ctx, &configservice.PutDeliveryChannelInput{
		DeliveryChannel: &types.DeliveryChannel{Name: name, S3BucketName: &bucket},
	}))
	must(c.StartConfigurationRecorder(ctx, &configservice.StartConfigurationRecorderInput{ConfigurationRecorderName: name}))
}

// embed makes resources in the services that Plumb has itself: "bucket NAME",
// "policed-bucket NAME", "kms-bucket NAME", "topic NAME", "queue NAME",
// "function NAME [versioned] [TAG=VALUE]".
func embed(t *testing.T, p *apptest.Plumb, resources []string) {
	t.Helper()
	for _, r := range resources {
		words := strings.Fields(r)
		if err := embedOne(t, p, words[0], words[1], words[2:]); err != nil {
			t.Fatalf("%s: %v", r, err)
		}
	}
}

func embedOne(t *testing.T, p *apptest.Plumb, what, name string, more []string) error {
	ctx := t.Context()
	switch what {
	case "bucket":
		_, err := p.S3().CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &name})
		return err
	case "policed-bucket":
		if err := embedOne(t, p, "bucket", name, nil); err != nil {
			return err
		}
		_, err := p.S3().PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: &name, Policy: aws.String(
			`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::` + name + `/*"}]}`)})
		return err
	case "kms-bucket":
		if err := embedOne(t, p, "bucket", name, nil); err != nil {
			return err
		}
		_, err := p.S3().PutBucketEncryption(ctx, &s3.PutBucketEncryptionInput{Bucket: &name,
			ServerSideEncryptionConfiguration: &s3types.ServerSideEncryptionConfiguration{Rules: []s3types.ServerSideEncryptionRule{{
				ApplyServerSideEncryptionByDefault: &s3types.ServerSideEncryptionByDefault{SSEAlgorithm: s3types.ServerSideEncryptionAwsKms},
			}}}})
		return err
	case "topic":
		_, err := p.SNS().CreateTopic(ctx, &sns.CreateTopicInput{Name: &name, Attributes: attributes(more)})
		return err
	case "queue":
		_, err := p.SQS().CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes(more)})
		return err
	}
	return embedFunction(t, p, name, more)
}

func embedFunction(t *testing.T, p *apptest.Plumb, name string, more []string) error {
	_, err := p.Lambda().CreateFunction(t.Context(), &lambda.CreateFunctionInput{
		FunctionName: &name, Runtime: lambdatypes.RuntimePython312, Handler: aws.String("f.handler"), Tags: attributes(more),
		Role: aws.String("arn:aws:iam::" + p.Account() + ":role/some"),
		Code: &lambdatypes.FunctionCode{ZipFile: zipped(t, map[string][]byte{"f.py": []byte("def handler(e, c): pass\n")})},
	})
	return err
}

// attributes reads NAME=VALUE words.
func attributes(words []string) map[string]string {
	out := map[string]string{}
	for _, w := range words {
		if k, v, ok := strings.Cut(w, "="); ok {
			out[k] = v
		}
	}
	return out
}
