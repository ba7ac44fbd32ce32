package events_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"

	"plumb/internal/apptest"
)

// The service on the wire is called events; its client in the SDK is eventbridge.

const region = "us-east-1"

// A fixture is a server with a frozen clock, seen by one account.
type fixture struct {
	*testing.T
	*apptest.Plumb
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func setUp(t *testing.T, p *apptest.Plumb) *fixture {
	p.Clock().Freeze(noon)
	return &fixture{t, p}
}

func (f *fixture) as(account string) *fixture { return &fixture{f.T, f.Plumb.As(account, region)} }

func (f *fixture) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// queue makes a queue that rules may send to.
func (f *fixture) queue(name string) (url, arn string) {
	f.Helper()
	arn = "arn:aws:sqs:us-east-1:" + f.Account() + ":" + name
	out, err := f.SQS().CreateQueue(f.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: map[string]string{"Policy": policy("sqs:SendMessage", arn)}})
	f.must(err)
	return *out.QueueUrl, arn
}

// policy lets every rule do an action.
func policy(action, resource string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":%q,"Resource":%q}]}`,
		action, resource)
}

func (f *fixture) rule(bus, name, pattern string, targets ...types.Target) string {
	f.Helper()
	out, err := f.EventBridge().PutRule(f.Context(), &eventbridge.PutRuleInput{Name: &name, EventBusName: &bus, EventPattern: &pattern})
	f.must(err)
	for i := range targets {
		if targets[i].Id == nil {
			targets[i].Id = aws.String(fmt.Sprint("t", i))
		}
	}
	if len(targets) > 0 {
		_, err = f.EventBridge().PutTargets(f.Context(), &eventbridge.PutTargetsInput{Rule: &name, EventBusName: &bus, Targets: targets})
		f.must(err)
	}
	return *out.RuleArn
}

// put puts one event and has it routed.
func (f *fixture) put(bus, source, detailType, detail string) string {
	f.Helper()
	out, err := f.EventBridge().PutEvents(f.Context(), &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{
		{Source: &source, DetailType: &detailType, Detail: &detail, EventBusName: &bus},
	}})
	f.must(err)
	if out.FailedEntryCount != 0 || out.Entries[0].EventId == nil {
		f.Fatalf("the event was not taken: %s", *out.Entries[0].ErrorMessage)
	}
	f.Drain(f)
	return *out.Entries[0].EventId
}

// received returns the bodies in a queue, and the attributes of the first, and takes
// them out.
func (f *fixture) received(url string) (bodies []string, attributes map[string]string) {
	f.Helper()
	attributes = map[string]string{}
	for {
		out, err := f.SQS().ReceiveMessage(f.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 10, MessageAttributeNames: []string{"All"}})
		f.must(err)
		if len(out.Messages) == 0 {
			return bodies, attributes
		}
		for _, m := range out.Messages {
			bodies = append(bodies, *m.Body)
			for name, v := range m.MessageAttributes {
				attributes[name] = *v.StringValue
			}
			_, err := f.SQS().DeleteMessage(f.Context(), &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: m.ReceiptHandle})
			f.must(err)
		}
	}
}

func (f *fixture) want(url string, want ...string) {
	f.Helper()
	got, _ := f.received(url)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		f.Errorf("the queue has\n %s\nwant\n %s", strings.Join(got, "\n "), strings.Join(want, "\n "))
	}
}

func (f *fixture) refused(err error, code, message string) {
	f.Helper()
	var e smithy.APIError
	if !errors.As(err, &e) || e.ErrorCode() != code || e.ErrorMessage() != message {
		f.Errorf("got %v, want %s: %s", err, code, message)
	}
}

func TestEventsReachTheTargetsOfTheRulesThatTheyMatch(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f := setUp(t, p)
		url, arn := f.queue("inbox")
		f.rule("default", "orders", `{"source": ["shop"], "detail": {"total": [{"numeric": [">", 100]}]}}`, types.Target{Arn: &arn})
		f.rule("default", "nothing", `{"source": ["other"]}`, types.Target{Arn: &arn})
		id := f.put("default", "shop", "sold", `{"total": 120, "note": "<&>"}`)
		f.put("default", "shop", "sold", `{"total": 20}`)
		f.want(url, `{"version":"0","id":"`+id+`","detail-type":"sold","source":"shop","account":"`+f.Account()+`","time":"2026-03-01T12:00:00Z",`+
			`"region":"us-east-1","resources":[],"detail":{"total":120,"note":"<&>"}}`)
	})
}

