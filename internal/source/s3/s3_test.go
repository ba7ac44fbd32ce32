package s3_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"plumb/internal/apptest"
)

type object = map[string]any

// A fixture is a bucket "box" and a function "f" that prints its events.
type fixture struct {
	*testing.T
	p        *apptest.Plumb
	function string
}

func setUp(t *testing.T, p *apptest.Plumb) *fixture {
	p.Clock().Freeze(time.Date(2026, 3, 1, 12, 0, 0, 123e6, time.UTC))
	f := &fixture{T: t, p: p, function: p.MakeFunction(t, "f", apptest.EventPrinter)}
	if _, err := p.S3().CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("box")}); err != nil {
		t.Fatal(err)
	}
	return f
}

// permit lets the bucket invoke the function.
func (f *fixture) permit() {
	_, err := f.p.Lambda().AddPermission(f.Context(), &lambda.AddPermissionInput{
		FunctionName: aws.String("f"), StatementId: aws.String("s3"), Action: aws.String("lambda:InvokeFunction"), Principal: aws.String("s3.amazonaws.com"),
		SourceArn: aws.String("arn:aws:s3:::box"), SourceAccount: aws.String(f.p.Account()),
	})
	if err != nil {
		f.Fatal(err)
	}
}

func (f *fixture) configure(c s3types.NotificationConfiguration) error {
	_, err := f.p.S3().PutBucketNotificationConfiguration(f.Context(), &s3.PutBucketNotificationConfigurationInput{
		Bucket: aws.String("box"), NotificationConfiguration: &c,
	})
	return err
}

// tellFunction has events told to the function.
func (f *fixture) tellFunction(events ...s3types.Event) {
	f.Helper()
	f.permit()
	if err := f.configure(s3types.NotificationConfiguration{LambdaFunctionConfigurations: []s3types.LambdaFunctionConfiguration{
		{Id: aws.String("all"), LambdaFunctionArn: &f.function, Events: events},
	}}); err != nil {
		f.Fatal(err)
	}
}

func (f *fixture) put(key, body string) {
	f.Helper()
	_, err := f.p.S3().PutObject(f.Context(), &s3.PutObjectInput{Bucket: aws.String("box"), Key: &key, Body: strings.NewReader(body)})
	if err != nil {
		f.Fatal(err)
	}
}

func (f *fixture) remove(key string) {
	f.Helper()
	if _, err := f.p.S3().DeleteObject(f.Context(), &s3.DeleteObjectInput{Bucket: aws.String("box"), Key: &key}); err != nil {
		f.Fatal(err)
	}
}

// records returns what the function got.
func (f *fixture) records() (out []object) {
	f.Helper()
	f.p.Drain(f)
	for _, text := range f.p.Printed(f, "f") {
		var e struct{ Records []object }
		if err := json.Unmarshal([]byte(text), &e); err != nil || len(e.Records) != 1 {
			f.Fatalf("%s: %v", text, err)
		}
		out = append(out, e.Records[0])
	}
	return out
}

// names returns the events that the function got with their keys, sorted.
func (f *fixture) names() (out []string) {
	f.Helper()
	for _, r := range f.records() {
		out = append(out, r["eventName"].(string)+" "+r["s3"].(object)["object"].(object)["key"].(string))
	}
	slices.Sort(out)
	return out
}

func (f *fixture) expect(want ...string) {
	f.Helper()
	if got := f.names(); !slices.Equal(got, want) {
		f.Errorf("the function got %q, want %q", got, want)
	}
}

func TestFunctionGetsAnObjectsCreationAsAWSTellsIt(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f := setUp(t, p)
		f.tellFunction("s3:ObjectCreated:*")
		f.put("a b/Happy Face!é.jpg", "hello world")
		got := f.records()
		if len(got) != 1 {
			t.Fatalf("got %v", got)
		}
		r := got[0]
		entity := r["s3"].(object)
		sequencer := entity["object"].(object)["sequencer"]
		answered := r["responseElements"].(object)
		want := object{
			"eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-east-1", "eventTime": "2026-03-01T12:00:00.123Z", "eventName": "ObjectCreated:Put",
			"userIdentity": object{"principalId": "AWS:" + p.Account()}, "requestParameters": object{"sourceIPAddress": "127.0.0.1"},
			"responseElements": object{"x-amz-request-id": answered["x-amz-request-id"], "x-amz-id-2": answered["x-amz-id-2"]},
			"s3": object{
				"s3SchemaVersion": "1.0", "configurationId": "all",
				"bucket": object{"name": "box", "ownerIdentity": object{"principalId": p.Account()}, "arn": "arn:aws:s3:::box"},
				"object": object{"key": "a+b/Happy+Face%21%C3%A9.jpg", "size": 11, "eTag": "5eb63bbbe01eeed093cb22bb8f5acdc3", "sequencer": sequencer},
			},
		}
		a, _ := json.Marshal(want)
		b, _ := json.Marshal(r)
		if string(a) != string(b) || answered["x-amz-request-id"] == "" || sequencer == "" {
			t.Errorf("got  %s\nwant %s", b, a)
		}
	})
}

