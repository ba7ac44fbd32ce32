package iot_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iot"
	"github.com/aws/aws-sdk-go-v2/service/iot/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"

	"plumb/internal/apptest"
)

const role = "arn:aws:iam::123456789012:role/rule"

// A fixture is a server with a function "f" that prints its events.
type fixture struct {
	*testing.T
	p        *apptest.Plumb
	iot      *iot.Client
	function string
}

func (f *fixture) must(_ any, err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

func setUp(t *testing.T, p *apptest.Plumb) *fixture {
	return &fixture{T: t, p: p, iot: iot.NewFromConfig(p.SDK()), function: p.MakeFunction(t, "f", apptest.EventPrinter)}
}

func (f *fixture) rule(name, sql string, actions ...types.Action) error {
	_, err := f.iot.CreateTopicRule(f.Context(), &iot.CreateTopicRuleInput{RuleName: &name, TopicRulePayload: &types.TopicRulePayload{Sql: &sql, Actions: actions}})
	return err
}

func (f *fixture) permit(rule string) {
	f.Helper()
	f.must(f.p.Lambda().AddPermission(f.Context(), &lambda.AddPermissionInput{
		FunctionName: aws.String("f"), StatementId: &rule, Action: aws.String("lambda:InvokeFunction"), Principal: aws.String("iot.amazonaws.com"),
		SourceArn: aws.String("arn:aws:iot:" + f.p.Region() + ":" + f.p.Account() + ":rule/" + rule), SourceAccount: aws.String(f.p.Account()),
	}))
}

func (f *fixture) invoke() types.Action {
	return types.Action{Lambda: &types.LambdaAction{FunctionArn: &f.function}}
}

// printed are the events of the function so far.
func (f *fixture) printed() []string {
	f.Helper()
	f.p.Drain(f)
	return f.p.Printed(f, "f")
}

func (f *fixture) press(serial, body string) *http.Response {
	f.Helper()
	resp, err := http.Post(f.p.URL()+"/_plumb/button/"+serial, "application/json", strings.NewReader(body))
	f.must(resp, err)
	resp.Body.Close()
	return resp
}

func isCode(err error, code string) bool {
	e, ok := errors.AsType[smithy.APIError](err)
	return ok && e.ErrorCode() == code
}

func TestTheClicksOfAButtonReachAFunction(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f := setUp(t, p)
		if at := p.Listener("mqtt"); at != "" {
			t.Fatalf("devices connect at %s, and there is no rule", at)
		}
		f.must(nil, f.rule("button", "SELECT * FROM 'iotbutton/+'", f.invoke()))
		f.permit("button")
		out, err := f.iot.DescribeEndpoint(t.Context(), &iot.DescribeEndpointInput{EndpointType: aws.String("iot:Data-ATS")})
		f.must(out, err)
		if at := p.Listener("mqtt"); at == "" || *out.EndpointAddress != at {
			t.Fatalf("devices connect at %q, and the endpoint is %q", at, *out.EndpointAddress)
		}
		const clicked = `{"serialNumber": "G030JF053216F1BS", "batteryVoltage": "2000mV", "clickType": "SINGLE"}`
		c := f.connect("G030JF053216F1BS")
		f.must(nil, wait(t, c.Publish("iotbutton/G030JF053216F1BS", 1, false, clicked)))
		if got := f.printed(); !slices.Equal(got, []string{clicked}) {
			t.Fatalf("the function got %v", got)
		}
		f.press("G030JF053216F1BS", "")
		f.press("G030JF053216F1BS", `{"clickType": "DOUBLE", "batteryVoltage": "1500mV"}`)
		f.press("G030JF053216F1BS", `{"clickType": "long"}`)
		if resp := f.press("G030JF053216F1BS", `{"clickType": "TRIPLE"}`); resp.StatusCode != http.StatusBadRequest {
			t.Errorf("a click that no button knows: %s", resp.Status)
		}
		if resp := f.press("not-a-serial", ""); resp.StatusCode != http.StatusBadRequest {
			t.Errorf("a serial number that no button has: %s", resp.Status)
		}
		f.must(p.Client().Call(t.Context(), "iot-data", "Publish", map[string]any{"topic": "iotbutton/G030JF053216F1BS", "qos": 1, "payload": []byte(clicked)}))
		got := f.printed()
		slices.Sort(got)
		want := []string{
			`{"serialNumber": "G030JF053216F1BS", "batteryVoltage": "1500mV", "clickType": "DOUBLE"}`,
			`{"serialNumber": "G030JF053216F1BS", "batteryVoltage": "2000mV", "clickType": "LONG"}`,
			clicked, clicked, clicked,
		}
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("the function got %v\nwant %v", got, want)
		}
	})
}

