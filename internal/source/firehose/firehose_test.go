package firehose_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"plumb/internal/apptest"
	"plumb/internal/awsclient"
)

type object = map[string]any

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// A fixture is a bucket "sink", and streams that are made with what a test adds.
type fixture struct {
	*testing.T
	*apptest.Plumb
}

func setUp(t *testing.T, p *apptest.Plumb) *fixture {
	p.Clock().Freeze(noon)
	f := &fixture{t, p}
	f.bucket("sink")
	return f
}

func (f *fixture) bucket(name string) {
	f.Helper()
	if _, err := f.S3().CreateBucket(f.Context(), &s3.CreateBucketInput{Bucket: &name}); err != nil {
		f.Fatal(err)
	}
}

func (f *fixture) call(operation string, in object) object {
	f.Helper()
	out, err := f.try(operation, in)
	if err != nil {
		f.Fatalf("%s: %v", operation, err)
	}
	return out
}

func (f *fixture) try(operation string, in object) (object, error) {
	return f.Client().Call(context.Background(), "firehose", operation, in)
}

const role = "arn:aws:iam::123456789012:role/delivery"

// stream makes the stream "s".
func (f *fixture) stream(more object) {
	f.Helper()
	f.call("CreateDeliveryStream", object{"DeliveryStreamName": "s", "ExtendedS3DestinationConfiguration": f.destination(more)})
}

func (f *fixture) destination(more object) object {
	d := object{"RoleARN": role, "BucketARN": "arn:aws:s3:::sink", "BufferingHints": object{"SizeInMBs": 1, "IntervalInSeconds": 60}}
	for k, v := range more {
		d[k] = v
	}
	return d
}

// through has records go through a function.
func through(function string, parameters ...string) object {
	all := []any{object{"ParameterName": "LambdaArn", "ParameterValue": function}}
	for i := 0; i < len(parameters); i += 2 {
		all = append(all, object{"ParameterName": parameters[i], "ParameterValue": parameters[i+1]})
	}
	return object{"Enabled": true, "Processors": []any{object{"Type": "Lambda", "Parameters": all}}}
}

func (f *fixture) put(data ...string) (ids []string) {
	f.Helper()
	var all []any
	for _, d := range data {
		all = append(all, object{"Data": []byte(d)})
	}
	out := f.call("PutRecordBatch", object{"DeliveryStreamName": "s", "Records": all})
	if fmt.Sprint(out["FailedPutCount"]) != "0" {
		f.Fatalf("PutRecordBatch answered %v", out)
	}
	for _, r := range out["RequestResponses"].([]any) {
		ids = append(ids, r.(object)["RecordId"].(string))
	}
	return ids
}

func (f *fixture) advance(d time.Duration) {
	f.Helper()
	f.Clock().Advance(d)
	f.Drain(f)
}

// objects returns what a bucket has, by key.
func (f *fixture) objects(bucket string) map[string]string {
	f.Helper()
	list, err := f.S3().ListObjectsV2(f.Context(), &s3.ListObjectsV2Input{Bucket: &bucket})
	if err != nil {
		f.Fatal(err)
	}
	out := map[string]string{}
	for _, o := range list.Contents {
		got, err := f.S3().GetObject(f.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: o.Key})
		if err != nil {
			f.Fatal(err)
		}
		body, err := io.ReadAll(got.Body)
		if err != nil {
			f.Fatal(err)
		}
		out[*o.Key] = string(body)
	}
	return out
}

// one returns the one object whose key matches, and the key.
func (f *fixture) one(bucket, pattern string) (key, body string) {
	f.Helper()
	all := f.objects(bucket)
	n := 0
	for k, v := range all {
		if regexp.MustCompile(pattern).MatchString(k) {
			key, body, n = k, v, n+1
		}
	}
	if n != 1 {
		f.Fatalf("%d objects of %q match %s", n, all, pattern)
	}
	return key, body
}

const uuid = `[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`