func TestEachChangeOfAnObjectHasItsName(t *testing.T) {
	f := setUp(t, apptest.Start(t))
	f.tellFunction("s3:ObjectCreated:*", "s3:ObjectRemoved:*")
	f.put("put", "x")
	client, b := f.p.S3(), aws.String("box")
	must := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(client.CopyObject(t.Context(), &s3.CopyObjectInput{Bucket: b, Key: aws.String("copy"), CopySource: aws.String("box/put")}))
	up, err := client.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: b, Key: aws.String("parts")})
	must(up, err)
	part, err := client.UploadPart(t.Context(), &s3.UploadPartInput{Bucket: b, Key: up.Key, UploadId: up.UploadId, PartNumber: aws.Int32(1), Body: strings.NewReader("x")})
	must(part, err)
	must(client.CompleteMultipartUpload(t.Context(), &s3.CompleteMultipartUploadInput{Bucket: b, Key: up.Key, UploadId: up.UploadId,
		MultipartUpload: &s3types.CompletedMultipartUpload{Parts: []s3types.CompletedPart{{ETag: part.ETag, PartNumber: aws.Int32(1)}}}}))
	f.remove("put")
	f.remove("never there")
	must(client.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{Bucket: b, VersioningConfiguration: &s3types.VersioningConfiguration{Status: "Enabled"}}))
	f.remove("copy")
	f.expect("ObjectCreated:CompleteMultipartUpload parts", "ObjectCreated:Copy copy", "ObjectCreated:Put put", "ObjectRemoved:Delete put",
		"ObjectRemoved:DeleteMarkerCreated copy")
	for _, r := range f.records() {
		o := r["s3"].(object)["object"].(object)
		_, size := o["size"]
		_, version := o["versionId"]
		marker := r["eventName"] == "ObjectRemoved:DeleteMarkerCreated"
		if removed := strings.HasPrefix(r["eventName"].(string), "ObjectRemoved"); size == removed || version != marker {
			t.Errorf("%s has %v", r["eventName"], o)
		}
	}
}