func TestARuleSendsToTopicsQueuesAndBuckets(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f, ctx := setUp(t, p), t.Context()
		q, err := p.SQS().CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("q")})
		f.must(q, err)
		topic, err := p.SNS().CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("t")})
		f.must(topic, err)
		f.must(p.SNS().Subscribe(ctx, &sns.SubscribeInput{TopicArn: topic.TopicArn, Protocol: aws.String("sqs"), Attributes: map[string]string{"RawMessageDelivery": "true"},
			Endpoint: aws.String("arn:aws:sqs:" + p.Region() + ":" + p.Account() + ":q")}))
		f.must(p.SQS().SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: q.QueueUrl, Attributes: map[string]string{
			"Policy": `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}]}`}}))
		f.must(p.S3().CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("clicks")}))
		f.must(nil, f.rule("all", "SELECT clickType, topic(2) AS serial FROM 'iotbutton/#' WHERE clickType <> 'LONG'",
			types.Action{Sqs: &types.SqsAction{QueueUrl: q.QueueUrl, RoleArn: aws.String(role), UseBase64: aws.Bool(true)}},
			types.Action{Sns: &types.SnsAction{TargetArn: topic.TopicArn, RoleArn: aws.String(role)}},
			types.Action{S3: &types.S3Action{BucketName: aws.String("clicks"), Key: aws.String("${topic(2)}/${clickType}.json"), RoleArn: aws.String(role)}},
		))
		f.press("G1", `{"clickType": "SINGLE"}`)
		f.press("G1", `{"clickType": "LONG"}`)
		p.Drain(t)
		const want = `{"clickType":"SINGLE","serial":"G1"}`
		got := f.received(*q.QueueUrl)
		if !slices.Equal(got, []string{"eyJjbGlja1R5cGUiOiJTSU5HTEUiLCJzZXJpYWwiOiJHMSJ9", want}) {
			t.Errorf("the queue got %v", got)
		}
		object, err := p.S3().GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("clicks"), Key: aws.String("G1/SINGLE.json")})
		f.must(object, err)
		if text, _ := io.ReadAll(object.Body); string(text) != want {
			t.Errorf("the object is %s", text)
		}
	})
}

// received are the bodies of a queue's messages, sorted.
func (f *fixture) received(queueURL string) (out []string) {
	f.Helper()
	got, err := f.p.SQS().ReceiveMessage(f.Context(), &sqs.ReceiveMessageInput{QueueUrl: &queueURL, MaxNumberOfMessages: 10})
	f.must(got, err)
	for _, m := range got.Messages {
		out = append(out, *m.Body)
	}
	slices.Sort(out)
	return out
}