func TestRecordsAreDeliveredWhenTheirTimeHasComeOrTheBufferIsFull(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f := setUp(t, p)
		f.stream(nil)
		f.call("PutRecord", object{"DeliveryStreamName": "s", "Record": object{"Data": []byte("a\n")}})
		f.advance(30 * time.Second)
		f.put("b\n", "", "c\n")
		f.advance(29 * time.Second)
		if got := f.objects("sink"); len(got) != 0 {
			t.Fatalf("delivered too early: %v", got)
		}
		f.advance(time.Second)
		if _, body := f.one("sink", `^2026/03/01/12/s-1-2026-03-01-12-00-00-`+uuid+`$`); body != "a\nb\nc\n" {
			t.Errorf("delivered %q", body)
		}
		large := strings.Repeat("x", 600_000)
		f.put(large, large)
		f.Drain(t)
		if _, body := f.one("sink", `s-1-2026-03-01-12-01-00-`); body != large+large {
			t.Errorf("a full buffer has %d bytes", len(body))
		}
		f.advance(time.Hour)
		if got := f.objects("sink"); len(got) != 2 {
			t.Errorf("an empty buffer was delivered: %d objects", len(got))
		}
	})
}

func TestAFunctionTransformsDropsAndFailsRecords(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f := setUp(t, p)
		function := p.MakeFunction(t, "f", `import base64, json, time
def handler(event, context):
    print("EVENT %017.6f %s" % (time.time(), json.dumps(event)))
    out = []
    for r in event["records"]:
        text = base64.b64decode(r["data"]).decode()
        if text == "lost":
            continue
        result = {"drop": "Dropped", "bad": "ProcessingFailed"}.get(text, "Ok")
        out.append({"recordId": r["recordId"], "result": result, "data": base64.b64encode((text.upper() + "\n").encode()).decode()})
        if text == "twice":
            out.append(out[-1])
    return {"records": out}
`)
		f.stream(object{"ProcessingConfiguration": through(function, "BufferIntervalInSeconds", "30", "BufferSizeInMBs", "0.2"), "CompressionFormat": "GZIP",
			"Prefix": "good/", "ErrorOutputPrefix": "errors/"})
		ids := f.put("one", "drop", "bad", "lost", "twice", "größer")
		f.advance(30 * time.Second)
		events := p.Printed(t, "f")
		if len(events) != 1 {
			t.Fatalf("%d invocations", len(events))
		}
		var e struct {
			InvocationID, DeliveryStreamArn, Region string
			Records                                 []struct {
				RecordID, Data              string
				ApproximateArrivalTimestamp int64
			}
		}
		if err := json.Unmarshal([]byte(events[0]), &e); err != nil {
			t.Fatal(err)
		}
		if e.DeliveryStreamArn != "arn:aws:firehose:us-east-1:"+p.Account()+":deliverystream/s" || e.Region != "us-east-1" ||
			!regexp.MustCompile("^"+uuid+"$").MatchString(e.InvocationID) {
			t.Errorf("the event is %s", events[0])
		}
		for i, r := range e.Records {
			if r.RecordID != ids[i] || r.ApproximateArrivalTimestamp != noon.UnixMilli() || !regexp.MustCompile(`^49\d{54}000000$`).MatchString(r.RecordID) {
				t.Errorf("record %d is %v, put as %s", i, r, ids[i])
			}
		}
		members := object{}
		_ = json.Unmarshal([]byte(events[0]), &members) // done above
		if len(members) != 4 || len(members["records"].([]any)[0].(object)) != 3 {
			t.Errorf("the event has other members than it should: %s", events[0])
		}
		f.advance(time.Minute)
		if _, body := f.one("sink", `^good/2026/03/01/12/s-1-.*\.gz$`); unpack(t, body) != "ONE\nGRÖSSER\n" {
			t.Errorf("delivered %q", unpack(t, body))
		}
		_, body := f.one("sink", `^errors/processing-failed/2026/03/01/12/s-1-.*\.gz$`)
		want := []string{
			line("Lambda.ProcessingFailedStatus", "ProcessingFailed status set for record", "bad", function, 1, 30*time.Second),
			line("Lambda.MissingRecordId", "One or more record IDs were not returned. Ensure that the Lambda function returns all received record IDs.",
				"lost", function, 1, 30*time.Second),
			line("Lambda.DuplicatedRecordId", "Multiple records were returned with the same record ID. Ensure that the Lambda function returns unique record "+
				"IDs for each record.", "twice", function, 1, 30*time.Second),
		}
		if got := unpack(t, body); got != strings.Join(want, "") {
			t.Errorf("got  %s\nwant %s", got, strings.Join(want, ""))
		}
	})
}

