package config

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/smithy-go"

	"plumb/internal/clock"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/delivery"
	"plumb/internal/job"
	"plumb/internal/model"
	"plumb/internal/model/configapi"
	"plumb/internal/store"
	"plumb/internal/wire"
)

// channelOutlet has one bucket and one topic, and takes everything.
type channelOutlet struct{}

const channelTopic = "arn:aws:sns:eu-west-1:111122223333:config-topic"

func (channelOutlet) Publish(_ context.Context, _ config.Place, _ string, all []delivery.Message) []error {
	return make([]error, len(all))
}

func (channelOutlet) PutObject(_ context.Context, _ config.Place, bucket, _ string, _ io.ReadSeeker, _ int64, _ string) error {
	if bucket == "locked" {
		return delivery.ErrAccessDenied
	}
	return nil
}

func (channelOutlet) BucketExists(_ context.Context, _ config.Place, bucket string) (bool, error) {
	return bucket == "config-bucket" || bucket == "locked", nil
}

func (channelOutlet) TopicExists(_ context.Context, _ config.Place, arn string) (bool, error) {
	return arn == channelTopic, nil
}

// channelBench serves the operations of the noun to the real SDK.
type channelBench struct {
	*configservice.Client
	t     *testing.T
	db    *db.DB
	clock *clock.Clock
	queue *job.Queue
	url   string
}

var channelPlace = config.Place{Account: "111122223333", Region: "eu-west-1"}

func newChannelBench(t *testing.T, d *db.DB) channelBench {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	b := channelBench{t: t, db: d, clock: &clock.Clock{}}
	b.clock.Freeze(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	var err error
	if b.queue, err = job.New(t.Context(), d, log, b.clock, "server-1"); err != nil {
		t.Fatal(err)
	}
	quiet := func(context.Context, *db.Tx, any) error { return nil }
	s := configapi.NewService()
	deliveryChannels{db: d, delivery: delivery.New(log, d, b.queue, channelOutlet{}, quiet, b.clock.Now, delivery.Options{})}.register(s)
	if err := b.queue.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.queue.Stop(context.Background()) })
	server := httptest.NewServer(wire.New(log, wire.Options{Services: []*model.Registry{s.Registry()}}))
	t.Cleanup(server.Close)
	b.url = server.URL
	b.Client = configservice.NewFromConfig(aws.Config{
		Region: channelPlace.Region, BaseEndpoint: &b.url, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(channelPlace.Account, "secret", ""),
	})
	return b
}

func (b channelBench) recorder(recording bool) {
	b.t.Helper()
	err := b.db.Write(b.t.Context(), func(tx *db.Tx) error {
		r := config.Recorder{Place: channelPlace, Name: "default"}
		if err := store.PutRecorder(b.t.Context(), tx, r); err != nil {
			return err
		}
		return store.SetRecorderStatus(b.t.Context(), tx, r, config.RecorderStatus{Recording: recording})
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b channelBench) put(c types.DeliveryChannel) error {
	_, err := b.PutDeliveryChannel(b.t.Context(), &configservice.PutDeliveryChannelInput{DeliveryChannel: &c})
	return err
}

// post sends a body as it is and returns the answer's text, as old clients see
// it.
func (b channelBench) post(operation, body string) string {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), "POST", b.url, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "StarlingDoveService."+operation)
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=111122223333/20260102/eu-west-1/config/aws4_request, "+
		"SignedHeaders=host, Signature=0000000000000000000000000000000000000000000000000000000000000000")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return string(text)
}

func wantAPIError(t *testing.T, err error, code, text string) {
	t.Helper()
	var e smithy.APIError
	if !errors.As(err, &e) {
		t.Errorf("got %v, want %s", err, code)
		return
	}
	if e.ErrorCode() != code || text != "" && e.ErrorMessage() != text {
		t.Errorf("got %s: %s\nwant %s: %s", e.ErrorCode(), e.ErrorMessage(), code, text)
	}
}