func TestPutEventsTellsWhichEntriesWereNotTaken(t *testing.T) {
	f := setUp(t, apptest.Start(t))
	url, arn := f.queue("inbox")
	f.rule("default", "all", `{"detail-type": ["t"]}`, types.Target{Arn: &arn, InputPath: aws.String("$.resources")})
	text := aws.String
	out, err := f.EventBridge().PutEvents(f.Context(), &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{
		{DetailType: text("t"), Detail: text("{}")},
		{Source: text("s"), Detail: text("{}")},
		{Source: text("s"), DetailType: text("t")},
		{Source: text("s"), DetailType: text("t"), Detail: text("[]")},
		{Source: text("s"), DetailType: text("t"), Detail: text("{")},
		{Source: text("aws.ec2"), DetailType: text("t"), Detail: text("{}")},
		{Source: text("s"), DetailType: text("t"), Detail: text("{}"), Resources: []string{"arn:aws:s3:::b"}},
		{Source: text("s"), DetailType: text("t"), Detail: text("{}"), EventBusName: text("none")},
	}})
	f.must(err)
	var got []string
	for _, e := range out.Entries {
		got = append(got, aws.ToString(e.ErrorCode)+": "+aws.ToString(e.ErrorMessage))
	}
	want := []string{
		"InvalidArgument: Parameter Source is not valid. Reason: Source is a required argument.",
		"InvalidArgument: Parameter DetailType is not valid. Reason: DetailType is a required argument.",
		"InvalidArgument: Parameter Detail is not valid. Reason: Detail is a required argument.",
		"MalformedDetail: Detail is malformed.",
		"MalformedDetail: Detail is malformed.",
		"NotAuthorizedForSource: Not authorized for the source.",
		": ",
		": ",
	}
	if out.FailedEntryCount != 6 || !slices.Equal(got, want) {
		t.Errorf("%d failed: %s", out.FailedEntryCount, strings.Join(got, "\n"))
	}
	f.Drain(t)
	f.want(url, `["arn:aws:s3:::b"]`)
	_, err = f.EventBridge().PutEvents(f.Context(), &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{
		{Source: text("s"), DetailType: text("t"), Detail: text(`{"x":"` + strings.Repeat("x", 256<<10) + `"}`)},
	}})
	f.refused(err, "ValidationException", "Total size of the entries in the request is over the limit.")
}

func TestTargetsGetTheInputThatTheyAskFor(t *testing.T) {
	f := setUp(t, apptest.Start(t))
	for name, c := range map[string]struct {
		target types.Target
		want   string
	}{
		"constant":     {types.Target{Input: aws.String(`{"a": [1, 2]}`)}, `{"a": [1, 2]}`},
		"part":         {types.Target{InputPath: aws.String("$.detail.items[1]")}, `{"id":7}`},
		"text":         {types.Target{InputPath: aws.String("$.detail.name")}, `"Anna \"A\""`},
		"bracketed":    {types.Target{InputPath: aws.String("$['detail']['count']")}, `3`},
		"each":         {types.Target{InputPath: aws.String("$.detail.items[*].id")}, `[6,7]`},
		"nothing":      {types.Target{InputPath: aws.String("$.detail.none")}, `null`},
		"object":       {transformer(`{"who": <name>, "greeting": "Hello <name>, <count> times", "all": <items>, "no": <none>, "rule": "<aws.events.rule-name>"}`), `{"who": "Anna \"A\"", "greeting": "Hello Anna \"A\", 3 times", "all": [{"id":6},{"id":7}], "no": "", "rule": "object"}`},
		"line":         {transformer(`"<name> has <items> and <none>."`), `"Anna \"A\" has [{id:6},{id:7}] and ."`},
		"lines":        {transformer("\"<count>\"\n\"<aws.events.event.ingestion-time>\""), "\"3\"\n\"2026-03-01T12:00:00Z\""},
		"rule":         {transformer(`<aws.events.rule-arn>`), `"arn:aws:events:us-east-1:000000000000:rule/rule"`},
		"not-json":     {transformer(`{"a": "<items>"}`), ``},
		"not-json-too": {transformer(`<name> is here`), ``},
	} {
		t.Run(name, func(t *testing.T) {
			url, arn := f.queue(name)
			c.target.Arn = &arn
			f.rule("default", name, `{"source": ["`+name+`"]}`, c.target)
			f.put("default", name, "t", `{"name": "Anna \"A\"", "count": 3, "items": [{"id": 6}, {"id": 7}]}`)
			got, _ := f.received(url)
			if text := strings.Join(got, "|"); text != strings.ReplaceAll(c.want, "000000000000", f.Account()) {
				t.Errorf("got  %s\nwant %s", text, c.want)
			}
		})
	}
}

func transformer(template string) types.Target {
	return types.Target{InputTransformer: &types.InputTransformer{InputTemplate: &template, InputPathsMap: map[string]string{
		"name": "$.detail.name", "count": "$.detail.count", "items": "$.detail.items", "none": "$.detail.none",
	}}}
}

func TestTemplateHasTheEventWithAndWithoutItsDetail(t *testing.T) {
	f := setUp(t, apptest.Start(t))
	url, arn := f.queue("inbox")
	f.rule("default", "r", `{"source": ["s"]}`, types.Target{Arn: &arn, InputTransformer: &types.InputTransformer{
		InputTemplate: aws.String(`{"short": <aws.events.event>, "whole": <aws.events.event.json>}`)}})
	id := f.put("default", "s", "t", `{"a": 1}`)
	short := `"id":"` + id + `","account":"` + f.Account() + `","detailType":"t","time":"2026-03-01T12:00:00Z","source":"s","region":"us-east-1","resources":[],"version":"0"`
	whole := `"version":"0","id":"` + id + `","detail-type":"t","source":"s","account":"` + f.Account() + `","time":"2026-03-01T12:00:00Z","region":"us-east-1","resources":[],"detail":{"a":1}`
	f.want(url, `{"short": {`+short+`}, "whole": {`+whole+`}}`)
}

