package outside_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"plumb/internal/apptest"
	"plumb/internal/lambda/lambdatest"
	"plumb/internal/settings"
)

// targeted is a server whose target is another Plumb.
func targeted(t *testing.T, change ...func(*settings.Settings)) (here, target *apptest.Plumb) {
	target = apptest.Start(t)
	return apptest.Start(t, append(change, apptest.Target(target.URL()))...), target
}

func makeBucket(t *testing.T, p *apptest.Plumb, name string) {
	t.Helper()
	must[*s3.CreateBucketOutput](t)(p.S3().CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &name}))
}

func TestBucketIsAskedWhereItIs(t *testing.T) {
	here, target := targeted(t)
	ctx := t.Context()
	makeBucket(t, here, "ours")
	makeBucket(t, target, "theirs")
	const key = "a folder/ü+&=?#.txt"
	must[*s3.PutObjectOutput](t)(here.S3().PutObject(ctx, &s3.PutObjectInput{
		Bucket: aws.String("theirs"), Key: aws.String(key), Body: strings.NewReader("text"), ContentType: aws.String("text/plain"),
	}))
	found := must[*s3.ListObjectsV2Output](t)(target.S3().ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String("theirs")}))
	if len(found.Contents) != 1 || *found.Contents[0].Key != key {
		t.Errorf("the target holds %v", found.Contents)
	}
	head := must[*s3.HeadObjectOutput](t)(here.S3().HeadObject(ctx, &s3.HeadObjectInput{Bucket: aws.String("theirs"), Key: aws.String(key)}))
	if *head.ContentLength != 4 || *head.ContentType != "text/plain" {
		t.Errorf("the object is %d bytes of %s", *head.ContentLength, *head.ContentType)
	}
	if _, err := target.S3().HeadBucket(ctx, &s3.HeadBucketInput{Bucket: aws.String("ours")}); err == nil {
		t.Error("a bucket was made at the target")
	}
	if _, err := here.S3().GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: aws.String("nobodys")}); err == nil || !strings.Contains(err.Error(), "NoSuchBucket") {
		t.Errorf("a bucket of nobody: %v", err)
	}
	all := must[*s3.ListBucketsOutput](t)(here.S3().ListBuckets(ctx, nil))
	if status, text := get(t, here.URL()+"/metrics"); status != 200 || !strings.Contains(text, `plumb_request_seconds_count{operation="ListBuckets",service="s3",status="200"}`) {
		t.Errorf("a list of both has no name in the metrics: %d", status)
	}
	var names []string
	for _, b := range all.Buckets {
		names = append(names, *b.Name)
	}
	if !slices.Equal(names, []string{"ours", "theirs"}) {
		t.Errorf("the buckets are %v", names)
	}
}

func TestTopicIsAskedWhereItIs(t *testing.T) {
	here, target := targeted(t)
	ctx := t.Context()
	ours := must[*sns.CreateTopicOutput](t)(here.SNS().CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("ours")}))
	theirs := must[*sns.CreateTopicOutput](t)(target.SNS().CreateTopic(ctx, &sns.CreateTopicInput{
		Name: aws.String("theirs"), Attributes: map[string]string{"DisplayName": "Theirs"},
	}))
	got := must[*sns.GetTopicAttributesOutput](t)(here.SNS().GetTopicAttributes(ctx, &sns.GetTopicAttributesInput{TopicArn: theirs.TopicArn}))
	if got.Attributes["DisplayName"] != "Theirs" {
		t.Errorf("the target's topic is %v", got.Attributes)
	}
	must[*sns.GetTopicAttributesOutput](t)(here.SNS().GetTopicAttributes(ctx, &sns.GetTopicAttributesInput{TopicArn: ours.TopicArn}))
	all := must[*sns.ListTopicsOutput](t)(here.SNS().ListTopics(ctx, nil))
	if len(all.Topics) != 2 {
		t.Errorf("%d topics", len(all.Topics))
	}
	only := apptest.Start(t, apptest.Target(target.URL()))
	if all := must[*sns.ListTopicsOutput](t)(only.SNS().ListTopics(ctx, nil)); len(all.Topics) != 1 {
		t.Errorf("%d topics where only the target has one", len(all.Topics))
	}
}

func TestQueueIsAskedWhereItIs(t *testing.T) {
	here, target := targeted(t)
	ctx := t.Context()
	must[*sqs.CreateQueueOutput](t)(here.SQS().CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("ours")}))
	must[*sqs.CreateQueueOutput](t)(target.SQS().CreateQueue(ctx, &sqs.CreateQueueInput{
		QueueName: aws.String("theirs"), Attributes: map[string]string{"VisibilityTimeout": "77"},
	}))
	found := must[*sqs.GetQueueUrlOutput](t)(here.SQS().GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String("theirs")}))
	if !strings.HasPrefix(*found.QueueUrl, here.URL()) {
		t.Errorf("old clients would leave for %s", *found.QueueUrl)
	}
	got := must[*sqs.GetQueueAttributesOutput](t)(here.SQS().GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: found.QueueUrl, AttributeNames: []sqsAttribute{"All"},
	}))
	if got.Attributes["VisibilityTimeout"] != "77" {
		t.Errorf("the target's queue is %v", got.Attributes)
	}
	all := must[*sqs.ListQueuesOutput](t)(here.SQS().ListQueues(ctx, nil))
	if len(all.QueueUrls) != 2 || !strings.HasPrefix(all.QueueUrls[1], here.URL()) {
		t.Errorf("the queues are %v", all.QueueUrls)
	}
	// An old client sends its form to the queue's URL.
	status, body := form(t, *found.QueueUrl, "sqs", "Action=GetQueueAttributes&AttributeName.1=VisibilityTimeout&Version=2012-11-05")
	if status != 200 || !strings.Contains(body, "<Value>77</Value>") {
		t.Errorf("an old client gets %d %s", status, body)
	}
	status, body = form(t, here.URL(), "sqs", "Action=ListQueues&Version=2012-11-05")
	if status != 200 || strings.Count(body, "<QueueUrl>"+here.URL()) != 2 {
		t.Errorf("an old client gets %d %s", status, body)
	}
}