// line is what is written of a record that was not transformed.
func line(code, message, data, function string, attempts int, after time.Duration) string {
	return fmt.Sprintf(`{"attemptsMade":%d,"arrivalTimestamp":%d,"errorCode":%q,"errorMessage":%q,"attemptEndingTimestamp":%d,"rawData":%q,"lambdaArn":%q}`+"\n",
		attempts, noon.UnixMilli(), code, message, noon.Add(after).UnixMilli(), base64.StdEncoding.EncodeToString([]byte(data)), function)
}

func unpack(t *testing.T, body string) string {
	t.Helper()
	z, err := gzip.NewReader(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestAFunctionThatFailsIsTriedAgainAndItsRecordsAreKept(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f := setUp(t, p)
		function := p.MakeFunction(t, "f", `import time
def handler(event, context):
    print("EVENT %017.6f %s" % (time.time(), event["records"][0]["recordId"]))
    raise Exception("no")
`)
		logs := func(operation string, in object) {
			if _, err := p.Client().Call(t.Context(), "logs", operation, in); err != nil {
				t.Fatal(err)
			}
		}
		logs("CreateLogGroup", object{"logGroupName": "/firehose"})
		f.stream(object{"ProcessingConfiguration": through(function, "BufferIntervalInSeconds", "0", "NumberOfRetries", "2"),
			"CloudWatchLoggingOptions": object{"Enabled": true, "LogGroupName": "/firehose", "LogStreamName": "S3Delivery"}})
		ids := f.put("a")
		f.Drain(t)
		f.advance(time.Second)
		f.advance(2 * time.Second)
		f.advance(time.Hour)
		if got := p.Printed(t, "f"); len(got) != 3 || slices.ContainsFunc(got, func(id string) bool { return id != ids[0] }) {
			t.Errorf("invoked for %v, want three times for %v", got, ids)
		}
		_, body := f.one("sink", `^processing-failed/2026/03/01/12/`)
		if want := line("Lambda.FunctionError", "The Lambda function was successfully invoked but it returned an error result.", "a", function, 3, 3*time.Second); body != want {
			t.Errorf("got  %s\nwant %s", body, want)
		}
		lines := p.LogLines(t, "/firehose")
		want := `{"deliveryStreamARN":"arn:aws:firehose:us-east-1:123456789012:deliverystream/s","destination":"arn:aws:s3:::sink","deliveryStreamVersionId":1,` +
			`"message":"The Lambda function was successfully invoked but it returned an error result.","errorCode":"Lambda.FunctionError","processor":"` + function + `"}`
		if len(lines) != 1 || lines[0] != want {
			t.Errorf("logged %q\nwant %s", lines, want)
		}
	})
}

func TestAnswersOfFunctionsThatAreNoneFailTheirRecordsAtOnce(t *testing.T) {
	p := apptest.Start(t)
	f := setUp(t, p)
	function := p.MakeFunction(t, "f", `import base64
def handler(event, context):
    records, text = event["records"], base64.b64decode(event["records"][0]["data"]).decode()
    id = records[0]["recordId"]
    return {"nothing": None, "list": [], "result": {"records": [{"recordId": id, "result": "ok", "data": ""}]},
        "data": {"records": [{"recordId": id, "result": "Ok", "data": "%"}]}, "none": {"records": [{"recordId": id, "result": "Ok"}]},
        "number": {"records": [{"recordId": 1}]}}[text]
`)
	f.stream(object{"ProcessingConfiguration": through(function, "BufferIntervalInSeconds", "0")})
	all := []string{"nothing", "list", "result", "data", "none", "number"}
	for _, text := range all {
		f.put(text)
		f.Drain(t)
	}
	f.advance(time.Hour)
	_, body := f.one("sink", `^processing-failed/`)
	for _, text := range all {
		if !strings.Contains(body, line("Lambda.JsonProcessingException", "There was an error parsing returned records from the Lambda function. Ensure that the "+
			"returned records follow the status model required by Kinesis Data Firehose.", text, function, 1, 0)) {
			t.Errorf("no failure of %s in %s", text, body)
		}
	}
}