func TestFunctionsTopicsLogGroupsAndBusesAreTargets(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f := setUp(t, p)
		function := p.MakeFunction(t, "f", apptest.EventPrinter)
		_, err := p.Lambda().AddPermission(t.Context(), &lambda.AddPermissionInput{
			FunctionName: aws.String("f"), StatementId: aws.String("s"), Action: aws.String("lambda:InvokeFunction"), Principal: aws.String("events.amazonaws.com"),
			SourceArn: aws.String("arn:aws:events:us-east-1:" + f.Account() + ":rule/all"),
		})
		f.must(err)
		topic, err := p.SNS().CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String("news")})
		f.must(err)
		_, err = p.SNS().SetTopicAttributes(t.Context(), &sns.SetTopicAttributesInput{
			TopicArn: topic.TopicArn, AttributeName: aws.String("Policy"), AttributeValue: aws.String(policy("sns:Publish", *topic.TopicArn)),
		})
		f.must(err)
		received, receivedARN := f.queue("received")
		_, err = p.SNS().Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: topic.TopicArn, Protocol: aws.String("sqs"), Endpoint: &receivedARN,
			Attributes: map[string]string{"RawMessageDelivery": "true"}})
		f.must(err)
		_, err = p.Client().Call(t.Context(), "logs", "CreateLogGroup", map[string]any{"logGroupName": "/aws/events/all"})
		f.must(err)
		other, err := p.EventBridge().CreateEventBus(t.Context(), &eventbridge.CreateEventBusInput{Name: aws.String("other")})
		f.must(err)
		passed, passedARN := f.queue("passed")
		f.rule("other", "on", `{"source": ["s"]}`, types.Target{Arn: &passedARN})
		logARN := "arn:aws:logs:us-east-1:" + f.Account() + ":log-group:/aws/events/all"
		f.rule("default", "all", `{"source": ["s"]}`, types.Target{Arn: &function}, types.Target{Arn: topic.TopicArn}, types.Target{Arn: &logARN},
			types.Target{Arn: other.EventBusArn})
		id := f.put("default", "s", "t", `{"a":1}`)
		event := `{"version":"0","id":"` + id + `","detail-type":"t","source":"s","account":"` + f.Account() + `","time":"2026-03-01T12:00:00Z","region":"us-east-1","resources":[],"detail":{"a":1}}`
		f.want(received, event)
		f.want(passed, event)
		if got := p.LogLines(t, "/aws/events/all"); len(got) != 1 || got[0] != event {
			t.Errorf("the log group has %q", got)
		}
		got := p.Printed(t, "f")
		if len(got) != 1 || strings.ReplaceAll(strings.ReplaceAll(got[0], `": `, `":`), `, "`, `,"`) != event {
			t.Errorf("the function got %q", got)
		}
	})
}

func TestRuleWithoutAPermissionGoesToTheDeadLetters(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f := setUp(t, p)
		dead, deadARN := f.queue("dead")
		function := p.MakeFunction(t, "f", apptest.EventPrinter)
		permit := func() {
			_, err := p.Lambda().AddPermission(t.Context(), &lambda.AddPermissionInput{
				FunctionName: aws.String("f"), StatementId: aws.String("s"), Action: aws.String("lambda:InvokeFunction"), Principal: aws.String("events.amazonaws.com")})
			f.must(err)
		}
		rule := f.rule("default", "r", `{"source": ["s"]}`, types.Target{Arn: &function, DeadLetterConfig: &types.DeadLetterConfig{Arn: &deadARN}})
		permit()
		f.put("default", "s", "allowed", `{}`)
		if got := p.Printed(t, "f"); len(got) != 1 {
			t.Fatalf("with a permission the function got %q", got)
		}
		_, err := p.Lambda().RemovePermission(t.Context(), &lambda.RemovePermissionInput{FunctionName: aws.String("f"), StatementId: aws.String("s")})
		f.must(err)
		f.put("default", "s", "refused", `{}`)
		bodies, attributes := f.received(dead)
		if len(bodies) != 1 || !strings.Contains(bodies[0], `"detail-type":"refused"`) {
			t.Errorf("dead letters: %q", bodies)
		}
		if attributes["RULE_ARN"] != rule || attributes["TARGET_ARN"] != function || attributes["ERROR_CODE"] != "NO_PERMISSIONS" || attributes["ERROR_MESSAGE"] == "" ||
			attributes["RETRY_ATTEMPTS"] != "" {
			t.Errorf("attributes: %q", attributes)
		}
		_, err = p.Lambda().DeleteFunction(t.Context(), &lambda.DeleteFunctionInput{FunctionName: aws.String("f")})
		f.must(err)
		f.put("default", "s", "gone", `{}`)
		if _, attributes = f.received(dead); attributes["ERROR_CODE"] != "NO_RESOURCE" {
			t.Errorf("of a function that is gone: %q", attributes)
		}
	})
}

