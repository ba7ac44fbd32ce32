package outside_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	configtypes "github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"plumb/internal/apptest"
	"plumb/internal/lambda/lambdatest"
)

const alice, bob = "111111111111", "222222222222"

// queued returns the bodies of the messages in a queue.
func queued(t *testing.T, p *apptest.Plumb, url string) []string {
	t.Helper()
	got := must[*sqs.ReceiveMessageOutput](t)(p.SQS().ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 10}))
	var out []string
	for _, m := range got.Messages {
		out = append(out, *m.Body)
	}
	return out
}

func TestATopicReachesAnotherAccountsQueueByItsPolicyOnly(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		ctx, hers, his := t.Context(), p.As(alice, "us-east-1"), p.As(bob, "us-east-1")
		queue := must[*sqs.CreateQueueOutput](t)(hers.SQS().CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("inbox")}))
		topic := must[*sns.CreateTopicOutput](t)(his.SNS().CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("news")}))
		inbox := "arn:aws:sqs:us-east-1:" + alice + ":inbox"
		must[*sns.SubscribeOutput](t)(his.SNS().Subscribe(ctx, &sns.SubscribeInput{TopicArn: topic.TopicArn, Protocol: aws.String("sqs"), Endpoint: &inbox}))
		publish := func(text string) {
			must[*sns.PublishOutput](t)(his.SNS().Publish(ctx, &sns.PublishInput{TopicArn: topic.TopicArn, Message: &text}))
			p.Drain(t)
		}
		publish("uninvited")
		if got := queued(t, hers, *queue.QueueUrl); len(got) != 0 {
			t.Fatalf("without a permission the queue has %q", got)
		}
		allow := func(source string) {
			must[*sqs.SetQueueAttributesOutput](t)(hers.SQS().SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: queue.QueueUrl, Attributes: map[string]string{
				string(sqstypes.QueueAttributeNamePolicy): fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},
				"Action":"sqs:SendMessage","Resource":%q,"Condition":{"ArnEquals":{"aws:SourceArn":%q}}}]}`, inbox, source)}}))
		}
		allow("arn:aws:sns:us-east-1:" + bob + ":other")
		publish("for another topic")
		if got := queued(t, hers, *queue.QueueUrl); len(got) != 0 {
			t.Fatalf("with a permission for another topic the queue has %q", got)
		}
		allow(*topic.TopicArn)
		publish("invited")
		if got := queued(t, hers, *queue.QueueUrl); len(got) != 1 || !strings.Contains(got[0], "invited") {
			t.Fatalf("with a permission the queue has %q", got)
		}
	})
}

// failing makes a function whose failures go to a target.
func failing(t *testing.T, p *apptest.Plumb, name, dead, onFailure string) error {
	t.Helper()
	in := &lambda.CreateFunctionInput{
		FunctionName: &name, Handler: aws.String("f.h"), Runtime: lambdatypes.RuntimePython312, Role: aws.String("arn:aws:iam::" + p.Account() + ":role/f"),
		Code: &lambdatypes.FunctionCode{ZipFile: lambdatest.Zip(t, "f.py", []byte("def h(e, c): raise Exception('no')\n"))},
	}
	if dead != "" {
		in.DeadLetterConfig = &lambdatypes.DeadLetterConfig{TargetArn: &dead}
	}
	if _, err := p.Lambda().CreateFunction(t.Context(), in); err != nil || onFailure == "" {
		return err
	}
	_, err := p.Lambda().PutFunctionEventInvokeConfig(t.Context(), &lambda.PutFunctionEventInvokeConfigInput{
		FunctionName: &name, DestinationConfig: &lambdatypes.DestinationConfig{OnFailure: &lambdatypes.OnFailure{Destination: &onFailure}},
	})
	return err
}

func TestAFunctionHasNoTargetsOfAnotherAccount(t *testing.T) {
	p := apptest.Start(t)
	ctx, hers, his := t.Context(), p.As(alice, "us-east-1"), p.As(bob, "us-east-1")
	must[*sqs.CreateQueueOutput](t)(hers.SQS().CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("inbox")}))
	must[*sns.CreateTopicOutput](t)(hers.SNS().CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("news")}))
	for i, target := range []string{"arn:aws:sqs:us-east-1:" + alice + ":inbox", "arn:aws:sns:us-east-1:" + alice + ":news"} {
		if err := failing(t, his, fmt.Sprint("dead", i), target, ""); err == nil || !strings.Contains(err.Error(), "InvalidParameterValue") {
			t.Errorf("%s for dead letters: %v", target, err)
		}
		if err := failing(t, his, fmt.Sprint("failure", i), "", target); err == nil || !strings.Contains(err.Error(), "InvalidParameterValue") {
			t.Errorf("%s for failures: %v", target, err)
		}
	}
}

func TestAChannelHasNoTopicOfAnotherAccount(t *testing.T) {
	p := apptest.Start(t)
	ctx, hers, his := t.Context(), p.As(alice, "us-east-1"), p.As(bob, "us-east-1")
	topic := must[*sns.CreateTopicOutput](t)(hers.SNS().CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("news")}))
	must[*s3.CreateBucketOutput](t)(his.S3().CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("his")}))
	must[*configservice.PutConfigurationRecorderOutput](t)(his.Config().PutConfigurationRecorder(ctx, &configservice.PutConfigurationRecorderInput{
		ConfigurationRecorder: &configtypes.ConfigurationRecorder{Name: aws.String("default"), RoleARN: aws.String("arn:aws:iam::" + bob + ":role/config")},
	}))
	put := func(arn *string) error {
		_, err := his.Config().PutDeliveryChannel(ctx, &configservice.PutDeliveryChannelInput{
			DeliveryChannel: &configtypes.DeliveryChannel{Name: aws.String("default"), S3BucketName: aws.String("his"), SnsTopicARN: arn},
		})
		return err
	}
	there := put(topic.TopicArn)
	nowhere := put(aws.String("arn:aws:sns:us-east-1:" + alice + ":nowhere"))
	if there == nil || nowhere == nil || strings.ReplaceAll(there.Error(), "news", "nowhere")[:60] != nowhere.Error()[:60] {
		t.Errorf("another account's topic gave %v, one that is not there %v", there, nowhere)
	}
	must[*sns.AddPermissionOutput](t)(hers.SNS().AddPermission(ctx, &sns.AddPermissionInput{
		TopicArn: topic.TopicArn, Label: aws.String("config"), AWSAccountId: []string{bob}, ActionName: []string{"Publish"},
	}))
	must[*sns.SetTopicAttributesOutput](t)(hers.SNS().SetTopicAttributes(ctx, &sns.SetTopicAttributesInput{
		TopicArn: topic.TopicArn, AttributeName: aws.String("Policy"), AttributeValue: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
			"Principal":{"Service":"config.amazonaws.com"},"Action":"sns:Publish","Resource":"` + *topic.TopicArn + `","Condition":{"StringEquals":{"aws:SourceAccount":"` + bob + `"}}}]}`),
	}))
	if err := put(topic.TopicArn); err != nil {
		t.Errorf("with a permission: %v", err)
	}
}