func TestWhatWasPutIsBackedUpBesideWhatWasMadeOfIt(t *testing.T) {
	p := apptest.Start(t)
	f := setUp(t, p)
	f.bucket("source")
	function := p.MakeFunction(t, "f", `def handler(event, context):
    return {"records": [{"recordId": r["recordId"], "result": "Dropped"} for r in event["records"]]}
`)
	f.stream(object{"ProcessingConfiguration": through(function), "S3BackupMode": "Enabled",
		"S3BackupConfiguration": object{"RoleARN": role, "BucketARN": "arn:aws:s3:::source", "Prefix": "raw/", "BufferingHints": object{"SizeInMBs": 1, "IntervalInSeconds": 0}}})
	f.put("a", "b")
	f.advance(time.Hour)
	if _, body := f.one("source", `^raw/2026/03/01/12/s-1-`); body != "ab" {
		t.Errorf("backed up %q", body)
	}
	if got := f.objects("sink"); len(got) != 0 {
		t.Errorf("delivered %v although all was dropped", got)
	}
	_, err := f.try("UpdateDestination", object{"DeliveryStreamName": "s", "CurrentDeliveryStreamVersionId": "1", "DestinationId": "destinationId-000000000001",
		"ExtendedS3DestinationUpdate": object{"S3BackupMode": "Disabled"}})
	if awsclient.Code(err) != "InvalidArgumentException" {
		t.Errorf("switching the backup off: %v", err)
	}
}

func TestABucketThatIsNotThereIsTriedAgainForADay(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f := setUp(t, p)
		f.stream(object{"BucketARN": "arn:aws:s3:::later"})
		f.put("a")
		f.advance(time.Minute)
		f.advance(time.Hour)
		f.bucket("later")
		f.Drain(t)
		f.advance(time.Minute)
		if _, body := f.one("later", `^2026/03/01/12/s-1-2026-03-01-12-00-00-`); body != "a" {
			t.Errorf("delivered %q", body)
		}
		f.call("UpdateDestination", object{"DeliveryStreamName": "s", "CurrentDeliveryStreamVersionId": "1", "DestinationId": "destinationId-000000000001",
			"ExtendedS3DestinationUpdate": object{"BucketARN": "arn:aws:s3:::never"}})
		f.put("b")
		f.advance(time.Minute)
		f.advance(25 * time.Hour)
		f.bucket("never")
		f.advance(time.Hour)
		if got := f.objects("never"); len(got) != 0 {
			t.Errorf("delivered %v after a day", got)
		}
	})
}

func TestRestartsKeepWhatWasAccepted(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f := setUp(t, p)
		f.stream(object{"ProcessingConfiguration": object{"Enabled": true, "Processors": []any{object{"Type": "AppendDelimiterToRecord",
			"Parameters": []any{object{"ParameterName": "Delimiter", "ParameterValue": `\n`}}}}}})
		f.put("a", "b")
		p.Restart(t)
		f.put("c")
		f.advance(time.Minute)
		if _, body := f.one("sink", `.`); body != "a\nb\nc\n" {
			t.Errorf("delivered %q", body)
		}
	})
}