func TestBusOfAnotherAccountTakesEventsByItsPolicyOnly(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		alice, bob, carol := setUp(t, p).as("111111111111"), setUp(t, p).as("222222222222"), setUp(t, p).as("333333333333")
		bus := "arn:aws:events:us-east-1:111111111111:event-bus/default"
		inbox, inboxARN := alice.queue("inbox")
		alice.rule("default", "r", `{"source": ["s"]}`, types.Target{Arn: &inboxARN, InputPath: aws.String("$.account")})
		dead, deadARN := bob.queue("dead")
		bob.rule("default", "r", `{"source": ["s"]}`, types.Target{Arn: &bus, RoleArn: aws.String("arn:aws:iam::222222222222:role/r"),
			DeadLetterConfig: &types.DeadLetterConfig{Arn: &deadARN}})
		entry := []types.PutEventsRequestEntry{{Source: aws.String("s"), DetailType: aws.String("t"), Detail: aws.String("{}"), EventBusName: &bus}}

		bob.put("default", "s", "t", `{}`)
		if _, attributes := bob.received(dead); attributes["ERROR_CODE"] != "NO_PERMISSIONS" {
			t.Errorf("without a permission: %q", attributes)
		}
		_, err := bob.EventBridge().PutEvents(t.Context(), &eventbridge.PutEventsInput{Entries: entry})
		var denied smithy.APIError
		if !errors.As(err, &denied) || denied.ErrorCode() != "AccessDeniedException" {
			t.Errorf("PutEvents without a permission: %v", err)
		}
		_, err = alice.EventBridge().PutPermission(t.Context(), &eventbridge.PutPermissionInput{
			Action: aws.String("events:PutEvents"), Principal: aws.String("222222222222"), StatementId: aws.String("bob")})
		alice.must(err)
		bob.put("default", "s", "t", `{}`)
		alice.want(inbox, `"222222222222"`)
		_, err = bob.EventBridge().PutEvents(t.Context(), &eventbridge.PutEventsInput{Entries: entry})
		bob.must(err)
		p.Drain(t)
		alice.want(inbox, `"222222222222"`)

		// What came from another account does not go on to a third.
		_, err = bob.EventBridge().PutPermission(t.Context(), &eventbridge.PutPermissionInput{
			Action: aws.String("events:PutEvents"), Principal: aws.String("*"), StatementId: aws.String("all")})
		bob.must(err)
		bobs := "arn:aws:events:us-east-1:222222222222:event-bus/default"
		carol.rule("default", "r", `{"source": ["s"]}`, types.Target{Arn: &bobs})
		carol.put("default", "s", "t", `{}`)
		if _, attributes := bob.received(dead); attributes["ERROR_CODE"] != "THIRD_ACCOUNT_HOP_DETECTED" {
			t.Errorf("of a third account: %q", attributes)
		}
		alice.want(inbox)
	})
}

func TestRulesThatLeadInACircleEnd(t *testing.T) {
	f := setUp(t, apptest.Start(t))
	url, arn := f.queue("inbox")
	bus := "arn:aws:events:us-east-1:" + f.Account() + ":event-bus/default"
	f.rule("default", "again", `{"source": ["s"]}`, types.Target{Arn: &bus}, types.Target{Arn: &arn, Input: aws.String("1")})
	f.put("default", "s", "t", `{}`)
	if got, _ := f.received(url); len(got) != 9 {
		t.Errorf("the event came %d times, want 9", len(got))
	}
}

func TestDisabledAndDeletedRulesTakeNothing(t *testing.T) {
	f := setUp(t, apptest.Start(t))
	url, arn := f.queue("inbox")
	f.rule("default", "r", `{"source": ["s"]}`, types.Target{Arn: &arn, Id: aws.String("q"), InputPath: aws.String("$.detail-type")})
	_, err := f.EventBridge().DisableRule(f.Context(), &eventbridge.DisableRuleInput{Name: aws.String("r")})
	f.must(err)
	f.put("default", "s", "disabled", `{}`)
	_, err = f.EventBridge().EnableRule(f.Context(), &eventbridge.EnableRuleInput{Name: aws.String("r")})
	f.must(err)
	f.put("default", "s", "enabled", `{}`)
	f.want(url, `"enabled"`)
	_, err = f.EventBridge().DeleteRule(f.Context(), &eventbridge.DeleteRuleInput{Name: aws.String("r")})
	f.refused(err, "ValidationException", "Rule can't be deleted since it has targets.")
	_, err = f.EventBridge().RemoveTargets(f.Context(), &eventbridge.RemoveTargetsInput{Rule: aws.String("r"), Ids: []string{"q"}})
	f.must(err)
	f.put("default", "s", "without targets", `{}`)
	for range 2 { // the second is of a rule that is gone
		_, err = f.EventBridge().DeleteRule(f.Context(), &eventbridge.DeleteRuleInput{Name: aws.String("r")})
		f.must(err)
	}
	f.put("default", "s", "deleted", `{}`)
	f.want(url)
}

