package realtest

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"plumb/internal/apptest"
	"plumb/internal/settings"
)

// A rule of a bus that we did not write takes what AWS Config tells.
func TestAnEventBusThatWeDidNotWriteTakesEvents(t *testing.T) {
	moto := startMoto(t)
	p := apptest.Start(t, func(s *settings.Settings) {
		s.LogLevel, s.Endpoints, s.EventBus = "error", settings.Endpoints{Events: moto}, "compliance"
		s.Accounts = []settings.Account{{Account: s.Account, AccessKeyID: "test", SecretAccessKey: "test"}}
	})
	away := p.SDK()
	away.BaseEndpoint, away.Credentials = &moto, credentials.NewStaticCredentialsProvider("test", "test", "")
	ctx, events, queues := t.Context(), eventbridge.NewFromConfig(away), sqs.NewFromConfig(away)
	c := &consumer{t: t}
	c.must(second(events.CreateEventBus(ctx, &eventbridge.CreateEventBusInput{Name: new("compliance")})))
	queue, err := queues.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: new("events")})
	c.must(err)
	of, err := queues.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: queue.QueueUrl, AttributeNames: []sqstypes.QueueAttributeName{"QueueArn"}})
	c.must(err)
	arn := of.Attributes["QueueArn"]
	c.must(second(events.PutRule(ctx, &eventbridge.PutRuleInput{Name: new("buckets"), EventBusName: new("compliance"), EventPattern: new(
		`{"source": ["aws.config"], "detail-type": ["Config Configuration Item Change"], "detail": {"configurationItem": {"resourceType": ["AWS::S3::Bucket"], "resourceId": ["data"]}}}`)})))
	c.must(second(events.PutTargets(ctx, &eventbridge.PutTargetsInput{Rule: new("buckets"), EventBusName: new("compliance"), Targets: []eventtypes.Target{{Id: new("q"), Arn: &arn}}})))

	p.Clock().Freeze(time.Now().Truncate(time.Millisecond))
	c.must(p.Record(ctx))
	c.must(second(p.S3().CreateBucket(ctx, &s3.CreateBucketInput{Bucket: new("data")})))
	p.Drain(t)
	got, err := queues.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: queue.QueueUrl, MaxNumberOfMessages: 10})
	c.must(err)
	if len(got.Messages) != 1 {
		t.Fatalf("%d events", len(got.Messages))
	}
	var e struct {
		Type      string   `json:"detail-type"`
		Source    string   `json:"source"`
		Resources []string `json:"resources"`
		Detail    struct {
			Diff struct {
				Type string `json:"changeType"`
			} `json:"configurationItemDiff"`
		} `json:"detail"`
	}
	c.must(json.Unmarshal([]byte(*got.Messages[0].Body), &e))
	if e.Type != "Config Configuration Item Change" || e.Source != "aws.config" || len(e.Resources) != 1 || e.Resources[0] != "arn:aws:s3:::data" || e.Detail.Diff.Type != "CREATE" {
		t.Errorf("event %+v", e)
	}
}
