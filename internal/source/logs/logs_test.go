package logs_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"plumb/internal/apptest"
	"plumb/internal/awsclient"
)

type object = map[string]any

// A fixture is a log group "/app" with a stream "s", and a function "f" that prints its
// events.
type fixture struct {
	*testing.T
	p        *apptest.Plumb
	function string
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func setUp(t *testing.T, p *apptest.Plumb) *fixture {
	p.Clock().Freeze(noon)
	f := &fixture{T: t, p: p, function: p.MakeFunction(t, "f", apptest.EventPrinter)}
	f.call("CreateLogGroup", object{"logGroupName": "/app"})
	f.call("CreateLogStream", object{"logGroupName": "/app", "logStreamName": "s"})
	return f
}

func (f *fixture) call(operation string, in object) object {
	f.Helper()
	out, err := f.p.Client().Call(context.Background(), "logs", operation, in)
	if err != nil {
		f.Fatal(err)
	}
	return out
}

func (f *fixture) permit(group string) {
	_, err := f.p.Lambda().AddPermission(f.Context(), &lambda.AddPermissionInput{
		FunctionName: aws.String("f"), StatementId: aws.String("logs"), Action: aws.String("lambda:InvokeFunction"),
		Principal: aws.String("logs.us-east-1.amazonaws.com"), SourceArn: aws.String("arn:aws:logs:us-east-1:" + f.p.Account() + ":log-group:" + group + ":*"),
		SourceAccount: aws.String(f.p.Account()),
	})
	if err != nil {
		f.Fatal(err)
	}
}

func (f *fixture) subscription(name, pattern string) object {
	return object{"logGroupName": "/app", "filterName": name, "filterPattern": pattern, "destinationArn": f.function}
}

func (f *fixture) put(messages ...string) {
	var events []any
	for _, m := range messages {
		events = append(events, object{"timestamp": noon.UnixMilli(), "message": m})
	}
	f.call("PutLogEvents", object{"logGroupName": "/app", "logStreamName": "s", "logEvents": events})
}

// batches returns what the function got, unpacked.
func (f *fixture) batches() (out []object) {
	f.Helper()
	f.p.Drain(f)
	for _, text := range f.p.Printed(f, "f") {
		var e struct {
			Logs struct{ Data string } `json:"awslogs"`
		}
		if err := json.Unmarshal([]byte(text), &e); err != nil {
			f.Fatal(err)
		}
		packed, err := base64.StdEncoding.DecodeString(e.Logs.Data)
		if err != nil {
			f.Fatal(err)
		}
		z, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			f.Fatal(err)
		}
		plain, err := io.ReadAll(z)
		if err != nil {
			f.Fatal(err)
		}
		var b object
		if err := json.Unmarshal(plain, &b); err != nil {
			f.Fatal(err)
		}
		out = append(out, b)
	}
	return out
}

func TestFunctionGetsEventsAsAWSPacksThem(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f := setUp(t, p)
		f.permit("/app")
		f.call("PutSubscriptionFilter", f.subscription("errors", "ERROR"))
		f.put("an ERROR <here>", "all is well", "another ERROR")
		got := f.batches()
		if len(got) != 1 {
			t.Fatalf("got %v", got)
		}
		events, _ := got[0]["logEvents"].([]any)
		ids := []string{}
		for _, e := range events {
			id, _ := e.(object)["id"].(string)
			ids = append(ids, id)
			delete(e.(object), "id")
		}
		want := object{
			"messageType": "DATA_MESSAGE", "owner": p.Account(), "logGroup": "/app", "logStream": "s", "subscriptionFilters": []any{"errors"},
			"logEvents": []any{
				object{"timestamp": noon.UnixMilli(), "message": "an ERROR <here>"}, object{"timestamp": noon.UnixMilli(), "message": "another ERROR"},
			},
		}
		a, _ := json.Marshal(want)
		b, _ := json.Marshal(got[0])
		if string(a) != string(b) || len(ids[0]) != 56 || ids[0] >= ids[1] {
			t.Errorf("got  %s, ids %v\nwant %s", b, ids, a)
		}
	})
}

func TestFiltersOfFieldsTellTheFields(t *testing.T) {
	f := setUp(t, apptest.Start(t))
	f.permit("/app")
	f.call("PutSubscriptionFilter", f.subscription("failed", "[ip, ..., status = 5*, bytes > 100]"))
	f.put(`10.0.0.1 "GET /a b" 503 200`, `10.0.0.1 "GET /" 200 200`, `10.0.0.2 503 9`)
	got := f.batches()
	if len(got) != 1 || len(got[0]["logEvents"].([]any)) != 1 {
		t.Fatalf("got %v", got)
	}
	fields, _ := json.Marshal(got[0]["logEvents"].([]any)[0].(object)["extractedFields"])
	if string(fields) != `{"$bytes":"200","$ip":"10.0.0.1","$status":"503"}` {
		t.Errorf("fields %s", fields)
	}
}

