package cloudformation_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"plumb/internal/apptest"
	"plumb/internal/settings"
)

const functionTemplate = `
Parameters: {Value: {Type: String, Default: one}}
Resources:
  Function:
    Type: AWS::Lambda::Function
    Properties:
      Handler: index.handler
      Runtime: python3.12
      Role: !Sub "arn:aws:iam::${AWS::AccountId}:role/custom"
      Code:
        ZipFile: |
          import cfnresponse
          def handler(event, context):
              p = event["ResourceProperties"]
              if event["RequestType"] == "Create" and p["Value"] == "bad":
                  cfnresponse.send(event, context, cfnresponse.FAILED, {}, reason="not this one")
              else:
                  cfnresponse.send(event, context, cfnresponse.SUCCESS, {"Twice": p["Value"] * 2, "Flag": p["Flag"]}, "id-" + p["Value"])
  Mine:
    Type: Custom::Thing
    Properties: {ServiceToken: !GetAtt Function.Arn, Value: !Ref Value, Flag: true}
Outputs:
  Id: {Value: !Ref Mine}
  Data: {Value: !Sub "${Mine.Twice} ${Mine.Flag}"}
`

func TestAFunctionMakesACustomResource(t *testing.T) {
	p := apptest.Start(t)
	s := create(t, p, "custom", functionTemplate)
	is(t, p, s, types.StackStatusCreateComplete)
	if got := outputs(s); got != "Data=oneone true\nId=id-one" {
		t.Errorf("outputs are %s", got)
	}
	s = update(t, p, "custom", functionTemplate, "Value", "two")
	is(t, p, s, types.StackStatusUpdateComplete)
	if got := outputs(s); got != "Data=twotwo true\nId=id-two" {
		t.Errorf("outputs are %s", got)
	}
	events := pages(t, p, "custom")
	deleted := false
	for _, e := range events {
		deleted = deleted || *e.LogicalResourceId == "Mine" && e.ResourceStatus == types.ResourceStatusDeleteComplete && *e.PhysicalResourceId == "id-one"
	}
	if !deleted {
		t.Errorf("the former resource was not deleted:\n%s", strings.Join(story(t, p, "custom"), "\n"))
	}
	is(t, p, remove(t, p, s), types.StackStatusDeleteComplete)

	s = create(t, p, "bad", functionTemplate, "Value", "bad")
	is(t, p, s, types.StackStatusRollbackComplete)
	if got := strings.Join(story(t, p, "bad"), "\n"); !strings.Contains(got, "Mine CREATE_FAILED: Received response status [FAILED] from custom resource. "+
		"Message returned: not this one (RequestId: ") {
		t.Errorf("events are\n%s", got)
	}
}

// A maker is a topic that makes custom resources, and the queue that is told of it.
type maker struct {
	*apptest.Plumb
	topic, queue string
}

func newMaker(t *testing.T, p *apptest.Plumb) maker {
	t.Helper()
	topic, err := p.SNS().CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("maker")})
	if err != nil {
		t.Fatal(err)
	}
	queue, err := p.SQS().CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("requests")})
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.SNS().Subscribe(ctx, &sns.SubscribeInput{
		TopicArn: topic.TopicArn, Protocol: aws.String("sqs"), Endpoint: aws.String("arn:aws:sqs:" + p.Region() + ":" + p.Account() + ":requests"),
		Attributes: map[string]string{"RawMessageDelivery": "true"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return maker{p, *topic.TopicArn, *queue.QueueUrl}
}

// request returns the next request for a custom resource.
func (m maker) request(t *testing.T) (q map[string]any) {
	t.Helper()
	m.Drain(t)
	out, err := m.SQS().ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &m.queue})
	if err != nil || len(out.Messages) != 1 {
		t.Fatalf("there is no request: %+v, %v", out, err)
	}
	if _, err := m.SQS().DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &m.queue, ReceiptHandle: out.Messages[0].ReceiptHandle}); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(*out.Messages[0].Body), &q); err != nil {
		t.Fatal(err)
	}
	return q
}