func TestScheduledRulesFireByTheServersClock(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f := setUp(t, p)
		url, arn := f.queue("inbox")
		put := func(name, expression string) string {
			out, err := f.EventBridge().PutRule(t.Context(), &eventbridge.PutRuleInput{Name: &name, ScheduleExpression: &expression})
			f.must(err)
			_, err = f.EventBridge().PutTargets(t.Context(), &eventbridge.PutTargetsInput{Rule: &name, Targets: []types.Target{{Id: aws.String("q"), Arn: &arn}}})
			f.must(err)
			return *out.RuleArn
		}
		event := func(rule, at string) string {
			bodies, _ := f.received(url)
			if len(bodies) != 1 {
				t.Fatalf("got %q", bodies)
			}
			id := strings.Split(bodies[0], `"`)[7]
			want := `{"version":"0","id":"` + id + `","detail-type":"Scheduled Event","source":"aws.events","account":"` + f.Account() + `","time":"` + at +
				`","region":"us-east-1","resources":["` + rule + `"],"detail":{}}`
			if bodies[0] != want {
				t.Errorf("got  %s\nwant %s", bodies[0], want)
			}
			return id
		}
		advance := func(d time.Duration) {
			p.Clock().Advance(d)
			p.Drain(t)
		}
		every := put("every", "rate(5 minutes)")
		advance(4 * time.Minute)
		f.want(url)
		advance(time.Minute)
		first := event(every, "2026-03-01T12:05:00Z")
		advance(5 * time.Minute)
		if event(every, "2026-03-01T12:10:00Z") == first {
			t.Error("two events have one id")
		}
		advance(17 * time.Minute) // one stands for those that were missed
		event(every, "2026-03-01T12:15:00Z")
		advance(3 * time.Minute)
		event(every, "2026-03-01T12:30:00Z")
		put("every", "rate(1 day)") // instead
		advance(time.Hour)
		f.want(url)
		_, err := f.EventBridge().DisableRule(t.Context(), &eventbridge.DisableRuleInput{Name: aws.String("every")})
		f.must(err)
		advance(25 * time.Hour)
		f.want(url)
		noon := put("noon", "cron(0 12 * * ? *)")
		advance(24 * time.Hour)
		event(noon, "2026-03-03T12:00:00Z")
	})
}

func TestScheduleSurvivesARestart(t *testing.T) {
	f := setUp(t, apptest.Start(t))
	url, arn := f.queue("inbox")
	_, err := f.EventBridge().PutRule(f.Context(), &eventbridge.PutRuleInput{Name: aws.String("r"), ScheduleExpression: aws.String("rate(1 hour)")})
	f.must(err)
	_, err = f.EventBridge().PutTargets(f.Context(), &eventbridge.PutTargetsInput{Rule: aws.String("r"), Targets: []types.Target{
		{Id: aws.String("q"), Arn: &arn, InputPath: aws.String("$.time")}}})
	f.must(err)
	f.Restart(t)
	url = f.URL() + url[strings.Index(url[8:], "/")+8:]
	f.Clock().Freeze(noon.Add(time.Hour))
	f.Drain(t)
	f.want(url, `"2026-03-01T13:00:00Z"`)
}