func TestWhatAnActionRefusesGoesToTheErrorAction(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f, ctx := setUp(t, p), t.Context()
		q, err := p.SQS().CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("failed")})
		f.must(q, err)
		f.must(f.iot.CreateTopicRule(ctx, &iot.CreateTopicRuleInput{RuleName: aws.String("r"), TopicRulePayload: &types.TopicRulePayload{
			Sql: aws.String("SELECT * FROM 'a'"), Actions: []types.Action{f.invoke(),
				{S3: &types.S3Action{BucketName: aws.String("no-such-bucket"), Key: aws.String("k"), RoleArn: aws.String(role)}},
				{S3: &types.S3Action{BucketName: aws.String("no-such-bucket"), Key: aws.String("${missing}"), RoleArn: aws.String(role)}}},
			ErrorAction: &types.Action{Sqs: &types.SqsAction{QueueUrl: q.QueueUrl, RoleArn: aws.String(role)}},
		}}))
		f.must(p.Client().Call(ctx, "iot-data", "Publish", map[string]any{"topic": "a", "payload": []byte(`{}`)}))
		if got := f.printed(); len(got) != 0 {
			t.Errorf("a function without a permission got %v", got)
		}
		got := strings.Join(f.received(*q.QueueUrl), "\n")
		for _, want := range []string{
			`"base64OriginalPayload":"e30=","failures":[{"failedAction":"LambdaAction","failedResource":"` + f.function + `","errorMessage":"AccessDeniedException: `,
			`{"failedAction":"S3Action","failedResource":"no-such-bucket","errorMessage":"NoSuchBucket: `, `"errorMessage":"SubstitutionFailed: `,
		} {
			if !strings.Contains(got, want) {
				t.Errorf("the queue got no %s, but\n%s", want, got)
			}
		}
		// with the permission it is invoked, and without it again not
		f.permit("r")
		f.press("x", "")
		f.must(p.Client().Call(ctx, "iot-data", "Publish", map[string]any{"topic": "$aws/rules/r/any", "payload": []byte(`{"n": 1}`)}))
		if got := f.printed(); !slices.Equal(got, []string{`{"n": 1}`}) {
			t.Errorf("the function got %v", got)
		}
		f.must(p.Lambda().RemovePermission(ctx, &lambda.RemovePermissionInput{FunctionName: aws.String("f"), StatementId: aws.String("r")}))
		f.must(p.Client().Call(ctx, "iot-data", "Publish", map[string]any{"topic": "a", "payload": []byte(`{"n": 2}`)}))
		if got := f.printed(); len(got) != 1 {
			t.Errorf("the function got %v", got)
		}
	})
}

func TestRulesAreKeptListedAndChanged(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f, ctx := setUp(t, p), t.Context()
		for _, name := range []string{"b", "a", "c"} {
			f.must(nil, f.rule(name, "SELECT * FROM '"+name+"/+'", f.invoke()))
		}
		if err := f.rule("a", "SELECT * FROM 'a'", f.invoke()); !isCode(err, "ResourceAlreadyExistsException") {
			t.Errorf("a second rule of a name: %v", err)
		}
		if err := f.rule("d", "SELECT * FROM", f.invoke()); !isCode(err, "SqlParseException") {
			t.Errorf("a statement that is none: %v", err)
		}
		republish := types.Action{Republish: &types.RepublishAction{RoleArn: aws.String(role), Topic: aws.String("t")}}
		if err := f.rule("d", "SELECT * FROM 'd'", republish); !isCode(err, "InvalidRequestException") {
			t.Errorf("an action of another kind: %v", err)
		}
		f.must(f.iot.DisableTopicRule(ctx, &iot.DisableTopicRuleInput{RuleName: aws.String("b")}))
		page, err := f.iot.ListTopicRules(ctx, &iot.ListTopicRulesInput{MaxResults: aws.Int32(2)})
		f.must(page, err)
		if len(page.Rules) != 2 || *page.Rules[0].RuleName != "a" || *page.Rules[0].TopicPattern != "a/+" || !*page.Rules[1].RuleDisabled || page.NextToken == nil {
			t.Errorf("the first page is %+v", page.Rules)
		}
		page, err = f.iot.ListTopicRules(ctx, &iot.ListTopicRulesInput{MaxResults: aws.Int32(2), NextToken: page.NextToken})
		f.must(page, err)
		if len(page.Rules) != 1 || *page.Rules[0].RuleName != "c" || page.NextToken != nil {
			t.Errorf("the second page is %+v", page.Rules)
		}
		page, err = f.iot.ListTopicRules(ctx, &iot.ListTopicRulesInput{Topic: aws.String("c/x")})
		f.must(page, err)
		if len(page.Rules) != 1 || *page.Rules[0].RuleName != "c" {
			t.Errorf("rules for a topic are %+v", page.Rules)
		}
		f.must(f.iot.ReplaceTopicRule(ctx, &iot.ReplaceTopicRuleInput{RuleName: aws.String("a"), TopicRulePayload: &types.TopicRulePayload{
			Sql: aws.String("SELECT n FROM 'z'"), Actions: []types.Action{f.invoke()}, AwsIotSqlVersion: aws.String("2016-03-23"), Description: aws.String("d")}}))
		one, err := f.iot.GetTopicRule(ctx, &iot.GetTopicRuleInput{RuleName: aws.String("a")})
		f.must(one, err)
		if r := one.Rule; *one.RuleArn != "arn:aws:iot:us-east-1:123456789012:rule/a" || *r.Sql != "SELECT n FROM 'z'" || *r.AwsIotSqlVersion != "2016-03-23" ||
			*r.Actions[0].Lambda.FunctionArn != f.function || *r.RuleDisabled || r.CreatedAt.IsZero() {
			t.Errorf("the rule is %+v", r)
		}
		f.asked()
		for _, name := range []string{"a", "b", "c", "gone"} {
			f.must(f.iot.DeleteTopicRule(ctx, &iot.DeleteTopicRuleInput{RuleName: &name}))
		}
		if _, err := f.iot.GetTopicRule(ctx, &iot.GetTopicRuleInput{RuleName: aws.String("a")}); !isCode(err, "UnauthorizedException") {
			t.Errorf("a rule that is gone: %v", err)
		}
		if at := p.Listener("mqtt"); at != "" {
			t.Errorf("devices connect at %s, and no rule is there any more", at)
		}
	})
}