func TestAChannelIsReturnedAsItWasPut(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		b := newChannelBench(t, d)
		b.recorder(false)
		if got := b.post("DescribeDeliveryChannels", "{}"); got != `{"DeliveryChannels":[]}` {
			t.Errorf("none: %s", got)
		}
		if got := b.post("PutDeliveryChannel", `{"DeliveryChannel":{"s3BucketName":"config-bucket","s3KeyPrefix":"a/b","snsTopicARN":"`+channelTopic+
			`","s3KmsKeyArn":"arn:aws:kms:eu-west-1:111122223333:alias/k","configSnapshotDeliveryProperties":{"deliveryFrequency":"Six_Hours"}}}`); got != "" {
			t.Errorf("put: %s", got)
		}
		if got := b.post("DescribeDeliveryChannels", "{}"); got != `{"DeliveryChannels":[{"name":"default","s3BucketName":"config-bucket","s3KeyPrefix":"a/b",`+
			`"s3KmsKeyArn":"arn:aws:kms:eu-west-1:111122223333:alias/k","snsTopicARN":"`+channelTopic+`",`+
			`"configSnapshotDeliveryProperties":{"deliveryFrequency":"Six_Hours"}}]}` {
			t.Errorf("all: %s", got)
		}
		if err := b.put(types.DeliveryChannel{Name: new("default"), S3BucketName: new("config-bucket")}); err != nil {
			t.Fatal(err)
		}
		if got := b.post("DescribeDeliveryChannels", `{"DeliveryChannelNames":["default"]}`); got != `{"DeliveryChannels":[{"name":"default","s3BucketName":"config-bucket"}]}` {
			t.Errorf("replaced: %s", got)
		}
	})
}

func TestAChannelIsRefusedInAWSsWords(t *testing.T) {
	b := newChannelBench(t, dbtest.Open(t))
	bucket := new("config-bucket")
	wantAPIError(t, b.put(types.DeliveryChannel{}), "NoAvailableConfigurationRecorderException",
		"Configuration recorder is not available to put delivery channel.")
	b.recorder(true)
	for _, c := range []struct {
		put        types.DeliveryChannel
		code, text string
	}{
		{types.DeliveryChannel{Name: new(" ")}, "InvalidDeliveryChannelNameException", "The delivery channel name ' ' is not valid, blank string."},
		{types.DeliveryChannel{}, "NoSuchBucketException", "Cannot find a S3 bucket with an empty bucket name."},
		{types.DeliveryChannel{S3BucketName: bucket, S3KeyPrefix: new("")}, "InvalidS3KeyPrefixException", "The s3 key prefix '' is not valid, empty s3 key prefix."},
		{types.DeliveryChannel{S3BucketName: bucket, S3KmsKeyArn: new("")}, "InvalidS3KmsKeyArnException", "The arn '' is not a valid kms key or alias arn."},
		{types.DeliveryChannel{S3BucketName: bucket, S3KmsKeyArn: new("arn:aws:kms:eu-west-1:111122223333:key")}, "InvalidS3KmsKeyArnException", ""},
		{types.DeliveryChannel{S3BucketName: bucket, SnsTopicARN: new("")}, "InvalidSNSTopicARNException", "The sns topic arn '' is not valid."},
		{types.DeliveryChannel{S3BucketName: bucket, SnsTopicARN: new(strings.Replace(channelTopic, "eu-", "us-", 1))}, "InvalidSNSTopicARNException", ""},
		{types.DeliveryChannel{S3BucketName: bucket, SnsTopicARN: new(channelTopic + ".fifo")}, "InvalidSNSTopicARNException", ""},
		{types.DeliveryChannel{S3BucketName: bucket, SnsTopicARN: new(channelTopic + "2")}, "InvalidSNSTopicARNException", "The sns topic arn '" + channelTopic + "2' is not valid."},
		{types.DeliveryChannel{S3BucketName: new("nowhere")}, "NoSuchBucketException", ""},
		{types.DeliveryChannel{S3BucketName: new("locked")}, "InsufficientDeliveryPolicyException", "Insufficient delivery policy to s3 bucket: locked, " +
			"unable to write to bucket, provided s3 key prefix is 'null', provided kms key is 'null'."},
	} {
		wantAPIError(t, b.put(c.put), c.code, c.text)
	}
	if err := b.put(types.DeliveryChannel{S3BucketName: bucket}); err != nil {
		t.Fatal(err)
	}
	wantAPIError(t, b.put(types.DeliveryChannel{Name: new("x"), S3BucketName: bucket}), "MaxNumberOfDeliveryChannelsExceededException",
		"Failed to put delivery channel 'x' because the maximum number of delivery channels: 1 is reached.")
}