// answer answers a request and returns the status of HTTP.
func answer(t *testing.T, q map[string]any, more map[string]any) int {
	t.Helper()
	body := map[string]any{"Status": "SUCCESS", "PhysicalResourceId": "made"}
	for _, k := range []string{"StackId", "RequestId", "LogicalResourceId"} {
		body[k] = q[k]
	}
	for k, v := range more {
		body[k] = v
	}
	text, _ := json.Marshal(body)
	r, err := http.NewRequest(http.MethodPut, q["ResponseURL"].(string), strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	out, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Body.Close()
	io.Copy(io.Discard, out.Body)
	return out.StatusCode
}

func customStack(m maker, properties string) string {
	return "Resources: {Mine: {Type: AWS::CloudFormation::CustomResource, Properties: {ServiceToken: \"" + m.topic + "\", " + properties + "}}}"
}

func begin(t *testing.T, p *apptest.Plumb, name, template string) {
	t.Helper()
	if _, err := p.CloudFormation().CreateStack(ctx, &cloudformation.CreateStackInput{StackName: &name, TemplateBody: &template}); err != nil {
		t.Fatal(err)
	}
}

func TestARequestForACustomResourceIsAnsweredOnce(t *testing.T) {
	m := newMaker(t, apptest.Start(t))
	begin(t, m.Plumb, "s", customStack(m, "Number: 3, Deep: {Flag: false, List: [1]}"))
	q := m.request(t)
	text, _ := json.Marshal(q["ResourceProperties"])
	if want := `{"Deep":{"Flag":"false","List":["1"]},"Number":"3","ServiceToken":"` + m.topic + `"}`; string(text) != want {
		t.Errorf("the properties are %s, want %s", text, want)
	}
	if _, has := q["PhysicalResourceId"]; has || q["RequestType"] != "Create" || q["ResourceType"] != "AWS::CloudFormation::CustomResource" || q["OldResourceProperties"] != nil {
		t.Errorf("the request is %v", q)
	}
	m.Restart(t) // the answer is waited for by whoever runs then
	q["ResponseURL"] = m.URL() + q["ResponseURL"].(string)[strings.Index(q["ResponseURL"].(string), "/_plumb/"):]
	wrong := map[string]any{"ResponseURL": q["ResponseURL"].(string) + "x", "StackId": q["StackId"]}
	if code := answer(t, wrong, nil); code != http.StatusForbidden {
		t.Errorf("a wrong address answers %d", code)
	}
	if code := answer(t, q, nil); code != http.StatusOK {
		t.Errorf("the answer is answered %d", code)
	}
	if code := answer(t, q, nil); code != http.StatusForbidden {
		t.Errorf("a second answer is answered %d", code)
	}
	is(t, m.Plumb, settle(t, m.Plumb, "s"), types.StackStatusCreateComplete)

	// An update that fails is followed by one with the former properties.
	if _, err := m.CloudFormation().UpdateStack(ctx, &cloudformation.UpdateStackInput{StackName: aws.String("s"), TemplateBody: aws.String(customStack(m, "Number: 4"))}); err != nil {
		t.Fatal(err)
	}
	q = m.request(t)
	old, _ := q["OldResourceProperties"].(map[string]any)
	if q["RequestType"] != "Update" || q["PhysicalResourceId"] != "made" || old["Number"] != "3" {
		t.Errorf("the request is %v", q)
	}
	answer(t, q, map[string]any{"Status": "FAILED", "Reason": "no"})
	q = m.request(t)
	now, _ := q["ResourceProperties"].(map[string]any)
	if q["RequestType"] != "Update" || now["Number"] != "3" {
		t.Errorf("the request is %v", q)
	}
	answer(t, q, nil)
	is(t, m.Plumb, settle(t, m.Plumb, "s"), types.StackStatusUpdateRollbackComplete)

	if _, err := m.CloudFormation().DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: aws.String("s")}); err != nil {
		t.Fatal(err)
	}
	q = m.request(t)
	if q["RequestType"] != "Delete" || q["PhysicalResourceId"] != "made" {
		t.Errorf("the request is %v", q)
	}
	answer(t, q, map[string]any{"PhysicalResourceId": ""})
	is(t, m.Plumb, settle(t, m.Plumb, q["StackId"].(string)), types.StackStatusDeleteComplete)
}