// asked shows that a rule that is disabled is not asked until it is enabled.
func (f *fixture) asked() {
	f.Helper()
	ctx := f.Context()
	f.permit("b")
	f.publish(ctx, "b/1")
	f.must(f.iot.EnableTopicRule(ctx, &iot.EnableTopicRuleInput{RuleName: aws.String("b")}))
	f.publish(ctx, "b/2")
	if got := f.printed(); !slices.Equal(got, []string{`{"topic": "b/2"}`}) {
		f.Errorf("the function got %v", got)
	}
}

func (f *fixture) publish(ctx context.Context, topic string) {
	f.Helper()
	f.must(f.p.Client().Call(ctx, "iot-data", "Publish", map[string]any{"topic": topic, "payload": []byte(`{"topic": "` + topic + `"}`)}))
}

func TestThingsAreRegistered(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f, ctx := setUp(t, p), t.Context()
		create := func(name, color string) error {
			_, err := f.iot.CreateThing(ctx, &iot.CreateThingInput{ThingName: &name, AttributePayload: &types.AttributePayload{Attributes: map[string]string{"color": color}}})
			return err
		}
		f.must(nil, create("a", "red"))
		f.must(nil, create("a", "red"))
		f.must(nil, create("b", "blue"))
		if err := create("a", "green"); !isCode(err, "ResourceAlreadyExistsException") {
			t.Errorf("another thing of the name: %v", err)
		}
		f.must(f.iot.UpdateThing(ctx, &iot.UpdateThingInput{ThingName: aws.String("a"), ExpectedVersion: aws.Int64(1),
			AttributePayload: &types.AttributePayload{Attributes: map[string]string{"size": "3"}, Merge: true}}))
		if _, err := f.iot.UpdateThing(ctx, &iot.UpdateThingInput{ThingName: aws.String("a"), ExpectedVersion: aws.Int64(1)}); !isCode(err, "VersionConflictException") {
			t.Errorf("a change of an old version: %v", err)
		}
		one, err := f.iot.DescribeThing(ctx, &iot.DescribeThingInput{ThingName: aws.String("a")})
		f.must(one, err)
		if *one.ThingArn != "arn:aws:iot:us-east-1:123456789012:thing/a" || one.Version != 2 || len(one.Attributes) != 2 || *one.DefaultClientId != "a" {
			t.Errorf("the thing is %+v", one)
		}
		list, err := f.iot.ListThings(ctx, &iot.ListThingsInput{AttributeName: aws.String("color"), AttributeValue: aws.String("blue")})
		f.must(list, err)
		if len(list.Things) != 1 || *list.Things[0].ThingName != "b" {
			t.Errorf("blue things are %+v", list.Things)
		}
		f.must(f.iot.DeleteThing(ctx, &iot.DeleteThingInput{ThingName: aws.String("a")}))
		if _, err := f.iot.DescribeThing(ctx, &iot.DescribeThingInput{ThingName: aws.String("a")}); !isCode(err, "ResourceNotFoundException") {
			t.Errorf("a thing that is gone: %v", err)
		}
	})
}
