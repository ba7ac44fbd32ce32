package stream_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"

	"plumb/internal/apptest"
	"plumb/internal/db/dbtest"
	"plumb/internal/settings"
)

const streamARN = "arn:aws:kinesis:us-east-1:123456789012:stream/s"

// A fixture is a server whose account has its streams in moto, and a function "f".
type fixture struct {
	*testing.T
	cloud
	p    *apptest.Plumb
	uuid *string
}

func setUp(t *testing.T, code string, shards int, change ...func(*settings.Settings)) *fixture {
	moto := startMoto(t)
	f := &fixture{T: t, cloud: cloud{t, moto}, p: apptest.Start(t, append(change, apptest.Target(moto))...)}
	f.p.MakeFunction(t, "f", code)
	if shards > 0 {
		f.kinesis("CreateStream", object{"StreamName": "s", "ShardCount": shards})
	}
	return f
}

func (f *fixture) mapIt(change ...func(*lambda.CreateEventSourceMappingInput)) *lambda.CreateEventSourceMappingOutput {
	f.Helper()
	in := &lambda.CreateEventSourceMappingInput{
		EventSourceArn: aws.String(streamARN), FunctionName: aws.String("f"), StartingPosition: types.EventSourcePositionTrimHorizon,
	}
	for _, c := range change {
		c(in)
	}
	out, err := f.p.Lambda().CreateEventSourceMapping(f.Context(), in)
	if err != nil {
		f.Fatal(err)
	}
	f.uuid = out.UUID
	return out
}

// until runs what is due, second by second, until it is so.
func (f *fixture) until(so func() bool) {
	f.Helper()
	for range 120 {
		f.p.Drain(f)
		if so() {
			return
		}
		f.p.Clock().Advance(time.Second)
	}
	f.Fatalf("it did not come to that; the function got %d events", len(f.p.Printed(f, "f")))
}

// events returns the events that the function got.
func (f *fixture) events() (out []object) {
	for _, text := range f.p.Printed(f, "f") {
		var e object
		if err := json.Unmarshal([]byte(text), &e); err != nil {
			f.Fatal(err)
		}
		out = append(out, e)
	}
	return out
}

// data returns the data of all records in the order in which they came.
func (f *fixture) data() (out []string) {
	for _, e := range f.events() {
		for _, r := range e["Records"].([]any) {
			b, err := base64.StdEncoding.DecodeString(r.(object)["kinesis"].(object)["data"].(string))
			if err != nil {
				f.Fatal(err)
			}
			out = append(out, string(b))
		}
	}
	return out
}

func (f *fixture) untilData(n int) []string {
	f.Helper()
	f.until(func() bool { return len(f.data()) >= n })
	return f.data()
}

func TestFunctionGetsKinesisRecordsAsAWSSendsThem(t *testing.T) {
	f := setUp(t, apptest.EventPrinter, 1)
	f.put("k-hello")
	made := f.mapIt()
	f.untilData(1)
	r := f.events()[0]["Records"].([]any)[0].(object)
	k := r["kinesis"].(object)
	sequence, arrival := k["sequenceNumber"].(string), k["approximateArrivalTimestamp"].(float64)
	want := object{
		"kinesis": object{
			"kinesisSchemaVersion": "1.0", "partitionKey": "k", "sequenceNumber": sequence, "data": "ay1oZWxsbw==", "approximateArrivalTimestamp": arrival,
		},
		"eventSource": "aws:kinesis", "eventVersion": "1.0", "eventID": "shardId-000000000000:" + sequence, "eventName": "aws:kinesis:record",
		"invokeIdentityArn": "arn:aws:iam::123456789012:role/function", "awsRegion": "us-east-1", "eventSourceARN": streamARN,
	}
	a, _ := json.Marshal(want)
	b, _ := json.Marshal(r)
	if string(a) != string(b) || sequence == "" || time.Since(time.UnixMilli(int64(arrival*1000))).Abs() > time.Hour {
		t.Errorf("got  %s\nwant %s", b, a)
	}
	if *made.State != "Creating" || *made.StateTransitionReason != "User action" || *made.BatchSize != 100 || *made.MaximumRetryAttempts != -1 ||
		*made.MaximumRecordAgeInSeconds != -1 || *made.ParallelizationFactor != 1 || *made.LastProcessingResult != "No records processed" {
		t.Errorf("made %+v", made)
	}
	now, err := f.p.Lambda().GetEventSourceMapping(t.Context(), &lambda.GetEventSourceMappingInput{UUID: made.UUID})
	if err != nil || *now.State != "Enabled" || *now.LastProcessingResult != "OK" {
		t.Errorf("now %+v, %v", now, err)
	}
}