func TestOnlyKeysThatTheFilterNamesAreTold(t *testing.T) {
	f := setUp(t, apptest.Start(t))
	f.permit()
	err := f.configure(s3types.NotificationConfiguration{LambdaFunctionConfigurations: []s3types.LambdaFunctionConfiguration{{
		LambdaFunctionArn: &f.function, Events: []s3types.Event{"s3:ObjectCreated:Put"}, Filter: keys("in/", ".jpg"),
	}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"in/a.jpg", "in/a.png", "out/a.jpg"} {
		f.put(key, "x")
	}
	f.expect("ObjectCreated:Put in/a.jpg")
	got, err := f.p.S3().GetBucketNotificationConfiguration(t.Context(), &s3.GetBucketNotificationConfigurationInput{Bucket: aws.String("box")})
	if err != nil || len(got.LambdaFunctionConfigurations) != 1 || aws.ToString(got.LambdaFunctionConfigurations[0].Id) == "" {
		t.Errorf("configuration %+v, %v", got, err)
	}
	if err := f.configure(s3types.NotificationConfiguration{}); err != nil {
		t.Fatal(err)
	}
	f.put("in/b.jpg", "x")
	f.expect("ObjectCreated:Put in/a.jpg")
}

func keys(prefix, suffix string) *s3types.NotificationConfigurationFilter {
	return &s3types.NotificationConfigurationFilter{Key: &s3types.S3KeyFilter{FilterRules: []s3types.FilterRule{
		{Name: s3types.FilterRuleNamePrefix, Value: &prefix}, {Name: s3types.FilterRuleNameSuffix, Value: &suffix},
	}}}
}

func TestFunctionThatLetsTheBucketInNoMoreHearsNothing(t *testing.T) {
	f := setUp(t, apptest.Start(t))
	f.tellFunction("s3:ObjectCreated:*")
	if _, err := f.p.Lambda().RemovePermission(t.Context(), &lambda.RemovePermissionInput{FunctionName: aws.String("f"), StatementId: aws.String("s3")}); err != nil {
		t.Fatal(err)
	}
	f.put("a", "x")
	f.expect()
	err := f.configure(s3types.NotificationConfiguration{LambdaFunctionConfigurations: []s3types.LambdaFunctionConfiguration{
		{LambdaFunctionArn: &f.function, Events: []s3types.Event{"s3:ObjectCreated:*"}},
	}})
	expectError(t, err, "InvalidArgument", "Unable to validate the following destination configurations")
	_, err = f.p.S3().PutBucketNotificationConfiguration(t.Context(), &s3.PutBucketNotificationConfigurationInput{
		Bucket: aws.String("box"), SkipDestinationValidation: aws.Bool(true),
		NotificationConfiguration: &s3types.NotificationConfiguration{LambdaFunctionConfigurations: []s3types.LambdaFunctionConfiguration{
			{LambdaFunctionArn: &f.function, Events: []s3types.Event{"s3:ObjectCreated:*"}},
		}},
	})
	if err != nil {
		t.Error(err)
	}
}

func TestQueuesAndTopicsGetATestEventAndThenTheirs(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f := setUp(t, p)
		direct, directARN := f.queue("direct")
		received, receivedARN := f.queue("received")
		topic, err := p.SNS().CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String("t")})
		if err == nil {
			_, err = p.SNS().Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: topic.TopicArn, Protocol: aws.String("sqs"), Endpoint: &receivedARN})
		}
		if err == nil {
			err = f.configure(s3types.NotificationConfiguration{
				QueueConfigurations: []s3types.QueueConfiguration{{QueueArn: &directARN, Events: []s3types.Event{"s3:ObjectCreated:*"}}},
				TopicConfigurations: []s3types.TopicConfiguration{{TopicArn: topic.TopicArn, Events: []s3types.Event{"s3:ObjectRemoved:*"}}},
			})
		}
		if err != nil {
			t.Fatal(err)
		}
		p.Drain(t) // what is sent at once comes in any order
		f.put("a", "x")
		p.Drain(t)
		f.remove("a")
		p.Drain(t)
		got := f.receive(direct)
		if len(got) != 2 || got[0]["Event"] != "s3:TestEvent" || got[0]["Bucket"] != "box" || got[0]["Service"] != "Amazon S3" || got[1]["Records"] == nil {
			t.Errorf("the queue got %v", got)
		}
		got = f.receive(received)
		if len(got) != 2 || got[1]["Subject"] != "Amazon S3 Notification" || !strings.Contains(got[0]["Message"].(string), "s3:TestEvent") ||
			!strings.Contains(got[1]["Message"].(string), `"eventName":"ObjectRemoved:Delete"`) {
			t.Errorf("the topic got %v", got)
		}
	})
}

func TestTheEventBusGetsWhatTheBucketIsToTellIt(t *testing.T) {
	f := setUp(t, apptest.Start(t))
	url, queueARN := f.queue("received")
	_, err := f.p.SQS().SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &url, Attributes: map[string]string{
		"Policy": `{"Statement": [{"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": "*"}]}`,
	}})
	if err != nil {
		t.Fatal(err)
	}
	call := func(operation string, in object) {
		t.Helper()
		if _, err := f.p.Client().Call(t.Context(), "events", operation, in); err != nil {
			t.Fatal(err)
		}
	}
	call("PutRule", object{"Name": "objects", "EventPattern": `{"source": ["aws.s3"], "detail": {"bucket": {"name": ["box"]}}}`})
	call("PutTargets", object{"Rule": "objects", "Targets": []any{object{"Id": "q", "Arn": queueARN}}})
	if err := f.configure(s3types.NotificationConfiguration{EventBridgeConfiguration: &s3types.EventBridgeConfiguration{}}); err != nil {
		t.Fatal(err)
	}
	f.put("a b", "x")
	f.p.Drain(t)
	f.remove("a b")
	f.p.Drain(t)
	got := f.receive(url)
	if len(got) != 2 {
		t.Fatalf("the queue got %v", got)
	}
	made, gone := got[0]["detail"].(object), got[1]["detail"].(object)
	if got[0]["detail-type"] != "Object Created" || made["reason"] != "PutObject" || made["object"].(object)["key"] != "a b" || made["object"].(object)["size"] != float64(1) ||
		got[1]["detail-type"] != "Object Deleted" || gone["deletion-type"] != "Permanently Deleted" || got[0]["resources"].([]any)[0] != "arn:aws:s3:::box" {
		t.Errorf("the queue got %v", got)
	}
}

