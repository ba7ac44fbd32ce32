package app_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	configtypes "github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"plumb/internal/apptest"
	"plumb/internal/settings"
)

// trailRecord is a record of CloudTrail: somebody set the versioning of a bucket.
func trailRecord(id, account, operation, bucket string, at time.Time) string {
	return fmt.Sprintf(`{"eventVersion":"1.11","userIdentity":{"type":"AssumedRole","principalId":"AROAX:bob","arn":"arn:aws:sts::%[2]s:assumed-role/Admin/bob",
		"accountId":"%[2]s","accessKeyId":"ASIAX","sessionContext":{"sessionIssuer":{"type":"Role","arn":"arn:aws:iam::%[2]s:role/Admin","userName":"Admin"}}},
		"eventTime":"%[5]s","eventSource":"s3.amazonaws.com","eventName":"%[3]s","awsRegion":"us-east-1","sourceIPAddress":"203.0.113.7",
		"userAgent":"aws-cli","requestParameters":{"bucketName":"%[4]s","Host":"x"},"responseElements":null,"requestID":"R-%[1]s","eventID":"%[1]s",
		"readOnly":false,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"%[2]s","eventCategory":"Management"}`,
		id, account, operation, bucket, at.UTC().Format(time.RFC3339))
}

// A trailed server records the buckets of another one.
type trailed struct {
	t           *testing.T
	here, there *apptest.Plumb
}

func runTrailed(t *testing.T, story func(w trailed), change func(s *settings.Settings, there *apptest.Plumb)) {
	var there *apptest.Plumb
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		w := trailed{t, p, there}
		w.bucket("kept")
		if err := p.Record(t.Context()); err != nil {
			t.Fatal(err)
		}
		p.Drain(t)
		p.Clock().Advance(time.Minute)
		story(w)
	}, func(s *settings.Settings) {
		there = apptest.Start(t)
		s.Target, s.Poll, s.Audit, s.ControlToken = there.URL(), 24*time.Hour, "management", "control"
		if change != nil {
			change(s, there)
		}
	})
}

func (w trailed) bucket(name string) {
	w.t.Helper()
	_, err := w.there.S3().CreateBucket(w.t.Context(), &s3.CreateBucketInput{Bucket: &name})
	if err != nil && !strings.Contains(err.Error(), "BucketAlreadyOwnedByYou") {
		w.t.Fatal(err)
	}
}

func (w trailed) version(name string, to s3types.BucketVersioningStatus) {
	w.t.Helper()
	_, err := w.there.S3().PutBucketVersioning(w.t.Context(), &s3.PutBucketVersioningInput{Bucket: &name,
		VersioningConfiguration: &s3types.VersioningConfiguration{Status: to}})
	if err != nil {
		w.t.Fatal(err)
	}
}

// put puts a record on a bus of the server that records.
func (w trailed) put(by *apptest.Plumb, detailType, record string) {
	w.t.Helper()
	out, err := by.EventBridge().PutEvents(w.t.Context(), &eventbridge.PutEventsInput{Entries: []eventtypes.PutEventsRequestEntry{
		{Source: aws.String("forwarded.s3"), DetailType: &detailType, Detail: &record},
	}})
	if err != nil || out.FailedEntryCount != 0 {
		w.t.Fatalf("%+v: %v", out, err)
	}
	w.here.Drain(w.t)
}

// causes are the related events of each item of a bucket, the newest first.
func (w trailed) causes(name string) (out []string) {
	w.t.Helper()
	h, err := w.here.Config().GetResourceConfigHistory(w.t.Context(), &configservice.GetResourceConfigHistoryInput{
		ResourceType: configtypes.ResourceTypeBucket, ResourceId: &name,
	})
	if err != nil {
		return []string{"none: " + err.Error()}
	}
	for _, it := range h.ConfigurationItems {
		out = append(out, strings.Join(it.RelatedEvents, " "))
	}
	return out
}