func TestRulesAndTargetsThatCannotWorkAreRefused(t *testing.T) {
	f := setUp(t, apptest.Start(t))
	ctx, c, text := f.Context(), f.EventBridge(), aws.String
	_, err := c.CreateEventBus(ctx, &eventbridge.CreateEventBusInput{Name: text("b")})
	f.must(err)
	_, inbox := f.queue("inbox")
	rule := func(in *eventbridge.PutRuleInput) error {
		in.Name = text("r")
		_, err := c.PutRule(ctx, in)
		return err
	}
	f.refused(rule(&eventbridge.PutRuleInput{}), "ValidationException", "Parameter(s) EventPattern or ScheduleExpression must be specified.")
	f.refused(rule(&eventbridge.PutRuleInput{ScheduleExpression: text("rate(1 minutes)")}), "ValidationException", "Parameter ScheduleExpression is not valid.")
	f.refused(rule(&eventbridge.PutRuleInput{ScheduleExpression: text("at(2030-01-01T00:00:00)")}), "ValidationException", "Parameter ScheduleExpression is not valid.")
	f.refused(rule(&eventbridge.PutRuleInput{ScheduleExpression: text("rate(1 minute)"), EventBusName: text("b")}), "ValidationException",
		"ScheduleExpression is supported only on the default event bus.")
	f.refused(rule(&eventbridge.PutRuleInput{EventPattern: text(`{"a": 1}`)}), "InvalidEventPatternException",
		"Event pattern is not valid. Reason: \"a\" must be an object or an array\n at [Source: (String)\"{\"a\": 1}\"; line: 1, column: 8]")
	f.refused(rule(&eventbridge.PutRuleInput{EventPattern: text(`{"a": [1]}`), EventBusName: text("none")}), "ResourceNotFoundException", "Event bus none does not exist.")
	f.refused(rule(&eventbridge.PutRuleInput{EventPattern: text(`{"a": [1]}`), EventBusName: text("arn:aws:events:us-east-1:999999999999:event-bus/default")}),
		"ResourceNotFoundException", "Event bus default does not exist.")

	target := func(t types.Target) error {
		t.Id = text("t")
		if t.Arn == nil {
			t.Arn = &inbox
		}
		_, err := c.PutTargets(ctx, &eventbridge.PutTargetsInput{Rule: text("r"), Targets: []types.Target{t}})
		return err
	}
	f.refused(target(types.Target{}), "ResourceNotFoundException", "Rule r does not exist on EventBus default.")
	f.must(rule(&eventbridge.PutRuleInput{EventPattern: text(`{"a": [1]}`)}))
	f.refused(target(types.Target{Arn: text("x")}), "ValidationException", "Parameter x is not valid. Reason: Provided Arn is not in correct format.")
	f.refused(target(types.Target{Arn: text("arn:aws:kinesis:us-east-1:111111111111:stream/s")}), "ValidationException",
		"Parameter arn:aws:kinesis:us-east-1:111111111111:stream/s is not valid. Reason: Events are sent to functions of Lambda, queues of SQS, topics of SNS, log groups and event buses here.")
	f.refused(target(types.Target{Arn: text(inbox + ".fifo")}), "ValidationException", "Parameter(s) SqsParameters must be specified for target: t, if and only if it is a FIFO queue.")
	f.refused(target(types.Target{Input: text("{")}), "ValidationException", "JSON syntax error in input for target t")
	f.refused(target(types.Target{InputPath: text("detail")}), "ValidationException", "InputPath for target t is invalid.")
	f.refused(target(types.Target{InputPath: text("$.detail"), Input: text("1")}), "ValidationException",
		"Only one of Input, InputPath, or InputTransformer must be provided for target t.")
	f.refused(target(types.Target{InputTransformer: &types.InputTransformer{InputTemplate: text(`"<none>"`)}}), "ValidationException",
		"InputTemplate for target t contains invalid placeholder none.")
	var six []types.Target
	for i := range 6 {
		six = append(six, types.Target{Id: text(fmt.Sprint(i)), Arn: &inbox})
	}
	_, err = c.PutTargets(ctx, &eventbridge.PutTargetsInput{Rule: text("r"), Targets: six})
	f.refused(err, "LimitExceededException", "The requested resource exceeds the maximum number allowed.")
	list, err := c.ListTargetsByRule(ctx, &eventbridge.ListTargetsByRuleInput{Rule: text("r")})
	if f.must(err); len(list.Targets) != 0 {
		t.Errorf("refused targets were kept: %v", list.Targets)
	}
}

func TestBusesAreMadeChangedListedAndDeleted(t *testing.T) {
	f := setUp(t, apptest.Start(t))
	ctx, c, text := f.Context(), f.EventBridge(), aws.String
	for _, name := range []string{"alpha", "beta", "zeta"} {
		_, err := c.CreateEventBus(ctx, &eventbridge.CreateEventBusInput{Name: &name, Description: text("of " + name)})
		f.must(err)
	}
	_, err := c.CreateEventBus(ctx, &eventbridge.CreateEventBusInput{Name: text("alpha")})
	f.refused(err, "ResourceAlreadyExistsException", "Event bus alpha already exists.")
	_, err = c.CreateEventBus(ctx, &eventbridge.CreateEventBusInput{Name: text("default")})
	f.refused(err, "ResourceAlreadyExistsException", "Event bus default already exists.")
	_, err = c.CreateEventBus(ctx, &eventbridge.CreateEventBusInput{Name: text("a/b")})
	f.refused(err, "ValidationException", "Event bus name must not contain '/'.")
	var names []string
	for token := (*string)(nil); ; {
		out, err := c.ListEventBuses(ctx, &eventbridge.ListEventBusesInput{Limit: aws.Int32(2), NextToken: token})
		f.must(err)
		for _, b := range out.EventBuses {
			names = append(names, *b.Name)
		}
		if token = out.NextToken; token == nil {
			break
		}
	}
	if !slices.Equal(names, []string{"alpha", "beta", "default", "zeta"}) {
		t.Errorf("buses %q", names)
	}
	_, err = c.UpdateEventBus(ctx, &eventbridge.UpdateEventBusInput{Name: text("alpha"), Description: text("new")})
	f.must(err)
	got, err := c.DescribeEventBus(ctx, &eventbridge.DescribeEventBusInput{Name: text("alpha")})
	if f.must(err); *got.Description != "new" || *got.Arn != "arn:aws:events:us-east-1:"+f.Account()+":event-bus/alpha" {
		t.Errorf("described as %v", got)
	}
	f.rule("alpha", "r", `{"a": [1]}`)
	_, err = c.DeleteEventBus(ctx, &eventbridge.DeleteEventBusInput{Name: text("alpha")})
	f.refused(err, "ValidationException", "Event bus can't be deleted since it has rules.")
	_, err = c.DeleteEventBus(ctx, &eventbridge.DeleteEventBusInput{Name: text("beta")})
	f.must(err)
	_, err = c.DescribeEventBus(ctx, &eventbridge.DescribeEventBusInput{Name: text("beta")})
	f.refused(err, "ResourceNotFoundException", "Event bus beta does not exist.")
	_, err = c.DeleteEventBus(ctx, &eventbridge.DeleteEventBusInput{Name: text("default")})
	f.refused(err, "ValidationException", "Cannot delete event bus default.")
	_, err = f.as("999999999999").EventBridge().DescribeEventBus(ctx, &eventbridge.DescribeEventBusInput{Name: got.Arn})
	f.refused(err, "ResourceNotFoundException", "Event bus alpha does not exist.")
}