func (f *fixture) queue(name string) (url, arn string) {
	out, err := f.p.SQS().CreateQueue(f.Context(), &sqs.CreateQueueInput{QueueName: &name})
	if err != nil {
		f.Fatal(err)
	}
	return *out.QueueUrl, "arn:aws:sqs:us-east-1:" + f.p.Account() + ":" + name
}

func (f *fixture) receive(url string) (bodies []object) {
	out, err := f.p.SQS().ReceiveMessage(f.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 10})
	if err != nil {
		f.Fatal(err)
	}
	for _, m := range out.Messages {
		var body object
		if err := json.Unmarshal([]byte(*m.Body), &body); err != nil {
			f.Fatal(err)
		}
		bodies = append(bodies, body)
	}
	return bodies
}

func TestConfigurationsThatCannotBeAreRefused(t *testing.T) {
	f := setUp(t, apptest.Start(t))
	f.permit()
	type rules = []s3types.LambdaFunctionConfiguration
	created := []s3types.Event{"s3:ObjectCreated:*"}
	none, elsewhere := f.function+"none", strings.Replace(f.function, "us-east-1", "eu-west-1", 1)
	for message, list := range map[string]rules{
		"Configurations overlap. Configurations on the same bucket cannot share a common event type.": {
			{LambdaFunctionArn: &f.function, Events: created}, {LambdaFunctionArn: &f.function, Events: []s3types.Event{"s3:ObjectCreated:Put"}},
		},
		"Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the prefixes are overlapping for the same event type.": {
			{LambdaFunctionArn: &f.function, Events: created, Filter: keys("a", "")}, {LambdaFunctionArn: &f.function, Events: created, Filter: keys("ab", "z")},
		},
		"Same ID used for multiple configurations. IDs must be unique": {
			{Id: aws.String("x"), LambdaFunctionArn: &f.function, Events: created, Filter: keys("a", "")},
			{Id: aws.String("x"), LambdaFunctionArn: &f.function, Events: created, Filter: keys("b", "")},
		},
		"The ARN could not be parsed":                                                                 {{LambdaFunctionArn: aws.String("f"), Events: created}},
		"The event 's3:Nothing' is not supported for notifications":                                   {{LambdaFunctionArn: &f.function, Events: []s3types.Event{"s3:Nothing"}}},
		"Unable to validate the following destination configurations":                                 {{LambdaFunctionArn: &none, Events: created}},
		"The notification destination service region is not valid for the bucket location constraint": {{LambdaFunctionArn: &elsewhere, Events: created}},
	} {
		expectError(t, f.configure(s3types.NotificationConfiguration{LambdaFunctionConfigurations: list}), "InvalidArgument", message)
	}
	var many rules
	for i := range 101 {
		many = append(many, s3types.LambdaFunctionConfiguration{LambdaFunctionArn: &f.function, Events: created, Filter: keys(fmt.Sprintf("%03d", i), "")})
	}
	expectError(t, f.configure(s3types.NotificationConfiguration{LambdaFunctionConfigurations: many}), "InvalidArgument",
		"Cannot have more than 100 notification configurations")
	if err := f.configure(s3types.NotificationConfiguration{LambdaFunctionConfigurations: rules{
		{LambdaFunctionArn: &f.function, Events: created, Filter: keys("a", "")}, {LambdaFunctionArn: &f.function, Events: created, Filter: keys("b", "")},
		{LambdaFunctionArn: &f.function, Events: []s3types.Event{"s3:ObjectRemoved:*"}},
	}}); err != nil {
		t.Error(err)
	}
}

func expectError(t *testing.T, err error, code, message string) {
	t.Helper()
	e, ok := errors.AsType[smithy.APIError](err)
	if !ok || e.ErrorCode() != code || e.ErrorMessage() != message {
		t.Errorf("got %v, want %s: %s", err, code, message)
	}
	if r, ok := errors.AsType[*smithyhttp.ResponseError](err); ok && r.HTTPStatusCode() != http.StatusBadRequest {
		t.Errorf("status %d", r.HTTPStatusCode())
	}
}