func TestPrefixesAreEvaluated(t *testing.T) {
	p := apptest.Start(t)
	f := setUp(t, p)
	f.Clock().Freeze(time.Date(2026, 3, 1, 23, 5, 6, 0, time.UTC))
	f.stream(object{"Prefix": "y=!{timestamp:yyyy}/m=!{timestamp:MM}/!{timestamp:dd'th of 'MMM''E_HH.mm}/!{firehose:random-string}!{firehose:random-string}/",
		"ErrorOutputPrefix": "e/!{firehose:error-output-type}/", "CustomTimeZone": "Asia/Tokyo", "FileExtension": ".jsonl"})
	f.put("a")
	f.advance(time.Minute)
	key, _ := f.one("sink", `^y=2026/m=03/02th of Mar'Mon_08\.05/[a-z0-9]{22}/s-1-2026-03-02-08-05-06-`+uuid+`\.jsonl$`)
	if random := strings.Split(key, "/")[3]; random[:11] == random[11:] {
		t.Errorf("what is random is the same twice: %s", key)
	}
	for _, c := range []struct {
		prefix, errors, message string
	}{
		{"!{timestamp:yyyy}/", "", "ErrorOutputPrefix cannot be null or empty when Prefix contains expressions"},
		{"!{firehose:error-output-type}/", "", "Prefix cannot contain !{firehose:error-output-type}"},
		{"", "!{timestamp:yyyy}/", "ErrorOutputPrefix must contain at least one instance of !{firehose:error-output-type} when it contains expressions"},
		{"!{timestamp:yyyy-QQ}/", "e/!{firehose:error-output-type}/", "yyyy-QQ is not a pattern of dates that is supported in a prefix"},
		{"!{timestamp:yyyy'}/", "e/!{firehose:error-output-type}/", "A pattern of dates in a prefix has an apostrophe without another"},
		{"!{firehose:name}/", "e", "The expression !{firehose:name} is not supported in a prefix"},
		{"!{partitionKeyFromLambda:k}/", "e", "Dynamic partitioning is not served here"},
		{"!{timestamp", "e", "The prefix !{timestamp has an expression that is not complete"},
		{strings.Repeat("é", 300), "", "A prefix must not be longer than 512 characters once it is evaluated; this one has 614"},
	} {
		_, err := f.try("CreateDeliveryStream", object{"DeliveryStreamName": "t",
			"ExtendedS3DestinationConfiguration": f.destination(object{"Prefix": c.prefix, "ErrorOutputPrefix": c.errors})})
		if awsclient.Code(err) != "InvalidArgumentException" || !strings.Contains(err.Error(), c.message) {
			t.Errorf("%q, %q: %v, want %s", c.prefix, c.errors, err, c.message)
		}
	}
}

func TestFunctionsGetNoMoreThanAnInvocationTakes(t *testing.T) {
	p := apptest.Start(t)
	f := setUp(t, p)
	function := p.MakeFunction(t, "f", `import time
def handler(event, context):
    print("EVENT %017.6f %d" % (time.time(), len(event["records"])))
    return {"records": [{"recordId": r["recordId"], "result": "Ok", "data": r["data"]} for r in event["records"]]}
`)
	f.stream(object{"ProcessingConfiguration": through(function, "BufferSizeInMBs", "3"), "BufferingHints": object{"SizeInMBs": 64, "IntervalInSeconds": 60}})
	large := string(bytes.Repeat([]byte("x"), 1_000_000))
	for range 2 {
		f.put(large, large, large, large)
	}
	f.advance(time.Minute)
	f.advance(time.Minute)
	if got := p.Printed(t, "f"); len(got) != 2 || got[0] != "4" || got[1] != "4" {
		t.Errorf("functions got %v records", got)
	}
	if _, body := f.one("sink", `.`); len(body) != 8_000_000 {
		t.Errorf("%d bytes were delivered", len(body))
	}
}