func TestFunctionGetsChangesOfATableAsAWSSendsThem(t *testing.T) {
	f := setUp(t, apptest.EventPrinter, 0)
	table := f.dynamodb("CreateTable", object{
		"TableName": "t", "BillingMode": "PAY_PER_REQUEST",
		"KeySchema":            []any{object{"AttributeName": "pk", "KeyType": "HASH"}},
		"AttributeDefinitions": []any{object{"AttributeName": "pk", "AttributeType": "S"}},
		"StreamSpecification":  object{"StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES"},
	})
	arn := table["TableDescription"].(object)["LatestStreamArn"].(string)
	put := func(b string) {
		f.dynamodb("PutItem", object{"TableName": "t", "Item": object{"pk": object{"S": "a"}, "b": object{"B": b}, "n": object{"N": "5"}}})
	}
	put("Zm9v")
	put("YmFy")
	f.dynamodb("DeleteItem", object{"TableName": "t", "Key": object{"pk": object{"S": "a"}}})
	f.mapIt(func(in *lambda.CreateEventSourceMappingInput) { in.EventSourceArn = &arn })
	records := func() (out []any) {
		for _, e := range f.events() {
			out = append(out, e["Records"].([]any)...)
		}
		return out
	}
	f.until(func() bool { return len(records()) >= 3 })
	for i, name := range []string{"INSERT", "MODIFY", "REMOVE"} {
		r := records()[i].(object)
		d := r["dynamodb"].(object)
		image := func(b string) object {
			return object{"pk": object{"S": "a"}, "b": object{"B": b}, "n": object{"N": "5"}}
		}
		change := object{
			"ApproximateCreationDateTime": d["ApproximateCreationDateTime"], "Keys": object{"pk": object{"S": "a"}}, "SequenceNumber": d["SequenceNumber"],
			"SizeBytes": d["SizeBytes"], "StreamViewType": "NEW_AND_OLD_IMAGES",
		}
		if i < 2 {
			change["NewImage"] = image([]string{"Zm9v", "YmFy"}[i])
		}
		if i > 0 {
			change["OldImage"] = image([]string{"", "Zm9v", "YmFy"}[i])
		}
		want := object{
			"eventID": r["eventID"], "eventName": name, "eventVersion": r["eventVersion"], "eventSource": "aws:dynamodb", "awsRegion": "us-east-1",
			"dynamodb": change, "eventSourceARN": arn,
		}
		a, _ := json.Marshal(want)
		b, _ := json.Marshal(r)
		if created, ok := d["ApproximateCreationDateTime"].(float64); string(a) != string(b) || !ok || created != float64(int64(created)) {
			t.Errorf("got  %s\nwant %s", b, a)
		}
	}
}

// fails is a function that fails now and then, and prints what it took.
const fails = `import json, random, time
def handler(event, context):
    if random.random() < %s:
        raise Exception("now and then")
    print("EVENT %%017.6f %%s" %% (time.time(), json.dumps(event)))
`

func TestShardsKeepTheirOrderThoughBatchesFailAndTheServerIsStopped(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) { keepOrder(t) })
	t.Run("PostgreSQL", func(t *testing.T) {
		url := dbtest.PostgresURL(t)
		keepOrder(t, func(s *settings.Settings) { s.Database = url })
	})
}

func keepOrder(t *testing.T, change ...func(*settings.Settings)) {
	n, rate := 400, "0.05"
	if os.Getenv("PLUMB_TEST_REAL") != "" {
		n, rate = 10000, "0.01"
	}
	f := setUp(t, fmt.Sprintf(fails, rate), 8, change...)
	var data []string
	for i := range n {
		data = append(data, fmt.Sprintf("k%02d-%05d", i%32, i))
	}
	f.put(data[:n/2]...)
	f.mapIt(func(in *lambda.CreateEventSourceMappingInput) {
		in.BatchSize, in.ParallelizationFactor = aws.Int32(10), aws.Int32(2)
	})
	f.untilData(n / 4)
	f.p.Restart(t)
	f.put(data[n/2:]...)
	got := f.untilData(n)
	last := map[string]string{}
	for _, d := range got {
		key, number, _ := strings.Cut(d, "-")
		if number <= last[key] {
			t.Errorf("%s came after %s", d, last[key])
		}
		last[key] = number
	}
	slices.Sort(got)
	slices.Sort(data)
	if !slices.Equal(got, data) {
		t.Errorf("got %d records of %d, %d of them once", len(got), n, len(slices.Compact(got)))
	}
}