func TestPermissionsAreStatementsOfTheBussPolicy(t *testing.T) {
	f := setUp(t, apptest.Start(t))
	ctx, c, text := f.Context(), f.EventBridge(), aws.String
	read := func() string {
		out, err := c.DescribeEventBus(ctx, &eventbridge.DescribeEventBusInput{})
		f.must(err)
		return aws.ToString(out.Policy)
	}
	bus := "arn:aws:events:us-east-1:" + f.Account() + ":event-bus/default"
	for _, in := range []*eventbridge.PutPermissionInput{
		{Principal: text("111111111111"), StatementId: text("a")},
		{Principal: text("222222222222"), StatementId: text("a")}, // instead
		{Principal: text("*"), StatementId: text("org"), Condition: &types.Condition{Type: text("StringEquals"), Key: text("aws:PrincipalOrgID"), Value: text("o-1")}},
	} {
		in.Action = text("events:PutEvents")
		_, err := c.PutPermission(ctx, in)
		f.must(err)
	}
	want := `{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222222222222:root"},"Action":"events:PutEvents","Resource":"` + bus +
		`"},{"Sid":"org","Effect":"Allow","Principal":"*","Action":"events:PutEvents","Resource":"` + bus + `","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}}]}`
	if got := read(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	_, err := c.RemovePermission(ctx, &eventbridge.RemovePermissionInput{StatementId: text("none")})
	f.refused(err, "ResourceNotFoundException", "Statement with the provided id does not exist.")
	_, err = c.RemovePermission(ctx, &eventbridge.RemovePermissionInput{StatementId: text("org")})
	f.must(err)
	if got := read(); strings.Contains(got, "org") || !strings.Contains(got, `"a"`) {
		t.Errorf("after the removal: %s", got)
	}
	_, err = c.RemovePermission(ctx, &eventbridge.RemovePermissionInput{RemoveAllPermissions: true})
	if f.must(err); read() != "" {
		t.Errorf("after all were removed: %s", read())
	}
	_, err = c.PutPermission(ctx, &eventbridge.PutPermissionInput{Policy: text(strings.ReplaceAll(want, "org", "whole"))})
	if f.must(err); !strings.Contains(read(), "whole") {
		t.Errorf("after a whole policy was set: %s", read())
	}
	_, err = c.PutPermission(ctx, &eventbridge.PutPermissionInput{EventBusName: text("none"), Action: text("events:PutEvents"), Principal: text("*"), StatementId: text("s")})
	f.refused(err, "ResourceNotFoundException", "Event bus none does not exist.")
}

func TestRulesAreDescribedListedAndTagged(t *testing.T) {
	f := setUp(t, apptest.Start(t))
	ctx, c, text := f.Context(), f.EventBridge(), aws.String
	_, inbox := f.queue("inbox")
	for i := range 3 {
		f.rule("default", fmt.Sprint("r", i), `{"a":[1]}`, types.Target{Arn: &inbox, Id: text("b"), RetryPolicy: &types.RetryPolicy{MaximumRetryAttempts: aws.Int32(3)}},
			types.Target{Arn: &inbox, Id: text("a")})
	}
	_, err := c.PutRule(ctx, &eventbridge.PutRuleInput{Name: text("other"), ScheduleExpression: text("rate(1 day)"), State: types.RuleStateDisabled, Description: text("d"),
		RoleArn: text("arn:aws:iam::" + f.Account() + ":role/r"), Tags: []types.Tag{{Key: text("k"), Value: text("v")}}})
	f.must(err)
	r, err := c.DescribeRule(ctx, &eventbridge.DescribeRuleInput{Name: text("other")})
	if f.must(err); *r.Arn != "arn:aws:events:us-east-1:"+f.Account()+":rule/other" || r.State != types.RuleStateDisabled || *r.ScheduleExpression != "rate(1 day)" ||
		*r.Description != "d" || *r.CreatedBy != f.Account() || *r.EventBusName != "default" || r.EventPattern != nil {
		t.Errorf("described as %v", r)
	}
	var names []string
	pages := eventbridge.ListRulesInput{NamePrefix: text("r"), Limit: aws.Int32(2)}
	for {
		out, err := c.ListRules(ctx, &pages)
		f.must(err)
		for _, r := range out.Rules {
			names = append(names, *r.Name)
		}
		if pages.NextToken = out.NextToken; out.NextToken == nil {
			break
		}
	}
	if !slices.Equal(names, []string{"r0", "r1", "r2"}) {
		t.Errorf("rules %q", names)
	}
	first, err := c.ListRuleNamesByTarget(ctx, &eventbridge.ListRuleNamesByTargetInput{TargetArn: &inbox, Limit: aws.Int32(2)})
	f.must(err)
	second, err := c.ListRuleNamesByTarget(ctx, &eventbridge.ListRuleNamesByTargetInput{TargetArn: &inbox, Limit: aws.Int32(2), NextToken: first.NextToken})
	if f.must(err); !slices.Equal(append(first.RuleNames, second.RuleNames...), []string{"r0", "r1", "r2"}) || second.NextToken != nil {
		t.Errorf("rules of the target: %q %q", first.RuleNames, second.RuleNames)
	}
	targets, err := c.ListTargetsByRule(ctx, &eventbridge.ListTargetsByRuleInput{Rule: text("r0"), Limit: aws.Int32(1)})
	f.must(err)
	more, err := c.ListTargetsByRule(ctx, &eventbridge.ListTargetsByRuleInput{Rule: text("r0"), NextToken: targets.NextToken})
	if f.must(err); *targets.Targets[0].Id != "a" || len(more.Targets) != 1 || *more.Targets[0].RetryPolicy.MaximumRetryAttempts != 3 {
		t.Errorf("targets %v %v", targets.Targets, more.Targets)
	}
	_, err = c.ListRules(ctx, &eventbridge.ListRulesInput{NextToken: text("made up")})
	f.refused(err, "ValidationException", "Parameter NextToken is not valid.")

	_, err = c.TagResource(ctx, &eventbridge.TagResourceInput{ResourceARN: r.Arn, Tags: []types.Tag{{Key: text("a"), Value: text("1")}}})
	f.must(err)
	_, err = c.UntagResource(ctx, &eventbridge.UntagResourceInput{ResourceARN: r.Arn, TagKeys: []string{"k"}})
	f.must(err)
	tags, err := c.ListTagsForResource(ctx, &eventbridge.ListTagsForResourceInput{ResourceARN: r.Arn})
	if f.must(err); len(tags.Tags) != 1 || *tags.Tags[0].Key != "a" {
		t.Errorf("tags %v", tags.Tags)
	}
	_, err = c.ListTagsForResource(ctx, &eventbridge.ListTagsForResourceInput{ResourceARN: text(*r.Arn + "s")})
	f.refused(err, "ResourceNotFoundException", "Rule others does not exist on EventBus default.")
	bus := "arn:aws:events:us-east-1:" + f.Account() + ":event-bus/default"
	_, err = c.TagResource(ctx, &eventbridge.TagResourceInput{ResourceARN: &bus, Tags: []types.Tag{{Key: text("a"), Value: text("1")}}})
	f.must(err)
	tags, err = c.ListTagsForResource(ctx, &eventbridge.ListTagsForResourceInput{ResourceARN: &bus})
	if f.must(err); len(tags.Tags) != 1 {
		t.Errorf("tags of the bus: %v", tags.Tags)
	}
	_, err = f.as("999999999999").EventBridge().TagResource(ctx, &eventbridge.TagResourceInput{ResourceARN: r.Arn, Tags: []types.Tag{{Key: text("a"), Value: text("1")}}})
	if err == nil {
		t.Error("another account tagged the rule")
	}
}

func TestPatternsAreTestedWithAnEvent(t *testing.T) {
	f := setUp(t, apptest.Start(t))
	try := func(pattern, event string) (*eventbridge.TestEventPatternOutput, error) {
		return f.EventBridge().TestEventPattern(context.Background(), &eventbridge.TestEventPatternInput{EventPattern: &pattern, Event: &event})
	}
	const event = `{"id": "1", "source": "s", "detail-type": "t", "account": "123456789012", "region": "us-east-1", "time": "2026-03-01T12:00:00Z", "detail": {"a": "b"}}`
	if out, err := try(`{"detail": {"a": [{"prefix": "b"}]}}`, event); err != nil || !out.Result {
		t.Errorf("got %v, %v", out, err)
	}
	if out, err := try(`{"detail": {"a": ["c"]}}`, event); err != nil || out.Result {
		t.Errorf("got %v, %v", out, err)
	}
	for _, bad := range []string{`x`, `[]`, `{"id": "1"}`} {
		_, err := try(`{"a": [1]}`, bad)
		f.refused(err, "ValidationException", "Parameter Event is not valid.")
	}
	_, err := try(`{"a": []}`, event)
	f.refused(err, "InvalidEventPatternException", "Event pattern is not valid. Reason: Empty arrays are not allowed\n at [Source: (String)\"{\"a\": []}\"; line: 1, column: 9]")
}
