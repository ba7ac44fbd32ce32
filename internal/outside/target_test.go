package outside_test

import (
	"encoding/json"
	"io"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"plumb/internal/apptest"
	"plumb/internal/lambda/lambdatest"
	"plumb/internal/settings"
)

const (
	busARN    = "arn:aws:events:us-east-1:123456789012:event-bus/results"
	bucketARN = "arn:aws:s3:::failures"
)

// moody is a function that fails if it is told to.
const moody = `def handler(event, context):
    if event.get("fail"):
        raise Exception("no")
    return {"went": "well"}
`

func needPython(t *testing.T) {
	t.Helper()
	if exec.CommandContext(t.Context(), "python3", "--version").Run() != nil {
		t.Skip("no python3")
	}
}

// sendTo has the results of the function f sent to destinations.
func sendTo(t *testing.T, p *apptest.Plumb, success, failure string) error {
	t.Helper()
	d := &lambdatypes.DestinationConfig{}
	if success != "" {
		d.OnSuccess = &lambdatypes.OnSuccess{Destination: &success}
	}
	if failure != "" {
		d.OnFailure = &lambdatypes.OnFailure{Destination: &failure}
	}
	_, err := p.Lambda().PutFunctionEventInvokeConfig(t.Context(), &lambda.PutFunctionEventInvokeConfigInput{
		FunctionName: aws.String("f"), DestinationConfig: d, MaximumRetryAttempts: aws.Int32(0),
	})
	return err
}

// busQueue makes a queue that a rule of a bus sends the results of functions to.
func busQueue(t *testing.T, p *apptest.Plumb, bus string) (url string) {
	t.Helper()
	ctx := t.Context()
	if bus != "default" {
		must[*eventbridge.CreateEventBusOutput](t)(p.EventBridge().CreateEventBus(ctx, &eventbridge.CreateEventBusInput{Name: &bus}))
	}
	q := must[*sqs.CreateQueueOutput](t)(p.SQS().CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("heard"), Attributes: map[string]string{
		"Policy": `{"Statement": [{"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": "*"}]}`,
	}}))
	must[*eventbridge.PutRuleOutput](t)(p.EventBridge().PutRule(ctx, &eventbridge.PutRuleInput{
		Name: aws.String("results"), EventBusName: &bus, EventPattern: aws.String(`{"source": ["lambda"]}`),
	}))
	must[*eventbridge.PutTargetsOutput](t)(p.EventBridge().PutTargets(ctx, &eventbridge.PutTargetsInput{
		Rule: aws.String("results"), EventBusName: &bus, Targets: []eventtypes.Target{{Id: aws.String("1"), Arn: aws.String("arn:aws:sqs:us-east-1:" + p.Account() + ":heard")}},
	}))
	return *q.QueueUrl
}

func invokeAsEvent(t *testing.T, p *apptest.Plumb, payload string) {
	t.Helper()
	must[*lambda.InvokeOutput](t)(p.Lambda().Invoke(t.Context(), &lambda.InvokeInput{
		FunctionName: aws.String("f"), InvocationType: lambdatypes.InvocationTypeEvent, Payload: []byte(payload),
	}))
	p.Drain(t)
}

func objects(t *testing.T, p *apptest.Plumb, bucket string) map[string]string {
	t.Helper()
	out := map[string]string{}
	list := must[*s3.ListObjectsV2Output](t)(p.S3().ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &bucket}))
	for _, o := range list.Contents {
		got := must[*s3.GetObjectOutput](t)(p.S3().GetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: o.Key}))
		body, err := io.ReadAll(got.Body)
		if err != nil || aws.ToString(got.ContentType) != "application/json" {
			t.Fatalf("%s is of type %s: %v", *o.Key, aws.ToString(got.ContentType), err)
		}
		out[*o.Key] = string(body)
	}
	return out
}

func TestABusAndABucketAreToldHowEventsEnded(t *testing.T) {
	needPython(t)
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		p.MakeFunction(t, "f", moody)
		for _, missing := range []string{busARN, bucketARN} {
			if err := sendTo(t, p, "", missing); err == nil || !strings.Contains(err.Error(), "The destination ARN "+missing+" is invalid.") {
				t.Errorf("before it was made %s gave %v", missing, err)
			}
		}
		heard := busQueue(t, p, "results")
		must[*s3.CreateBucketOutput](t)(p.S3().CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("failures")}))
		if err := sendTo(t, p, busARN, bucketARN); err != nil {
			t.Fatal(err)
		}
		p.Clock().Freeze(time.Date(2027, 3, 4, 5, 6, 7, 0, time.UTC))
		invokeAsEvent(t, p, `{"a": 1}`)
		invokeAsEvent(t, p, `{"fail": true}`)

		messages := queued(t, p, heard)
		if len(messages) != 1 {
			t.Fatalf("the bus told of %d results", len(messages))
		}
		var event struct {
			Source     string
			DetailType string `json:"detail-type"`
			Account    string
			Resources  []string
			Detail     json.RawMessage
		}
		if err := json.Unmarshal([]byte(messages[0]), &event); err != nil {
			t.Fatal(err)
		}
		if event.Source != "lambda" || event.DetailType != "Lambda Function Invocation Result - Success" || event.Account != "123456789012" ||
			strings.Join(event.Resources, " ") != busARN+" arn:aws:lambda:us-east-1:123456789012:function:f:$LATEST" ||
			!strings.Contains(string(event.Detail), `"condition":"Success"`) || !strings.Contains(string(event.Detail), `"responsePayload":{"went":"well"}`) {
			t.Errorf("the bus told %s", messages[0])
		}

		all := objects(t, p, "failures")
		if len(all) != 1 {
			t.Fatalf("the bucket has %v", all)
		}
		for key, body := range all {
			if !regexp.MustCompile(`^aws/lambda/async/f/2027/03/04/2027-03-04T05\.06\.07-[0-9a-f-]{36}$`).MatchString(key) {
				t.Errorf("the object is %s", key)
			}
			if !strings.Contains(body, `"condition":"RetriesExhausted"`) || !strings.Contains(body, `"requestPayload":{"fail":true}`) ||
				!strings.Contains(body, `"errorMessage":"no"`) {
				t.Errorf("the object has %s", body)
			}
		}
	})
}