// refuses is a function that fails for bad records, and prints what it took.
const refuses = `import base64, json, time
def handler(event, context):
    if any(b"bad" in base64.b64decode(r["kinesis"]["data"]) for r in event["Records"]):
        raise Exception("bad")
    print("EVENT %017.6f %s" % (time.time(), json.dumps(event)))
`

func TestPoisonIsCutOutOfItsBatchAndToldToTheDestination(t *testing.T) {
	f := setUp(t, refuses, 1)
	queue, err := f.p.SQS().CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("lost")})
	if err != nil {
		t.Fatal(err)
	}
	f.put("a-1", "a-2", "a-bad", "a-3", "a-4")
	f.mapIt(func(in *lambda.CreateEventSourceMappingInput) {
		in.MaximumRetryAttempts, in.BisectBatchOnFunctionError = aws.Int32(1), aws.Bool(true)
		in.DestinationConfig = &types.DestinationConfig{OnFailure: &types.OnFailure{Destination: aws.String("arn:aws:sqs:us-east-1:123456789012:lost")}}
	})
	if got := f.untilData(4); strings.Join(got, " ") != "a-1 a-2 a-3 a-4" {
		t.Errorf("the function took %v", got)
	}
	out, err := f.p.SQS().ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: queue.QueueUrl, MaxNumberOfMessages: 10})
	if err != nil || len(out.Messages) != 1 {
		t.Fatalf("the destination got %v, %v", out, err)
	}
	var told object
	if err := json.Unmarshal([]byte(*out.Messages[0].Body), &told); err != nil {
		t.Fatal(err)
	}
	asked, info := told["requestContext"].(object), told["KinesisBatchInfo"].(object)
	want := object{
		"requestContext": object{
			"requestId": asked["requestId"], "functionArn": "arn:aws:lambda:us-east-1:123456789012:function:f", "condition": "RetryAttemptsExhausted",
			"approximateInvokeCount": 2,
		},
		"responseContext": object{"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
		"version":         "1.0", "timestamp": told["timestamp"],
		"KinesisBatchInfo": object{
			"shardId": "shardId-000000000000", "startSequenceNumber": info["startSequenceNumber"], "endSequenceNumber": info["startSequenceNumber"],
			"approximateArrivalOfFirstRecord": info["approximateArrivalOfFirstRecord"], "approximateArrivalOfLastRecord": info["approximateArrivalOfFirstRecord"],
			"batchSize": 1, "streamArn": streamARN,
		},
	}
	a, _ := json.Marshal(want)
	b, _ := json.Marshal(told)
	if string(a) != string(b) {
		t.Errorf("got  %s\nwant %s", b, a)
	}
}

func TestABucketGetsTheWholeOfABatchThatIsGivenUp(t *testing.T) {
	f := setUp(t, refuses, 1)
	onFailure := func(in *lambda.CreateEventSourceMappingInput) {
		in.MaximumRetryAttempts = aws.Int32(0)
		in.DestinationConfig = &types.DestinationConfig{OnFailure: &types.OnFailure{Destination: aws.String("arn:aws:s3:::lost")}}
	}
	f.put("a-1", "a-bad")
	if _, err := f.p.S3().CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("lost")}); err != nil {
		t.Fatal(err)
	}
	f.mapIt(onFailure)
	var keys []string
	f.until(func() bool {
		keys = nil
		out, err := f.p.S3().ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("lost")})
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range out.Contents {
			keys = append(keys, *o.Key)
		}
		return len(keys) > 0
	})
	want := regexp.MustCompile(`^aws/lambda/` + *f.uuid + `/shardId-000000000000/\d{4}/\d\d/\d\d/\d{4}-\d\d-\d\dT\d\d\.\d\d\.\d\d-[0-9a-f-]{36}$`)
	if len(keys) != 1 || !want.MatchString(keys[0]) {
		t.Fatalf("the bucket has %v", keys)
	}
	out, err := f.p.S3().GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("lost"), Key: &keys[0]})
	if err != nil {
		t.Fatal(err)
	}
	var told struct {
		RequestContext   struct{ Condition string }
		KinesisBatchInfo struct{ BatchSize int }
		Payload          struct {
			Records []struct{ Kinesis struct{ Data []byte } }
		}
	}
	if err := json.NewDecoder(out.Body).Decode(&told); err != nil {
		t.Fatal(err)
	}
	if told.RequestContext.Condition != "RetryAttemptsExhausted" || told.KinesisBatchInfo.BatchSize != 2 || len(told.Payload.Records) != 2 ||
		string(told.Payload.Records[1].Kinesis.Data) != "a-bad" {
		t.Errorf("the bucket got %+v", told)
	}
}

