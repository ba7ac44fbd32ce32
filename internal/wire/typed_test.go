package wire_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	configtypes "github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"plumb/internal/model"
	"plumb/internal/model/configapi"
	"plumb/internal/wire"
)

func TestTheSDKReadsErrorsAsTheirTypes(t *testing.T) {
	cfg := awsConfig(start(t, configService(), func(o *wire.Options) { o.Services = all() }))
	ctx := t.Context()

	_, err := configservice.NewFromConfig(cfg).DeleteConfigRule(ctx, &configservice.DeleteConfigRuleInput{
		ConfigRuleName: aws.String("gone"),
	})
	var noRule *configtypes.NoSuchConfigRuleException
	if !errors.As(err, &noRule) || noRule.ErrorMessage() != "no rule gone" {
		t.Errorf("config: %v", err)
	}
	_, err = lambda.NewFromConfig(cfg).GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: aws.String("gone")})
	var noFunction *lambdatypes.ResourceNotFoundException
	if !errors.As(err, &noFunction) || aws.ToString(noFunction.Type) != "User" ||
		noFunction.ErrorMessage() != "Function not found: gone" {
		t.Errorf("lambda: %v", err)
	}
	_, err = sns.NewFromConfig(cfg).GetTopicAttributes(ctx, &sns.GetTopicAttributesInput{TopicArn: aws.String("gone")})
	var noTopic *snstypes.NotFoundException
	if !errors.As(err, &noTopic) {
		t.Errorf("sns: %v", err)
	}
	_, err = sqs.NewFromConfig(cfg).ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: aws.String("gone")})
	var noQueue *sqstypes.QueueDoesNotExist
	if !errors.As(err, &noQueue) || noQueue.ErrorCode() != "AWS.SimpleQueueService.NonExistentQueue" {
		t.Errorf("sqs: %v", err)
	}
}

func TestSQSNamesTheParameterThatIsMissing(t *testing.T) {
	w := request{contentType: "application/x-amz-json-1.0", target: "AmazonSQS.GetQueueUrl", body: "{}"}.send(t, wire.Options{})
	expect(t, w, 400, `"message":"The request must contain the parameter QueueName."`)
	if got := w.Header().Get("x-amzn-query-error"); got != "MissingParameter;Sender" {
		t.Errorf("x-amzn-query-error is %q", got)
	}
}

// Python's datetime.min is Go's zero time.
func TestATimeOfTheFirstYearIsWritten(t *testing.T) {
	s := configapi.NewService()
	s.GetResourceConfigHistory(func(
		context.Context, *configapi.GetResourceConfigHistoryInput,
	) (*configapi.GetResourceConfigHistoryOutput, error) {
		return &configapi.GetResourceConfigHistoryOutput{
			ConfigurationItems: []configapi.ConfigurationItem{{ConfigurationItemCaptureTime: new(time.Time{})}, {}},
		}, nil
	})
	w := request{
		contentType: "application/x-amz-json-1.1", target: "StarlingDoveService.GetResourceConfigHistory",
		body: `{"resourceType":"AWS::S3::Bucket","resourceId":"b"}`,
	}.send(t, wire.Options{Services: []*model.Registry{s.Registry()}})
	expect(t, w, 200, `{"configurationItems":[{"configurationItemCaptureTime":-62135596800},{}]}`)
}
