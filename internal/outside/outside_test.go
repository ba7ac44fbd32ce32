package outside_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	configtypes "github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"plumb/internal/apptest"
	"plumb/internal/lambda/lambdatest"
	"plumb/internal/sandbox"
	"plumb/internal/settings"
)

func TestMain(m *testing.M) {
	sandbox.Main()
	os.Exit(m.Run())
}

// A second Plumb is the outside world of the first.
func twoPlumbs(t *testing.T, change func(e *settings.Endpoints, url string)) (inside, outside *apptest.Plumb) {
	outside = apptest.Start(t)
	inside = apptest.Start(t, func(s *settings.Settings) { change(&s.Endpoints, outside.URL()) })
	return inside, outside
}

func must[T any](t *testing.T) func(T, error) T {
	t.Helper()
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestFilesAndMessagesGoToTheOutsideBucketAndTopic(t *testing.T) {
	in, out := twoPlumbs(t, func(e *settings.Endpoints, url string) { e.S3, e.SNS = url, url })
	ctx := t.Context()
	if err := in.Record(ctx); err == nil || !strings.Contains(err.Error(), "NoSuchBucketException") {
		t.Fatalf("a channel to an outside bucket that is not there gave %v", err)
	}
	must[*s3.CreateBucketOutput](t)(out.S3().CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String(apptest.DeliveryBucket)}))
	topic := must[*sns.CreateTopicOutput](t)(out.SNS().CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String(apptest.DeliveryTopic)}))
	must[*sqs.CreateQueueOutput](t)(out.SQS().CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String(apptest.DeliveryQueue)}))
	must[*sns.SubscribeOutput](t)(out.SNS().Subscribe(ctx, &sns.SubscribeInput{
		TopicArn: topic.TopicArn, Protocol: aws.String("sqs"), Endpoint: aws.String("arn:aws:sqs:us-east-1:123456789012:" + apptest.DeliveryQueue),
	}))
	must[*configservice.PutDeliveryChannelOutput](t)(in.Config().PutDeliveryChannel(ctx, &configservice.PutDeliveryChannelInput{
		DeliveryChannel: &configtypes.DeliveryChannel{
			Name: aws.String("default"), S3BucketName: aws.String(apptest.DeliveryBucket), SnsTopicARN: topic.TopicArn,
		},
	}))
	must[*configservice.StartConfigurationRecorderOutput](t)(in.Config().StartConfigurationRecorder(ctx, &configservice.StartConfigurationRecorderInput{
		ConfigurationRecorderName: aws.String("default"),
	}))
	must[*configservice.DeliverConfigSnapshotOutput](t)(in.Config().DeliverConfigSnapshot(ctx, &configservice.DeliverConfigSnapshotInput{
		DeliveryChannelName: aws.String("default"),
	}))
	in.Drain(t)
	out.Drain(t)
	list := must[*s3.ListObjectsV2Output](t)(out.S3().ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String(apptest.DeliveryBucket)}))
	if len(list.Contents) != 2 {
		t.Errorf("%d objects lie in the outside bucket", len(list.Contents))
	}
	received := must[[]string](t)(out.Received(ctx))
	if !strings.Contains(strings.Join(received, "\n"), "ConfigurationSnapshotDeliveryCompleted") {
		t.Errorf("the outside topic told %q", received)
	}
}

func TestDeadLetterGoesToTheOutsideQueue(t *testing.T) {
	needPython(t)
	in, out := twoPlumbs(t, func(e *settings.Endpoints, url string) { e.SQS = url })
	ctx := t.Context()
	must[*sqs.CreateQueueOutput](t)(out.SQS().CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("dead")}))
	must[*lambda.CreateFunctionOutput](t)(in.Lambda().CreateFunction(ctx, &lambda.CreateFunctionInput{
		FunctionName: aws.String("broken"), Handler: aws.String("broken.handler"), Runtime: lambdatypes.RuntimePython312,
		Role: aws.String("arn:aws:iam::123456789012:role/rule"), Code: &lambdatypes.FunctionCode{ZipFile: lambdatest.Zip(t, "broken.py", []byte("def handler(e, c):\n    raise Exception('no')\n"))},
		DeadLetterConfig: &lambdatypes.DeadLetterConfig{TargetArn: aws.String("arn:aws:sqs:us-east-1:123456789012:dead")},
	}))
	must[*lambda.InvokeOutput](t)(in.Lambda().Invoke(ctx, &lambda.InvokeInput{
		FunctionName: aws.String("broken"), InvocationType: lambdatypes.InvocationTypeEvent, Payload: []byte(`{"lost": true}`),
	}))
	for range 3 { // two retries, after one and two minutes
		in.Drain(t)
		in.Clock().Advance(2 * time.Minute)
	}
	in.Drain(t)
	u := must[*sqs.GetQueueUrlOutput](t)(out.SQS().GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String("dead")}))
	got := must[*sqs.ReceiveMessageOutput](t)(out.SQS().ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: u.QueueUrl, MessageAttributeNames: []string{"All"}}))
	if len(got.Messages) != 1 || *got.Messages[0].Body != `{"lost": true}` || *got.Messages[0].MessageAttributes["ErrorMessage"].StringValue != "no" {
		t.Errorf("the outside queue has %+v", got.Messages)
	}
}

func TestRuleRunsInTheOutsideLambda(t *testing.T) {
	lambdatest.NeedBoto3(t)
	in, out := twoPlumbs(t, func(e *settings.Endpoints, url string) { e.Lambda = url })
	ctx := t.Context()
	if err := in.Record(ctx); err != nil {
		t.Fatal(err)
	}
	rule := &configservice.PutConfigRuleInput{ConfigRule: &configtypes.ConfigRule{
		ConfigRuleName: aws.String("far"), Scope: &configtypes.Scope{ComplianceResourceTypes: []string{"AWS::S3::Bucket"}},
		Source: &configtypes.Source{
			Owner: configtypes.OwnerCustomLambda, SourceIdentifier: aws.String("arn:aws:lambda:us-east-1:123456789012:function:far"),
			SourceDetails: []configtypes.SourceDetail{{
				EventSource: configtypes.EventSourceAwsConfig, MessageType: configtypes.MessageTypeConfigurationItemChangeNotification,
			}},
		},
	}}
	if _, err := in.Config().PutConfigRule(ctx, rule); err == nil || !strings.Contains(err.Error(), "InsufficientPermissions") {
		t.Errorf("a function that is not there gave %v", err)
	}
	if err := out.PutFunction(ctx, "far", "far.handler", lambdatest.Zip(t, "far.py", []byte(farRule))); err != nil {
		t.Fatal(err)
	}
	must[*configservice.PutConfigRuleOutput](t)(in.Config().PutConfigRule(ctx, rule))
	in.Drain(t)
	status := must[*configservice.DescribeConfigRuleEvaluationStatusOutput](t)(in.Config().DescribeConfigRuleEvaluationStatus(ctx, nil))
	if s := status.ConfigRulesEvaluationStatus[0]; s.LastSuccessfulInvocationTime == nil || s.LastErrorCode != nil {
		t.Errorf("the invocation's status is %+v", s)
	}
	out.Drain(t) // the function reads its event there
	received := must[*sqs.ListQueuesOutput](t)(out.SQS().ListQueues(ctx, &sqs.ListQueuesInput{}))
	if len(received.QueueUrls) != 1 {
		t.Errorf("the function did not run where it lives")
	}
}

// farRule leaves a mark in the world that it runs in.
const farRule = `
import boto3

def handler(event, context):
    boto3.client("sqs").create_queue(QueueName="i-ran")
`