func TestDestinationsOfStreamsAreChecked(t *testing.T) {
	f := setUp(t, apptest.EventPrinter, 1)
	for _, target := range []string{
		"arn:aws:sqs:us-east-1:123456789012:missing", "arn:aws:sqs:us-east-1:123456789012:lost.fifo", "arn:aws:events:us-east-1:123456789012:event-bus/default",
		"arn:aws:lambda:us-east-1:123456789012:function:f",
	} {
		_, err := f.p.Lambda().CreateEventSourceMapping(t.Context(), &lambda.CreateEventSourceMappingInput{
			EventSourceArn: aws.String(streamARN), FunctionName: aws.String("f"), StartingPosition: types.EventSourcePositionTrimHorizon,
			DestinationConfig: &types.DestinationConfig{OnFailure: &types.OnFailure{Destination: &target}},
		})
		var refused *types.InvalidParameterValueException
		if !errors.As(err, &refused) || !strings.Contains(err.Error(), "The destination ARN "+target+" is invalid.") {
			t.Errorf("%s gave %v", target, err)
		}
	}
}

func TestRecordsFromTheFirstThatIsReportedComeAgain(t *testing.T) {
	f := setUp(t, `import base64, json, time
def handler(event, context):
    print("EVENT %017.6f %s" % (time.time(), json.dumps(event)))
    return {"batchItemFailures": [{"itemIdentifier": r["kinesis"]["sequenceNumber"]} for r in event["Records"] if b"bad" in base64.b64decode(r["kinesis"]["data"])]}
`, 1)
	f.put("a-1", "a-bad", "a-2")
	f.mapIt(func(in *lambda.CreateEventSourceMappingInput) {
		in.MaximumRetryAttempts, in.FunctionResponseTypes = aws.Int32(1), []types.FunctionResponseType{"ReportBatchItemFailures"}
	})
	f.untilData(5)
	f.put("a-3")
	if got := f.untilData(6); strings.Join(got, " ") != "a-1 a-bad a-2 a-bad a-2 a-3" {
		t.Errorf("the function got %v", got)
	}
}

func TestOnlyRecordsThatAFilterMatchesAreHandedOver(t *testing.T) {
	f := setUp(t, apptest.EventPrinter, 1)
	f.put(`{"kind": "a-1"}`, `{"kind": "b"}`, "plain")
	f.mapIt(func(in *lambda.CreateEventSourceMappingInput) {
		in.FilterCriteria = &types.FilterCriteria{Filters: []types.Filter{{Pattern: aws.String(`{"data": {"kind": [{"prefix": "a"}]}}`)}}}
	})
	f.untilData(1)
	f.put(`{"kind": "a-2"}`)
	if got := f.untilData(2); strings.Join(got, " ") != `{"kind": "a-1"} {"kind": "a-2"}` {
		t.Errorf("the function got %v", got)
	}
}

func TestChildrenAreReadAfterTheirParents(t *testing.T) {
	f := setUp(t, apptest.EventPrinter, 1)
	f.put("a-1", "b-1")
	f.mapIt()
	f.untilData(2)
	f.kinesis("SplitShard", object{"StreamName": "s", "ShardToSplit": "shardId-000000000000", "NewStartingHashKey": "170141183460469231731687303715884105728"})
	f.put("a-2", "b-2", "c-1", "d-1")
	f.untilData(6)
	f.p.Clock().Advance(2 * time.Minute)
	f.p.Drain(t)
	if got := f.data(); len(got) != 6 || slices.Index(got, "a-1") > slices.Index(got, "a-2") || slices.Index(got, "b-1") > slices.Index(got, "b-2") {
		t.Errorf("the function got %v", got)
	}
}

