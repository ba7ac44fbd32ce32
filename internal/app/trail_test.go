package app_test

import (
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
		w.bucket("fresh")
		w.put(w.here, viaTrail, trailRecord("e-2", account, "CreateBucket", "fresh", w.here.Clock().Now()))
		w.here.Clock().Advance(31 * time.Second)
		w.here.Drain(w.t)
		if got := w.causes("fresh"); !slices.Equal(got, []string{"e-2"}) {
			w.t.Errorf("a new bucket's items name %q", got)
		}
	}, nil)
}