func TestABucketOfAnotherAccountTakesFailuresIfItsPolicySaysSo(t *testing.T) {
	needPython(t)
	p := apptest.Start(t)
	hers, his := p.As(alice, "us-east-1"), p.As(bob, "us-east-1")
	his.MakeFunction(t, "f", moody)
	must[*s3.CreateBucketOutput](t)(hers.S3().CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("failures")}))
	if err := sendTo(t, his, "", bucketARN); err == nil || !strings.Contains(err.Error(), "is invalid") {
		t.Errorf("a closed bucket gave %v", err)
	}
	allow := func(who string) {
		must[*s3.PutBucketPolicyOutput](t)(hers.S3().PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: aws.String("failures"), Policy: aws.String(
			`{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "` + who + `"}, "Action": "s3:PutObject", "Resource": "arn:aws:s3:::failures/*"}]}`,
		)}))
	}
	allow(bob)
	if err := sendTo(t, his, "", bucketARN); err != nil {
		t.Fatal(err)
	}
	invokeAsEvent(t, his, `{"fail": true}`)
	allow(alice) // and no one else: it is asked each time
	invokeAsEvent(t, his, `{"fail": true}`)
	if all := objects(t, hers, "failures"); len(all) != 1 {
		t.Errorf("the bucket has %v", all)
	}
}

func TestResultsAreSentAsFarAsTheRoleMay(t *testing.T) {
	needPython(t)
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		ctx, iam := t.Context(), p.Client()
		call := func(operation string, in map[string]any) {
			t.Helper()
			if _, err := iam.Call(ctx, "iam", operation, in); err != nil {
				t.Fatal(err)
			}
		}
		allow := func(actions ...string) {
			text, _ := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{"Effect": "Allow", "Action": actions, "Resource": "*"}}})
			call("PutRolePolicy", map[string]any{"RoleName": "sender", "PolicyName": "p", "PolicyDocument": string(text)})
		}
		call("CreateRole", map[string]any{"RoleName": "sender", "AssumeRolePolicyDocument": `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}`})
		create := func(dead *lambdatypes.DeadLetterConfig) error {
			_, err := p.Lambda().CreateFunction(ctx, &lambda.CreateFunctionInput{
				FunctionName: aws.String("f"), Handler: aws.String("f.handler"), Runtime: lambdatypes.RuntimePython312, Role: aws.String("arn:aws:iam::123456789012:role/sender"),
				Code: &lambdatypes.FunctionCode{ZipFile: lambdatest.Zip(t, "f.py", []byte(moody))}, DeadLetterConfig: dead,
			})
			return err
		}
		heard := busQueue(t, p, "results")
		queueARN := "arn:aws:sqs:us-east-1:123456789012:heard"
		must[*s3.CreateBucketOutput](t)(p.S3().CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("failures")}))
		allow("logs:*")
		err := create(&lambdatypes.DeadLetterConfig{TargetArn: &queueARN})
		if err == nil || !strings.Contains(err.Error(), "The provided execution role does not have permissions to call SendMessage on SQS") {
			t.Errorf("dead letters that the role may not send: %v", err)
		}
		if err := create(nil); err != nil {
			t.Fatal(err)
		}
		const lacks = "The function's execution role does not have permissions to call "
		for target, want := range map[string]string{queueARN: "SendMessage", busARN: "PutEvents", bucketARN: "PutObject"} {
			if err := sendTo(t, p, "", target); err == nil || !strings.Contains(err.Error(), lacks+want+" on "+target) {
				t.Errorf("%s gave %v", target, err)
			}
		}
		allow("events:PutEvents", "s3:PutObject")
		if err := sendTo(t, p, "", bucketARN); err == nil || !strings.Contains(err.Error(), lacks+"ListBucket on ") {
			t.Errorf("a bucket that the role may only write to gave %v", err)
		}
		allow("events:PutEvents", "s3:PutObject", "s3:ListBucket")
		if err := sendTo(t, p, busARN, bucketARN); err != nil {
			t.Fatal(err)
		}
		invokeAsEvent(t, p, `{}`)
		invokeAsEvent(t, p, `{"fail": true}`)
		allow("logs:*")
		invokeAsEvent(t, p, `{}`)
		invokeAsEvent(t, p, `{"fail": true}`)
		if messages, all := queued(t, p, heard), objects(t, p, "failures"); len(messages) != 1 || len(all) != 1 {
			t.Errorf("the bus told %q, the bucket has %v", messages, all)
		}
	}, func(s *settings.Settings) { s.IAM = "enforce" })
}
