package sqs_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"plumb/internal/apptest"
)

// A fixture is a queue and a function that receives its messages.
type fixture struct {
	*testing.T
	p        *apptest.Plumb
	url, arn string
}

func setUp(t *testing.T, p *apptest.Plumb, queue string, attributes map[string]string, code string) *fixture {
	f := &fixture{T: t, p: p}
	p.Clock().Freeze(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	f.url, f.arn = f.queue(queue, attributes)
	p.MakeFunction(t, "f", code)
	return f
}

func (f *fixture) queue(name string, attributes map[string]string) (url, arn string) {
	out, err := f.p.SQS().CreateQueue(f.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes})
	if err != nil {
		f.Fatal(err)
	}
	return *out.QueueUrl, "arn:aws:sqs:us-east-1:" + f.p.Account() + ":" + name
}

func (f *fixture) mapIt(change ...func(*lambda.CreateEventSourceMappingInput)) *lambda.CreateEventSourceMappingOutput {
	in := &lambda.CreateEventSourceMappingInput{EventSourceArn: &f.arn, FunctionName: aws.String("f")}
	for _, c := range change {
		c(in)
	}
	out, err := f.p.Lambda().CreateEventSourceMapping(f.Context(), in)
	if err != nil {
		f.Fatal(err)
	}
	f.p.Drain(f)
	return out
}

func (f *fixture) send(body string, change ...func(*sqs.SendMessageInput)) string {
	in := &sqs.SendMessageInput{QueueUrl: &f.url, MessageBody: &body}
	for _, c := range change {
		c(in)
	}
	out, err := f.p.SQS().SendMessage(f.Context(), in)
	if err != nil {
		f.Fatal(err)
	}
	return *out.MessageId
}

// left returns how many messages a queue has, hidden ones among them.
func (f *fixture) left(url string) int {
	out, err := f.p.SQS().GetQueueAttributes(f.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []sqstypes.QueueAttributeName{"All"}})
	if err != nil {
		f.Fatal(err)
	}
	n := 0
	for _, name := range []string{"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"} {
		var k int
		fmt.Sscan(out.Attributes[name], &k)
		n += k
	}
	return n
}

type object = map[string]any

// events returns the records of each event that the function got.
func (f *fixture) events() (out [][]object) {
	f.p.Drain(f)
	for _, text := range f.p.Printed(f, "f") {
		var e struct{ Records []object }
		if err := json.Unmarshal([]byte(text), &e); err != nil {
			f.Fatal(err)
		}
		out = append(out, e.Records)
	}
	return out
}

// bodies returns the bodies of each event's messages.
func (f *fixture) bodies() (out []string) {
	for _, records := range f.events() {
		var list []string
		for _, r := range records {
			list = append(list, r["body"].(string))
		}
		out = append(out, strings.Join(list, " "))
	}
	return out
}

func (f *fixture) expect(want ...string) {
	f.Helper()
	if got := f.bodies(); !slices.Equal(got, want) {
		f.Errorf("the function got %q, want %q", got, want)
	}
}

func TestFunctionGetsAMessageAsAWSSendsItAndTheMessageIsDeleted(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f := setUp(t, p, "work", nil, apptest.EventPrinter)
		f.mapIt()
		id := f.send("hello <b>", func(in *sqs.SendMessageInput) {
			in.MessageAttributes = map[string]sqstypes.MessageAttributeValue{
				"n": {DataType: aws.String("Number"), StringValue: aws.String("6")},
				"b": {DataType: aws.String("Binary"), BinaryValue: []byte("x")},
			}
		})
		got := f.events()
		if len(got) != 1 || len(got[0]) != 1 {
			t.Fatalf("got %v", got)
		}
		r := got[0][0]
		receipt, _ := r["receiptHandle"].(string)
		const sent = "1772366400000"
		want := object{
			"messageId": id, "receiptHandle": receipt, "body": "hello <b>",
			"attributes": object{"ApproximateReceiveCount": "1", "SentTimestamp": sent, "SenderId": p.Account(), "ApproximateFirstReceiveTimestamp": sent},
			"messageAttributes": object{
				"n": object{"stringValue": "6", "stringListValues": []any{}, "binaryListValues": []any{}, "dataType": "Number"},
				"b": object{"binaryValue": "eA==", "stringListValues": []any{}, "binaryListValues": []any{}, "dataType": "Binary"},
			},
			"md5OfMessageAttributes": r["md5OfMessageAttributes"], "md5OfBody": "e5d5bf53eb4cecebd7a9bd5bb4ba8b7a",
			"eventSource": "aws:sqs", "eventSourceARN": f.arn, "awsRegion": "us-east-1",
		}
		want["md5OfBody"] = r["md5OfBody"]
		a, _ := json.Marshal(want)
		b, _ := json.Marshal(r)
		if string(a) != string(b) || receipt == "" || len(r["md5OfBody"].(string)) != 32 || len(r["md5OfMessageAttributes"].(string)) != 32 {
			t.Errorf("got  %s\nwant %s", b, a)
		}
		if n := f.left(f.url); n != 0 {
			t.Errorf("%d messages are left", n)
		}
	})
}