func TestBadAnswersForCustomResourcesFailThem(t *testing.T) {
	m := newMaker(t, apptest.Start(t))
	for name, test := range map[string]struct {
		answer map[string]any
		reason string
	}{
		"long":     {map[string]any{"Data": map[string]any{"X": strings.Repeat("x", 4096)}}, "Response object is too long."},
		"nameless": {map[string]any{"PhysicalResourceId": ""}, "Invalid PhysicalResourceId"},
		"other":    {map[string]any{"RequestId": "other"}, "must be those of the request"},
		"status":   {map[string]any{"Status": "OK"}, "must be SUCCESS or FAILED"},
		"form":     {map[string]any{"Data": "text"}, "Invalid response object"},
		"silent":   {nil, "CloudFormation did not receive a response from your Custom Resource."},
	} {
		begin(t, m.Plumb, name, customStack(m, `ServiceTimeout: "60"`))
		q := m.request(t)
		if test.answer != nil {
			answer(t, q, test.answer)
		} else {
			m.Clock().Advance(61 * time.Second)
		}
		q = m.request(t)
		if id, _ := q["PhysicalResourceId"].(string); q["RequestType"] != "Delete" || id == "" {
			t.Errorf("%s: the rollback asks %v", name, q)
		}
		answer(t, q, nil)
		is(t, m.Plumb, settle(t, m.Plumb, name), types.StackStatusRollbackComplete)
		if got := strings.Join(story(t, m.Plumb, name), "\n"); !strings.Contains(got, test.reason) {
			t.Errorf("%s: events are\n%s", name, got)
		}
	}
}

func TestACreationThatTakesTooLongIsRolledBack(t *testing.T) {
	m := newMaker(t, apptest.Start(t))
	_, err := m.CloudFormation().CreateStack(ctx, &cloudformation.CreateStackInput{
		StackName: aws.String("slow"), TemplateBody: aws.String(customStack(m, "A: b")), TimeoutInMinutes: aws.Int32(5)})
	if err != nil {
		t.Fatal(err)
	}
	m.request(t)
	m.Clock().Advance(5*time.Minute + time.Second)
	answer(t, m.request(t), nil)
	is(t, m.Plumb, settle(t, m.Plumb, "slow"), types.StackStatusRollbackComplete)
	if got := strings.Join(story(t, m.Plumb, "slow"), "\n"); !strings.Contains(got, "Mine CREATE_FAILED: Resource creation cancelled") {
		t.Errorf("events are\n%s", got)
	}
}