func (w trailed) want(what string, causes ...string) {
	w.t.Helper()
	if got := w.causes("kept"); !slices.Equal(got, causes) {
		w.t.Errorf("%s: items name %q, want %q", what, got, causes)
	}
}

const viaTrail = "AWS API Call via CloudTrail"

func TestARecordOfCloudTrailOnTheBusIsTheCauseOfAnItem(t *testing.T) {
	runTrailed(t, func(w trailed) {
		account, now := w.here.Account(), w.here.Clock().Now()
		w.version("kept", s3types.BucketVersioningStatusEnabled)
		w.put(w.here, "something else", trailRecord("e-0", account, "PutBucketVersioning", "kept", now))
		w.put(w.here, viaTrail, trailRecord("e-0", "999999999999", "PutBucketVersioning", "kept", now))
		w.put(w.here, viaTrail, trailRecord("e-0", account, "GetBucketVersioning", "kept", now))
		w.put(w.here, viaTrail, `{"eventName":"PutBucketVersioning"}`)
		w.put(w.here.As("999999999999", "us-east-1"), viaTrail, trailRecord("e-0", account, "PutBucketVersioning", "kept", now))
		w.want("what is no record of a change of the account", "")
		w.put(w.here, viaTrail, trailRecord("e-1", account, "PutBucketVersioning", "kept", now))
		w.want("a record", "e-1", "")
		all, text := auditOf(w.t, w.here, "event=e-1")
		if len(all) != 1 || all[0].Name != "PutBucketVersioning" || all[0].IP != "203.0.113.7" || all[0].RequestID != "R-e-1" ||
			!strings.HasSuffix(all[0].Who.ARN, "assumed-role/Admin/bob") || !strings.Contains(text, `"forwardedBy":"events:PutEvents by arn:aws:iam::`) {
			w.t.Errorf("the audit log has %s", text)
		}
		if all, text := auditOf(w.t, w.here, "event=e-0"); len(all) != 0 {
			w.t.Errorf("the audit log has %s", text)
		}
		w.put(w.here, viaTrail, trailRecord("e-nul", account, "PutBucketVersioning", `kept\u0000`, now))
		w.want("a record with a name that no store takes", "e-1", "")
		w.bucket("fresh")
		w.put(w.here, viaTrail, trailRecord("e-2", account, "CreateBucket", "fresh", w.here.Clock().Now()))
		w.here.Clock().Advance(31 * time.Second)
		w.here.Drain(w.t)
		if got := w.causes("fresh"); !slices.Equal(got, []string{"e-2"}) {
			w.t.Errorf("a new bucket's items name %q", got)
		}
	}, nil)
}

// trailFile is a file of CloudTrail's with a record.
func (w trailed) trailFile(key, record string) {
	w.t.Helper()
	var body bytes.Buffer
	z := gzip.NewWriter(&body)
	fmt.Fprintf(z, `{"Records":[%s]}`, record)
	if err := z.Close(); err != nil {
		w.t.Fatal(err)
	}
	_, err := w.there.S3().PutObject(w.t.Context(), &s3.PutObjectInput{Bucket: aws.String("trail"), Key: &key, Body: bytes.NewReader(body.Bytes())})
	if err != nil {
		w.t.Fatal(err)
	}
}

// later lets the next readings of queues and buckets come.
func (w trailed) later() {
	w.here.Clock().Advance(61 * time.Second)
	w.here.Drain(w.t)
}

// change changes the bucket, and returns what CloudTrail would say of it.
func (w trailed) change(id string, to s3types.BucketVersioningStatus) string {
	w.here.Clock().Advance(2 * time.Second) // CloudTrail's times are whole seconds
	w.version("kept", to)
	return trailRecord(id, w.here.Account(), "PutBucketVersioning", "kept", w.here.Clock().Now())
}

const on, off = s3types.BucketVersioningStatusEnabled, s3types.BucketVersioningStatusSuspended