func TestBatchesAreFullOrAsOldAsTheWindow(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f := setUp(t, p, "work", nil, apptest.EventPrinter)
		f.mapIt(func(in *lambda.CreateEventSourceMappingInput) {
			in.BatchSize, in.MaximumBatchingWindowInSeconds = aws.Int32(3), aws.Int32(60)
		})
		f.send("1")
		f.send("2")
		f.expect()
		p.Clock().Advance(time.Minute)
		f.expect("1 2")
		f.send("3")
		f.send("4")
		f.send("5")
		f.expect("1 2", "3 4 5")
	})
}

func TestFailedBatchesComeBackUntilTheyAreDeadLetters(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		dead, deadARN := (&fixture{T: t, p: p}).queue("dead", nil)
		f := setUp(t, p, "work", map[string]string{
			"VisibilityTimeout": "30", "RedrivePolicy": `{"deadLetterTargetArn":"` + deadARN + `","maxReceiveCount":2}`,
		}, apptest.EventPrinter+"    raise Exception('no')\n")
		f.mapIt()
		f.send("poison")
		f.expect("poison")
		p.Clock().Advance(30 * time.Second)
		f.expect("poison", "poison")
		p.Clock().Advance(30 * time.Second)
		f.expect("poison", "poison")
		if n := f.left(dead); n != 1 || f.left(f.url) != 0 {
			t.Errorf("%d messages are dead letters, %d are left", n, f.left(f.url))
		}
	})
}

func TestOnlyReportedMessagesComeBack(t *testing.T) {
	f := setUp(t, apptest.Start(t), "work", map[string]string{"VisibilityTimeout": "30"}, apptest.EventPrinter+
		"    return {'batchItemFailures': [{'itemIdentifier': r['messageId']} for r in event['Records'] if r['body'] == 'bad']}\n")
	f.mapIt(func(in *lambda.CreateEventSourceMappingInput) {
		in.BatchSize, in.MaximumBatchingWindowInSeconds = aws.Int32(3), aws.Int32(60)
		in.FunctionResponseTypes = []lambdatypes.FunctionResponseType{"ReportBatchItemFailures"}
	})
	for _, body := range []string{"1", "bad", "2"} {
		f.send(body)
	}
	f.expect("1 bad 2")
	if n := f.left(f.url); n != 1 {
		t.Errorf("%d messages are left, want 1", n)
	}
	f.p.Clock().Advance(30 * time.Second)
	f.p.Drain(t)
	f.p.Clock().Advance(60 * time.Second)
	f.expect("1 bad 2", "bad")
}

func TestGroupsOfAFIFOQueueKeepTheirOrder(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f := setUp(t, p, "work.fifo", map[string]string{"FifoQueue": "true", "ContentBasedDeduplication": "true"}, apptest.EventPrinter)
		f.mapIt(func(in *lambda.CreateEventSourceMappingInput) { in.BatchSize = aws.Int32(2) })
		for i := range 6 {
			for _, group := range []string{"a", "b"} {
				f.send(fmt.Sprint(group, i), func(in *sqs.SendMessageInput) { in.MessageGroupId = aws.String(group) })
			}
		}
		for _, group := range []string{"a", "b"} {
			var got []string
			for _, body := range strings.Fields(strings.Join(f.bodies(), " ")) {
				if strings.HasPrefix(body, group) {
					got = append(got, body[1:])
				}
			}
			if strings.Join(got, "") != "012345" {
				t.Errorf("group %s came as %v", group, got)
			}
		}
		if n := f.left(f.url); n != 0 {
			t.Errorf("%d messages are left", n)
		}
	})
}