func TestWindowsHaveAState(t *testing.T) {
	f := setUp(t, `import json, time
def handler(event, context):
    print("EVENT %017.6f %s" % (time.time(), json.dumps(event)))
    return {"state": {"n": event["state"].get("n", 0) + len(event["Records"])}}
`, 1)
	f.put("a-1", "a-2")
	f.mapIt(func(in *lambda.CreateEventSourceMappingInput) { in.TumblingWindowInSeconds = aws.Int32(60) })
	final := func() (out object) {
		for _, e := range f.events() {
			if e["isFinalInvokeForWindow"] == true {
				out = e
			}
		}
		return out
	}
	f.until(func() bool { return final() != nil })
	first, last := f.events()[0], final()
	n := last["state"].(object)["n"]
	if len(first["state"].(object)) != 0 || first["shardId"] != "shardId-000000000000" || first["isFinalInvokeForWindow"] != false || len(last["Records"].([]any)) != 0 ||
		n != float64(2) && n != float64(1) { // the two may lie in two windows
		t.Errorf("first %v, last %v", first, last)
	}
}

func TestLatestBeginsWithWhatComesAfterTheMapping(t *testing.T) {
	f := setUp(t, apptest.EventPrinter, 1)
	f.put("a-before")
	f.mapIt(func(in *lambda.CreateEventSourceMappingInput) { in.StartingPosition = types.EventSourcePositionLatest })
	f.p.Drain(t)
	f.put("a-after")
	if got := f.untilData(1); strings.Join(got, " ") != "a-after" {
		t.Errorf("the function got %v", got)
	}
	enable := func(on bool) {
		if _, err := f.p.Lambda().UpdateEventSourceMapping(t.Context(), &lambda.UpdateEventSourceMappingInput{UUID: f.uuid, Enabled: &on}); err != nil {
			t.Fatal(err)
		}
		f.p.Drain(t)
		f.p.Clock().Advance(5 * time.Second)
		f.p.Drain(t)
	}
	enable(false)
	f.put("a-while disabled")
	f.p.Clock().Advance(time.Minute)
	f.p.Drain(t)
	if got := f.data(); len(got) != 1 {
		t.Errorf("disabled, the function got %v", got)
	}
	enable(true)
	if got := f.untilData(2); strings.Join(got, "|") != "a-after|a-while disabled" {
		t.Errorf("the function got %v", got)
	}
}

func TestMappingsOfStreamsThatCannotBeAreRefused(t *testing.T) {
	f := setUp(t, apptest.EventPrinter, 1)
	none := streamARN + "2"
	for _, c := range []struct {
		change        func(*lambda.CreateEventSourceMappingInput)
		code, message string
	}{
		{func(in *lambda.CreateEventSourceMappingInput) { in.EventSourceArn = &none }, "InvalidParameterValueException", "Stream not found: " + none},
		{func(in *lambda.CreateEventSourceMappingInput) { in.StartingPosition = "" }, "ValidationException",
			"1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must not be null."},
		{func(in *lambda.CreateEventSourceMappingInput) {
			in.EventSourceArn, in.StartingPosition = aws.String("arn:aws:dynamodb:us-east-1:123456789012:table/t/stream/x"), "AT_TIMESTAMP"
		}, "InvalidParameterValueException", "Unsupported starting position for arn type: arn:aws:dynamodb:us-east-1:123456789012:table/t/stream/x"},
	} {
		in := &lambda.CreateEventSourceMappingInput{EventSourceArn: aws.String(streamARN), FunctionName: aws.String("f"), StartingPosition: "LATEST"}
		c.change(in)
		_, err := f.p.Lambda().CreateEventSourceMapping(t.Context(), in)
		e, ok := errors.AsType[smithy.APIError](err)
		if !ok || e.ErrorCode() != c.code || e.ErrorMessage() != c.message {
			t.Errorf("got %v, want %s: %s", err, c.code, c.message)
		}
	}
}