func TestTheChannelOfARunningRecorderIsNotDeleted(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		b := newChannelBench(t, d)
		b.recorder(true)
		if err := b.put(types.DeliveryChannel{S3BucketName: new("config-bucket")}); err != nil {
			t.Fatal(err)
		}
		remove := func(name string) error {
			_, err := b.DeleteDeliveryChannel(t.Context(), &configservice.DeleteDeliveryChannelInput{DeliveryChannelName: &name})
			return err
		}
		wantAPIError(t, remove("x"), "NoSuchDeliveryChannelException", "Cannot find delivery channel with specified name 'x'.")
		wantAPIError(t, remove("default"), "LastDeliveryChannelDeleteFailedException",
			"Failed to delete last specified delivery channel with name 'default', because there is a running configuration recorder.")
		b.recorder(false)
		if err := remove("default"); err != nil {
			t.Fatal(err)
		}
		_, err := b.DescribeDeliveryChannelStatus(t.Context(), &configservice.DescribeDeliveryChannelStatusInput{DeliveryChannelNames: []string{"default"}})
		wantAPIError(t, err, "NoSuchDeliveryChannelException", "")
	})
}

func TestASnapshotThatWasAskedForShowsInTheStatus(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		b := newChannelBench(t, d)
		ask := func() (string, error) {
			out, err := b.DeliverConfigSnapshot(t.Context(), &configservice.DeliverConfigSnapshotInput{DeliveryChannelName: new("default")})
			if err != nil {
				return "", err
			}
			return *out.ConfigSnapshotId, nil
		}
		_, err := ask()
		wantAPIError(t, err, "NoSuchDeliveryChannelException", "")
		b.recorder(false)
		if err := b.put(types.DeliveryChannel{S3BucketName: new("config-bucket"), SnsTopicARN: new(channelTopic)}); err != nil {
			t.Fatal(err)
		}
		_, err = ask()
		wantAPIError(t, err, "NoRunningConfigurationRecorderException", "")
		const empty = `{"DeliveryChannelsStatus":[{"name":"default","configSnapshotDeliveryInfo":{},"configHistoryDeliveryInfo":{},"configStreamDeliveryInfo":{}}]}`
		if got := b.post("DescribeDeliveryChannelStatus", "{}"); got != empty {
			t.Errorf("before: %s", got)
		}
		b.recorder(true)
		id, err := ask()
		if err != nil || len(id) != 36 {
			t.Fatalf("id %q, %v", id, err)
		}
		if err := b.queue.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		const after = `{"DeliveryChannelsStatus":[{"name":"default","configSnapshotDeliveryInfo":{"lastStatus":"SUCCESS","lastAttemptTime":1767323045,` +
			`"lastSuccessfulTime":1767323045},"configHistoryDeliveryInfo":{},"configStreamDeliveryInfo":{"lastStatus":"SUCCESS","lastStatusChangeTime":1767323045}}]}`
		if got := b.post("DescribeDeliveryChannelStatus", "{}"); got != after {
			t.Errorf("after: %s", got)
		}
	})
}