func TestRecordsOfCloudTrailAreReadFromAQueue(t *testing.T) {
	var queue *string
	runTrailed(t, func(w trailed) {
		w.bucket("trail")
		send := func(body string) {
			w.t.Helper()
			if _, err := w.there.SQS().SendMessage(w.t.Context(), &sqs.SendMessageInput{QueueUrl: queue, MessageBody: &body}); err != nil {
				w.t.Fatal(err)
			}
			w.later()
		}
		send("nonsense")
		send(trailRecord("e-0", w.here.Account(), "PutBucketTagging", "other", w.here.Clock().Now()))
		send(fmt.Sprintf(`{"version":"0","id":"x","detail-type":%q,"source":"aws.s3","detail":%s}`, viaTrail, w.change("e-1", on)))
		w.want("an event of EventBridge", "e-1", "")
		send(fmt.Sprintf(`{"Records":[%s]}`, w.change("e-2", off)))
		w.want("records", "e-2", "e-1", "")
		const key = "org/AWSLogs/o-1/123456789012/CloudTrail/us-east-1/2026/11/30/a.json.gz"
		w.trailFile(key, w.change("e-3", on))
		send(fmt.Sprintf(`{"Type":"Notification","Message":%q}`, fmt.Sprintf(`{"s3Bucket":"trail","s3ObjectKey":[%q, "gone/AWSLogs/123456789012/CloudTrail/us-east-1/2026/11/30/b.json.gz"]}`, key)))
		w.want("a notice of CloudTrail's topic", "e-3", "e-2", "e-1", "")
		w.trailFile(key, w.change("e-4", off))
		send(fmt.Sprintf(`{"Records":[{"eventSource":"aws:s3","s3":{"bucket":{"name":"trail"},"object":{"key":%q}}}]}`, strings.ReplaceAll(key, "/o-1", "%2Fo-1")))
		w.want("a notice of S3", "e-4", "e-3", "e-2", "e-1", "")
		out, err := w.there.SQS().ReceiveMessage(w.t.Context(), &sqs.ReceiveMessageInput{QueueUrl: queue})
		if err != nil || len(out.Messages) != 0 {
			w.t.Errorf("left in the queue: %+v, %v", out, err)
		}
		w.here.Restart(w.t)
		w.here.Clock().Advance(time.Hour) // it begins anew
		send(w.change("e-5", on))
		w.want("after a restart", "e-5", "e-4", "e-3", "e-2", "e-1", "")
	}, func(s *settings.Settings, there *apptest.Plumb) {
		out, err := there.SQS().CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("trail")})
		if err != nil {
			t.Fatal(err)
		}
		queue, s.CloudTrail = out.QueueUrl, *out.QueueUrl
	})
}

func TestRecordsOfCloudTrailAreReadFromABucket(t *testing.T) {
	runTrailed(t, func(w trailed) {
		file := func(name, record string) {
			w.t.Helper()
			now := w.here.Clock().Now().UTC()
			w.trailFile(fmt.Sprintf("logs/AWSLogs/%[1]s/CloudTrail/us-east-1/%[2]s/%[1]s_CloudTrail_us-east-1_%[3]s_%[4]s.json.gz", w.here.Account(),
				now.Format("2006/01/02"), now.Format("20060102T1504Z"), name), record)
			w.later()
		}
		w.later()
		w.bucket("trail")
		file("a", w.change("e-1", on))
		w.want("a file", "e-1", "")
		w.trailFile("logs/AWSLogs/"+w.here.Account()+"/CloudTrail/us-east-1/notes.txt", "{}")
		file("b", w.change("e-2", off))
		w.want("a second file", "e-2", "e-1", "")
		w.change("unrecorded", on)
		w.later()
		w.want("files that were read", "e-2", "e-1", "")
	}, func(s *settings.Settings, _ *apptest.Plumb) { s.CloudTrail = "s3://trail/logs" })
}