func TestWhatAFunctionPrintsReachesItsSubscriberAtOnce(t *testing.T) {
	f := setUp(t, apptest.Start(t))
	f.p.MakeFunction(t, "speaker", "def handler(event, context):\n    print('hello')\n")
	f.call("CreateLogGroup", object{"logGroupName": "/aws/lambda/speaker"})
	f.permit("/aws/lambda/speaker")
	in := f.subscription("all", "")
	in["logGroupName"] = "/aws/lambda/speaker"
	f.call("PutSubscriptionFilter", in)
	if _, err := f.p.Lambda().Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("speaker")}); err != nil {
		t.Fatal(err)
	}
	f.p.Drain(t) // a function answers before its invocation is over
	lines := f.p.LogLines(t, "/aws/lambda/speaker")
	if !slices.Contains(lines, "hello\n") || !slices.ContainsFunc(lines, begins("START RequestId: ")) || !slices.ContainsFunc(lines, begins("END RequestId: ")) ||
		!slices.ContainsFunc(lines, begins("REPORT RequestId: ")) {
		t.Errorf("the log says %q", lines)
	}
	var received []string
	for _, b := range f.batches() {
		for _, e := range b["logEvents"].([]any) {
			received = append(received, e.(object)["message"].(string))
		}
	}
	slices.Sort(received)
	slices.Sort(lines)
	if !slices.Equal(received, lines) {
		t.Errorf("the function received %q", received)
	}
}

func begins(text string) func(string) bool {
	return func(line string) bool { return len(line) > len(text) && line[:len(text)] == text }
}

func TestFiltersAreListedChangedAndDeleted(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f := setUp(t, p)
		f.permit("/app")
		f.call("PutSubscriptionFilter", f.subscription("a", "x"))
		f.call("PutSubscriptionFilter", f.subscription("b", ""))
		f.call("PutSubscriptionFilter", f.subscription("a", "ERROR"))
		f.fails("PutSubscriptionFilter", f.subscription("c", ""), "LimitExceededException")
		page := f.call("DescribeSubscriptionFilters", object{"logGroupName": "/app", "limit": 1})
		first := page["subscriptionFilters"].([]any)[0].(object)
		if first["filterName"] != "a" || first["filterPattern"] != "ERROR" || first["destinationArn"] != f.function || first["distribution"] != "ByLogStream" {
			t.Errorf("first filter %v", first)
		}
		page = f.call("DescribeSubscriptionFilters", object{"logGroupName": "/app", "limit": 1, "nextToken": page["nextToken"]})
		if list := page["subscriptionFilters"].([]any); len(list) != 1 || list[0].(object)["filterName"] != "b" || page["nextToken"] != nil {
			t.Errorf("second page %v", page)
		}
		f.call("DeleteSubscriptionFilter", object{"logGroupName": "/app", "filterName": "a"})
		f.fails("DeleteSubscriptionFilter", object{"logGroupName": "/app", "filterName": "a"}, "ResourceNotFoundException")
		f.call("DeleteLogGroup", object{"logGroupName": "/app"})
		f.call("CreateLogGroup", object{"logGroupName": "/app"})
		if page = f.call("DescribeSubscriptionFilters", object{"logGroupName": "/app"}); len(page["subscriptionFilters"].([]any)) != 0 {
			t.Errorf("the new group has %v", page)
		}
	})
}

func (f *fixture) fails(operation string, in object, code string) {
	f.Helper()
	if _, err := f.p.Client().Call(context.Background(), "logs", operation, in); awsclient.Code(err) != code {
		f.Errorf("%s: got %v, want %s", operation, err, code)
	}
}

func TestFiltersThatCannotBeAreRefused(t *testing.T) {
	f := setUp(t, apptest.Start(t))
	f.fails("PutSubscriptionFilter", f.subscription("a", ""), "InvalidParameterException") // no permission
	f.permit("*")
	f.fails("PutSubscriptionFilter", f.subscription("a", "[x, y"), "InvalidParameterException")
	f.call("CreateLogGroup", object{"logGroupName": "/aws/lambda/f"})
	own := f.subscription("a", "")
	own["logGroupName"] = "/aws/lambda/f"
	f.fails("PutSubscriptionFilter", own, "InvalidParameterException")
	foreign := f.subscription("a", "")
	foreign["destinationArn"] = "arn:aws:lambda:us-east-1:999999999999:function:f"
	f.fails("PutSubscriptionFilter", foreign, "AccessDeniedException")
	missing := f.subscription("a", "")
	missing["logGroupName"] = "/none"
	f.fails("PutSubscriptionFilter", missing, "ResourceNotFoundException")
	f.call("PutSubscriptionFilter", f.subscription("a", ""))
	if _, err := f.p.Lambda().RemovePermission(t.Context(), &lambda.RemovePermissionInput{FunctionName: aws.String("f"), StatementId: aws.String("logs")}); err != nil {
		t.Fatal(err)
	}
	f.put("unheard")
	if got := f.batches(); len(got) != 0 {
		t.Errorf("without permission the function got %v", got)
	}
}