func TestSDKsBatchOfTooManyBytesIsRefused(t *testing.T) {
	p := apptest.Start(t)
	f := setUp(t, p)
	f.stream(nil)
	large := aws.String(strings.Repeat("x", 1_000_000))
	var all []any
	for range 5 {
		all = append(all, object{"Data": []byte(*large)})
	}
	_, err := f.try("PutRecordBatch", object{"DeliveryStreamName": "s", "Records": all})
	if awsclient.Code(err) != "InvalidArgumentException" || !strings.Contains(err.Error(), "Records size exceeds 4 MB limit") {
		t.Errorf("five million bytes: %v", err)
	}
	_, err = f.try("PutRecord", object{"DeliveryStreamName": "s", "Record": object{"Data": bytes.Repeat([]byte("x"), 1_024_001)}})
	if awsclient.Code(err) != "ValidationException" || !strings.Contains(err.Error(), "1024000") {
		t.Errorf("a large record: %v", err)
	}
	_, err = f.try("PutRecord", object{"DeliveryStreamName": "none", "Record": object{"Data": []byte("x")}})
	if awsclient.Code(err) != "ResourceNotFoundException" || !strings.Contains(err.Error(), "Firehose none under account 123456789012 not found.") {
		t.Errorf("a stream that is not there: %v", err)
	}
}

func TestStreamsAreDescribedChangedTaggedAndDeleted(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f := setUp(t, p)
		f.stream(object{"Prefix": "a/"})
		described := func() object {
			t.Helper()
			return f.call("DescribeDeliveryStream", object{"DeliveryStreamName": "s"})["DeliveryStreamDescription"].(object)
		}
		s3Shape := func(d object) object {
			return d["Destinations"].([]any)[0].(object)["ExtendedS3DestinationDescription"].(object)
		}
		if d := described(); d["DeliveryStreamStatus"] != "ACTIVE" || d["VersionId"] != "1" || s3Shape(d)["Prefix"] != "a/" || s3Shape(d)["CompressionFormat"] != "UNCOMPRESSED" {
			t.Errorf("described as %v", d)
		}
		change := object{"DeliveryStreamName": "s", "CurrentDeliveryStreamVersionId": "1", "DestinationId": "destinationId-000000000001",
			"ExtendedS3DestinationUpdate": object{"CompressionFormat": "GZIP"}}
		f.call("UpdateDestination", change)
		if _, err := f.try("UpdateDestination", change); awsclient.Code(err) != "ConcurrentModificationException" {
			t.Errorf("the same change again: %v", err)
		}
		if d := described(); d["VersionId"] != "2" || s3Shape(d)["Prefix"] != "a/" || s3Shape(d)["CompressionFormat"] != "GZIP" {
			t.Errorf("described as %v", d)
		}
		f.call("TagDeliveryStream", object{"DeliveryStreamName": "s", "Tags": []any{object{"Key": "a", "Value": "b"}, object{"Key": "c"}}})
		f.call("UntagDeliveryStream", object{"DeliveryStreamName": "s", "TagKeys": []any{"c"}})
		if got := f.call("ListTagsForDeliveryStream", object{"DeliveryStreamName": "s"}); fmt.Sprint(got["Tags"]) != "[map[Key:a Value:b]]" || got["HasMoreTags"] != false {
			t.Errorf("the tags are %v", got)
		}
		encryption := func(want string) {
			t.Helper()
			if got := described()["DeliveryStreamEncryptionConfiguration"].(object)["Status"]; got != want {
				t.Errorf("encryption is %v, want %s", got, want)
			}
		}
		f.call("StartDeliveryStreamEncryption", object{"DeliveryStreamName": "s"})
		encryption("ENABLED")
		f.call("StopDeliveryStreamEncryption", object{"DeliveryStreamName": "s"})
		encryption("DISABLED")
		if _, err := f.try("CreateDeliveryStream", object{"DeliveryStreamName": "s", "S3DestinationConfiguration": f.destination(nil)}); awsclient.Code(err) != "ResourceInUseException" {
			t.Errorf("made again: %v", err)
		}
		f.put("a")
		f.call("DeleteDeliveryStream", object{"DeliveryStreamName": "s"})
		f.advance(time.Hour)
		if got := f.call("ListDeliveryStreams", nil); fmt.Sprint(got["DeliveryStreamNames"]) != "[]" || len(f.objects("sink")) != 0 {
			t.Errorf("left are %v and %v", got, f.objects("sink"))
		}
	})
}