func put(t *testing.T, address, body string) int {
	t.Helper()
	r, err := http.NewRequest(http.MethodPut, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	out, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	out.Body.Close()
	return out.StatusCode
}

func TestAStackWaitsForSignals(t *testing.T) {
	p := apptest.Start(t)
	const template = `
Resources:
  Handle: {Type: AWS::CloudFormation::WaitConditionHandle}
  Wait: {Type: AWS::CloudFormation::WaitCondition, Properties: {Handle: !Ref Handle, Timeout: "60", Count: 2}}
Outputs: {Data: {Value: !GetAtt Wait.Data}}`
	address := func(name string) string {
		t.Helper()
		p.Drain(t)
		out, err := p.CloudFormation().DescribeStackResource(ctx, &cloudformation.DescribeStackResourceInput{StackName: &name, LogicalResourceId: aws.String("Handle")})
		if err != nil {
			t.Fatal(err)
		}
		return *out.StackResourceDetail.PhysicalResourceId
	}
	begin(t, p, "good", template)
	at := address("good")
	for _, test := range []struct {
		body string
		want int
	}{
		{`{"Status": "SUCCESS", "UniqueId": "a", "Data": "1"}`, 200}, {`{"Status": "SUCCESS", "UniqueId": "a", "Data": "2"}`, 200}, {`{"Status": "SUCCESS"}`, 400},
		{`[`, 400}, {`{"Status": "SUCCESS", "UniqueId": "` + strings.Repeat("x", 4096) + `"}`, 400},
	} {
		if got := put(t, at, test.body); got != test.want {
			t.Errorf("%.60s answers %d, want %d", test.body, got, test.want)
		}
	}
	p.Drain(t)
	put(t, at, `{"Status": "SUCCESS", "UniqueId": "b", "Data": "3"}`)
	s := settle(t, p, "good")
	is(t, p, s, types.StackStatusCreateComplete)
	if got := outputs(s); got != `Data={"a":"2","b":"3"}` {
		t.Errorf("outputs are %s", got)
	}
	is(t, p, remove(t, p, s), types.StackStatusDeleteComplete)
	if got := put(t, at, `{"Status": "SUCCESS", "UniqueId": "c"}`); got != http.StatusForbidden {
		t.Errorf("a signal for a stack that is gone answers %d", got)
	}

	begin(t, p, "bad", template)
	put(t, address("bad"), `{"Status": "FAILURE", "UniqueId": "a", "Reason": "broken"}`)
	is(t, p, settle(t, p, "bad"), types.StackStatusRollbackComplete)
	begin(t, p, "late", template)
	put(t, address("late"), `{"Status": "SUCCESS", "UniqueId": "a"}`)
	p.Clock().Advance(61 * time.Second)
	is(t, p, settle(t, p, "late"), types.StackStatusRollbackComplete)
	events := strings.Join(append(story(t, p, "bad"), story(t, p, "late")...), "\n")
	for _, want := range []string{
		"Wait CREATE_FAILED: WaitCondition received failed message: 'broken' for uniqueId: a", "Wait CREATE_FAILED: WaitCondition timed out. Received 1 conditions when expecting 2",
	} {
		if !strings.Contains(events, want) {
			t.Errorf("no event %q in\n%s", want, events)
		}
	}
}

func TestAStackCanBeDeletedWhileItIsMade(t *testing.T) {
	m := newMaker(t, apptest.Start(t))
	begin(t, m.Plumb, "s", customStack(m, "A: b"))
	q := m.request(t)
	if _, err := m.CloudFormation().DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: aws.String("s")}); err != nil {
		t.Fatal(err)
	}
	gone := m.request(t)
	if gone["RequestType"] != "Delete" {
		t.Errorf("the request is %v", gone)
	}
	if code := answer(t, q, nil); code != http.StatusForbidden {
		t.Errorf("an answer that comes too late is answered %d", code)
	}
	answer(t, gone, nil)
	id := q["StackId"].(string)
	is(t, m.Plumb, settle(t, m.Plumb, id), types.StackStatusDeleteComplete)

	// A stack that was deleted long ago is forgotten.
	m.Clock().Advance(91 * 24 * time.Hour)
	m.Drain(t)
	_, err := m.CloudFormation().DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &id})
	fails(t, err, "ValidationError", "does not exist")
}

func TestStacksWorkWhereSignaturesAreChecked(t *testing.T) {
	p := apptest.Start(t, func(s *settings.Settings) {
		s.Mode = settings.Server
		s.AccessKeys = []settings.AccessKey{{ID: "AKIATEST", Secret: "secret", Account: s.Account, User: "a-rather-long-name-of-a-user-who-makes-stacks-for-everybody"}}
	}).Signing("AKIATEST", "secret")
	begin(t, p, "signed", "Resources: {Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: signed}}}")
	is(t, p, settle(t, p, "signed"), types.StackStatusCreateComplete)
	_, err := p.Signing("AKIATEST", "other").CloudFormation().ListStacks(ctx, &cloudformation.ListStacksInput{})
	fails(t, err, "SignatureDoesNotMatch", "")
}