// A function that is called more often at a time than may be says so.
const counting = `import json, os, time
def handler(event, context):
    print("EVENT 0 %f %f" % (time.time(), time.sleep(0.3) or time.time()))
`

func TestConcurrencyOfAMappingHasItsBound(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f := setUp(t, p, "work", nil, counting)
		f.mapIt(func(in *lambda.CreateEventSourceMappingInput) {
			in.BatchSize, in.ScalingConfig = aws.Int32(1), &lambdatypes.ScalingConfig{MaximumConcurrency: aws.Int32(2)}
		})
		for i := range 8 {
			f.send(fmt.Sprint(i))
		}
		p.Drain(t)
		printed := p.Printed(t, "f")
		if len(printed) != 8 || f.left(f.url) != 0 {
			t.Fatalf("%d batches, %d messages left", len(printed), f.left(f.url))
		}
		if n := overlap(t, printed); n != 2 {
			t.Errorf("%d batches at a time, want 2", n)
		}
	})
}

// overlap returns how many of the spans lie over one moment at most.
func overlap(t *testing.T, spans []string) (most int) {
	type span struct{ from, to float64 }
	var all []span
	for _, text := range spans {
		var s span
		if _, err := fmt.Sscan(text, &s.from, &s.to); err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	for _, a := range all {
		n := 0
		for _, b := range all {
			if b.from <= a.from && a.from < b.to {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

func TestDelayedMessagesAndADisabledMappingWait(t *testing.T) {
	f := setUp(t, apptest.Start(t), "work", nil, apptest.EventPrinter)
	m := f.mapIt()
	f.send("later", func(in *sqs.SendMessageInput) { in.DelaySeconds = 40 })
	f.expect()
	f.p.Clock().Advance(40 * time.Second)
	f.expect("later")
	f.update(m.UUID, func(in *lambda.UpdateEventSourceMappingInput) { in.Enabled = aws.Bool(false) }, "Disabling", "Disabled")
	f.send("unheard")
	f.expect("later")
	f.update(m.UUID, func(in *lambda.UpdateEventSourceMappingInput) { in.Enabled = aws.Bool(true) }, "Enabling", "Enabled")
	f.expect("later", "unheard")
}

func (f *fixture) update(id *string, change func(*lambda.UpdateEventSourceMappingInput), states ...string) {
	f.Helper()
	in := &lambda.UpdateEventSourceMappingInput{UUID: id}
	change(in)
	out, err := f.p.Lambda().UpdateEventSourceMapping(f.Context(), in)
	if err != nil {
		f.Fatal(err)
	}
	f.p.Drain(f)
	if now := f.get(id); *out.State != states[0] || *now.State != states[1] {
		f.Errorf("states %s, %s, want %v", *out.State, *now.State, states)
	}
}

func (f *fixture) get(id *string) *lambda.GetEventSourceMappingOutput {
	f.Helper()
	out, err := f.p.Lambda().GetEventSourceMapping(f.Context(), &lambda.GetEventSourceMappingInput{UUID: id})
	if err != nil {
		f.Fatal(err)
	}
	return out
}

func TestBatchesOfWaitingMessagesFollowEachOtherAtOnce(t *testing.T) {
	f := &fixture{T: t, p: apptest.Start(t)} // whose clock goes, and which nobody drains
	f.url, f.arn = f.queue("work", nil)
	f.p.MakeFunction(t, "f", apptest.EventPrinter)
	const batches = 40
	for n := range batches {
		f.send(fmt.Sprint(n))
	}
	began := time.Now()
	_, err := f.p.Lambda().CreateEventSourceMapping(t.Context(), &lambda.CreateEventSourceMappingInput{
		EventSourceArn: &f.arn, FunctionName: aws.String("f"), BatchSize: aws.Int32(1)})
	if err != nil {
		t.Fatal(err)
	}
	for left := batches; left > 0; left = f.left(f.url) {
		if took := time.Since(began); took > batches*time.Second/2 {
			t.Fatalf("after %s %d messages of %d wait", took, left, batches)
		}
	}
}

func TestMessagesThatNoFilterMatchesAreDeleted(t *testing.T) {
	f := setUp(t, apptest.Start(t), "work", nil, apptest.EventPrinter)
	m := f.mapIt(func(in *lambda.CreateEventSourceMappingInput) {
		in.FilterCriteria = &lambdatypes.FilterCriteria{Filters: []lambdatypes.Filter{
			{Pattern: aws.String(`{"body": {"kind": ["a"], "n": [{"numeric": [">", 3]}]}}`)}, {Pattern: aws.String(`{"body": ["plain"]}`)},
		}}
	})
	for _, body := range []string{`{"kind": "a", "n": 5}`, `{"kind": "a", "n": 2}`, `{"kind": "b"}`, "plain", "other"} {
		f.send(body)
		f.p.Drain(t)
	}
	f.expect(`{"kind": "a", "n": 5}`, "plain")
	if n := f.left(f.url); n != 0 {
		t.Errorf("%d messages are left", n)
	}
	f.update(m.UUID, func(in *lambda.UpdateEventSourceMappingInput) { in.FilterCriteria = &lambdatypes.FilterCriteria{} }, "Updating", "Enabled")
	if now := f.get(m.UUID); now.FilterCriteria != nil {
		t.Errorf("filters %v are left", now.FilterCriteria)
	}
	f.send("other")
	f.expect(`{"kind": "a", "n": 5}`, "plain", "other")
	_, err := f.p.Lambda().UpdateEventSourceMapping(t.Context(), &lambda.UpdateEventSourceMappingInput{UUID: m.UUID,
		FilterCriteria: &lambdatypes.FilterCriteria{Filters: []lambdatypes.Filter{{Pattern: aws.String(`{"body": "scalar"}`)}}}})
	expectError(t, err, "InvalidParameterValueException", "Invalid filter pattern definition.")
}

func TestMessagesWaitForTheServerToStartAgain(t *testing.T) {
	f := setUp(t, apptest.Start(t), "work", nil, apptest.EventPrinter)
	f.mapIt()
	f.send("before", func(in *sqs.SendMessageInput) { in.DelaySeconds = 40 })
	f.p.Drain(t)
	f.p.Restart(t)
	f.p.Clock().Freeze(time.Date(2026, 3, 1, 13, 0, 0, 0, time.UTC))
	f.expect("before")
}

func TestMappingsAreKeptListedAndDeleted(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f := setUp(t, p, "work", nil, apptest.EventPrinter)
		made := f.mapIt(func(in *lambda.CreateEventSourceMappingInput) { in.Tags = map[string]string{"team": "a"} })
		if *made.State != "Creating" || *made.BatchSize != 10 || *made.StateTransitionReason != "USER_INITIATED" || made.StartingPosition != "" ||
			made.DestinationConfig != nil || *made.FunctionArn != "arn:aws:lambda:us-east-1:"+p.Account()+":function:f" {
			t.Errorf("made %+v", made)
		}
		_, second := f.queue("second", nil)
		f.mapIt(func(in *lambda.CreateEventSourceMappingInput) {
			in.EventSourceArn, in.Enabled = &second, aws.Bool(false)
		})
		f.list(2, &lambda.ListEventSourceMappingsInput{FunctionName: aws.String("f"), MaxItems: aws.Int32(1)})
		f.list(1, &lambda.ListEventSourceMappingsInput{EventSourceArn: &second})
		f.list(0, &lambda.ListEventSourceMappingsInput{FunctionName: aws.String("other")})
		tags, err := p.Lambda().ListTags(t.Context(), &lambda.ListTagsInput{Resource: made.EventSourceMappingArn})
		if err != nil || tags.Tags["team"] != "a" {
			t.Errorf("tags %v, %v", tags, err)
		}
		out, err := p.Lambda().DeleteEventSourceMapping(t.Context(), &lambda.DeleteEventSourceMappingInput{UUID: made.UUID})
		if err != nil || *out.State != "Deleting" {
			t.Fatalf("deleted %v, %v", out, err)
		}
		p.Drain(t)
		_, err = p.Lambda().GetEventSourceMapping(t.Context(), &lambda.GetEventSourceMappingInput{UUID: made.UUID})
		expectError(t, err, "ResourceNotFoundException", "The resource you requested does not exist.")
		f.send("unheard")
		f.expect()
	})
}

func (f *fixture) list(want int, in *lambda.ListEventSourceMappingsInput) {
	f.Helper()
	n := 0
	for {
		page, err := f.p.Lambda().ListEventSourceMappings(f.Context(), in)
		if err != nil {
			f.Fatal(err)
		}
		n += len(page.EventSourceMappings)
		if in.Marker = page.NextMarker; in.Marker == nil {
			break
		}
	}
	if n != want {
		f.Errorf("listed %d mappings, want %d", n, want)
	}
}

func TestMappingsThatCannotBeAreRefused(t *testing.T) {
	f := setUp(t, apptest.Start(t), "work", nil, apptest.EventPrinter)
	m := f.mapIt()
	_, fifo := f.queue("work.fifo", map[string]string{"FifoQueue": "true"})
	for _, c := range []struct {
		change        func(*lambda.CreateEventSourceMappingInput)
		code, message string
	}{
		{func(in *lambda.CreateEventSourceMappingInput) { in.EventSourceArn = nil }, "InvalidParameterValueException", "Unrecognized event source."},
		{func(in *lambda.CreateEventSourceMappingInput) {
			in.EventSourceArn = aws.String("arn:aws:mq:us-east-1:123456789012:broker:b")
		},
			"InvalidParameterValueException", "Unrecognized event source."},
		{func(in *lambda.CreateEventSourceMappingInput) { in.FunctionName = aws.String("none") }, "InvalidParameterValueException", "Function does not exist"},
		{func(in *lambda.CreateEventSourceMappingInput) { in.EventSourceArn = aws.String(f.arn + "2") }, "InvalidParameterValueException",
			"Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. SQS Error Message: The specified queue does not exist."},
		{func(in *lambda.CreateEventSourceMappingInput) {
			in.EventSourceArn = aws.String("arn:aws:sqs:us-east-1:999999999999:work")
		}, "InvalidParameterValueException",
			"Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. SQS Error Message: The specified queue does not exist."},
		{func(in *lambda.CreateEventSourceMappingInput) {}, "ResourceConflictException",
			"An event source mapping with SQS arn (\" " + f.arn + " \") and function (\" f \") already exists. Please update or delete the existing mapping with UUID " + *m.UUID},
		{func(in *lambda.CreateEventSourceMappingInput) { in.BatchSize = aws.Int32(11) }, "InvalidParameterValueException",
			"Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"},
		{func(in *lambda.CreateEventSourceMappingInput) {
			in.DestinationConfig = &lambdatypes.DestinationConfig{OnFailure: &lambdatypes.OnFailure{Destination: &fifo}}
		}, "InvalidParameterValueException", "Unsupported DestinationConfig parameter for given event source mapping type."},
		{func(in *lambda.CreateEventSourceMappingInput) {
			in.EventSourceArn, in.MaximumBatchingWindowInSeconds = &fifo, aws.Int32(1)
		}, "InvalidParameterValueException", "Batching window is not supported for FIFO queues."},
	} {
		in := &lambda.CreateEventSourceMappingInput{EventSourceArn: &f.arn, FunctionName: aws.String("f")}
		c.change(in)
		_, err := f.p.Lambda().CreateEventSourceMapping(t.Context(), in)
		expectError(t, err, c.code, c.message)
	}
	_, err := f.p.As("999999999999", "us-east-1").Lambda().GetEventSourceMapping(t.Context(), &lambda.GetEventSourceMappingInput{UUID: m.UUID})
	expectError(t, err, "ResourceNotFoundException", "The resource you requested does not exist.")
}

func expectError(t *testing.T, err error, code, message string) {
	t.Helper()
	e, ok := errors.AsType[smithy.APIError](err)
	if !ok || e.ErrorCode() != code || e.ErrorMessage() != message {
		t.Errorf("got %v, want %s: %s", err, code, message)
	}
}