func TestFunctionIsAskedWhereItIs(t *testing.T) {
	here, target := targeted(t)
	ctx := t.Context()
	for p, names := range map[*apptest.Plumb][]string{here: {"ours-a", "ours-b"}, target: {"theirs-a", "theirs-b"}} {
		for _, name := range names {
			must[*lambda.CreateFunctionOutput](t)(p.Lambda().CreateFunction(ctx, &lambda.CreateFunctionInput{
				FunctionName: &name, Role: aws.String("arn:aws:iam::123456789012:role/r"), Runtime: lambdatypes.RuntimeProvidedal2023,
				Handler: aws.String("x"), Description: aws.String(name), Code: &lambdatypes.FunctionCode{ZipFile: lambdatest.Zip(t, "bootstrap", []byte("x"))},
			}))
		}
	}
	for _, name := range []string{"ours-a", "theirs-b", "arn:aws:lambda:us-east-1:123456789012:function:theirs-a"} {
		got := must[*lambda.GetFunctionConfigurationOutput](t)(here.Lambda().GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &name}))
		if !strings.HasSuffix(name, *got.Description) {
			t.Errorf("%s is %s", name, *got.Description)
		}
	}
	for _, limit := range []*int32{nil, aws.Int32(1), aws.Int32(2), aws.Int32(50)} {
		var names []string
		pages := lambda.NewListFunctionsPaginator(here.Lambda(), &lambda.ListFunctionsInput{MaxItems: limit})
		for pages.HasMorePages() {
			for _, f := range must[*lambda.ListFunctionsOutput](t)(pages.NextPage(ctx)).Functions {
				names = append(names, *f.FunctionName)
			}
		}
		if got := strings.Join(names, " "); got != "ours-a ours-b theirs-a theirs-b" {
			t.Errorf("the functions are %s", got)
		}
	}
}

func TestLogGroupIsAskedWhereItIs(t *testing.T) {
	here, target := targeted(t)
	for p, name := range map[*apptest.Plumb]string{here: "/ours", target: "/theirs"} {
		if status, body := logsCall(t, p, "CreateLogGroup", `{"logGroupName": "`+name+`"}`); status != 200 {
			t.Fatal(body)
		}
	}
	if status, body := logsCall(t, here, "PutRetentionPolicy", `{"logGroupName": "/theirs", "retentionInDays": 7}`); status != 200 {
		t.Fatal(body)
	}
	_, body := logsCall(t, here, "DescribeLogGroups", `{}`)
	var all struct {
		LogGroups []struct {
			LogGroupName    string
			RetentionInDays int
		}
		NextToken *string
	}
	if err := json.Unmarshal([]byte(body), &all); err != nil || len(all.LogGroups) != 2 || all.LogGroups[1].RetentionInDays != 7 || all.NextToken != nil {
		t.Errorf("%v: %s", err, body)
	}
}

func TestSettingSaysWhereThingsAreMade(t *testing.T) {
	here, target := targeted(t, func(s *settings.Settings) { s.CreateAtTarget = []string{"s3", "sns"} })
	ctx := t.Context()
	makeBucket(t, here, "made")
	topic := must[*sns.CreateTopicOutput](t)(here.SNS().CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("made")}))
	must[*sqs.CreateQueueOutput](t)(here.SQS().CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("made")}))
	must[*s3.HeadBucketOutput](t)(target.S3().HeadBucket(ctx, &s3.HeadBucketInput{Bucket: aws.String("made")}))
	must[*sns.GetTopicAttributesOutput](t)(target.SNS().GetTopicAttributes(ctx, &sns.GetTopicAttributesInput{TopicArn: topic.TopicArn}))
	if _, err := target.SQS().GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String("made")}); err == nil {
		t.Error("a queue was made at the target, which the setting does not say")
	}
}

func TestTargetThatIsAwayIsNotTakenForAnEmptyOne(t *testing.T) {
	here := apptest.Start(t, apptest.Target("http://127.0.0.1:1"))
	makeBucket(t, here, "ours")
	if _, err := here.S3().ListBuckets(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "did not answer") {
		t.Errorf("half a list was given: %v", err)
	}
	must[*s3.HeadBucketOutput](t)(here.S3().HeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: aws.String("ours")}))
}

func TestServerModeKeepsToItselfUnlessToldToForward(t *testing.T) {
	target := apptest.Start(t)
	makeBucket(t, target, "theirs")
	here := apptest.Start(t, apptest.Target(target.URL()), func(s *settings.Settings) {
		s.Mode = settings.Server
		s.AccessKeys = []settings.AccessKey{{ID: "AKIATEST", Secret: "any", Account: s.Account, User: "tester"}}
	})
	_, err := here.Signing("AKIATEST", "any").S3().GetBucketVersioning(t.Context(), &s3.GetBucketVersioningInput{Bucket: aws.String("theirs")})
	if err == nil || !strings.Contains(err.Error(), "NoSuchBucket") {
		t.Errorf("a server without the setting forward went to the target: %v", err)
	}
}
