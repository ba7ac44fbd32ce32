package crashtest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/smtp"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"plumb/internal/apptest/moto"
	"plumb/internal/awsclient"
	"plumb/internal/db/dbtest"
	"plumb/internal/lambda/lambdatest"
)

// TestWhatSourcesTookIsHandedOver kills servers while messages are sent to a queue,
// records put into a delivery stream and into shards of moto, items into a table of moto
// that has a stream, events into a log group, mail sent and messages published. What was
// acknowledged arrives, and the records of a shard in their order.
// Of two servers that live, one hands each thing over.
func TestWhatSourcesTookIsHandedOver(t *testing.T) {
	plumb, _ := programs(t)
	cloud, stop, err := moto.Start()
	if errors.Is(err, moto.ErrNone) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	story := func(t *testing.T, stream string, databases ...string) {
		s := &sources{t: t, moto: cloud, stream: stream, accepted: map[string]map[int]bool{}}
		for _, database := range databases {
			one := newServer(plumb, dbtest.Folder(t), freeAddress(t), database)
			one.bare = true // functions that a kill interrupts fail
			one.flags = []string{"--target", cloud, "--smtp-listen", freeAddress(t)}
			one.start(t)
			if err := one.wait(t.Context()); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { one.end(t) })
			s.servers = append(s.servers, one)
		}
		s.build()
		s.produce(1, 400*time.Millisecond)
		s.arrive(true)
		kills := max(number("PLUMB_CRASH_KILLS", 5)/2, 1)
		for n := range kills {
			victim := s.servers[n%len(s.servers)]
			done := make(chan bool)
			go func() {
				time.Sleep(300 * time.Millisecond)
				victim.kill(t)
				victim.start(t)
				close(done)
			}()
			s.produce(1000*(n+1), 600*time.Millisecond)
			<-done
			if err := victim.wait(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		s.arrive(false)
	}
	t.Run("SQLite", func(t *testing.T) { story(t, "one", "") })
	t.Run("PostgreSQL", func(t *testing.T) {
		database := dbtest.PostgresURL(t)
		story(t, "two", database, database)
	})
}

// sources are the sources of one or more servers, and what was sent to them.
type sources struct {
	t       *testing.T
	servers []*server
	moto    string
	stream  string

	mu       sync.Mutex
	accepted map[string]map[int]bool // by source
	shards   map[string][]int        // the numbers of each shard, in their order
	told     []toldNumbers
}

func (s *sources) client(n int) *awsclient.Client {
	return awsclient.New(awsclient.Options{Endpoint: s.servers[n%len(s.servers)].url(), Region: "us-east-1",
		Credentials: awsclient.Static("123456789012", "any", ""), Attempts: 1})
}

// call calls an operation that has to work.
func (s *sources) call(service, operation string, in map[string]any) map[string]any {
	s.t.Helper()
	out, err := s.client(0).Call(s.t.Context(), service, operation, in)
	if err != nil {
		s.t.Fatalf("%s: %v", operation, err)
	}
	return out
}

// kinesis calls the Kinesis of moto.
func (s *sources) kinesis(operation string, in map[string]any) map[string]any {
	return s.cloud("kinesis", "Kinesis_20131202."+operation, in)
}

// dynamodb calls the DynamoDB of moto.
func (s *sources) dynamodb(operation string, in map[string]any) map[string]any {
	return s.cloud("dynamodb", "DynamoDB_20120810."+operation, in)
}

// cloud calls moto, which is asked for no signature. The answer is nil if that fails.
func (s *sources) cloud(service, operation string, in map[string]any) (out map[string]any) {
	body, _ := json.Marshal(in)
	r, _ := http.NewRequestWithContext(context.Background(), "POST", s.moto, bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", operation)
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=123456789012/20260101/us-east-1/"+service+"/aws4_request, SignedHeaders=host, Signature=0")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Errorf("%s: %v", operation, err)
		return nil
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		s.t.Errorf("%s: %s %s %v", operation, resp.Status, text, err)
		return nil
	}
	out = map[string]any{}
	_ = json.Unmarshal(text, &out) // some answers are empty
	return out
}

const sourceFunction = "arn:aws:lambda:us-east-1:123456789012:function:got"

func (s *sources) build() {
	code, err := os.ReadFile("testdata/source/main.py")
	if err != nil {
		s.t.Fatal(err)
	}
	s.call("lambda", "CreateFunction", map[string]any{"FunctionName": "got", "Handler": "main.handler", "Runtime": "python3.12", "Timeout": 20,
		"Role": "arn:aws:iam::123456789012:role/got", "Code": map[string]any{"ZipFile": lambdatest.Zip(s.t, "main.py", code)}})
	for n, principal := range []string{"iot.amazonaws.com", "ses.amazonaws.com", "logs.amazonaws.com"} {
		s.call("lambda", "AddPermission", map[string]any{"FunctionName": "got", "StatementId": fmt.Sprint("s", n), "Action": "lambda:InvokeFunction", "Principal": principal})
	}
	for _, queue := range []string{"got", "work"} {
		s.call("sqs", "CreateQueue", map[string]any{"QueueName": queue, "Attributes": map[string]any{"VisibilityTimeout": "600"}})
	}
	s.call("lambda", "CreateEventSourceMapping", map[string]any{"FunctionName": "got", "EventSourceArn": "arn:aws:sqs:us-east-1:123456789012:work"})
	s.call("iot", "CreateTopicRule", map[string]any{"ruleName": "r", "topicRulePayload": map[string]any{"sql": "SELECT * FROM 'numbers'",
		"actions": []any{map[string]any{"lambda": map[string]any{"functionArn": sourceFunction}}}}})
	for _, bucket := range []string{"mail", "sink"} {
		s.call("s3", "CreateBucket", map[string]any{"Bucket": bucket})
	}
	s.call("s3", "PutBucketPolicy", map[string]any{"Bucket": "mail", "Policy": `{"Statement": {"Effect": "Allow", "Principal": {"Service": "ses.amazonaws.com"},
		"Action": "s3:PutObject", "Resource": "arn:aws:s3:::mail/*"}}`})
	s.call("ses", "VerifyDomainIdentity", map[string]any{"Domain": "example.com"})
	s.call("ses", "CreateReceiptRuleSet", map[string]any{"RuleSetName": "all"})
	s.call("ses", "CreateReceiptRule", map[string]any{"RuleSetName": "all", "Rule": map[string]any{"Name": "keep", "Enabled": true,
		"Actions": []any{map[string]any{"S3Action": map[string]any{"BucketName": "mail"}}}}})
	s.call("ses", "SetActiveReceiptRuleSet", map[string]any{"RuleSetName": "all"})
	s.call("firehose", "CreateDeliveryStream", map[string]any{"DeliveryStreamName": "f", "ExtendedS3DestinationConfiguration": map[string]any{
		"RoleARN": "arn:aws:iam::123456789012:role/f", "BucketARN": "arn:aws:s3:::sink", "BufferingHints": map[string]any{"SizeInMBs": 1, "IntervalInSeconds": 60},
		"ProcessingConfiguration": map[string]any{"Enabled": true, "Processors": []any{map[string]any{"Type": "Lambda", "Parameters": []any{
			map[string]any{"ParameterName": "LambdaArn", "ParameterValue": sourceFunction}, map[string]any{"ParameterName": "BufferIntervalInSeconds", "ParameterValue": "1"}}}}}}})
	s.kinesis("CreateStream", map[string]any{"StreamName": s.stream, "ShardCount": 2})
	s.shards = map[string][]int{}
	table := s.dynamodb("CreateTable", map[string]any{"TableName": s.stream, "BillingMode": "PAY_PER_REQUEST",
		"KeySchema":            []any{map[string]any{"AttributeName": "pk", "KeyType": "HASH"}},
		"AttributeDefinitions": []any{map[string]any{"AttributeName": "pk", "AttributeType": "N"}},
		"StreamSpecification":  map[string]any{"StreamEnabled": true, "StreamViewType": "KEYS_ONLY"}})
	made, _ := table["TableDescription"].(map[string]any)
	s.call("lambda", "CreateEventSourceMapping", map[string]any{"FunctionName": "got", "EventSourceArn": made["LatestStreamArn"], "StartingPosition": "TRIM_HORIZON"})
	s.call("logs", "CreateLogGroup", map[string]any{"logGroupName": "numbers"})
	s.call("logs", "CreateLogStream", map[string]any{"logGroupName": "numbers", "logStreamName": "s"})
	s.call("logs", "PutSubscriptionFilter", map[string]any{"logGroupName": "numbers", "filterName": "all", "filterPattern": "", "destinationArn": sourceFunction})
	s.call("lambda", "CreateEventSourceMapping", map[string]any{"FunctionName": "got", "EventSourceArn": "arn:aws:kinesis:us-east-1:123456789012:stream/" + s.stream,
		"StartingPosition": "TRIM_HORIZON"})
}

// produce sends numbers from first on to all sources, for a while.
func (s *sources) produce(first int, long time.Duration) {
	until := time.Now().Add(long)
	var running sync.WaitGroup
	for source, send := range map[string]func(n int) error{
		"sqs": func(n int) error {
			_, err := s.client(n).Call(s.t.Context(), "sqs", "SendMessage", map[string]any{"QueueUrl": s.servers[0].url() + "/123456789012/work", "MessageBody": fmt.Sprint(n)})
			return err
		},
		"iot": func(n int) error {
			_, err := s.client(n).Call(s.t.Context(), "iot-data", "Publish", map[string]any{"topic": "numbers", "qos": 1, "payload": fmt.Appendf(nil, `{"n": %d}`, n)})
			return err
		},
		"firehose": func(n int) error {
			_, err := s.client(n).Call(s.t.Context(), "firehose", "PutRecord", map[string]any{"DeliveryStreamName": "f", "Record": map[string]any{"Data": fmt.Appendf(nil, "<%d>", n)}})
			return err
		},
		"ses": func(n int) error {
			listener := s.servers[n%len(s.servers)].flags[3]
			return smtp.SendMail(listener, nil, "a@example.org", []string{"b@example.com"}, fmt.Appendf(nil, "Subject: x\r\n\r\n<%d>\r\n", n))
		},
		"kinesis": func(n int) error {
			shard, _ := s.kinesis("PutRecord", map[string]any{"StreamName": s.stream, "PartitionKey": fmt.Sprint("key", n), "Data": fmt.Append(nil, n)})["ShardId"].(string)
			s.mu.Lock()
			defer s.mu.Unlock()
			s.shards[shard] = append(s.shards[shard], n)
			return nil
		},
		"dynamodb": func(n int) error {
			item := map[string]any{"pk": map[string]any{"N": fmt.Sprint(n)}}
			if s.dynamodb("PutItem", map[string]any{"TableName": s.stream, "Item": item}) == nil {
				return errors.New("the item was not put")
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			s.shards["dynamodb"] = append(s.shards["dynamodb"], n) // moto's tables have one shard
			return nil
		},
		"logs": func(n int) error {
			out, err := s.client(n).Call(s.t.Context(), "logs", "PutLogEvents", map[string]any{"logGroupName": "numbers", "logStreamName": "s",
				"logEvents": []any{map[string]any{"timestamp": time.Now().UnixMilli(), "message": fmt.Sprint(n)}}})
			if out["rejectedLogEventsInfo"] != nil {
				s.t.Errorf("an event of a log group was rejected: %v", out)
			}
			return err
		},
	} {
		running.Go(func() {
			for n := first; time.Now().Before(until); n++ {
				err := send(n)
				s.mu.Lock()
				if s.accepted[source] == nil {
					s.accepted[source] = map[int]bool{}
				}
				if err == nil {
					s.accepted[source][n] = true
				}
				s.mu.Unlock()
				time.Sleep(10 * time.Millisecond) // load is bounded
			}
		})
	}
	running.Wait()
}

// arrive waits until everything that was accepted is there. once says that nothing may be
// there twice: nobody was killed.
func (s *sources) arrive(once bool) {
	began, advance := time.Now(), `{"advance": "61s"}` // buffers are due
	if !once {
		advance = `{"advance": "601s"}` // as are messages that a killed server had
	}
	var got map[string][]int
	pass := func(advance string) {
		for _, one := range s.servers {
			one.post(s.t, "/_plumb/clock", advance)
		}
		for _, one := range s.servers {
			one.post(s.t, "/_plumb/drain", "")
		}
		got = s.got()
	}
	for {
		pass(advance)
		missing := 0
		for source, all := range s.accepted {
			for n := range all {
				if !slices.Contains(got[source], n) {
					missing++
				}
			}
		}
		if missing == 0 {
			pass(`{"advance": "601s"}`) // what was handed over and is not finished comes again
			break
		}
		if time.Since(began) > time.Minute {
			s.t.Errorf("%d that were accepted are missing after a minute", missing)
			break
		}
	}
	s.inOrder()
	for source, all := range s.accepted {
		twice := len(got[source]) - len(slices.Compact(slices.Sorted(slices.Values(got[source]))))
		s.t.Logf("%-8s %4d accepted, %4d arrived, %d of them again", source, len(all), len(got[source]), twice)
		if len(all) == 0 {
			s.t.Errorf("%s took nothing", source)
		}
		if once && twice > 0 {
			s.t.Errorf("%s: %d arrived more than once, and no server was killed", source, twice)
		}
	}
}

var bracketed = regexp.MustCompile(`<(\d+)>`)

// got returns the numbers that arrived, by source.
func (s *sources) got() map[string][]int {
	got := map[string][]int{}
	for source, bucket := range map[string]string{"ses": "mail", "firehose": "sink"} {
		for _, text := range s.objects(bucket) {
			for _, m := range bracketed.FindAllStringSubmatch(text, -1) {
				n, _ := strconv.Atoi(m[1])
				got[source] = append(got[source], n)
			}
		}
	}
	s.read()
	for _, m := range s.told {
		source := m.Source
		if strings.HasPrefix(source, "shardId") {
			source = "kinesis"
		}
		got[source] = append(got[source], m.Numbers...)
	}
	return got
}

// A toldNumbers is what the function says that it got.
type toldNumbers struct {
	Source  string
	Numbers []int
	At      float64
}

// read takes what the function told so far.
func (s *sources) read() {
	url := s.servers[0].url() + "/123456789012/got"
	for {
		messages, _ := s.call("sqs", "ReceiveMessage", map[string]any{"QueueUrl": url, "MaxNumberOfMessages": 10})["Messages"].([]any)
		for _, m := range messages {
			message := m.(map[string]any)
			var one toldNumbers
			if err := json.Unmarshal([]byte(message["Body"].(string)), &one); err != nil {
				s.t.Fatal(err)
			}
			s.told = append(s.told, one)
			s.call("sqs", "DeleteMessage", map[string]any{"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]})
		}
		if len(messages) == 0 {
			return
		}
	}
}

// inOrder fails if a record of a shard came before one that is older: what a batch brings
// again was there before.
func (s *sources) inOrder() {
	slices.SortStableFunc(s.told, func(a, b toldNumbers) int { return cmp.Compare(a.At, b.At) })
	for shard, numbers := range s.shards {
		seen := 0
		for _, m := range s.told {
			if m.Source != shard {
				continue
			}
			for _, n := range m.Numbers {
				at := slices.Index(numbers, n)
				if at > seen {
					s.t.Errorf("%s: %d came before %d", shard, n, numbers[seen])
				}
				seen = max(seen, at+1)
			}
		}
		if seen != len(numbers) {
			s.t.Errorf("%s: %d of %d records came", shard, seen, len(numbers))
		}
	}
}

// objects returns the contents of a bucket.
func (s *sources) objects(bucket string) (out []string) {
	client := newWorld(s.servers[0]).s3
	pages := s3.NewListObjectsV2Paginator(client, &s3.ListObjectsV2Input{Bucket: &bucket})
	for pages.HasMorePages() {
		page, err := pages.NextPage(s.t.Context())
		if err != nil {
			s.t.Fatal(err)
		}
		for _, o := range page.Contents {
			got, err := client.GetObject(s.t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: o.Key})
			if err != nil {
				s.t.Fatal(err)
			}
			text, err := io.ReadAll(got.Body)
			got.Body.Close()
			if err != nil {
				s.t.Fatal(err)
			}
			out = append(out, string(text))
		}
	}
	return out
}
